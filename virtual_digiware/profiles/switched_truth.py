"""The electrical truth of an installation whose boards change their source, and whose sources are started.

One variant of the installation is compiled for each state of the switches that occurs; the asked times are
solved by the variant of their state and put together again.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from virtual_digiware.profiles.envelope import Demand
from virtual_digiware.profiles.events import Timeline
from virtual_digiware.profiles.generating_set import REMEMBERED_MS, LoadStep, output
from virtual_digiware.profiles.installation import Event, Installation
from virtual_digiware.profiles.library import LoadClass
from virtual_digiware.profiles.mains import Supply
from virtual_digiware.profiles.noise import key
from virtual_digiware.profiles.solution import ComplexArray, IntArray, Solution
from virtual_digiware.profiles.switching import (
    Arrangement,
    SwitchCourse,
    Switchgear,
    SwitchState,
    arranged,
    switched_boards,
)
from virtual_digiware.profiles.tree import source_impedance
from virtual_digiware.profiles.truth import Rows, Stimulus, Truth

_SEQUENCE = np.exp(-2j * np.pi / 3 * np.arange(3))


class Variant(Truth):
    """The installation in one state of its switches."""

    def arranged_as(self, arrangement: Arrangement, rooted: Sequence[str]) -> None:
        """Compile it; `rooted` are the boards whose frequency is told in further columns."""
        self._plant(arrangement.installation, arrangement.cut)
        self._off = [self.circuit_index[name] for name in arrangement.off]
        self._turned = [self.circuit_index[name] for name in arrangement.turned]
        place = [self._tree.position[name] for name in rooted]
        self._rooted_source = self._tree.source[place]
        self._rooted_live = self._tree.live[place].max(axis=1) if place else np.zeros(0)

    def copied(self) -> Variant:
        """The same, to be laid out or compiled otherwise; all that does not change is shared."""
        return copy.copy(self)

    def laid(self, timeline: Timeline) -> None:
        """Take the events of the whole."""
        self._timeline = timeline

    def carried_va(self, demand: Demand, t_ms: IntArray, source: int) -> ComplexArray:
        """Nominal P - jQ (T,) of the loads that hang on a source at instants, or in intervals from then."""
        c = self._connections
        board = np.array([self._circuits.board[circuit] for circuit in c.load_circuit], dtype=np.int64)
        has = (c.load_source == source).astype(np.float64)[None]
        live = self._tree.live[None]
        overlay = self._timeline.at(t_ms)
        if overlay is not None:
            has = has * overlay.drawn[:, c.load_circuit]
            live = self._live(overlay.closed)
        has = has * live.max(axis=2)[:, board]
        carried = demand.conjugate_va * has
        # Added column by column, so that the sum does not depend on how many times are asked.
        total = np.zeros(carried.shape[0], dtype=np.complex128)
        for column in carried.T:
            total += column
        return total

    def seen(self, solution: Solution) -> Solution:
        """The solution with the frequencies of the switched boards, and with breakers as they stand."""
        columns = solution.frequency_hz[:, self._rooted_source] * self._rooted_live
        signs = np.ones(len(self.circuit_index))
        signs[self._turned] = -1.0
        signs[self._off] = 0.0
        changes: dict[str, Any] = {"frequency_hz": np.concatenate([solution.frequency_hz, columns], axis=1)}
        if self._off or self._turned:
            per_phase = signs[None, :, None]
            changes |= {
                "current_a": solution.current_a * per_phase,
                "current_rms_a": solution.current_rms_a * np.abs(per_phase),
                "neutral_current_rms_a": solution.neutral_current_rms_a * np.abs(signs),
                "active_w": solution.active_w * per_phase,
                "reactive1_var": solution.reactive1_var * per_phase,
                "current_spectrum": lambda circuits: (
                    solution.current_spectrum(circuits) * signs[np.asarray(circuits, np.int64), None, None]
                ),
            }
        return replace(solution, **changes)

    def book(self, solution: Solution) -> IntArray:
        """As `Truth.book`; an open incomer counts nothing, a coupler counts by its own direction."""
        energy = super().book(solution)
        energy[:, self._off] = 0
        energy[:, self._turned] *= -1
        return energy


class SwitchedTruth(Truth):
    """See `Truth`, whose promises it keeps; `switchgear` says where the switches stand."""

    def __init__(
        self,
        installation: Installation,
        seed: int,
        switchgear: Switchgear,
        events: Sequence[Event] = (),
        classes: Mapping[str, LoadClass] | None = None,
    ) -> None:
        """Raises what `Truth` does."""
        self._switchgear = switchgear
        self._rooted = switched_boards(installation)
        self._plain = installation
        self._variants: dict[SwitchState, Variant] = {}
        self._laid: dict[SwitchState, Variant] = {}
        self._switches = [one.name for one in installation.transfers]
        self._switches += [one.name for one in installation.couplers]
        self._gensets = [
            (index, source, source.genset, key(seed, installation.name, f"source/{source.name}"))
            for index, source in enumerate(installation.sources)
            if source.genset is not None
        ]
        first = switchgear.course(()).states[0]
        super().__init__(arranged(installation, first).installation, seed, events, classes)
        self.installation = installation
        self._base = Variant(arranged(installation, first).installation, seed, (), classes)
        self._base._envelope, self._base._mains = self._envelope, self._mains
        column_of = {name: len(installation.sources) + k for k, name in enumerate(self._rooted)}
        columns = self._tree.source.copy()
        for place, index in enumerate(self._tree.order):
            above = column_of.get(installation.boards[index].name)
            parent = self._tree.parent[place]
            if above is not None:
                columns[place] = above
            elif parent >= 0:
                columns[place] = columns[parent]
        self.board_source = columns[self._rank]
        self.circuit_source = columns[self._circuits.board]

    @property
    def switching_ms(self) -> Sequence[int]:
        """When switches or the voltage of generating sets move, ascending."""
        return self._moved

    @property
    def course(self) -> SwitchCourse:
        """Where the switches stand, and when."""
        return self._course

    def _lay(self, events: Sequence[Event]) -> None:
        self._course = self._switchgear.course(events)
        self._moved = tuple(sorted({*self._course.edges_ms, *self._course.further_ms}))
        self._timeline = Timeline(events, self.source_index, self.circuit_index, self._switches, self._moved)
        self._edges = np.array(self._course.edges_ms, dtype=np.int64)
        self._openings = sorted(
            {
                edge
                for one in events
                if one.kind in ("open", "load")
                for edge in (one.start_ms, one.end_ms)
                if edge
            }
        )
        self._laid = {}
        self._steps: dict[tuple[int, int], float] = {}

    def _variant(self, state: SwitchState) -> Variant:
        laid = self._laid.get(state)
        if laid is None:
            compiled = self._variants.get(state)
            if compiled is None:
                compiled = self._base.copied()
                compiled.arranged_as(arranged(self._plain, state), self._rooted)
                self._variants[state] = compiled
            laid = self._laid[state] = compiled.copied()
            laid.laid(self._timeline)
        return laid

    def _groups(self, t_ms: IntArray) -> list[tuple[Variant, IntArray]]:
        """Variants, and the places of the times at which each holds."""
        index = np.searchsorted(self._edges, t_ms, side="right")
        places: dict[SwitchState, list[IntArray]] = {}
        for one in np.unique(index):
            places.setdefault(self._course.states[one], []).append(np.flatnonzero(index == one))
        return [(self._variant(state), np.sort(np.concatenate(parts))) for state, parts in places.items()]

    def _solve(self, start_ms: IntArray, end_ms: IntArray, stimulus: Stimulus) -> Solution:
        if not start_ms.size:
            return super()._solve(start_ms, end_ms, stimulus)
        parts = []
        for variant, places in self._groups(start_ms):
            solved = variant._solve(
                start_ms[places],
                end_ms[places],
                lambda rows, variant=variant, places=places: self._offered(  # type: ignore[misc]
                    variant, places[rows], stimulus, start_ms, end_ms
                ),
            )
            parts.append((variant.seen(solved), places))
        return _scattered(parts, start_ms.size)

    def book(self, solution: Solution) -> IntArray:
        """Signed active energy in mJ of each interval and circuit (T, K); they add up exactly."""
        energy = np.zeros((solution.start_ms.size, len(self.circuit_index)), dtype=np.int64)
        for variant, places in self._groups(solution.start_ms):
            energy[places] = variant.book(_rows(solution, places))
        return energy

    def _offered(
        self, variant: Variant, rows: IntArray, stimulus: Stimulus, start_ms: IntArray, end_ms: IntArray
    ) -> tuple[Demand, Supply]:
        demand, supply = stimulus(rows)
        if not self._gensets:
            return demand, supply
        start, end = start_ms[rows], end_ms[rows]
        frequency, relative = supply.frequency_hz.copy(), supply.relative_frequency.copy()
        emf, distortion = supply.emf_v.copy(), supply.distortion.copy()
        for index, source, genset, noise in self._gensets:
            runs = self._course.runs.get(source.name, ())
            carried = variant.carried_va(demand, start, index)
            steps = self._load_steps(index, start, end)
            made = output(genset, noise, runs, steps, carried.real / source.rated_va, start, end)
            relative[:, index] = made.relative_frequency
            turns = made.relative_frequency * (made.voltage > 0)  # without voltage there is none to measure
            frequency[:, index] = source.frequency_hz * turns
            # The regulator holds the voltage at the terminals, so it adds what the load drops inside.
            inner = source_impedance(source) * carried / (3 * source.voltage_v)
            emf[:, index] = (made.voltage * (source.voltage_v * source.level + inner))[:, None] * _SEQUENCE
            nominal = np.sqrt((np.abs(self._mains.background_v[index, 0]) ** 2).sum()) / source.voltage_v
            distortion[:, index] = made.voltage * (genset.distortion / nominal if nominal else 0.0)
        # A set at rest has no speed; what its loads would draw must stay finite all the same.
        relative = np.maximum(relative, 0.5)
        return demand, Supply(frequency, relative, emf, distortion)

    def _load_steps(self, source: int, start_ms: IntArray, end_ms: IntArray) -> list[LoadStep]:
        """Steps of load on a generating set shortly before some times, from switches and breakers."""
        instants = np.unique(np.array([*self._edges, *self._openings], dtype=np.int64))
        low = np.searchsorted(instants, start_ms.min() - REMEMBERED_MS)
        high = np.searchsorted(instants, end_ms.max(), side="right")
        steps = []
        for edge in instants[low:high].tolist():
            known = self._steps.get((source, edge))
            if known is None:
                at = np.array([edge], dtype=np.int64)
                demand = self._envelope.at(at)
                before = self._variant(self._course.at(edge - 1)).carried_va(demand, at - 1, source)
                after = self._variant(self._course.at(edge)).carried_va(demand, at, source)
                rated = self._plain.sources[source].rated_va
                known = self._steps[source, edge] = float((after - before).real[0]) / rated
            if known:
                steps.append(LoadStep(edge, known))
        return steps


def _rows(solution: Solution, places: Rows) -> Solution:
    arrays = {
        one.name: getattr(solution, one.name)[places]
        for one in fields(Solution)
        if one.name != "current_spectrum"
    }
    return Solution(**arrays, current_spectrum=lambda circuits: solution.current_spectrum(circuits)[places])


def _scattered(parts: Sequence[tuple[Solution, IntArray]], times: int) -> Solution:
    """Solutions of some places each as one of all of them."""
    if len(parts) == 1:
        return parts[0][0]
    arrays: dict[str, Any] = {}
    for one in fields(Solution):
        if one.name == "current_spectrum":
            continue
        first = getattr(parts[0][0], one.name)
        whole = np.empty((times, *first.shape[1:]), dtype=first.dtype)
        for solution, places in parts:
            whole[places] = getattr(solution, one.name)
        arrays[one.name] = whole

    def spectrum(circuits: IntArray) -> ComplexArray:
        pieces = [(solution.current_spectrum(circuits), places) for solution, places in parts]
        whole = np.empty((times, *pieces[0][0].shape[1:]), dtype=np.complex128)
        for piece, places in pieces:
            whole[places] = piece
        return whole

    return Solution(**arrays, current_spectrum=spectrum)
