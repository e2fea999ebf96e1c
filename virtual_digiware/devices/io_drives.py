"""What drives the inputs of an IO module, in the words of the site file; every value is a function of time.

Digital inputs: `off`, `on`, `square <period s> <duty>`, `schedule <daily profile>` (on while the profile is
above half its peak), `pulse of <circuit> <Wh per pulse>`, `breaker <circuit>`,
`output <gateway>/<module> <n>`.
Analogue inputs: a number or `constant <value>`, `sine <low> <high> <period s>`, `room` (its temperature, 0 to
50 degC), `circuit <name> <point> <low> <high>`; low is 4 mA and high is 20 mA. Temperature probes: a number,
a sine, `room`, `warmed by <circuit> <A> <K>`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from virtual_digiware.devices.energies import MJ_PER_TENTH
from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.points import IntArray
from virtual_digiware.profiles.daily_profiles import ProfileUnknown, daily_profile
from virtual_digiware.profiles.environment import room_c
from virtual_digiware.profiles.local_time import LocalTime

LOW_MA, HIGH_MA = 4.0, 20.0
BROKEN_MA = math.nan
_QUARTER_MS = 900_000


class DriveError(ValueError):
    """An input or output is driven by something that does not exist: `text` as found, `right` instead."""

    def __init__(self, text: str, right: str) -> None:
        super().__init__(f"{text!r}; right would be {right}")
        self.text = text
        self.right = right


@dataclass(frozen=True, slots=True)
class Level:
    """An input that does not change."""

    is_on: bool

    def state(self, t_ms: int) -> bool:
        return self.is_on


@dataclass(frozen=True, slots=True)
class Square:
    """On for a share of each period; periods count from the epoch."""

    period_ms: int
    duty: float

    def state(self, t_ms: int) -> bool:
        return t_ms % self.period_ms < self.duty * self.period_ms


@dataclass(frozen=True)
class Schedule:
    """On while a daily profile is above half its peak of that day, on the local clock."""

    profile: str
    time: LocalTime

    def state(self, t_ms: int) -> bool:
        return bool(self.states(np.array([t_ms], np.int64))[0])

    def states(self, t_ms: IntArray) -> BoolArray:
        """At many instants (T,), each local day looked up once."""
        moment = self.time.moment(t_ms)
        _, first, of_day = np.unique(moment.day, return_index=True, return_inverse=True)
        profile = daily_profile(self.profile)[moment.day_type[first]]
        days = profile[:, 0] + (profile[:, 1] - profile[:, 0]) * moment.summer[first, None]
        quarters = days > days.max(axis=1, keepdims=True) / 2
        on: BoolArray = quarters[of_day, moment.time_of_day_ms // _QUARTER_MS]
        return on


@dataclass(frozen=True, slots=True)
class Pulse:
    """Pulses of the energy that a circuit imports: the contact is closed for the first half of each."""

    circuit: str
    weight_mj: int

    def count(self, energy_mj: int) -> int:
        """Pulses given so far."""
        return energy_mj // self.weight_mj

    def closed(self, energy_mj: int) -> bool:
        return energy_mj % self.weight_mj * 2 < self.weight_mj

    @property
    def weight_wh(self) -> float:
        return self.weight_mj / MJ_PER_TENTH / 10


@dataclass(frozen=True, slots=True)
class Breaker:
    """The auxiliary contact of a circuit's breaker: closed while that is."""

    circuit: str


@dataclass(frozen=True, slots=True)
class Output:
    """A wire from an output (from 1) of the IO module at a path `<gateway>/<module>`."""

    path: str
    number: int


DigitalDrive = Level | Square | Schedule | Pulse | Breaker | Output


@dataclass(frozen=True, slots=True)
class Constant:
    """A quantity that does not change; its transmitter spans 0 to 100, or as far as the quantity needs."""

    value: float

    @property
    def low(self) -> float:
        return min(0.0, self.value)

    @property
    def high(self) -> float:
        return max(100.0, self.value)

    def at(self, t_ms: int) -> float:
        return self.value

    def mean(self, start_ms: int, end_ms: int) -> float:
        return self.value


@dataclass(frozen=True, slots=True)
class Sine:
    """A quantity that swings between low and high."""

    low: float
    high: float
    period_ms: int

    def at(self, t_ms: int) -> float:
        return self._swing(math.sin(self._angle(t_ms)))

    def mean(self, start_ms: int, end_ms: int) -> float:
        """Mean over an interval, from the integral."""
        if end_ms <= start_ms:
            return self.at(start_ms)
        # Whole periods add nothing; without them the angles stay small enough to be exact.
        first, last = self._angle(start_ms), self._angle(end_ms)
        swept = (end_ms - start_ms) * 2 * math.pi / self.period_ms
        return self._swing((math.cos(first) - math.cos(last)) / swept)

    def _angle(self, t_ms: int) -> float:
        return t_ms % self.period_ms * 2 * math.pi / self.period_ms

    def _swing(self, share: float) -> float:
        return (self.low + self.high) / 2 + (self.high - self.low) / 2 * share


@dataclass(frozen=True, slots=True)
class CircuitPoint:
    """A measured point of a circuit, sent on as a signal."""

    circuit: str
    point: str
    low: float
    high: float


