"""Pulses: loads that switch on for a while, at most once in each slot of their cycle, in closed form.

A pulse of power A lasts from t0 to t1 and adds A * (1 + (m - 1) * exp(-(t - t0) / tau)); so its energy in any
interval is an overlap times A plus a difference of two exponentials.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.library import Cycle
from virtual_digiware.profiles.noise import Stream, UintArray, as_uniform, bits, derive
from virtual_digiware.profiles.solution import FloatArray, IntArray

STEP_MS = 10_000
"""The base step; slots are multiples of it, so no base step ever sees two slots."""
_STREAMS = 4

ProfileAt = Callable[[IntArray], FloatArray]
"""Normalised daily profiles of the cycles asked for, at instants (F, c): (F, c)."""


@dataclass(frozen=True)
class PulseSet:
    """The pulses, if any, of C cycles in the slots that hold F base steps."""

    start_ms: IntArray
    """(F, C)"""
    end_ms: IntArray
    """(F, C); equal to `start_ms` where the slot stays empty."""
    power_w: FloatArray
    """(F, C) A, without inrush."""

    def rows(self, place: IntArray) -> PulseSet:
        """The same with rows picked or repeated: `place` (T,) into F."""
        return PulseSet(self.start_ms[place], self.end_ms[place], self.power_w[place])


class Pulses:
    """All cycles of all loads, sorted by load."""

    def __init__(
        self, cycles: Sequence[tuple[int, int, Cycle]], nominal_w: FloatArray, keys: UintArray
    ) -> None:
        """
        Args:
            cycles: Load, index of the cycle within its class, and the cycle; ascending.
            nominal_w: (N,)
            keys: (N,)
        """
        self.count = len(cycles)
        load = np.array([entry[0] for entry in cycles], dtype=np.int64)
        stream = np.array([Stream.CYCLE + _STREAMS * entry[1] for entry in cycles], dtype=np.int64)
        parts = [entry[2] for entry in cycles]
        self.loads, self._starts = np.unique(load, return_index=True)
        own = keys[load]
        self._period_ms = np.array([round(part.period_s * 1000) for part in parts], dtype=np.int64)
        shift = as_uniform(bits(derive(own, stream), 0)) if self.count else np.zeros(0)
        # Slots of different loads begin at different times, at base steps.
        self._offset_ms = (shift * (self._period_ms // STEP_MS)).astype(np.int64) * STEP_MS
        self._occurrence = derive(own, stream + 1)
        self._size = derive(own, stream + 2)
        self._place = derive(own, stream + 3)
        self._least_ms = np.array([part.duration_s[0] * 1000 for part in parts])
        self._extra_ms = np.array([(part.duration_s[1] - part.duration_s[0]) * 1000 for part in parts])
        self._least_w = np.array([part.amplitude[0] for part in parts]) * nominal_w[load]
        self._extra_w = np.array([part.amplitude[1] - part.amplitude[0] for part in parts]) * nominal_w[load]
        self._probability = np.array([part.probability for part in parts])
        self.scaled = np.flatnonzero([part.scaled_by_profile for part in parts])
        """Cycles whose probability follows the daily profile."""
        self.scaled_loads = load[self.scaled]
        inrush = [index for index, part in enumerate(parts) if part.inrush_multiple != 1]
        self._inrush = np.array(inrush, dtype=np.int64)
        self._excess = np.array([parts[index].inrush_multiple - 1 for index in inrush])
        self._tau_ms = np.array([parts[index].inrush_tau_s * 1000 for index in inrush])

    def of_steps(self, step: IntArray, profile_at: ProfileAt) -> PulseSet:
        """Pulses of the slots that hold the base steps (F,); `profile_at` is asked at the slots' middles."""
        slot = (step[:, None] * STEP_MS - self._offset_ms) // self._period_ms
        begin = slot * self._period_ms + self._offset_ms
        probability: FloatArray = np.broadcast_to(self._probability, slot.shape)
        if self.scaled.size:
            middle = begin[:, self.scaled] + self._period_ms[self.scaled] // 2
            probability = probability.copy()
            probability[:, self.scaled] *= np.minimum(profile_at(middle), 1.0)
        happens = as_uniform(bits(self._occurrence, slot)) < probability
        sizes = bits(self._size, slot)
        length = (self._least_ms + self._extra_ms * as_uniform(sizes)).astype(np.int64) * happens
        start = begin + (as_uniform(bits(self._place, slot)) * (self._period_ms - length)).astype(np.int64)
        # The low half of the bits decides the amplitude; the high ones have decided the duration.
        amplitude = (sizes & np.uint64(0xFFFF)).astype(np.float64) * 2.0**-16
        return PulseSet(start, start + length, self._least_w + self._extra_w * amplitude)

    def at(self, pulses: PulseSet, t_ms: IntArray) -> FloatArray:
        """Power of each load of `loads` at instants (T,) of the steps of `pulses` (T rows): (T, loads)."""
        t = t_ms[:, None]
        is_on = (pulses.start_ms <= t) & (t < pulses.end_ms)
        power = pulses.power_w * is_on
        if self._inrush.size:
            pick = self._inrush
            elapsed = np.maximum(t - pulses.start_ms[:, pick], 0)
            power[:, pick] *= 1 + self._excess * np.exp(-elapsed / self._tau_ms)
        return np.add.reduceat(power, self._starts, axis=1)

    def mean(self, pulses: PulseSet, start_ms: IntArray, end_ms: IntArray) -> FloatArray:
        """Mean power of each load of `loads` over the intervals: (T, loads)."""
        duration = (end_ms - start_ms)[:, None]
        first = np.maximum(pulses.start_ms, start_ms[:, None])
        last = np.maximum(np.minimum(pulses.end_ms, end_ms[:, None]), first)
        share = (last - first) / duration
        if self._inrush.size:
            pick = self._inrush
            begin = pulses.start_ms[:, pick]
            # An interval after the pulse has first == last, so both exponentials cancel exactly.
            decay = np.exp((begin - first[:, pick]) / self._tau_ms) - np.exp(
                (begin - last[:, pick]) / self._tau_ms
            )
            share[:, pick] += self._excess * (self._tau_ms / duration) * decay
        return np.add.reduceat(share * pulses.power_w, self._starts, axis=1)

    def plateau(self, pulses: PulseSet, step: IntArray) -> FloatArray:
        """Power, without inrush, of the pulses that fill the whole base step (F,): (F, loads)."""
        begin = step[:, None] * STEP_MS
        fills = (pulses.start_ms <= begin) & (pulses.end_ms >= begin + STEP_MS)
        return np.add.reduceat(pulses.power_w * fills, self._starts, axis=1)
