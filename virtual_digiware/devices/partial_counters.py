"""Partial energy counters and hour meters of circuits: what was counted since a client cleared them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from virtual_digiware.devices.energies import PARTIAL
from virtual_digiware.devices.extremes import NEVER, BoolArray
from virtual_digiware.devices.points import IntArray

HOURS = "operating_hours"


@dataclass(frozen=True)
class PartialCounters:
    """Where the partial counters of N slots began, and what the previous period had; never changes."""

    start_mj: IntArray
    """(len(PARTIAL), N) energy points at the start of the partial period."""
    previous_mj: IntArray
    """(len(PARTIAL), N) what the previous period counted; 0 before the first reset."""
    start_ms: IntArray
    """(N,) start of the partial hour meter."""
    previous_ms: IntArray
    """(N,) length of the previous period of the hour meter."""
    reset_ms: IntArray
    """(N,) last reset of any of them, NEVER before the first."""

    @classmethod
    def starting(cls, slots: int, t_ms: int) -> PartialCounters:
        """Counters of a meter just taken into service."""
        return cls(
            start_mj=np.zeros((len(PARTIAL), slots), np.int64),
            previous_mj=np.zeros((len(PARTIAL), slots), np.int64),
            start_ms=np.full(slots, t_ms, np.int64),
            previous_ms=np.zeros(slots, np.int64),
            reset_ms=np.full(slots, NEVER, np.int64),
        )

    def reset(
        self, t_ms: int, shown_mj: Mapping[str, IntArray], slots: BoolArray, points: frozenset[str]
    ) -> PartialCounters:
        """After clearing `points` (energy points, or HOURS) of the chosen slots (N,) at `t_ms`."""
        start_mj, previous_mj = self.start_mj.copy(), self.previous_mj.copy()
        for row, point in enumerate(PARTIAL):
            if point in points:
                previous_mj[row, slots] = (shown_mj[point] - start_mj[row])[slots]
                start_mj[row, slots] = shown_mj[point][slots]
        start_ms, previous_ms = self.start_ms, self.previous_ms
        if HOURS in points:
            previous_ms = np.where(slots, t_ms - start_ms, previous_ms)
            start_ms = np.where(slots, t_ms, start_ms)
        reset_ms = np.where(slots, t_ms, self.reset_ms) if points else self.reset_ms
        return PartialCounters(start_mj, previous_mj, start_ms, previous_ms, reset_ms)
