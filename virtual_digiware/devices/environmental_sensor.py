"""A Bluetooth environmental sensor as its head hears it: advertisements at fixed times, and silence.

Everything follows from the time, the seed and when the sensor was silenced. Range, radio and battery are
choices: the maker has published none of them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

from virtual_digiware.devices.extremes import EPOCH_2000_MS
from virtual_digiware.devices.io_drives import CircuitPoint, Constant, DriveError, Room, Sine, analogue_drive
from virtual_digiware.devices.layout import SensorLayout
from virtual_digiware.profiles.environment import humidity_percent

PERIOD_MS = 60_000
"""Time between two advertisements (a choice)."""
MISSED_PERIODS = 10
"""A sensor is lost after so many periods without an advertisement (a choice)."""
WAITING, HEARD, LOST = 0, 1, 2

DAY_MS = 86_400_000
LOWEST_C, HIGHEST_C = -20.0, 60.0
"""Range of the temperature (a choice)."""
_ONE_METRE_DBM, _FADING_DB = -59.0, 3.0


class EnvironmentalSensor:
    """What one sensor tells, as a function of time."""

    def __init__(self, layout: SensorLayout, key: str, timezone: str, commissioned_ms: int) -> None:
        """`key` makes its times and its radio its own. Raises DriveError."""
        self._temperature = sensor_drive(layout.temperature, timezone)
        self._humidity = None if layout.humidity is None else sensor_drive(layout.humidity, timezone)
        self._layout = layout
        self._key = key
        self._commissioned_ms = commissioned_ms
        self._phase_ms = int.from_bytes(self._hash("phase")) % PERIOD_MS
        self.weakened: Sequence[tuple[int, float]] = ()
        """Percentages above which the battery is not, each from a time on, because of faults."""
        self._empty_ms = commissioned_ms + round(layout.battery_days * DAY_MS * layout.battery_percent / 100)

    def heard_ms(self, t_ms: int, silenced_ms: int | None = None) -> int | None:
        """Time of the newest advertisement at `t_ms`; None when there was none since the commissioning.

        `silenced_ms`: when the sensor was taken away or failed, if it was.
        """
        end_ms = min(t_ms, self._empty_ms, t_ms if silenced_ms is None else silenced_ms)
        heard_ms = (end_ms - self._phase_ms) // PERIOD_MS * PERIOD_MS + self._phase_ms
        return heard_ms if heard_ms >= self._commissioned_ms else None

    def is_lost(self, t_ms: int, silenced_ms: int | None = None) -> bool:
        """Whether so many advertisements were missed that the head gives it up."""
        heard_ms = self.heard_ms(t_ms, silenced_ms)
        since_ms = self._commissioned_ms if heard_ms is None else heard_ms
        return t_ms - since_ms >= (MISSED_PERIODS + 1) * PERIOD_MS

    def values(self, t_ms: int, silenced_ms: int | None = None) -> Mapping[str, int | float]:
        """The points of its table; NaN where nothing was heard yet."""
        heard_ms = self.heard_ms(t_ms, silenced_ms)
        if heard_ms is None:
            state = LOST if self.is_lost(t_ms, silenced_ms) else WAITING
            nothing = dict.fromkeys(("temperature", "humidity", "battery", "signal_strength"), math.nan)
            return {"sensor_state": state, "last_advertisement": 0, "missed_periods": 0, **nothing}
        temperature = min(max(self._temperature.at(heard_ms), LOWEST_C), HIGHEST_C)
        humidity = humidity_percent(temperature) if self._humidity is None else self._humidity.at(heard_ms)
        return {
            "sensor_state": LOST if self.is_lost(t_ms, silenced_ms) else HEARD,
            "last_advertisement": (heard_ms - EPOCH_2000_MS) // 1000,
            "missed_periods": (t_ms - heard_ms) // PERIOD_MS,
            "temperature": temperature,
            "humidity": min(max(humidity, 0.0), 100.0),
            "battery": self._battery_percent(heard_ms),
            "signal_strength": self._signal_dbm(heard_ms),
        }

    def _battery_percent(self, t_ms: int) -> float:
        used = (t_ms - self._commissioned_ms) / (self._layout.battery_days * DAY_MS)
        left = max(0.0, self._layout.battery_percent - 100 * used)
        return min([left, *(percent for since_ms, percent in self.weakened if t_ms >= since_ms)])

    def _signal_dbm(self, t_ms: int) -> float:
        """Free-space loss over the distance, and fading that differs from one advertisement to the next."""
        share = int.from_bytes(self._hash(str(t_ms))) / 2**32
        return _ONE_METRE_DBM - 20 * math.log10(self._layout.distance_m) + _FADING_DB * (2 * share - 1)

    def _hash(self, text: str) -> bytes:
        return hashlib.blake2b(f"{self._key}\0{text}".encode(), digest_size=4).digest()


def sensor_drive(text: str, timezone: str) -> Constant | Sine | Room:
    """Read what drives a sensor. Raises DriveError."""
    drive = analogue_drive(text, timezone)
    if isinstance(drive, CircuitPoint):
        raise DriveError(text, "a number, sine <low> <high> <period s>, or room")
    return drive
