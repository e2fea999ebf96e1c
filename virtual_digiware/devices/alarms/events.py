"""Alarms as everybody outside sees them: one event, one id and one time on every protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from virtual_digiware.devices.alarms.description import Family
from virtual_digiware.devices.alarms.disturbances import VoltageRecord
from virtual_digiware.devices.alarms.virtual_monitor import Operations

State = Literal["active", "finished", "acknowledged"]
Key = tuple[str, Family, int]
"""Path of the unit, family, number of the alarm (from 1)."""

LOG_LENGTH = 23
"""Alarms that a device keeps, oldest replaced first. Source: DIRIS Digiware S manual 546420C p. 46; that the
number is per device is a reading."""
CHANGES_KEPT = 1024
"""Changes that a late listener can still ask for."""
MAXIMUM_ACKNOWLEDGE_ID = 0xFFFF


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One occurrence of one alarm. Times are simulated ms; nothing changes in it, a later state is a new one.

    `id` counts from 1 over the whole site, in the order of beginnings. `slot` is the circuit or input of
    the unit (from 0) that it is about, None for the unit itself. `value`, `threshold` and `extreme` are in
    the unit of the quantity, None where there is none. `cause`, `criticality` and the settings in `words`
    are register values of the moment when it began.
    """

    id: int
    unit: str
    address: int | None
    slot: int | None
    family: Family
    number: int
    type: str
    criticality: int
    cause: int
    start_ms: int
    value: float | None
    threshold: float | None
    text: str
    is_automatic: bool = True
    end_ms: int | None = None
    acknowledged_ms: int | None = None
    extreme: float | None = None
    record: int = 0
    """Number in the unit's log, from 0."""
    words: Mapping[str, int] = field(default_factory=dict)
    scale: float = 1.0
    """Value of one unit of the threshold registers."""

    @property
    def state(self) -> State:
        if self.end_ms is None:
            return "active"
        return "finished" if self.acknowledged_ms is None else "acknowledged"

    @property
    def acknowledge_id(self) -> int:
        """What is written to register 39616: the id, folded into 1 to 65535."""
        return (self.id - 1) % MAXIMUM_ACKNOWLEDGE_ID + 1

    @property
    def key(self) -> Key:
        return self.unit, self.family, self.number


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """An event that began, ended or was acknowledged; `sequence` counts all changes of the site from 1."""

    sequence: int
    time_ms: int
    event: AlarmEvent


@dataclass(frozen=True)
class UnitAlarms:
    """What one unit knows. `log` is newest first, `latest` the last event of each of its alarms."""

    active: tuple[AlarmEvent, ...] = ()
    log: tuple[AlarmEvent, ...] = ()
    latest: Mapping[tuple[Family, int], AlarmEvent] = field(default_factory=dict)
    voltage_log: tuple[VoltageRecord, ...] = ()
    """Quality events that are over (and trips), newest first."""
    in_progress: tuple[VoltageRecord, ...] = ()
    operations: Mapping[int, Operations] = field(default_factory=dict)
    """VirtualMonitor counters by circuit slot."""


NOTHING = UnitAlarms()


@dataclass(frozen=True)
class SiteAlarms:
    """All alarms of a site at one time. Nothing in it changes."""

    units: Mapping[str, UnitAlarms] = field(default_factory=dict)
    changes: tuple[AlarmChange, ...] = ()
    """The last CHANGES_KEPT, oldest first."""
    sequence: int = 0
    """Changes so far."""

    def of(self, path: str) -> UnitAlarms:
        """Of one unit; nothing for a unit that never had any."""
        return self.units.get(path, NOTHING)

    @property
    def active(self) -> tuple[AlarmEvent, ...]:
        """All that are active, by id."""
        found = [event for unit in self.units.values() for event in unit.active]
        return tuple(sorted(found, key=lambda event: event.id))

    def since(self, cursor: int) -> tuple[AlarmChange, ...]:
        """Changes with a sequence above `cursor`; those that are no longer kept are missing."""
        behind = self.sequence - cursor
        return self.changes[-behind:] if behind > 0 else ()
