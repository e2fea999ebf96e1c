"""What the solved network looks like: phasors and powers of boards and circuits, over a batch of times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
IntArray = npt.NDArray[np.int64]

ORDERS: tuple[int, ...] = tuple(range(1, 50, 2))
"""Harmonic orders that the model carries; every other order is zero. Index 0 is the fundamental."""


@dataclass(frozen=True)
class Solution:
    """The network at T instants, or its mean over T intervals. RMS phasors, load convention.

    T times, S sources, M boards, K circuits (in the order of `Installation`), H = len(ORDERS).
    A circuit without a phase has zero current and power there. Angles refer to phase L1 of the
    source's open-circuit voltage. During an interruption voltages, currents and powers are 0.
    """

    start_ms: IntArray
    """(T,) instant, or start of the interval."""
    end_ms: IntArray
    """(T,) equal to `start_ms` for an instant."""
    frequency_hz: FloatArray
    """(T, S), followed by a column for each board that changes its source: 0 while it has none."""
    voltage_v: ComplexArray
    """(T, M, 3, H) phase to (local) neutral."""
    neutral_voltage_v: ComplexArray
    """(T, M, H) local neutral to earth (the source's star point)."""
    current_a: ComplexArray
    """(T, K, 3) fundamental."""
    current_rms_a: FloatArray
    """(T, K, 3) all orders."""
    neutral_current_rms_a: FloatArray
    """(T, K) all orders, of I1+I2+I3."""
    active_w: FloatArray
    """(T, K, 3) all orders, against the voltage of the circuit's own board."""
    reactive1_var: FloatArray
    """(T, K, 3) fundamental."""
    current_spectrum: Callable[[IntArray], ComplexArray]
    """Spectra of the asked circuits, exact: indices (n,) -> (T, n, 3, H)."""
    loss_w: FloatArray
    """(T, K) power lost in the cable of each feeder circuit; 0 elsewhere."""
