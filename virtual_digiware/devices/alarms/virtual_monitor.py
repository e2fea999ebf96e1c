"""VirtualMonitor: state, operations and trips of protective devices, from voltages on both sides of them.

Source: DIRIS Digiware S manual 546420C p. 43. A U module upstream with voltage and an S module downstream
without is an open device; an opening with a current surge of 120 % of In is a trip; openings that follow
each other within 200 ms are one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from virtual_digiware.devices.alarms.description import Device
from virtual_digiware.devices.alarms.disturbances import Noticed, VoltageRecord
from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.points import FloatArray, IntArray

TRIP_PERCENT, LOW_LOAD_PERCENT, FULL_LOAD_PERCENT = 120.0, 5.0, 100.0
LEAST_INTERVAL_MS = 200
SURGE_MS = tuple(range(1, 202, 20))
"""Instants before an opening at which a surge is looked for: the last basic window of 200 ms."""


@dataclass(frozen=True, slots=True)
class Monitored:
    """One circuit of an S module: `place` among the site's slots, `slot` of the unit."""

    unit: str
    slot: int
    place: int
    device: Device = "circuit breaker"


@dataclass(frozen=True, slots=True)
class Operations:
    """The five counters. Every opening is in the total and in exactly one of the next three."""

    total: int = 0
    low_load: int = 0
    on_load: int = 0
    overload: int = 0
    trips: int = 0


@dataclass(frozen=True, slots=True)
class _Position:
    is_closed: bool = True
    opened_ms: int | None = None
    """When the last opening was counted."""
    is_signalled: bool = False
    """The opening that lasts is one to give alarm for."""


class Contacts(Protocol):
    """What is asked of the site."""

    def openings(self, t_ms: IntArray) -> BoolArray:
        """(T, N) voltage upstream and none downstream, per slot of the site."""

    def load_percent(self, t_ms: IntArray) -> FloatArray:
        """(T, N) largest phase current, percent of In."""


@dataclass(frozen=True)
class Monitor:
    """Positions and counters of all monitored circuits. Nothing in it changes."""

    positions: Mapping[Monitored, _Position] = field(default_factory=dict)
    operations: Mapping[tuple[str, int], Operations] = field(default_factory=dict)
    """By unit and slot; counters outlive a module that is away for a while."""

    def watching(
        self, circuits: Sequence[Monitored], t_ms: int, around: Contacts
    ) -> tuple[Monitor, list[Noticed]]:
        """With other circuits from `t_ms` on. A device found open has not opened now."""
        noticed = [
            _noticed(one, t_ms, False, float("nan"))
            for one, position in self.positions.items()
            if one not in circuits and position.is_signalled
        ]
        new = [one for one in circuits if one not in self.positions]
        found = around.openings(np.array([t_ms], np.int64)) if new else None
        positions = {
            one: self.positions[one]
            if one in self.positions
            else _Position(found is None or not found[0, one.place])
            for one in circuits
        }
        return replace(self, positions=positions), noticed

    def advanced(self, edges: IntArray, around: Contacts) -> tuple[Monitor, list[Noticed]]:
        """Past the edges of events, at which alone a device can open."""
        if not self.positions or not len(edges):
            return self, []
        is_open = around.openings(edges)
        positions, operations = dict(self.positions), dict(self.operations)
        noticed: list[Noticed] = []
        for i, edge in enumerate(edges.tolist()):
            for one, position in positions.items():
                opens = bool(is_open[i, one.place])
                if opens != position.is_closed:
                    continue
                if not opens:
                    if position.is_signalled:
                        noticed.append(_noticed(one, edge, False, float("nan")))
                    positions[one] = replace(position, is_closed=True, is_signalled=False)
                    continue
                last = position.opened_ms
                if last is not None and edge - last < LEAST_INTERVAL_MS:
                    positions[one] = replace(position, is_closed=False)
                    continue
                load = around.load_percent(edge - np.array(SURGE_MS, np.int64))[:, one.place]
                key = one.unit, one.slot
                operations[key] = _counted(operations.get(key, Operations()), one, load)
                surge = float(np.nanmax(load, initial=0.0))
                gives_alarm = one.device == "switch" or surge >= TRIP_PERCENT
                positions[one] = _Position(False, edge, gives_alarm)
                if gives_alarm:
                    noticed.append(_noticed(one, edge, True, surge))
        return Monitor(positions, operations), noticed


def _counted(before: Operations, one: Monitored, load_percent: FloatArray) -> Operations:
    """Counters after one more opening; `load_percent` is the current before it, the last first."""
    at_opening = float(np.nan_to_num(load_percent[0]))
    is_low = at_opening <= LOW_LOAD_PERCENT
    is_over = at_opening >= FULL_LOAD_PERCENT
    is_trip = one.device == "circuit breaker" and np.nanmax(load_percent, initial=0.0) >= TRIP_PERCENT
    return Operations(
        before.total + 1,
        before.low_load + is_low,
        before.on_load + (not is_low and not is_over),
        before.overload + is_over,
        before.trips + int(is_trip),
    )


def _noticed(one: Monitored, t_ms: int, begins: bool, surge_percent: float) -> Noticed:
    # A switch has nothing to trip: its opening gives alarm, but is no event of quality.
    percent = round(TRIP_PERCENT) if one.device == "circuit breaker" else 0
    record = VoltageRecord("trip", one.unit, t_ms, end_ms=t_ms, trigger_percent=percent, load=one.slot)
    return Noticed(t_ms, one.unit, "trip", one.slot, begins, surge_percent, record)
