"""The electrical truth of an installation: any instant, any mean, any energy, as a function of time alone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from virtual_digiware.profiles.circuits import Circuits, Reading
from virtual_digiware.profiles.connections import Connections, connect
from virtual_digiware.profiles.energy import Ledger
from virtual_digiware.profiles.envelope import Demand, Envelope
from virtual_digiware.profiles.events import Timeline
from virtual_digiware.profiles.harmonics import Distortion, Harmonics
from virtual_digiware.profiles.installation import Event, Installation
from virtual_digiware.profiles.library import LoadClass, daily_profile, load_classes
from virtual_digiware.profiles.mains import Mains, Supply
from virtual_digiware.profiles.network import Flow, Network
from virtual_digiware.profiles.noise import key
from virtual_digiware.profiles.pulses import STEP_MS
from virtual_digiware.profiles.solution import (
    ORDERS,
    ComplexArray,
    FloatArray,
    IntArray,
    Solution,
)
from virtual_digiware.profiles.spectrum_bins import Mixture, SpectrumBins
from virtual_digiware.profiles.switching import SwitchCourse
from virtual_digiware.profiles.tree import Tree, plant

_Number = TypeVar("_Number", np.float64, np.complex128)

Rows = slice | IntArray
Stimulus = Callable[[Rows], tuple[Demand, Supply]]
"""What loads want and sources offer at some of the asked times."""

_CHUNK_NUMBERS = 400_000
"""Numbers in the largest array of a chunk of times: about what a core's caches hold."""


@dataclass(frozen=True)
class _Part:
    """What one chunk of times leaves for spectra that are asked later."""

    flow: Flow
    mixture: Mixture


