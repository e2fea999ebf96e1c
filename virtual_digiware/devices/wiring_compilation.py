"""From descriptions of what is connected where to the arrays of `Wiring`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from virtual_digiware.devices.connection_patterns import Pattern, pattern_of
from virtual_digiware.devices.connections import Slot, Tap, connect
from virtual_digiware.devices.layout import NetworkType, SiteLayout
from virtual_digiware.devices.wiring import BoolArray, Deviations, TruthIndex, Wiring
from virtual_digiware.profiles.installation import PHASES, Installation, Phase
from virtual_digiware.profiles.solution import ComplexArray, FloatArray, IntArray

PHASE_INPUTS: Mapping[NetworkType, tuple[bool, bool, bool]] = {
    "1P+N": (True, False, False),
    "2P": (False, False, False),
    "2P+N": (True, True, False),
    "3P": (False, False, False),
    "3P+N": (True, True, True),
}
"""Which phase-to-neutral voltages a U module has on each type of network."""
LINE_INPUTS: Mapping[NetworkType, tuple[bool, bool, bool]] = {
    "1P+N": (False, False, False),
    "2P": (True, False, False),
    "2P+N": (True, False, False),
    "3P": (True, True, True),
    "3P+N": (True, True, True),
}
"""Likewise U12, U23, U31."""
_NOMINAL_FACTORS: Mapping[NetworkType, float] = {
    "1P+N": 1.0,
    "2P": float(np.sqrt(3.0)),
    "2P+N": 2.0,
    "3P": 3.0,
    "3P+N": 3.0,
}
_PAIRS = np.array([[-1, 0, 2], [0, -1, 1], [2, 1, -1]])
"""Index of the line voltage (U12, U23, U31) between two phases."""


def wire(layout: SiteLayout, truth: TruthIndex, deviations: Deviations | None = None) -> Wiring:
    """The wiring as planned in `layout`.

    Raises:
        WiringError: See `connections.connect`.
    """
    slots, taps = connect(layout, truth.installation)
    return compile_wiring(slots, taps, truth, layout.nominal_voltage_v, deviations)


def compile_wiring(
    slots: Sequence[Slot],
    taps: Sequence[Tap],
    truth: TruthIndex,
    nominal_voltage_v: float = 230.0,
    deviations: Deviations | None = None,
) -> Wiring:
    """Turn descriptions into arrays, keeping their order. `nominal_voltage_v` is phase to neutral."""
    circuits = {circuit.name: circuit for circuit in truth.installation.circuits}
    board_index, circuit_index = truth.board_index, truth.circuit_index
    columns = _Columns(
        [
            pattern_of(_network_of(slot, taps), slot.inputs, slot.lines, circuits[slot.circuit].phases)
            for slot in slots
        ]
    )
    count = len(slots)
    if deviations is None:
        deviations = Deviations(np.ones(count), np.zeros(count), np.ones(len(taps)))
    tap = np.array([-1 if slot.tap is None else slot.tap for slot in slots], dtype=np.int64)
    enabled = np.array([slot.is_enabled for slot in slots], dtype=np.bool_)
    nominal_a = np.array([slot.nominal_a for slot in slots], dtype=np.float64)
    factor = np.array([_NOMINAL_FACTORS[slot.network] for slot in slots], dtype=np.float64)
    tap_board = np.array([board_index[t.board] for t in taps], dtype=np.int64)
    tap_matrix = _tap_matrices(taps) * deviations.tap_ratio[:, None, None]

    row_phase = columns.integers(lambda p: p.row_phase, 3).T
    has_row = (row_phase >= 0) & enabled
    row_phase = np.maximum(row_phase, 0)
    line_phase = columns.integers(lambda p: p.line_phase)
    is_line, line_phase = line_phase >= 0, np.maximum(line_phase, 0)
    is_star = columns.claims(lambda p: p.reference == "star")
    voltages = _voltages_within_reach(taps, tap, row_phase, line_phase, has_row, is_star, is_line)
    tap_ratio, is_tap_plain = _plain_taps(tap_matrix, tap, row_phase)

    own_board = np.array([board_index[circuits[slot.circuit].board] for slot in slots], dtype=np.int64)
    on_own_board = _taken(tap_board, tap) == own_board
    is_linear = np.array([slot.saturates_at is None for slot in slots], dtype=np.bool_)
    is_direct = (
        is_linear
        & columns.claims(lambda p: p.is_plain)
        & ((tap < 0) | (on_own_board & (is_tap_plain | ~has_row).all(axis=0)))
    )
    row_ratio = columns.numbers(lambda p: p.row_ratio, 3).T * deviations.slot_ratio
    is_true = (
        enabled
        & is_linear
        & voltages.has_power
        & on_own_board
        & (deviations.slot_ratio == 1.0)
        & (deviations.slot_lag_rad == 0.0)
        & (_taken((tap_matrix == np.eye(3)).all(axis=(1, 2)), tap))
        & _measured_completely(slots, columns.patterns, truth.installation)
    )
    return Wiring(
        slots=tuple(slots),
        taps=tuple(taps),
        circuit=np.array([circuit_index[slot.circuit] for slot in slots], dtype=np.int64),
        tap=tap,
        is_enabled=enabled,
        nominal_a=nominal_a,
        nominal_va=nominal_a * nominal_voltage_v * factor,
        has_row=has_row,
        has_neutral=columns.claims(lambda p: p.has_neutral) & enabled,
        has_neutral_voltage=columns.claims(lambda p: p.has_neutral)
        & enabled
        & _taken(np.array([t.network.endswith("+N") for t in taps], dtype=np.bool_), tap),
        has_power=voltages.has_power,
        has_phase_power=voltages.has_power & has_row & ~is_star,
        has_phase_voltage=voltages.has_phase_voltage,
        has_line_voltage=voltages.has_line_voltage,
        is_three_phase=has_row[0] & has_row[1] & has_row[2],
        row_phase=row_phase,
        row_line=voltages.row_line,
        is_star=is_star,
        is_line=is_line,
        line_phase=line_phase,
        matrices=columns.matrices() * deviations.slot_ratio[:, None, None, None],
        lag_rad=deviations.slot_lag_rad,
        is_direct=is_direct,
        row_ratio=row_ratio,
        power_ratio=row_ratio * tap_ratio,
        neutral_ratio=columns.numbers(lambda p: p.neutral_ratio) * deviations.slot_ratio,
        is_neutral_row=columns.claims(lambda p: p.is_plain and p.neutral == "row"),
        identity=is_true,
        tap_board=tap_board,
        tap_source=truth.board_source[tap_board],
        tap_has_phase=voltages.tap_has_phase,
        tap_has_line=voltages.tap_has_line,
        tap_matrix=tap_matrix,
        nominal_voltage_v=nominal_voltage_v,
    )


def _network_of(slot: Slot, taps: Sequence[Tap]) -> NetworkType:
    """A load without a neutral at the U module is measured as 3P, whatever it is declared."""
    if slot.tap is not None and taps[slot.tap].network == "3P" and slot.network == "3P+N":
        return "3P"
    return slot.network


@dataclass(frozen=True)
class _Columns:
    """Attributes of the slots' patterns as arrays, also right for a site without slots."""

    patterns: Sequence[Pattern]

    def integers(self, of: Callable[[Pattern], object], *shape: int) -> IntArray:
        return np.array([of(p) for p in self.patterns], dtype=np.int64).reshape(len(self.patterns), *shape)

    def numbers(self, of: Callable[[Pattern], object], *shape: int) -> FloatArray:
        return np.array([of(p) for p in self.patterns], dtype=np.float64).reshape(len(self.patterns), *shape)

    def claims(self, of: Callable[[Pattern], bool]) -> BoolArray:
        return np.array([of(p) for p in self.patterns], dtype=np.bool_)

    def matrices(self) -> ComplexArray:
        stacked = np.array([p.matrices for p in self.patterns], dtype=np.complex128)
        return stacked.reshape(len(self.patterns), 3, 4, 4)


