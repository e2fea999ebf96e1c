"""When events of the network begin and end, and which breakers they hold open."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.points import IntArray
from virtual_digiware.profiles.installation import Event

_FOR_GOOD = np.iinfo(np.int64).max


class EventEdges:
    """When events of the network begin and end, and which breakers they hold open."""

    def __init__(self, events: Sequence[Event], switching_ms: Sequence[int] = ()) -> None:
        """`switching_ms`: when switches between sources move."""
        instants = {*switching_ms, *(event.start_ms for event in events)}
        instants |= {event.end_ms for event in events if event.end_ms is not None}
        self._instants = sorted(instants)
        self._openings = [
            (event.start_ms, _FOR_GOOD if event.end_ms is None else event.end_ms, event.target)
            for event in events
            if event.kind == "open"
        ]

    def between(self, after_ms: int, until_ms: int) -> IntArray:
        """Edges in (after, until]."""
        low, high = bisect_right(self._instants, after_ms), bisect_right(self._instants, until_ms)
        return np.array(self._instants[low:high], np.int64)

    def is_open(self, t_ms: IntArray, circuits: Sequence[str]) -> BoolArray:
        """(T, C) whether the breaker of each circuit is open."""
        found = np.zeros((len(t_ms), len(circuits)), np.bool_)
        for start, end, target in self._openings:
            for column, circuit in enumerate(circuits):
                if circuit == target:
                    found[:, column] |= (start <= t_ms) & (t_ms < end)
        return found


NO_EVENTS = EventEdges(())
