"""What records do to the history: changes of wiring and network, and resets, each at its own time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from virtual_digiware.devices.alarms.plan import Plan
from virtual_digiware.devices.faults.book import Fault
from virtual_digiware.devices.site_wiring import Connected
from virtual_digiware.profiles.installation import Event


@dataclass(frozen=True, slots=True)
class Rewired:
    """The modules measure by other settings, or other modules are there, from now on. Cuts the base step."""

    time_ms: int
    connected: Connected


@dataclass(frozen=True, slots=True)
class Disturbed:
    """An electrical event that nobody knew of before. Its own edges cut the base step."""

    time_ms: int
    event: Event


@dataclass(frozen=True, slots=True)
class Calmed:
    """An electrical event is over before its time. Its new end cuts the base step."""

    time_ms: int
    event: Event


@dataclass(frozen=True, slots=True)
class PartialReset:
    """Partial counters of some slots start again. `points` are energy points, or `operating_hours`."""

    time_ms: int
    slots: tuple[int, ...]
    points: frozenset[str]


@dataclass(frozen=True, slots=True)
class ExtremesReset:
    """Extremes are forgotten. `slots` count circuits, or voltage taps for `network`."""

    time_ms: int
    kind: Literal["instantaneous", "average", "network"]
    slots: tuple[int, ...]
    points: frozenset[str]


@dataclass(frozen=True, slots=True)
class CurvesCleared:
    """The load-curve points of some slots are forgotten."""

    time_ms: int
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PulsesMarked:
    """A pulse counter of the IO module `path` starts again: remember the energy of `slot`."""

    time_ms: int
    path: str
    meter: int
    slot: int | None


@dataclass(frozen=True, slots=True)
class Watched:
    """Alarms are set otherwise, or other units are there to have them."""

    time_ms: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody acknowledged an alarm of the unit `path` by the id that its registers show."""

    time_ms: int
    path: str
    acknowledge_id: int


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Until `until_ms` time passes in one leap: extremes and alarms look at base steps, not at refreshes."""

    time_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Held:
    """From now on a unit shows something else than it measures. Changes nothing that is measured."""

    time_ms: int
    fault: Fault
    slots: tuple[int, ...]
    capacity: float


@dataclass(frozen=True, slots=True)
class Released:
    """The fault of that number no longer changes what its unit shows."""

    time_ms: int
    number: int


Effect = (
    Rewired
    | Disturbed
    | Calmed
    | PartialReset
    | ExtremesReset
    | CurvesCleared
    | PulsesMarked
    | Watched
    | Acknowledged
    | Surveyed
    | Held
    | Released
)