@dataclass(frozen=True)
class Room:
    """The temperature of the room, in degC."""

    time: LocalTime
    low: float = 0.0
    high: float = 50.0

    def at(self, t_ms: int) -> float:
        return room_c(t_ms, self.time)

    def mean(self, start_ms: int, end_ms: int) -> float:
        """A room moves so slowly that the middle of an interval is its mean."""
        return self.at((start_ms + end_ms) // 2)


@dataclass(frozen=True)
class Warmed:
    """Air in a cabinet: that of the room, and `rise_k` more where `circuit` carries `nominal_a` for long."""

    circuit: str
    nominal_a: float
    rise_k: float
    time: LocalTime

    def temperature_c(self, t_ms: int, heating_a2: float) -> float:
        return room_c(t_ms, self.time) + self.rise_k * heating_a2 / self.nominal_a**2


AnalogueDrive = Constant | Sine | Room | CircuitPoint
ProbeDrive = Constant | Sine | Room | Warmed

_DIGITAL = (
    "off, on, square <period s> <duty>, schedule <daily profile>, pulse of <circuit> <Wh per pulse>, "
    "breaker <circuit>, or output <gateway>/<module> <number>"
)
_PROBE = "a number, sine <low> <high> <period s>, room, or warmed by <circuit> <A> <K>"
_ANALOGUE = "a number, sine <low> <high> <period s>, room, or circuit <name> <point> <low> <high>"


def digital_drive(text: str, timezone: str) -> DigitalDrive:
    """Read what drives a digital input.

    Raises:
        DriveError: None of the forms above, or a number out of range.
    """
    match text.split():
        case ["off"] | ["on"]:
            return Level(text.strip() == "on")
        case ["square", period, duty]:
            share = _number(text, duty, _DIGITAL)
            if not 0 <= share <= 1:
                raise DriveError(text, "a duty from 0 to 1")
            return Square(_period(text, period, _DIGITAL), share)
        case ["schedule", profile]:
            try:
                daily_profile(profile)
            except ProfileUnknown as unknown:
                raise DriveError(text, "schedule with one of " + ", ".join(unknown.known)) from unknown
            return Schedule(profile, LocalTime(timezone))
        case ["breaker", circuit]:
            return Breaker(circuit)
        case ["output", path, number] if number.isdecimal() and int(number) > 0:
            return Output(path, int(number))
        case ["pulse", "of", circuit, weight]:
            weight_mj = round(_number(text, weight, _DIGITAL) * MJ_PER_TENTH * 10)
            if weight_mj <= 0:
                raise DriveError(text, "a pulse weight above 0 Wh")
            return Pulse(circuit, weight_mj)
    raise DriveError(text, _DIGITAL)


def analogue_drive(text: str, timezone: str) -> AnalogueDrive:
    """Read what drives an analogue input.

    Raises:
        DriveError: None of the forms above, or a number out of range.
    """
    match text.split():
        case ["room"]:
            return Room(LocalTime(timezone))
        case [value] | ["constant", value]:
            return Constant(_number(text, value, _ANALOGUE))
        case ["sine", low, high, period]:
            lowest, highest = _span(text, low, high)
            return Sine(lowest, highest, _period(text, period, _ANALOGUE))
        case ["circuit", name, point, low, high]:
            return CircuitPoint(name, point, *_span(text, low, high))
    raise DriveError(text, _ANALOGUE)


def probe_drive(text: str, timezone: str) -> ProbeDrive:
    """Read what a temperature probe feels.

    Raises:
        DriveError: None of the forms, or a number out of range.
    """
    match text.split():
        case ["warmed", "by", circuit, amperes, kelvins]:
            nominal_a, rise_k = _number(text, amperes, _PROBE), _number(text, kelvins, _PROBE)
            if nominal_a <= 0 or not 0 <= rise_k <= 100:
                raise DriveError(text, "a current above 0 A and a rise of 0 to 100 K")
            return Warmed(circuit, nominal_a, rise_k, LocalTime(timezone))
    try:
        drive = analogue_drive(text, timezone)
    except DriveError as error:
        raise DriveError(text, _PROBE) from error
    if isinstance(drive, CircuitPoint):
        raise DriveError(text, _PROBE)
    return drive


def signal_ma(value: float, low: float, high: float) -> float:
    """Current of a 4-20 mA transmitter, limited as real ones are (3.8 to 20.5 mA, NAMUR NE 43)."""
    if math.isnan(value):
        return BROKEN_MA
    return min(max(LOW_MA + (HIGH_MA - LOW_MA) * (value - low) / (high - low), 3.8), 20.5)


def _number(text: str, word: str, right: str) -> float:
    try:
        value = float(word)
    except ValueError as problem:
        raise DriveError(text, right) from problem
    if not math.isfinite(value):
        raise DriveError(text, right)
    return value


def _period(text: str, word: str, right: str) -> int:
    period_ms = round(_number(text, word, right) * 1000)
    if period_ms <= 0:
        raise DriveError(text, "a period above 0 s")
    return period_ms


def _span(text: str, low: str, high: str) -> tuple[float, float]:
    lowest, highest = _number(text, low, _ANALOGUE), _number(text, high, _ANALOGUE)
    if lowest >= highest:
        raise DriveError(text, "a low below the high")
    return lowest, highest