_Scalar = TypeVar("_Scalar", bound=np.generic)


def _taken(values: npt.NDArray[_Scalar], tap: IntArray) -> npt.NDArray[_Scalar]:
    """Values of each slot's tap, shape (C, ...); the zero of the type for a slot without one."""
    padded = np.concatenate([values, np.zeros((1, *values.shape[1:]), dtype=values.dtype)])
    return padded[tap]


def _tap_matrices(taps: Sequence[Tap]) -> ComplexArray:
    matrices = np.zeros((len(taps), 3, 3), dtype=np.complex128)
    for matrix, tap in zip(matrices, taps, strict=True):
        for row, (conductor, ratio) in enumerate(zip(tap.conductors, tap.ratios, strict=True)):
            if conductor is not None:
                matrix[row, PHASES.index(conductor)] = ratio
    return matrices


def _plain_taps(tap_matrix: ComplexArray, tap: IntArray, row_phase: IntArray) -> tuple[FloatArray, BoolArray]:
    """(3, C) real ratio of each row's voltage input, and whether it shows its own phase and no other."""
    diagonal = np.einsum("dkk->dk", tap_matrix)
    rest = tap_matrix * (1.0 - np.eye(3))
    is_plain = (diagonal.imag == 0.0) & ~rest.any(axis=2)
    rows = np.arange(tap.size)
    return _taken(diagonal.real, tap)[rows, row_phase], _taken(is_plain, tap)[rows, row_phase]


