"""RMS over one cycle, refreshed every half cycle, of voltages that change in steps: exact without samples.

Source: IEC 61000-4-30, Urms(1/2). A voltage that steps from U0 to U1 inside a cycle has
U^2 = (1 - x) U0^2 + x U1^2, with x the share of the cycle behind the step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from virtual_digiware.devices.points import FloatArray


@dataclass(frozen=True)
class Steps:
    """The squares (C,) of C channels since each of some instants (ms); the first also held before it."""

    pieces: tuple[tuple[int, FloatArray], ...]

    @property
    def last_ms(self) -> int:
        """When the voltages stepped last."""
        return self.pieces[-1][0]

    def then(self, t_ms: int, squares: FloatArray, cycle_ms: float) -> Steps:
        """With another step at `t_ms`; what lies more than two cycles back is forgotten."""
        kept = [piece for piece in self.pieces if piece[0] > t_ms - 2 * cycle_ms]
        before = self.pieces[: len(self.pieces) - len(kept)]
        return Steps((*before[-1:], *kept, (t_ms, squares)))

    def rms(self, end_ms: float, cycle_ms: float) -> FloatArray:
        """RMS (C,) over the cycle that ends at `end_ms`, not before the last step."""
        total = np.zeros_like(self.pieces[0][1])
        for i, (start, squares) in enumerate(self.pieces):
            low = end_ms - cycle_ms if i == 0 else max(float(start), end_ms - cycle_ms)
            high = end_ms if i + 1 == len(self.pieces) else min(float(self.pieces[i + 1][0]), end_ms)
            if high > low:
                total = total + squares * ((high - low) / cycle_ms)
        rms: FloatArray = np.sqrt(total)
        return rms


def half_cycles(after_ms: float, until_ms: float, frequency_hz: float) -> Iterator[tuple[int, float]]:
    """Half cycles that end in (after, until]: the millisecond that has the value, and when exactly.

    Half cycles are counted from the epoch at nominal frequency.
    """
    half_ms = 500.0 / frequency_hz
    k = math.floor(after_ms / half_ms)
    while True:
        k += 1
        exact = k * half_ms
        known_ms = math.ceil(exact - 1e-6)
        if known_ms > until_ms:
            return
        if known_ms > after_ms:
            yield known_ms, exact
