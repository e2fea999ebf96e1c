"""The detail between 200 ms windows: hashed, bounded, and exactly nothing on the mean of a base step."""

from __future__ import annotations

import math

import numpy as np

from virtual_digiware.profiles.noise import Stream, UintArray, bits, derive
from virtual_digiware.profiles.pulses import STEP_MS
from virtual_digiware.profiles.solution import FloatArray, IntArray

WINDOW_MS = 200
WINDOWS = STEP_MS // WINDOW_MS
_PAIRS = WINDOWS // 2

# One hash of 64 bits serves two windows, each with the sum of four bytes: near to normal, and cheap.
_BYTES = np.uint64(0x00FF00FF00FF00FF)
_WORDS = np.uint64(0x0000FFFF0000FFFF)
_LOW = np.uint64(0x00000000FFFFFFFF)
_S8, _S16, _S32 = np.uint64(8), np.uint64(16), np.uint64(32)
_SIGMA = math.sqrt(4 * (2.0**16 - 1) / 12)
# The mean of the fifty is taken away, which leaves 49/50 of the variance.
_SCALE = np.float64(1 / (WINDOWS * _SIGMA * math.sqrt(1 - 1 / WINDOWS)))


class Detail:
    """Detail of N loads, variance 1, constant within windows that start at multiples of 200 ms."""

    def __init__(self, keys: UintArray) -> None:
        self._derived = derive(keys, Stream.DETAIL)
        self._latest: tuple[int, IntArray] | None = None

    def at(self, t_ms: IntArray) -> FloatArray:
        """Detail at instants (T,): (T, N)."""
        numbers, place = self._numbers(t_ms // STEP_MS)
        detail: FloatArray = numbers[place, t_ms % STEP_MS // WINDOW_MS] * _SCALE
        return detail

    def mean(self, start_ms: IntArray, end_ms: IntArray) -> FloatArray:
        """Mean detail over intervals (T,), each within one base step: (T, N)."""
        step = start_ms // STEP_MS
        numbers, place = self._numbers(step)
        edges = step[:, None] * STEP_MS + np.arange(WINDOWS + 1) * WINDOW_MS
        first = np.maximum(edges[:, :-1], start_ms[:, None])
        overlap = np.maximum(np.minimum(edges[:, 1:], end_ms[:, None]) - first, 0)
        # Whole numbers up to here: the order of this sum does not matter; a whole step is exactly nothing.
        total = (numbers[place] * overlap[:, :, None]).sum(axis=1)
        mean: FloatArray = total / (end_ms - start_ms)[:, None] * _SCALE
        return mean

    def _numbers(self, step: IntArray) -> tuple[IntArray, IntArray]:
        """Centred windows of the steps asked for (F, 50, N), and each step's row.

        Whole numbers, fifty times too large, so that taking the mean away leaves no rounding.
        """
        first = int(step[0]) if step.size else 0
        if step.size and bool(np.all(step == first)):
            latest = self._latest
            if latest is None or latest[0] != first:
                latest = (first, self._build(step[:1]))
                self._latest = latest
            return latest[1], np.zeros(step.size, dtype=np.int64)
        unique, place = np.unique(step, return_inverse=True)
        return self._build(unique), place

    def _build(self, step: IntArray) -> IntArray:
        slots = step[:, None] * _PAIRS + np.arange(_PAIRS)
        hashed = bits(self._derived, slots[..., None])
        sums = (hashed & _BYTES) + ((hashed >> _S8) & _BYTES)
        sums = (sums & _WORDS) + ((sums >> _S16) & _WORDS)
        drawn = np.concatenate([sums & _LOW, sums >> _S32], axis=1).astype(np.int64)
        total = drawn.sum(axis=1, keepdims=True)
        drawn *= WINDOWS
        drawn -= total
        return drawn