@dataclass(frozen=True)
class _Reach:
    has_power: BoolArray
    has_phase_voltage: BoolArray
    has_line_voltage: BoolArray
    row_line: IntArray
    tap_has_phase: BoolArray
    tap_has_line: BoolArray


def _voltages_within_reach(
    taps: Sequence[Tap],
    tap: IntArray,
    row_phase: IntArray,
    line_phase: IntArray,
    has_row: BoolArray,
    is_star: BoolArray,
    is_line: BoolArray,
) -> _Reach:
    """Which voltages, and so powers, each load can have with the inputs that its U module uses."""
    slots = np.arange(tap.size)
    tap_has_phase = np.array([PHASE_INPUTS[t.network] for t in taps], dtype=np.bool_).reshape(-1, 3)
    tap_has_line = np.array([LINE_INPUTS[t.network] for t in taps], dtype=np.bool_).reshape(-1, 3)
    phases, lines = _taken(tap_has_phase, tap), _taken(tap_has_line, tap)
    has_phase_voltage = phases[slots, row_phase] & has_row & ~is_star & ~is_line

    following = row_phase[[1, 2, 0]].copy()
    following[0] = np.where(is_line, line_phase, following[0])
    has_pair = has_row & has_row[[1, 2, 0]]
    has_pair[0] |= is_line & has_row[0]
    row_line = _PAIRS[row_phase, following]
    has_pair &= row_line >= 0
    row_line = np.maximum(row_line, 0)
    has_line_voltage = has_pair & lines[slots, row_line]

    by_phase = (has_phase_voltage | ~has_row).all(axis=0)
    has_power = np.where(
        is_star, has_line_voltage.all(axis=0), np.where(is_line, has_line_voltage[0], by_phase)
    )
    has_power &= has_row.any(axis=0)
    return _Reach(has_power, has_phase_voltage, has_line_voltage, row_line, tap_has_phase, tap_has_line)


def _measured_completely(
    slots: Sequence[Slot], patterns: Sequence[Pattern], installation: Installation
) -> BoolArray:
    """Slots whose rows, read without error, are the whole of their circuit."""
    phases = {circuit.name: set(circuit.phases) for circuit in installation.circuits}
    between: dict[str, set[frozenset[Phase]]] = {}
    for load in installation.loads:
        pair = frozenset(load.phases) if load.line_to_line else frozenset()
        between.setdefault(load.circuit, set()).add(pair)
    complete = []
    for slot, pattern in zip(slots, patterns, strict=True):
        own = {PHASES[phase] for phase in pattern.row_phase if phase >= 0}
        if pattern.reference == "phase":
            complete.append(pattern.is_true and phases[slot.circuit] <= own)
        elif pattern.reference == "line":
            # Without a load to neutral, what flows in by one line leaves by the other.
            lines = frozenset((PHASES[pattern.row_phase[0]], PHASES[pattern.line_phase]))
            complete.append(pattern.is_true and between.get(slot.circuit) == {lines})
        else:
            complete.append(False)
    return np.array(complete, dtype=np.bool_)