class Truth:
    """One installation under one seed; see `Solution` for what it tells.

    Results for a time depend on nothing but installation, seed, events and that time: not on other times
    of the batch, on the order of loads in the description, or on what was asked before.
    """

    def __init__(
        self,
        installation: Installation,
        seed: int,
        events: Sequence[Event] = (),
        classes: Mapping[str, LoadClass] | None = None,
    ) -> None:
        """
        Args:
            installation: What to simulate; its name is part of the noise.
            seed: Any integer.
            events: What happens to it.
            classes: Load classes by name; None for those of the library.

        Raises:
            InstallationError, EventError, RecordingError, TimezoneUnknown: The description is wrong.
        """
        self.installation = installation
        self.seed = seed
        known = load_classes() if classes is None else classes
        self.source_index = _index([source.name for source in installation.sources])
        self.board_index = _index([board.name for board in installation.boards])
        self.circuit_index = _index([circuit.name for circuit in installation.circuits])
        keys = {load.name: key(seed, installation.name, f"load/{load.name}") for load in installation.loads}
        self._known, self._keys = known, keys
        self._plant(installation)
        loads = self._connections.loads
        self._envelope = Envelope(
            loads, known, daily_profile, keys, key(seed, installation.name, "weather"), installation.timezone
        )
        self._mains = Mains(installation.sources, seed, installation.name, installation.timezone)
        self.board_source = self._tree.source[self._rank]
        """(M,) column of `Solution.frequency_hz` of each board."""
        self.circuit_source = self._tree.source[self._circuits.board]
        """(K,) the same of each circuit."""
        self._lay(events)

    @property
    def course(self) -> SwitchCourse | None:
        """Where switches between sources stand, and when; None where nothing is switched."""
        return None

    @property
    def switching_ms(self) -> Sequence[int]:
        """When switches between sources move, ascending; they are edges as those of events are."""
        return ()

    def _plant(self, installation: Installation, cut: Collection[str] = ()) -> None:
        """Compile all that follows from who supplies whom; `cut`: boards without a supply at present."""
        self._tree: Tree = plant(installation, cut)
        self._connections: Connections = connect(installation, self._tree, self._known, self._keys)
        self._network = Network(self._tree, self._connections)
        self._bins = SpectrumBins(self._connections.loads, self._known, self._keys)
        self._harmonics = Harmonics(self._tree, self._connections, self._bins)
        self._circuits = Circuits(installation, self._tree, self._connections, self._bins)
        self._ledger = Ledger(self._tree, self._connections, self._circuits)
        self._static_live = None if np.all(self._tree.live == 1) else self._tree.live[None]
        self._rank = np.argsort(self._tree.order)

    def _lay(self, events: Sequence[Event]) -> None:
        self._timeline = Timeline(events, self.source_index, self.circuit_index)

    def with_events(self, events: Sequence[Event]) -> Truth:
        """The same installation with other events; cheap, for all compiled is shared. Raises EventError."""
        other = copy.copy(self)
        other._lay(events)
        return other

    def boundaries(self, start_ms: int, end_ms: int) -> IntArray:
        """Start, every base step and event edge strictly between, end: the intervals that `mean` can take."""
        first = (start_ms // STEP_MS + 1) * STEP_MS
        steps = np.arange(first, end_ms, STEP_MS, dtype=np.int64)
        ends = np.array([start_ms, end_ms], dtype=np.int64)
        return np.unique(np.concatenate([ends, steps, self._timeline.edges_between(start_ms, end_ms)]))

    def at(self, t_ms: IntArray) -> Solution:
        """The network at instants (T,)."""
        t_ms = np.asarray(t_ms, dtype=np.int64)
        return self._solve(
            t_ms, t_ms, lambda rows: (self._envelope.at(t_ms[rows]), self._mains.at(t_ms[rows]))
        )

    def mean(self, start_ms: IntArray, end_ms: IntArray) -> Solution:
        """The network at the mean powers of intervals (T,).

        Raises:
            ValueError: An interval that is empty or crosses a boundary (see `boundaries`).
        """
        start_ms, end_ms = self._checked(start_ms, end_ms)
        return self._solve(
            start_ms,
            end_ms,
            lambda rows: (
                self._envelope.mean(start_ms[rows], end_ms[rows]),
                self._mains.mean(start_ms[rows], end_ms[rows]),
            ),
        )

    def at_and_mean(self, t_ms: IntArray, start_ms: IntArray, end_ms: IntArray) -> tuple[Solution, Solution]:
        """What `at` tells of a few instants and `mean` of a few intervals, in little more than one's time."""
        t_ms = np.asarray(t_ms, dtype=np.int64)
        start_ms, end_ms = self._checked(start_ms, end_ms)
        demand = _stacked(self._envelope.at(t_ms), self._envelope.mean(start_ms, end_ms))
        supply = _stacked(self._mains.at(t_ms), self._mains.mean(start_ms, end_ms))
        both = self._solve(
            np.concatenate([t_ms, start_ms]),
            np.concatenate([t_ms, end_ms]),
            lambda rows: (_rows_of(demand, rows), _rows_of(supply, rows)),
        )
        return _part_of(both, slice(0, t_ms.size)), _part_of(both, slice(t_ms.size, None))

    def _checked(self, start_ms: IntArray, end_ms: IntArray) -> tuple[IntArray, IntArray]:
        """Intervals that `mean` can take. Raises ValueError."""
        start_ms = np.asarray(start_ms, dtype=np.int64)
        end_ms = np.asarray(end_ms, dtype=np.int64)
        if np.any(end_ms <= start_ms) or np.any((end_ms - 1) // STEP_MS != start_ms // STEP_MS):
            raise ValueError("an interval must end after its start and within the same base step of 10 s")
        edges = self._timeline.edges
        if edges.size and np.any(
            np.searchsorted(edges, end_ms, side="left") > np.searchsorted(edges, start_ms, side="right")
        ):
            raise ValueError("an interval must not cross the edge of an event")
        return start_ms, end_ms

    def book(self, solution: Solution) -> IntArray:
        """Signed active energy in mJ of each interval and circuit (T, K); they add up exactly."""
        return self._ledger.book(solution)

    def _solve(self, start_ms: IntArray, end_ms: IntArray, stimulus: Stimulus) -> Solution:
        if not start_ms.size:
            return _part_of(self.at(np.zeros(1, dtype=np.int64)), slice(0, 0))
        chunk = max(1, _CHUNK_NUMBERS // self._numbers_per_time())
        solved = [
            self._solve_chunk(start_ms[rows], *stimulus(rows))
            for rows in (slice(first, first + chunk) for first in range(0, start_ms.size, chunk))
        ]
        parts = [part for *_, part in solved]
        joined = _join([reading for _, _, _, reading, _ in solved])
        return Solution(
            start_ms=start_ms,
            end_ms=end_ms,
            frequency_hz=_concatenate([frequency for frequency, *_ in solved]),
            voltage_v=_concatenate([voltage for _, voltage, *_ in solved]),
            neutral_voltage_v=_concatenate([neutral for _, _, neutral, *_ in solved]),
            current_a=joined.current_a,
            current_rms_a=joined.current_rms_a,
            neutral_current_rms_a=joined.neutral_current_rms_a,
            active_w=joined.active_w,
            reactive1_var=joined.reactive1_var,
            loss_w=joined.loss_w,
            current_spectrum=lambda circuits: _concatenate(
                [self._spectrum(part, np.asarray(circuits, dtype=np.int64)) for part in parts]
            ),
        )

    def _numbers_per_time(self) -> int:
        boards = self._tree.order.size
        elements = self._connections.element_load.size
        terminals = self._connections.nominal_voltage_v.size
        return max(elements, terminals * self._bins.count, boards * 6 * len(ORDERS), 1)

    def _solve_chunk(
        self, t_ms: IntArray, demand: Demand, supply: Supply
    ) -> tuple[FloatArray, ComplexArray, ComplexArray, Reading, _Part]:
        overlay = self._timeline.at(t_ms)
        power, emf, frequency = demand.conjugate_va, supply.emf_v, supply.frequency_hz
        background = self._mains.background_v[None, ..., 1:] * supply.distortion[:, :, None, None]
        relative = supply.relative_frequency
        if overlay is not None and overlay.shift_hz is not None:
            frequency = frequency + overlay.shift_hz
            relative = relative + overlay.shift_hz / self._mains.nominal_hz
        power = self._envelope.follow_frequency(power, relative, self._connections.load_source)
        live = self._static_live
        if overlay is not None:
            emf = emf * overlay.emf
            background = background * overlay.emf[..., None]
            frequency = frequency * overlay.has_frequency
            power = power * overlay.drawn[:, self._connections.load_circuit]
            live = self._live(overlay.closed)
        flow = self._network.solve(power, emf, live)
        mixture = self._bins.mix(demand.level)
        distortion = self._harmonics.solve(flow, mixture, background, live)
        reading = self._circuits.read(flow, distortion, mixture, self._harmonics)
        voltage, neutral = self._voltages(flow, distortion)
        return frequency, voltage, neutral, reading, _Part(flow, mixture)

    def _live(self, closed: FloatArray) -> FloatArray:
        """(T, M, 3) from the breakers (T, K): a board is cut off by its incomer or by the feeder above it."""
        live = np.repeat(self._tree.live[None], closed.shape[0], axis=0)
        circuits = self._circuits
        live[:, circuits.board[circuits.incomers]] *= closed[:, circuits.incomers, None]
        live[:, circuits.fed] *= closed[:, circuits.feeders, None]
        for level in self._tree.levels:
            live[:, level.boards] *= live[:, level.parent]
        return live

    def _voltages(self, flow: Flow, distortion: Distortion) -> tuple[ComplexArray, ComplexArray]:
        """Voltages (T, M, 3, H) and neutral voltages (T, M, H) in the order of the description."""
        rank = self._rank
        voltage = np.concatenate([flow.voltage[..., None], distortion.voltage], axis=-1)[:, rank]
        if not self._tree.has_neutral_impedance:
            return voltage, np.zeros((*voltage.shape[:2], len(ORDERS)), dtype=np.complex128)
        rise = self._tree.neutral_voltage(flow.board_current, distortion.board_current)
        return voltage, rise[:, rank]

    def _spectrum(self, part: _Part, circuits: IntArray) -> ComplexArray:
        return self._circuits.spectra(circuits, part.flow, part.mixture, self._harmonics)


def _index(names: Sequence[str]) -> Mapping[str, int]:
    return MappingProxyType({name: place for place, name in enumerate(names)})


def _concatenate(parts: list[npt.NDArray[_Number]]) -> npt.NDArray[_Number]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _part_of(solution: Solution, times: slice) -> Solution:
    """Some of the times of a solution."""
    arrays = {
        field.name: getattr(solution, field.name)[times]
        for field in fields(Solution)
        if field.name != "current_spectrum"
    }
    return Solution(**arrays, current_spectrum=lambda circuits: solution.current_spectrum(circuits)[times])


_Stimulus = TypeVar("_Stimulus", Demand, Supply)


def _rows_of(stimulus: _Stimulus, rows: Rows) -> _Stimulus:
    return type(stimulus)(*(getattr(stimulus, field.name)[rows] for field in fields(stimulus)))


def _stacked(first: _Stimulus, second: _Stimulus) -> _Stimulus:
    """The times of one and then those of the other."""
    pairs = ((getattr(first, field.name), getattr(second, field.name)) for field in fields(first))
    return type(first)(*(np.concatenate(pair) for pair in pairs))


def _join(readings: list[Reading]) -> Reading:
    if len(readings) == 1:
        return readings[0]
    return Reading(
        **{
            field.name: np.concatenate([getattr(reading, field.name) for reading in readings])
            for field in fields(Reading)
        }
    )
