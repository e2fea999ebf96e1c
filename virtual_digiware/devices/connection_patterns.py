"""How the sensors of one slot become the rows that its registers show: small matrices, one per pattern.

A row is one of the load's own phases 1, 2, 3 or its neutral. Three-phase loads use row k for phase
Lk; 2P+N uses rows 1 and 2 in the order of its sensors; single-phase loads (1P+N, 2P) use row 1
whatever phase they sit on. Many slots share a pattern, so each is worked out once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from virtual_digiware.devices.connections import Conductor, CurrentInput
from virtual_digiware.devices.layout import NetworkType
from virtual_digiware.profiles.installation import PHASES, Phase

CONDUCTORS: tuple[Conductor, ...] = ("L1", "L2", "L3", "N")
Reference = Literal["phase", "star", "line"]
"""What a row's power is measured against: phase to neutral, to an artificial star point, phase to phase."""


@dataclass(frozen=True)
class Pattern:
    """The part of a slot's wiring that does not depend on its circuit or its voltage tap."""

    matrices: npt.NDArray[np.complex128]
    """(3, 4, 4) for orders h = 0, 1, 2 modulo 3: rows 1, 2, 3, N from true L1, L2, L3, N."""
    row_phase: tuple[int, int, int]
    """Voltage input (0..2) that belongs to each row; -1 where the load has no such row."""
    line_phase: int
    """Second voltage input of a 2P load; -1 otherwise."""
    reference: Reference
    has_neutral: bool
    """The load has a neutral, so In is measured or computed."""
    is_plain: bool
    """Each row is the true current of its own phase times a real number, and In follows likewise."""
    row_ratio: tuple[float, float, float]
    """That number, for a plain pattern; 0 where there is no row."""
    neutral: Literal["row", "circuit"]
    """Plain In: the current of row 1 (1P+N), or the true neutral current of the whole circuit."""
    neutral_ratio: float
    is_true: bool
    """Each row is exactly the true current of its own phase."""


@lru_cache(maxsize=4096)
def pattern_of(
    network: NetworkType,
    inputs: tuple[CurrentInput, ...],
    lines: tuple[Phase, Phase],
    circuit_phases: tuple[Phase, ...],
) -> Pattern:
    """Work out the rows of a load.

    A three-phase load with one sensor is taken as balanced: the other rows are that current
    delayed by a third of a period each. With two sensors (3P) the third row is -(a + b).
    The computed neutral current is the sum of the rows; a fourth sensor replaces it.
    """
    channels = _channels(inputs)
    rows = np.zeros((3, 4, 4), dtype=np.complex128)
    three_phase = network in ("3P", "3P+N")
    if three_phase:
        row_phase = (0, 1, 2)
        present = 3
    else:
        believed = [PHASES.index(given.phase) if given.phase in PHASES else 0 for given in inputs]
        present = len(believed)
        row_phase = (believed[0], believed[1] if present > 1 else -1, -1)
    for given, channel in zip(inputs, channels, strict=True):
        # A client may call the only sensor of a single-phase load "Vn": it then belongs to no row.
        if given.phase is None or (given.phase == "N" and not three_phase):
            continue
        conductor = CONDUCTORS.index(given.phase)
        rows[:, conductor if three_phase else row_phase.index(conductor)] = channel
    if three_phase and len(inputs) == 1:
        _copy_balanced(rows, inputs[0], channels[0])
    elif three_phase and len(inputs) == 2:
        _complete(rows, inputs)
    has_neutral = network.endswith("+N")
    measures_neutral = three_phase and any(given.phase == "N" for given in inputs)
    if has_neutral and not measures_neutral:
        rows[:, 3] = rows[:, :3].sum(axis=1)
    line_phase = _other_line(row_phase[0], lines) if network == "2P" else -1
    reference: Reference = "star" if network == "3P" else "line" if network == "2P" else "phase"
    plain = _plain(rows, row_phase, reference, circuit_phases)
    ratios, neutral, neutral_ratio = plain or ((0.0, 0.0, 0.0), "row", 0.0)
    return Pattern(
        matrices=rows,
        row_phase=row_phase,
        line_phase=line_phase,
        reference=reference,
        has_neutral=has_neutral,
        is_plain=plain is not None,
        row_ratio=ratios,
        neutral=neutral,
        neutral_ratio=neutral_ratio,
        is_true=all(
            np.array_equal(rows[order, row], np.eye(4)[row_phase[row]])
            for order in range(3)
            for row in range(present)
        ),
    )


def _channels(inputs: Sequence[CurrentInput]) -> list[npt.NDArray[np.complex128]]:
    """Signal of each sensor as the module reads it, from the true currents: (4,) each."""
    channels = []
    for given in inputs:
        channel = np.zeros(4, dtype=np.complex128)
        if given.encloses is not None:
            channel[CONDUCTORS.index(given.encloses)] = given.ratio * given.direction
        channels.append(channel)
    return channels


def _copy_balanced(
    rows: npt.NDArray[np.complex128], given: CurrentInput, channel: npt.NDArray[np.complex128]
) -> None:
    """Delay of a third of a period per phase: order h turns by h x 120 degrees."""
    measured = PHASES.index(given.phase) if given.phase in PHASES else 0
    for order in range(3):
        for row in range(3):
            rows[order, row] = channel * _turn(-order * (row - measured))


def _turn(thirds: int) -> complex:
    """exp(j 2 pi thirds / 3), exact for a whole turn."""
    half_root = float(np.sqrt(0.75))
    return (1.0 + 0.0j, complex(-0.5, half_root), complex(-0.5, -half_root))[thirds % 3]


def _complete(rows: npt.NDArray[np.complex128], inputs: Sequence[CurrentInput]) -> None:
    """Two sensors in a system without neutral: what flows in by two phases leaves by the third."""
    taken = {PHASES.index(given.phase) for given in inputs if given.phase in PHASES}
    if len(taken) == 2:
        (third,) = {0, 1, 2} - taken
        rows[:, third] = -rows[:, sorted(taken)].sum(axis=1)


def _other_line(phase: int, lines: tuple[Phase, Phase]) -> int:
    first, second = PHASES.index(lines[0]), PHASES.index(lines[1])
    return first if phase == second else second


def _plain(
    rows: npt.NDArray[np.complex128],
    row_phase: tuple[int, int, int],
    reference: Reference,
    circuit_phases: tuple[Phase, ...],
) -> tuple[tuple[float, float, float], Literal["row", "circuit"], float] | None:
    """Ratios of a plain pattern, or None: then the currents must be computed order by order.

    Only loads with a neutral can be plain; the others measure against something else than one phase.
    """
    matrix = rows[1]
    if reference != "phase" or np.any(rows.imag) or np.any(rows != matrix):
        return None
    ratios = [0.0, 0.0, 0.0]
    for row, phase in enumerate(row_phase):
        if phase >= 0:
            ratios[row] = float(matrix[row, phase].real)
        rest = matrix[row].copy()
        rest[max(phase, 0)] = 0.0
        if np.any(rest):
            return None
    ratio = (ratios[0], ratios[1], ratios[2])
    present = [row for row, phase in enumerate(row_phase) if phase >= 0]
    if len(present) == 1:
        return ratio, "row", 0.0
    own = {PHASES[row_phase[row]] for row in present}
    neutral = matrix[3]
    if not np.any(neutral[:3]):
        return ratio, "circuit", float(neutral[3].real)
    is_sum = np.array_equal(neutral, matrix[:3].sum(axis=0))
    if set(circuit_phases) <= own and is_sum and len({ratios[row] for row in present}) == 1:
        return ratio, "circuit", ratios[present[0]]
    return None
