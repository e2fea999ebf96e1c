"""Recordings in the place of an envelope: step means of what a user measured."""

from __future__ import annotations

import numpy as np

from virtual_digiware.profiles.installation import Recording
from virtual_digiware.profiles.pulses import STEP_MS
from virtual_digiware.profiles.solution import FloatArray, IntArray


class RecordingError(ValueError):
    """A recording that cannot be replayed: no samples, unequal lengths, or times that do not ascend."""


class Replay:
    """One recording, held constant between samples, as exact means over base steps."""

    def __init__(self, recording: Recording) -> None:
        """Raises RecordingError."""
        times = np.array(recording.time_ms, dtype=np.int64)
        if not times.size or {len(recording.active_w), len(recording.reactive_var)} != {times.size}:
            raise RecordingError("a recording needs as many powers as times, and at least one")
        values = np.array([recording.active_w, recording.reactive_var], dtype=np.float64)
        if np.any(np.diff(times) <= 0):
            raise RecordingError("times of a recording must ascend")
        # The last sample lasts as long as the one before it; a lone sample lasts a base step.
        last = int(times[-1] - times[-2]) if times.size > 1 else STEP_MS
        self._repeat = recording.repeat
        self._edges = np.append(times, times[-1] + last) - times[0]
        self._first = int(times[0])
        self._values = values
        energy = np.cumsum(values * np.diff(self._edges), axis=1)
        self._energy = np.concatenate([np.zeros((2, 1)), energy], axis=1)

    def means(self, step: IntArray) -> FloatArray:
        """Mean active and reactive power of base steps (F,): (F, 2), W and var."""
        start = step * STEP_MS
        return (self._energy_until(start + STEP_MS) - self._energy_until(start)).T / STEP_MS

    def _energy_until(self, t_ms: IntArray) -> FloatArray:
        """Energy since the first sample, W ms and var ms, at (n,) instants: (2, n)."""
        length = int(self._edges[-1])
        elapsed = t_ms - self._first
        laps = elapsed // length if self._repeat else np.zeros_like(elapsed)
        elapsed = np.clip(elapsed - laps * length, 0, length)
        sample = np.minimum(np.searchsorted(self._edges, elapsed, side="right") - 1, self._edges.size - 2)
        inside = elapsed - self._edges[sample]
        energy: FloatArray = (
            self._energy[:, sample] + self._values[:, sample] * inside + self._energy[:, -1:] * laps
        )
        return energy
