"""Alarms as BACnet clients meet them: which object an alarm is about, and the event state that it gives it.

One event has one id and one time on every protocol: what is shown here is the newest event of the alarm log.
Which standard event state an alarm gives is this simulator's reading; no document on the gateways says.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from virtual_digiware.devices.alarms.events import AlarmEvent, SiteAlarms
from virtual_digiware.devices.alarms.variables import services

if TYPE_CHECKING:
    from virtual_digiware.devices.snapshot import Snapshot
    from virtual_digiware.devices.unit import Unit

DIGITAL_INPUT = "digital_input"
"""Stands for the point of a Binary Input."""

_PHASE_VOLTAGES = ("voltage_l1_n", "voltage_l2_n", "voltage_l3_n")
_LINE_VOLTAGES = ("voltage_l1_l2", "voltage_l2_l3", "voltage_l3_l1")
_CURRENTS = ("current_l1", "current_l2", "current_l3")


class EventState(IntEnum):
    """BACnetEventState. Source: ASHRAE 135, clause 21."""

    NORMAL = 0
    OFFNORMAL = 2
    HIGH_LIMIT = 3
    LOW_LIMIT = 4


_STATE_OF_TYPE = {
    "high": EventState.HIGH_LIMIT,
    "low": EventState.LOW_LIMIT,
    "swell": EventState.HIGH_LIMIT,
    "dip": EventState.LOW_LIMIT,
    "interruption": EventState.LOW_LIMIT,
}


class Concern(NamedTuple):
    """What an event is about: points of one slot (from 0) of a unit."""

    points: tuple[str, ...]
    slot: int


class Site(Protocol):
    """Where the alarms come from."""

    @property
    def snapshot(self) -> Snapshot: ...


class AlarmStates:
    """Events of a site by what they concern, looked up once for each published state."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._alarms: SiteAlarms | None = None
        self._newest: dict[tuple[str, str, int], AlarmEvent] = {}

    def event(self, unit: Unit, point: str, slot: int) -> AlarmEvent | None:
        """The event that a point's object shows: active ones come before those that wait for somebody."""
        self._see()
        return self._newest.get((unit.path, point, slot))

    def event_state(self, unit: Unit, point: str, slot: int) -> int:
        """BACnetEventState of a measured point or a digital input; 0 is normal."""
        event = self.event(unit, point, slot)
        return EventState.NORMAL if event is None else state_of(event)

    def open_events(self, unit: Unit) -> Iterator[tuple[AlarmEvent, Concern]]:
        """Events of a unit that are active or not acknowledged, by id; those about no object are left out."""
        for event in sorted(_open(self._site.snapshot.alarms, unit.path), key=lambda one: one.id):
            concern = concern_of(event)
            if concern is not None:
                yield event, concern

    def _see(self) -> None:
        alarms = self._site.snapshot.alarms
        if alarms is self._alarms:
            return
        self._alarms = alarms
        self._newest = {}
        for path in alarms.units:
            for event in sorted(_open(alarms, path), key=lambda one: (one.end_ms is None, one.id)):
                concern = concern_of(event)
                for point in () if concern is None else concern.points:
                    assert concern is not None
                    self._newest[path, point, concern.slot] = event


def state_of(event: AlarmEvent) -> int:
    """The event state that an event gives its object; one that is over gives none."""
    if event.end_ms is not None:
        return EventState.NORMAL
    return _STATE_OF_TYPE.get(event.type, EventState.OFFNORMAL)


def concern_of(event: AlarmEvent) -> Concern | None:
    """What an event is about; None for one that is about a whole unit, or about other alarms."""
    slot = event.slot or 0
    match event.family:
        case "threshold":
            known = services().get(event.words.get("monitored_variable", 0))
            return None if known is None else Concern(known[0].points, slot)
        case "input":
            return Concern((DIGITAL_INPUT,), slot)
        case "en50160":
            return Concern((*_PHASE_VOLTAGES, *_LINE_VOLTAGES), 0)
        case "inrush" | "virtual_monitor":
            return Concern(_CURRENTS, slot)
        case "consumption":
            return Concern(("active_energy_import",), slot)
    return None


def _open(alarms: SiteAlarms, path: str) -> list[AlarmEvent]:
    """Events of a unit that are active, or over and not acknowledged."""
    known = alarms.of(path)
    return [event for event in known.latest.values() if event.acknowledged_ms is None]
