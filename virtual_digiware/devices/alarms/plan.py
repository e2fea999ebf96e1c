"""What a site watches for: every alarm that is set, as its module's registers have it now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from virtual_digiware.devices.alarms.description import Family
from virtual_digiware.devices.alarms.disturbances import RecordKind, TapPlan
from virtual_digiware.devices.alarms.virtual_monitor import Monitored
from virtual_digiware.devices.io_drives import AnalogueDrive, DigitalDrive

MeasuredIn = Literal["circuits", "networks", "circuit_quality", "network_quality"]
Operation = Literal["and", "or"]


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows of a table of points, one per phase; `place` is the slot or tap of the site."""

    table: MeasuredIn
    rows: tuple[int, ...]
    place: int
    is_angle: bool = False
    """The value is the cosine of what the table has, in degrees."""


@dataclass(frozen=True, slots=True)
class Averaged:
    """Rows of the averages of a demand block."""

    table: Literal["circuits", "networks"]
    rows: tuple[int, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Consumed:
    """Energy in Wh imported in a demand block by a slot of the site."""

    place: int


@dataclass(frozen=True, slots=True)
class Analogue:
    """An analogue input; `circuit` is the place of the circuit that drives it and the row of its point.

    `scale` are the two points (mA, value) of the input's settings.
    """

    drive: AnalogueDrive
    circuit: tuple[int, int] | None
    scale: tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Contact:
    """A digital input; active while closed, or while open when `is_inverted`."""

    drive: DigitalDrive
    is_inverted: bool


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fault that is there or not until records change it; seen with the refresh that follows."""

    is_on: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """An event that begins and ends between the refreshes: of voltage, or of a protective device."""

    kind: RecordKind
    load: int | None


@dataclass(frozen=True, slots=True)
class Combined:
    """Other alarms of the same unit."""

    first: tuple[Family, int]
    second: tuple[Family, int]
    operation: Operation


Source = Measured | Averaged | Consumed | Analogue | Contact | Fixed | Noted | Combined


@dataclass(frozen=True, slots=True)
class Guard:
    """One alarm, or one side of it: a threshold alarm with a high and a low limit is two guards.

    `sign` 1 watches for values above `level`, -1 for values below. `words` are register values that
    its events carry along for the status and log registers.
    """

    unit: str
    address: int | None
    slot: int | None
    family: Family
    number: int
    type: str
    criticality: int
    cause: int
    is_automatic: bool
    start_ms: int
    """Delay before it begins."""
    end_ms: int
    """Delay before it ends."""
    source: Source
    text: str
    sign: int = 0
    level: float = float("inf")
    hysteresis: float = 0.0
    """In the unit of the level."""
    needs_all: bool = False
    """All phases, not any."""
    scale: float = 1.0
    words: tuple[tuple[str, int], ...] = ()

    @property
    def place(self) -> tuple[str, Family, int, int]:
        """What makes it the same guard after its settings have changed."""
        return self.unit, self.family, self.number, self.sign


@dataclass(frozen=True)
class Plan:
    """Guards in the order of units, families and numbers, and what looks at the network between refreshes."""

    guards: tuple[Guard, ...] = ()
    taps: tuple[TapPlan, ...] = ()
    monitored: tuple[Monitored, ...] = ()
    refresh_ms: int = 1000

    def combinations(self) -> Iterator[tuple[int, Combined]]:
        """Index and source of the guards that depend on others."""
        for i, guard in enumerate(self.guards):
            if isinstance(guard.source, Combined):
                yield i, guard.source


NO_PLAN = Plan()
