"""The memory of a site's alarms: a fold over refreshes, edges of events and records, in the order of time.

A `Watch` never changes. Taking in the same refreshes and the same records gives the same one, however the
times came in pieces; refreshes that it has seen already are not counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from virtual_digiware.devices.alarms.book import Book, Change, Writing
from virtual_digiware.devices.alarms.compiled import ClosedBlock, Compiled, Looked
from virtual_digiware.devices.alarms.disturbances import Disturbances, Noticed, VoltageRecord
from virtual_digiware.devices.alarms.events import AlarmEvent, SiteAlarms, UnitAlarms
from virtual_digiware.devices.alarms.plan import NO_PLAN, Plan
from virtual_digiware.devices.alarms.surroundings import Surroundings
from virtual_digiware.devices.alarms.virtual_monitor import Monitor, Operations
from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.points import FloatArray, IntArray

_NAN = float("nan")
_NO_TIMES: IntArray = np.zeros(0, np.int64)


@dataclass(frozen=True)
class _Phases:
    """What the sampled guards remember from refresh to refresh."""

    inside: BoolArray
    """(R, 3) phases that are beyond their level."""
    holds: BoolArray
    """(R,)"""
    averages: FloatArray
    """(B, 3) of the last demand block."""
    extremes: Mapping[int, float] = field(default_factory=dict)
    """By position among the guards, in register units times its sign: since it was raised."""

    @classmethod
    def nothing(cls, compiled: Compiled) -> _Phases:
        return cls(
            np.zeros((compiled.count, 3), np.bool_),
            np.zeros(compiled.count, np.bool_),
            np.full((compiled.blocks, 3), np.nan),
        )


class Watch:
    """All alarms of a site up to one time."""

    def __init__(
        self,
        compiled: Compiled,
        start_ms: int,
        phases: _Phases | None = None,
        book: Book | None = None,
        disturbances: Disturbances | None = None,
        monitor: Monitor | None = None,
        seen_ms: int | None = None,
    ) -> None:
        """`start_ms`: everything up to then is in it; `seen_ms`: the last refresh that is in it."""
        self.compiled = compiled
        self._done_ms = start_ms
        self._seen_ms = start_ms - 1 if seen_ms is None else seen_ms
        self._phases = _Phases.nothing(compiled) if phases is None else phases
        self._book = Book() if book is None else book
        self._disturbances = Disturbances() if disturbances is None else disturbances
        self._monitor = Monitor() if monitor is None else monitor

    @classmethod
    def beginning(cls, plan: Plan, t_ms: int, around: Surroundings) -> Watch:
        """Under a first plan."""
        return cls(Compiled(NO_PLAN), t_ms - 1).following(plan, t_ms, around, faults_ms=t_ms)

    @property
    def is_idle(self) -> bool:
        """Nothing is looked at when values are refreshed."""
        return self.compiled.count == 0

    def including(self, looked: Looked, blocks: Sequence[ClosedBlock], around: Surroundings) -> Watch:
        """With refreshes later than those before; `blocks` are demand blocks that ended since then."""
        new = int(np.searchsorted(looked.t_ms, self._seen_ms, side="right"))
        if new == len(looked.t_ms):
            return self
        until_ms = int(looked.t_ms[-1])
        if self.is_idle:
            return self.until(until_ms, around)._with(seen_ms=until_ms)
        if new:
            looked = _since(looked, new)
        compiled, before = self.compiled, self._phases
        times = looked.t_ms
        values = compiled.values(looked, before.averages, blocks)
        holds, inside = compiled.judged(values, before.inside)
        changes = _changes(compiled, before.holds, holds, values, times)
        shown = [block for block in blocks if block.end_ms <= until_ms]
        phases = _Phases(
            inside, holds[:, -1], shown[-1].values if shown else before.averages, before.extremes
        )
        noticed, disturbances, monitor = self._between(until_ms, around)
        book = self._book
        if changes or noticed or book.next_ms <= until_ms or book.raised:
            extremes = _Extremes(compiled, book, before.extremes, values, times)
            book = self._played(book, changes, noticed, until_ms, extremes)
            phases = replace(phases, extremes=extremes.of(book.raised, until_ms))
        return Watch(compiled, max(until_ms, self._done_ms), phases, book, disturbances, monitor, until_ms)

    def until(self, t_ms: int, around: Surroundings) -> Watch:
        """With everything that happens by `t_ms` between the refreshes; the refreshes come first."""
        if t_ms <= self._done_ms:
            return self
        noticed, disturbances, monitor = self._between(t_ms, around)
        book = self._book
        if noticed or book.next_ms <= t_ms:
            extremes = _Extremes(self.compiled, book, self._phases.extremes, None, _NO_TIMES)
            book = self._played(book, [], noticed, t_ms, extremes)
        elif disturbances is self._disturbances and monitor is self._monitor:
            return self._with(done_ms=t_ms)
        return Watch(self.compiled, t_ms, self._phases, book, disturbances, monitor, self._seen_ms)

    def from_before(self, t_ms: int) -> Watch:
        """Look at `t_ms` again, at which something happens that nobody knew of; seen twice is seen once."""
        return self if self._done_ms < t_ms else self._with(done_ms=t_ms - 1)

    def following(self, plan: Plan, t_ms: int, around: Surroundings, faults_ms: int | None = None) -> Watch:
        """Under another plan from `t_ms` on, up to which everything must be in it.

        Faults are seen at `faults_ms`; None: with the next refresh.
        """
        old, compiled = self.compiled, Compiled(plan)
        positions = {guard.place: i for i, guard in enumerate(plan.guards)}
        moved = {
            i: positions[guard.place] for i, guard in enumerate(old.plan.guards) if guard.place in positions
        }
        disturbances, noticed = self._disturbances.watching(plan.taps, t_ms, around)
        monitor, more = self._monitor.watching(plan.monitored, t_ms, around)
        extremes = _Extremes(old, self._book, self._phases.extremes, None, _NO_TIMES)
        writing = Writing(self._book, old, extremes)
        for i in range(len(old.plan.guards)):
            if i not in moved:
                writing.leave(i, t_ms)
        writing.move(moved, compiled)
        phases = _moved_phases(old, self._phases, compiled, moved)
        writing.extreme = _Extremes(compiled, writing.book(), phases.extremes, None, _NO_TIMES)
        seen_ms = (t_ms // plan.refresh_ms + 1) * plan.refresh_ms if faults_ms is None else faults_ms
        for position, source in compiled.fixed:
            writing.hold(position, source.is_on, seen_ms)
        changes = _noted(compiled, [*noticed, *more])
        for one in [*noticed, *more]:
            writing.note(one)
        writing.play(changes, t_ms)
        writing.combine(t_ms)
        book = writing.book()
        return Watch(compiled, t_ms, phases, book, disturbances, monitor, self._seen_ms)

    def acknowledged(self, unit: str, acknowledge_id: int, t_ms: int) -> Watch:
        """With an event of a unit acknowledged at `t_ms`, up to which everything must be in it."""
        writing = Writing(self._book, self.compiled, lambda position, until_ms: _NAN)
        writing.acknowledge(unit, acknowledge_id, t_ms)
        return self._with(book=writing.book())

    def shown(self) -> SiteAlarms:
        """What everybody sees."""
        book = self._book
        is_running = any(self._disturbances.running.values())
        if not (book.sequence or book.voltage_logs or self._monitor.operations or is_running):
            return SiteAlarms()
        live = self._live()
        running: dict[str, list[VoltageRecord]] = {}
        for plan, records in self._disturbances.running.items():
            running.setdefault(plan.unit, []).extend(records)
        operations: dict[str, dict[int, Operations]] = {}
        for (unit, slot), counted in self._monitor.operations.items():
            operations.setdefault(unit, {})[slot] = counted
        units = {*book.logs, *book.voltage_logs, *running, *operations}
        return SiteAlarms(
            {
                unit: UnitAlarms(
                    active=tuple(
                        live.get(event.id, event)
                        for key, event in sorted(book.latest.items(), key=lambda item: item[1].id)
                        if key[0] == unit and event.end_ms is None
                    ),
                    log=tuple(live.get(event.id, event) for event in reversed(book.logs.get(unit, ()))),
                    latest={
                        (key[1], key[2]): live.get(event.id, event)
                        for key, event in book.latest.items()
                        if key[0] == unit
                    },
                    voltage_log=tuple(reversed(book.voltage_logs.get(unit, ()))),
                    in_progress=tuple(running.get(unit, ())),
                    operations=operations.get(unit, {}),
                )
                for unit in sorted(units)
            },
            book.changes,
            book.sequence,
        )

    def _live(self) -> Mapping[int, AlarmEvent]:
        """Active events by id, with how far their values have gone until now."""
        found = {}
        for position, event_id in self._book.active.items():
            guard = self.compiled.plan.guards[position]
            event = self._book.latest.get((guard.unit, guard.family, guard.number))
            if event is not None and event.id == event_id and position in self._phases.extremes:
                found[event_id] = replace(event, extreme=self._extreme(position))
        return found

    def _extreme(self, position: int) -> float:
        row = int(np.searchsorted(self.compiled.index, position))
        return self.compiled.engineering(row, self._phases.extremes[position])

    def _between(self, until_ms: int, around: Surroundings) -> tuple[list[Noticed], Disturbances, Monitor]:
        """Events of voltage and openings in (done, until]."""
        if until_ms <= self._done_ms or not (self.compiled.plan.taps or self.compiled.plan.monitored):
            return [], self._disturbances, self._monitor
        edges = around.edges.between(self._done_ms, until_ms)
        disturbances, noticed = self._disturbances.advanced(self._done_ms, until_ms, edges, around)
        monitor, more = self._monitor.advanced(edges, around)
        if more:
            noticed = [*noticed, *more]
        return noticed, disturbances, monitor

    def _played(
        self,
        book: Book,
        changes: list[Change],
        noticed: list[Noticed],
        until_ms: int,
        extremes: _Extremes,
    ) -> Book:
        if not changes and not noticed and book.next_ms > until_ms:
            return book
        writing = Writing(book, self.compiled, extremes)
        extremes.raised = writing.raised
        for one in sorted(noticed, key=lambda one: (one.time_ms, one.unit, one.kind)):
            writing.note(one)
        writing.play(sorted([*changes, *_noted(self.compiled, noticed)]), until_ms)
        return writing.book()

    def _with(
        self, seen_ms: int | None = None, done_ms: int | None = None, book: Book | None = None
    ) -> Watch:
        return Watch(
            self.compiled,
            self._done_ms if done_ms is None else done_ms,
            self._phases,
            self._book if book is None else book,
            self._disturbances,
            self._monitor,
            self._seen_ms if seen_ms is None else seen_ms,
        )


class _Extremes:
    """How far the values of guards have gone since they were raised, with the refreshes of one batch."""

    def __init__(
        self,
        compiled: Compiled,
        book: Book,
        before: Mapping[int, float],
        values: FloatArray | None,
        times: IntArray,
    ) -> None:
        self._compiled, self._before, self._times = compiled, before, times
        self._values = values
        self._rows = {int(position): row for row, position in enumerate(compiled.index)}
        self._deciding: FloatArray | None = None
        self.raised: Mapping[int, int] = book.raised

    def __call__(self, position: int, until_ms: int) -> float:
        """In the unit of the guard; NaN for one that has no values."""
        row = self._rows.get(position)
        return _NAN if row is None else self._compiled.engineering(row, self.counted(position, until_ms))

    def counted(self, position: int, until_ms: int) -> float:
        """In register units, times the sign of the guard."""
        row = self._rows.get(position)
        if row is None or not self._compiled.plan.guards[position].sign:
            return _NAN
        extreme = self._before.get(position, _NAN)
        since_ms = self.raised.get(position)
        if since_ms is None or self._values is None:
            return extreme
        if len(self._times) and since_ms >= self._times[0]:
            extreme = _NAN
        if self._deciding is None:
            self._deciding = self._compiled.deciding(self._values)
        low = int(np.searchsorted(self._times, since_ms, side="left"))
        high = int(np.searchsorted(self._times, until_ms, side="right"))
        if high > low:
            extreme = float(np.fmax(extreme, np.fmax.reduce(self._deciding[row, low:high])))
        return extreme

    def of(self, raised: Mapping[int, int], until_ms: int) -> Mapping[int, float]:
        """Of all guards that are raised at the end of the batch."""
        self.raised = raised
        found = {position: self.counted(position, until_ms) for position in raised}
        return {position: extreme for position, extreme in found.items() if extreme == extreme}


def _changes(
    compiled: Compiled, before: BoolArray, holds: BoolArray, values: FloatArray, times: IntArray
) -> list[Change]:
    earlier = np.concatenate([before[:, None], holds[:, :-1]], axis=1)
    rows, columns = np.nonzero(holds != earlier)
    if not len(rows):
        return []
    deciding = compiled.deciding(values)
    return [
        Change(
            int(times[t]),
            int(compiled.index[row]),
            bool(holds[row, t]),
            compiled.engineering(row, float(deciding[row, t])),
        )
        for row, t in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


def _noted(compiled: Compiled, noticed: Sequence[Noticed]) -> list[Change]:
    return sorted(
        Change(one.time_ms, position, one.begins, one.value)
        for one in noticed
        for position in compiled.noted.get((one.unit, one.kind, one.load), ())
    )


def _moved_phases(old: Compiled, phases: _Phases, new: Compiled, moved: Mapping[int, int]) -> _Phases:
    """What stays known of guards that are in both plans."""
    result = _Phases.nothing(new)
    rows = {int(position): row for row, position in enumerate(new.index)}
    for row, position in enumerate(old.index.tolist()):
        target = rows.get(moved.get(position, -1))
        if target is not None:
            result.inside[target], result.holds[target] = phases.inside[row], phases.holds[row]
    extremes = {moved[i]: value for i, value in phases.extremes.items() if i in moved}
    fed = {new.fed_position(i): i for i in range(new.blocks)}
    for i in range(old.blocks):
        target = fed.get(moved.get(old.fed_position(i), -1))
        if target is not None:
            result.averages[target] = phases.averages[i]
    return replace(result, extremes=extremes)


def _since(looked: Looked, first: int) -> Looked:
    points = looked.points
    return Looked(
        looked.t_ms[first:],
        type(points)(points.circuits[:, first:], points.networks[:, first:]),
        looked.circuit_quality[:, first:],
        looked.network_quality[:, first:],
        looked.edges,
    )
