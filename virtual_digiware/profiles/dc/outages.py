"""When the mains of a board is gone: stretches that are joined where they touch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from virtual_digiware.profiles.dc.installation import Outage
from virtual_digiware.profiles.pulses import STEP_MS
from virtual_digiware.profiles.solution import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]
_NEVER = np.iinfo(np.int64).max


class Outages:
    """The outages of one source."""

    def __init__(self, outages: Sequence[Outage], source: str | None) -> None:
        joined: list[tuple[int, int]] = []
        for outage in sorted(outages, key=lambda one: one.start_ms):
            if source is None or outage.source != source:
                continue
            start_ms, end_ms = outage.start_ms, _NEVER if outage.end_ms is None else outage.end_ms
            if joined and start_ms <= joined[-1][1]:
                start_ms, end_ms = joined[-1][0], max(joined.pop()[1], end_ms)
            joined.append((start_ms, end_ms))
        self._joined = joined

    @property
    def first_steps(self) -> list[int]:
        """Number of the base step in which each one begins."""
        return [start_ms // STEP_MS for start_ms, _ in self._joined]

    @property
    def edges_ms(self) -> list[int]:
        """When the mains goes or comes."""
        return [edge for pair in self._joined for edge in pair if edge != _NEVER]

    def at(self, t_ms: IntArray) -> BoolArray:
        """Whether the mains is gone (T,)."""
        out = np.zeros(len(t_ms), np.bool_)
        for start_ms, end_ms in self._joined:
            out |= (t_ms >= start_ms) & (t_ms < end_ms)
        return out

    def share(self, steps: IntArray) -> FloatArray:
        """For which share of each base step the mains is gone (T,)."""
        begin_ms = steps * STEP_MS
        gone = np.zeros(len(steps))
        for start_ms, end_ms in self._joined:
            over = np.minimum(begin_ms + STEP_MS, end_ms) - np.maximum(begin_ms, start_ms)
            gone += np.maximum(over, 0)
        return gone / STEP_MS

    def lasts_from(self, step: int) -> bool:
        """Whether the mains never comes back from the begin of a step on."""
        return bool(self._joined) and self._joined[-1][1] == _NEVER and self._joined[-1][0] <= step * STEP_MS
