"""The memory of the metered circuits: counters, demand blocks and extremes, advanced through simulated time.

Everything depends on times alone, never on how often somebody asked: energies are booked by whole base
steps, extremes are taken at every refresh slot, and what has not been booked yet is added when read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from virtual_digiware.devices import energies
from virtual_digiware.devices.alarms.compiled import ClosedBlock, Looked
from virtual_digiware.devices.alarms.event_edges import EventEdges
from virtual_digiware.devices.alarms.plan import NO_PLAN, Plan
from virtual_digiware.devices.alarms.surroundings import Surroundings
from virtual_digiware.devices.alarms.watch import Watch
from virtual_digiware.devices.circuit_tables import CIRCUIT_INSTANTANEOUS, CIRCUIT_QUALITY
from virtual_digiware.devices.demand import BASE_STEP_MS, Averages, Demand, DemandBlock, LocalBlocks
from virtual_digiware.devices.extremes import BoolArray, Extremes
from virtual_digiware.devices.heating import Heating
from virtual_digiware.devices.measurement import Measured
from virtual_digiware.devices.metering import (
    CIRCUIT_EXTREMES,
    COMPANIONS,
    QUADRATIC,
    Meter,
    Reading,
    averages,
    totals,
)
from virtual_digiware.devices.moments import Moment, Present, Records, Step
from virtual_digiware.devices.network_tables import NETWORK_INSTANTANEOUS, NETWORK_QUALITY
from virtual_digiware.devices.partial_counters import PartialCounters
from virtual_digiware.devices.points import IntArray
from virtual_digiware.profiles.installation import Event
from virtual_digiware.profiles.solution import Solution
from virtual_digiware.profiles.truth import Truth

CHUNK_NUMBERS = 1_500_000
"""Numbers that one batch of times may take in its largest arrays: some tens of megabytes."""
_EXTREME_ROWS = [CIRCUIT_INSTANTANEOUS.index(name) for name in CIRCUIT_EXTREMES]


class History:
    """Advances through the boundaries of the truth; never backwards."""

    def __init__(
        self,
        truth: Truth,
        meter: Meter,
        blocks: LocalBlocks,
        refresh_ms: int,
        commissioned_ms: int,
        plan: Plan = NO_PLAN,
        events: Sequence[Event] = (),
    ) -> None:
        """`plan`: what alarms watch for; `events`: those that the truth was built with."""
        self._truth, self._meter = truth, meter
        self._edges = EventEdges(events, truth.switching_ms)
        self._closed: list[ClosedBlock] = []
        self._refresh_ms = refresh_ms
        self._booked_ms = commissioned_ms
        self._surveyed: tuple[int, int] = (commissioned_ms, commissioned_ms)
        self._slot_ms = self._slot_start(commissioned_ms)
        slots, networks = meter.slots, meter.networks
        self._counters = np.zeros((len(energies.COUNTERS), slots), np.int64)
        self._demand = Demand(
            blocks,
            Averages.nothing(CIRCUIT_INSTANTANEOUS, QUADRATIC, slots),
            Averages.nothing(NETWORK_INSTANTANEOUS, QUADRATIC, networks),
            self._counters.shape,
            commissioned_ms,
        )
        self._records = Records(
            Extremes(CIRCUIT_EXTREMES, slots, COMPANIONS),
            Extremes(CIRCUIT_QUALITY, slots),
            Extremes(NETWORK_QUALITY, networks),
            Watch.beginning(plan, commissioned_ms, self._around()),
        )
        self._heating = Heating.cold(slots)
        self._average_extremes = Extremes(CIRCUIT_EXTREMES, slots, COMPANIONS)
        self._partial = PartialCounters.starting(slots, commissioned_ms)
        self._curve_since_ms = np.full(slots, commissioned_ms, np.int64)
        self._ahead: Step | None = None
        self._present: Present | None = None

    def advance(self, t_ms: int) -> None:
        """Book every base step that ends by `t_ms` and take the extremes of every refresh slot before it."""
        begin_ms, end_ms = (min(one, t_ms) for one in self._surveyed)
        if begin_ms < end_ms and self._booked_ms < end_ms:
            self._book_until(begin_ms)
            self._take_slots_before(self._slot_start(begin_ms))
            self._book_until(end_ms, is_survey=True)
        self._book_until(t_ms)
        self._take_slots_before(self._slot_start(t_ms))

    def survey(self, t_ms: int, until_ms: int) -> None:
        """Look at the means of base steps instead of at refreshes, for the steps that lie between two times.

        A leap over a month costs seconds then, not minutes. What is counted is the same to the last digit;
        an extreme that lasted less than a base step may be missed, as may an alarm that it would have raised.
        """
        self.advance(t_ms)
        begin_ms = -(-t_ms // BASE_STEP_MS) * BASE_STEP_MS
        self._surveyed = (begin_ms, until_ms // BASE_STEP_MS * BASE_STEP_MS)

    def _book_until(self, t_ms: int, is_survey: bool = False) -> None:
        edges = self._truth.boundaries(self._booked_ms, max(t_ms, self._booked_ms) + 1)[:-1]
        chunk = self._chunk()
        for i in range(0, len(edges) - 1, chunk):
            self._book(edges[i : i + chunk + 1], is_survey)

    def rewire(self, t_ms: int, meter: Meter) -> None:
        """Measure by another meter from `t_ms`, which cuts the base step; the running slot stays."""
        self.advance(t_ms)
        if self._booked_ms < t_ms:
            self._book(np.array([self._booked_ms, t_ms], np.int64))
        self._finish_slot(t_ms)
        self._put(self._records.watch.until(t_ms - 1, self._around()))
        self._meter = meter

    def watch(self, t_ms: int, plan: Plan) -> None:
        """Watch for something else, from the refresh after `t_ms` on."""
        self._put(self._settled(t_ms).following(plan, t_ms, self._around()))

    def acknowledge(self, t_ms: int, unit: str, acknowledge_id: int) -> None:
        """Acknowledge an alarm of a unit; nothing for one that it does not have."""
        self._put(self._settled(t_ms).acknowledged(unit, acknowledge_id, t_ms))

    def disturb(self, t_ms: int, truth: Truth, events: Sequence[Event] = ()) -> None:
        """Go on with a truth of other `events` from `t_ms` on; their edges cut the base step."""
        self.advance(t_ms)
        self._finish_slot(t_ms)
        self._put(self._records.watch.from_before(t_ms))
        self._truth, self._edges = truth, EventEdges(events, truth.switching_ms)

    def energies_mj(self, t_ms: int) -> IntArray:
        """Counters (counters, N) at `t_ms`, to which the history has been advanced."""
        unfinished = self._unfinished(t_ms)
        return self._counters if unfinished is None else self._counters + unfinished.gained_mj[:, 0]

    def reset_partial(self, t_ms: int, slots: BoolArray, points: frozenset[str]) -> None:
        """Start the partial counters of `points` again."""
        self.advance(t_ms)
        self._partial = self._partial.reset(t_ms, energies.shown(self.energies_mj(t_ms)), slots, points)

    def reset_extremes(self, t_ms: int, slots: BoolArray, points: frozenset[str]) -> None:
        """Forget extremes of instantaneous values; the slot running at `t_ms` counts again."""
        self.advance(t_ms)
        self._restart(
            t_ms,
            replace(
                self._records,
                circuits=self._records.circuits.without(points, slots),
                quality=self._records.quality.without(points, slots),
            ),
        )

    def reset_average_extremes(self, t_ms: int, slots: BoolArray, points: frozenset[str]) -> None:
        """Forget extremes of averages; blocks that close after `t_ms` count."""
        self.advance(t_ms)
        self._average_extremes = self._average_extremes.without(points, slots)

    def reset_network_extremes(self, t_ms: int, networks: BoolArray, points: frozenset[str]) -> None:
        """Forget extremes of voltage quality."""
        self.advance(t_ms)
        kept = self._records.network_quality.without(points, networks)
        self._restart(t_ms, replace(self._records, network_quality=kept))

    def clear_curves(self, t_ms: int, slots: BoolArray) -> None:
        """Forget the load-curve points of some slots."""
        self._curve_since_ms = np.where(slots, t_ms, self._curve_since_ms)

    def moment(self, t_ms: int) -> Moment:
        """Advance to `t_ms` and tell everything."""
        self.advance(t_ms)
        present, unfinished = self._now(t_ms)
        gained = np.zeros_like(self._counters) if unfinished is None else unfinished.gained_mj[:, 0]
        return Moment(
            time_ms=t_ms,
            present=present,
            counters_mj=self._counters + gained,
            partial=self._partial,
            average=self._demand.complete or self._running(t_ms, unfinished),
            average_extremes=self._average_extremes,
            heating=self._heating.after(self._demand.running(t_ms, gained, None)),
            curve=self._demand.curve,
            curve_since_ms=self._curve_since_ms,
            running_gain_mj=self._demand.running_gain(gained),
            running_start_ms=self._demand.start_ms,
            running_end_ms=self._demand.end_ms,
            alarms=self._watch_now(present).until(t_ms, self._around()).shown(),
        )

    def _around(self) -> Surroundings:
        return Surroundings(self._truth, self._meter, self._edges)

    def _watch_now(self, present: Present) -> Watch:
        """The alarms with the running slot counted in."""
        is_kept = self._slot_ms > present.slot_ms
        return self._records.watch if is_kept else present.kept.watch

    def _settled(self, t_ms: int) -> Watch:
        """The alarms with all that happens by `t_ms`, the refresh of the running slot first.

        A record of that very time comes after it, so what has been shown once is not taken back.
        """
        self.advance(t_ms)
        slot_ms = self._slot_start(t_ms)
        present = self._present_at(slot_ms)
        if self._slot_ms <= slot_ms:
            self._records, self._slot_ms = present.kept, slot_ms + self._refresh_ms
        return self._records.watch.until(t_ms, self._around())

    def _put(self, watch: Watch) -> None:
        self._records = replace(self._records, watch=watch)

    def _now(self, t_ms: int) -> tuple[Present, Step | None]:
        """The running refresh slot and the unfinished step, solved together where both are new."""
        slot_ms = self._slot_start(t_ms)
        is_known = self._present is not None and self._present.slot_ms == slot_ms
        if is_known or t_ms <= self._booked_ms:
            return self._present_at(slot_ms), self._unfinished(t_ms)
        at_slot, of_step = self._truth.at_and_mean(
            np.array([slot_ms], np.int64), np.array([self._booked_ms], np.int64), np.array([t_ms], np.int64)
        )
        return self._present_at(slot_ms, at_slot), self._unfinished(t_ms, of_step)

    def _slot_start(self, t_ms: int) -> int:
        return t_ms // self._refresh_ms * self._refresh_ms

    def _chunk(self) -> int:
        installation = self._truth.installation
        numbers = self._meter.numbers_per_time(len(installation.boards), len(installation.circuits))
        return max(1, min(4096, CHUNK_NUMBERS // numbers))

    def _book(self, edges: IntArray, is_survey: bool = False) -> None:
        step = self._ahead
        reading: Reading | None = None
        if is_survey:
            reading = self._meter.read(self._truth.mean(edges[:-1], edges[1:]))
            step = Step(edges, self._gained(edges, reading.solution, reading.measured), reading.points)
        elif step is None or not np.array_equal(step.edges, edges):
            step = self._measure(edges, self._truth.mean(edges[:-1], edges[1:]), with_points=True)
        self._ahead = None
        self._counters = self._counters + step.gained_mj.sum(axis=1)
        if step.points is None:
            raise AssertionError("a step is booked with its points")
        for block in self._demand.book(edges, step.gained_mj, step.points):
            self._heating = self._heating.after(block)
            if not block.is_partial:
                values = averages(block, np.arange(self._meter.slots))[_EXTREME_ROWS]
                end = np.array([block.end_ms], np.int64)
                self._average_extremes = self._average_extremes.including(end, values[:, None, :])
                if self._records.watch.compiled.blocks:
                    self._closed.append(self._records.watch.compiled.closed(block, self._meter.slots))
        self._booked_ms = int(edges[-1])
        if reading is not None:
            self._records = self._with(self._records, reading)
            self._slot_ms = -(-self._booked_ms // self._refresh_ms) * self._refresh_ms

    def _measure(self, edges: IntArray, solution: Solution, with_points: bool) -> Step:
        measured = self._meter.measure(solution)
        gained = self._gained(edges, solution, measured)
        return Step(edges, gained, self._meter.points(measured) if with_points else None)

    def _gained(self, edges: IntArray, solution: Solution, measured: Measured) -> IntArray:
        """What the counters gain in each step, (counters, T, N)."""
        active_w, reactive_var, apparent_va = totals(measured)
        durations = np.diff(edges)
        active_mj = energies.whole_mj(active_w, durations)
        exact = self._meter.booked >= 0
        if exact.any():
            # Measured as they are: the truth's own integers, so what flows in flows out, to the last mJ.
            active_mj[:, exact] = self._truth.book(solution)[:, self._meter.booked[exact]]
        return energies.split(
            active_mj,
            energies.whole_mj(reactive_var, durations),
            energies.whole_mj(apparent_va, durations),
        )

    def _unfinished(self, t_ms: int, solution: Solution | None = None) -> Step | None:
        """The part of the running base step up to `t_ms`, which is not stored; `solution` if it is known.

        No counter shows more than the whole step, as far as it is known, will give it (`energies.within`).
        """
        start = self._booked_ms
        if t_ms <= start:
            return None
        if self._ahead is None:
            grid = start // BASE_STEP_MS * BASE_STEP_MS + BASE_STEP_MS
            edges = self._truth.boundaries(start, grid)[:2]
            self._ahead = self._measure(edges, self._truth.mean(edges[:1], edges[1:]), with_points=True)
        edges = np.array([start, t_ms], np.int64)
        if solution is None:
            solution = self._truth.mean(edges[:1], edges[1:])
        # Means of the running block are shown only until the first one is complete.
        step = self._measure(edges, solution, with_points=self._demand.complete is None)
        return replace(step, gained_mj=energies.within(step.gained_mj, self._ahead.gained_mj))

    def _running(self, t_ms: int, unfinished: Step | None) -> DemandBlock:
        if unfinished is None:
            return self._demand.running(t_ms, np.zeros_like(self._counters), None)
        return self._demand.running(t_ms, unfinished.gained_mj[:, 0], unfinished.points)

    def _take_slots_before(self, end_ms: int) -> None:
        while self._slot_ms < end_ms:
            present = self._present
            if present is not None and present.slot_ms == self._slot_ms:
                self._records, self._present = present.kept, None
                self._slot_ms += self._refresh_ms
                continue
            slots = np.arange(self._slot_ms, end_ms, self._refresh_ms, dtype=np.int64)[: self._chunk()]
            self._records = self._with(self._records, self._meter.read(self._truth.at(slots)))
            self._slot_ms = int(slots[-1]) + self._refresh_ms
        del self._closed[: self._blocks_by(self._slot_ms - self._refresh_ms)]

    def _present_at(self, slot_ms: int, solution: Solution | None = None) -> Present:
        """The slot that starts at `slot_ms`; `solution` is the network then, if it is known."""
        if self._present is None or self._present.slot_ms != slot_ms:
            if solution is None:
                solution = self._truth.at(np.array([slot_ms], np.int64))
            plain = self._meter.read(solution)
            reading = self._meter.show(solution) if self._meter.is_sampling else plain
            self._present = self._counted_in(slot_ms, plain, reading)
        return self._present

    def _counted_in(self, slot_ms: int, plain: Reading, reading: Reading) -> Present:
        kept = self._with(self._records, plain)
        shown = kept if reading is plain else self._with(kept, reading)
        return Present(slot_ms, plain, reading, kept, shown)

    def _finish_slot(self, t_ms: int) -> None:
        """Keep what the running slot has measured before a change; one that starts now is measured anew."""
        self._ahead = None
        slot_ms = self._slot_start(t_ms)
        if slot_ms == t_ms:
            self._present = None
            self._slot_ms = min(self._slot_ms, slot_ms)
            return
        present = self._present_at(slot_ms)
        if self._slot_ms <= slot_ms:
            self._records = present.kept
            self._slot_ms = slot_ms + self._refresh_ms

    def _restart(self, t_ms: int, records: Records) -> None:
        """Go on with other records, in which the slot running at `t_ms` counts again."""
        self._records = records
        present = self._present
        if present is None or present.slot_ms != self._slot_start(t_ms):
            self._present = None
            return
        self._present = self._counted_in(present.slot_ms, present.plain, present.reading)
        if present.slot_ms < self._slot_ms:
            self._records = self._present.kept

    def _with(self, records: Records, reading: Reading) -> Records:
        t_ms = reading.solution.start_ms
        circuit_quality, network_quality = reading.quality
        looked = Looked(t_ms, reading.points, circuit_quality, network_quality, self._edges)
        blocks = self._closed[: self._blocks_by(int(t_ms[-1]))]
        return Records(
            records.circuits.including(t_ms, reading.points.circuits[_EXTREME_ROWS]),
            records.quality.including(t_ms, circuit_quality),
            records.network_quality.including(t_ms, network_quality),
            records.watch.including(looked, blocks, self._around()),
        )

    def _blocks_by(self, t_ms: int) -> int:
        """How many of the closed blocks that alarms wait for ended by `t_ms`."""
        return bisect_right(self._closed, t_ms, key=lambda block: block.end_ms)
