"""The guards of a plan that are looked at with every refresh, as arrays over guards and times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from virtual_digiware.devices import energies
from virtual_digiware.devices.alarms.event_edges import NO_EVENTS, EventEdges
from virtual_digiware.devices.alarms.inputs import analogue_values, contact_states
from virtual_digiware.devices.alarms.plan import (
    Analogue,
    Averaged,
    Combined,
    Consumed,
    Contact,
    Fixed,
    Guard,
    Measured,
    MeasuredIn,
    Noted,
    Plan,
)
from virtual_digiware.devices.demand import DemandBlock, Points
from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.metering import averages
from virtual_digiware.devices.points import FloatArray, IntArray

_MJ_PER_WH = 3_600_000
_HALF = 0.5
NOT_SAMPLED = (Noted, Combined, Fixed)
"""Sources that say by themselves when they change."""
_TABLES: tuple[MeasuredIn, ...] = ("circuits", "networks", "circuit_quality", "network_quality")


@dataclass(frozen=True)
class Looked:
    """What one batch of refreshes has measured: tables (points, T, slots or taps)."""

    t_ms: IntArray
    points: Points
    circuit_quality: FloatArray
    network_quality: FloatArray
    edges: EventEdges = NO_EVENTS


@dataclass(frozen=True)
class ClosedBlock:
    """What the guards of averages see of a demand block: (B, 3)."""

    end_ms: int
    values: FloatArray


@dataclass(frozen=True)
class _Group:
    """Guards of one table: their places among the guards (G,), rows (G, 3) and places (G, 1) in the table."""

    guards: IntArray
    rows: IntArray
    places: IntArray


class Compiled:
    """A plan, with R guards sampled at refreshes and B of them fed by demand blocks.

    A single value stands three times, so that phases need no cases. Values are compared in whole units of
    their threshold registers, so that alarms agree with what can be read.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        sampled = [i for i, guard in enumerate(plan.guards) if not isinstance(guard.source, NOT_SAMPLED)]
        self.index: IntArray = np.array(sampled, np.int64)
        """(R,) position of each among all guards."""
        guards = [plan.guards[i] for i in sampled]
        self._guards = guards
        is_state = np.array([isinstance(guard.source, Contact) for guard in guards], np.bool_)
        self.sign: FloatArray = np.array([-1.0 if guard.sign < 0 else 1.0 for guard in guards])
        level = np.array([guard.level for guard in guards]).reshape(-1)
        hysteresis = np.array([guard.hysteresis for guard in guards]).reshape(-1)
        self._scale = np.array([guard.scale for guard in guards])
        begins = np.where(is_state, _HALF, np.rint(self.sign * level / self._scale))
        self._begins = begins[:, None, None]
        """What a value, times its sign, must exceed."""
        self._ends = (begins - np.where(is_state, 0.0, hysteresis / self._scale))[:, None, None]
        self._needs_all = np.array([guard.needs_all for guard in guards], np.bool_)[:, None]
        self._tables = [(table, _group(guards, table)) for table in _TABLES]
        self._is_angle = np.array(
            [isinstance(guard.source, Measured) and guard.source.is_angle for guard in guards], np.bool_
        )
        self._block_guards = np.array(
            [i for i, guard in enumerate(guards) if isinstance(guard.source, Averaged | Consumed)], np.int64
        )

    @property
    def count(self) -> int:
        """R"""
        return len(self._guards)

    @property
    def blocks(self) -> int:
        """B"""
        return len(self._block_guards)

    def fed_position(self, block: int) -> int:
        """Position among all guards of number `block` of those that demand blocks feed."""
        return int(self.index[self._block_guards[block]])

    @cached_property
    def by_key(self) -> dict[tuple[str, str, int], tuple[int, ...]]:
        """Positions of the guards of each alarm (unit, family, number)."""
        found: dict[tuple[str, str, int], tuple[int, ...]] = {}
        for i, guard in enumerate(self.plan.guards):
            key = guard.unit, guard.family, guard.number
            found[key] = (*found.get(key, ()), i)
        return found

    @cached_property
    def combinations(self) -> tuple[tuple[int, Combined], ...]:
        """Position and source of the guards that depend on others."""
        return tuple(self.plan.combinations())

    @cached_property
    def fixed(self) -> tuple[tuple[int, Fixed], ...]:
        """Position and source of the guards whose condition only records change."""
        guards = enumerate(self.plan.guards)
        return tuple((i, guard.source) for i, guard in guards if isinstance(guard.source, Fixed))

    @cached_property
    def noted(self) -> dict[tuple[str, str, int | None], tuple[int, ...]]:
        """Positions of the guards that wait for an event (unit, kind, load)."""
        found: dict[tuple[str, str, int | None], tuple[int, ...]] = {}
        for i, guard in enumerate(self.plan.guards):
            if isinstance(guard.source, Noted):
                key = guard.unit, guard.source.kind, guard.source.load
                found[key] = (*found.get(key, ()), i)
        return found

    def closed(self, block: DemandBlock, slots: int) -> ClosedBlock:
        """What a demand block that just ended says to the guards of averages."""
        values = np.full((self.blocks, 3), np.nan)
        circuits = networks = None
        for i, position in enumerate(self._block_guards):
            source = self._guards[position].source
            if isinstance(source, Consumed):
                gained = block.gained_mj[energies.COUNTERS.index("active_import"), source.place]
                values[i] = gained / _MJ_PER_WH
            elif isinstance(source, Averaged) and source.table == "circuits":
                circuits = averages(block, np.arange(slots)) if circuits is None else circuits
                values[i] = circuits[_thrice(source.rows), source.place]
            elif isinstance(source, Averaged):
                if networks is None:
                    networks = block.network_means(np.arange(block.networks.total.shape[1]))
                values[i] = networks[_thrice(source.rows), source.place]
        return ClosedBlock(block.end_ms, values)

    def values(self, looked: Looked, before: FloatArray, blocks: Sequence[ClosedBlock]) -> FloatArray:
        """Register values (R, 3, T) times the sign of each guard; `before` (B, 3): averages until then."""
        times = looked.t_ms
        values = np.empty((self.count, 3, len(times)))
        tables = {
            "circuits": looked.points.circuits,
            "networks": looked.points.networks,
            "circuit_quality": looked.circuit_quality,
            "network_quality": looked.network_quality,
        }
        for table, group in self._tables:
            if len(group.guards):
                values[group.guards] = tables[table][group.rows, :, group.places]
        if self._is_angle.any():
            values[self._is_angle] = np.cos(np.deg2rad(values[self._is_angle]))
        for i, guard in enumerate(self._guards):
            match guard.source:
                case Contact() as contact:
                    values[i] = contact_states(contact, times, looked.edges)
                case Analogue() as analogue:
                    values[i] = analogue_values(analogue, times, looked.points.circuits)
        if self.blocks:
            shown = np.stack([before, *(block.values for block in blocks)])
            ends = np.array([block.end_ms for block in blocks], np.int64)
            until = np.searchsorted(ends, times, side="right")
            values[self._block_guards] = np.moveaxis(shown[until], 0, 2)
        counted: FloatArray = np.rint(values / self._scale[:, None, None])
        counted *= self.sign[:, None, None]
        return counted

    def engineering(self, row: int, counted: float) -> float:
        """A value of guard `row` in the unit of its level."""
        return counted * float(self.sign[row] * self._scale[row])

    def judged(self, values: FloatArray, before: BoolArray) -> tuple[BoolArray, BoolArray]:
        """Where each guard's condition holds (R, T), and the phases at the end (R, 3), from those before.

        A value beyond the level sets a phase, one back behind the hysteresis clears it, one between them
        leaves it; one that is not available clears it.
        """
        sets = values > self._begins
        decides = sets | ~(values > self._ends)
        if values.shape[2] == 1:
            phases = np.where(decides, sets, before[:, :, None])
        else:
            places = np.where(decides, np.arange(values.shape[2]), -1)
            last = np.maximum.accumulate(places, axis=2)
            held = np.take_along_axis(sets, np.maximum(last, 0), axis=2)
            phases = np.where(last >= 0, held, before[:, :, None])
        holds = np.where(self._needs_all, phases.all(axis=1), phases.any(axis=1))
        return holds, phases[:, :, -1]

    def deciding(self, values: FloatArray) -> FloatArray:
        """The value (R, T) that decides among the phases, still times its sign."""
        least: FloatArray = np.fmin.reduce(values, axis=1)
        decisive: FloatArray = np.where(self._needs_all, least, np.fmax.reduce(values, axis=1))
        return decisive


def _group(guards: Sequence[Guard], table: MeasuredIn) -> _Group:
    positions, rows, places = [], [], []
    for i, guard in enumerate(guards):
        if isinstance(guard.source, Measured) and guard.source.table == table:
            positions.append(i)
            rows.append(_thrice(guard.source.rows))
            places.append([guard.source.place])
    return _Group(
        np.array(positions, np.int64),
        np.array(rows, np.int64).reshape(-1, 3),
        np.array(places, np.int64).reshape(-1, 1),
    )


def _thrice(rows: tuple[int, ...]) -> list[int]:
    return list(rows) if len(rows) == 3 else [rows[0]] * 3
