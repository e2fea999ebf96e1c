"""Events laid over the installation: dips, interruptions, frequencies of sources, open breakers of circuits.

Events of other kinds change what the switchgear does; here they only mark edges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.installation import PHASES, Event
from virtual_digiware.profiles.solution import FloatArray, IntArray

_FOR_GOOD = np.iinfo(np.int64).max
_ELECTRICAL = ("dip", "interruption", "open", "frequency", "level", "load")
_TARGETS = {"open": "circuit", "load": "circuit", "order": "switch", "coupled": "switch"}


class EventError(ValueError):
    """An event that cannot happen to this installation; `event` as found, `reason` says what is wrong."""

    def __init__(self, event: Event, reason: str) -> None:
        super().__init__(f"{event.kind} of {event.target!r} at {event.start_ms}: {reason}")
        self.event = event
        self.reason = reason


@dataclass(frozen=True)
class Overlay:
    """What the events of T instants do."""

    emf: FloatArray
    """(T, S, 3) factor of the sources' open-circuit voltage."""
    has_frequency: FloatArray
    """(T, S) 0 during an interruption, else 1."""
    closed: FloatArray
    """(T, K) 0 where the circuit's breaker is open, else 1."""
    shift_hz: FloatArray | None
    """(T, S) how far each source's frequency is off; None where none is."""
    drawn: FloatArray
    """(T, K) factor of the power of each circuit's loads, 0 where its breaker is open."""


class Timeline:
    """The events of an installation; each holds from its start until just before its end."""

    def __init__(
        self,
        events: Sequence[Event],
        sources: Mapping[str, int],
        circuits: Mapping[str, int],
        switches: Sequence[str] = (),
        switching_ms: Sequence[int] = (),
    ) -> None:
        """`sources` and `circuits` are indices by name; `switching_ms` are further edges. Raises EventError.

        `switches` are the names of transfers and couplers.
        """
        self._sources = len(sources)
        self._circuits = len(circuits)
        for event in events:
            _check(event, sources, circuits, switches)
        edges = [edge for event in events for edge in (event.start_ms, event.end_ms) if edge is not None]
        self.edges = np.unique(np.array([*edges, *switching_ms], dtype=np.int64))
        """Instants at which something begins or ends, ascending."""
        events = tuple(event for event in events if event.kind in _ELECTRICAL)
        self._events = tuple(events)
        self._start = np.array([event.start_ms for event in events], dtype=np.int64)
        self._end = np.array(
            [_FOR_GOOD if event.end_ms is None else event.end_ms for event in events], dtype=np.int64
        )
        self._target = [
            (circuits if _TARGETS.get(event.kind) == "circuit" else sources)[event.target] for event in events
        ]

    def edges_between(self, start_ms: int, end_ms: int) -> IntArray:
        """Edges strictly between two instants."""
        first = np.searchsorted(self.edges, start_ms, side="right")
        last = np.searchsorted(self.edges, end_ms, side="left")
        between: IntArray = self.edges[first:last]
        return between

    def at(self, t_ms: IntArray) -> Overlay | None:
        """What the events do at instants (T,); None where nothing happens at any of them."""
        if not self._events or not t_ms.size:
            return None
        active = np.flatnonzero((self._start <= t_ms.max()) & (self._end > t_ms.min()))
        if not active.size:
            return None
        emf = np.ones((t_ms.size, self._sources, 3))
        frequency = np.ones((t_ms.size, self._sources))
        closed = np.ones((t_ms.size, self._circuits))
        drawn = np.ones((t_ms.size, self._circuits))
        shift: FloatArray | None = None
        for index in active:
            event, target = self._events[index], self._target[index]
            rows = (self._start[index] <= t_ms) & (t_ms < self._end[index])
            if event.kind == "open":
                closed[rows, target] = 0.0
            elif event.kind == "load":
                drawn[rows, target] *= event.factor
            elif event.kind == "level":
                emf[rows, target] *= event.factors
            elif event.kind == "frequency":
                shift = np.zeros_like(frequency) if shift is None else shift
                shift[rows, target] += event.shift_hz
            elif event.kind == "interruption":
                emf[rows, target] = 0.0
                frequency[rows, target] = 0.0
            else:
                for phase in event.phases:
                    # Of two faults at once the deeper one is what remains.
                    column = emf[:, target, PHASES.index(phase)]
                    column[rows] = np.minimum(column[rows], event.residual)
        return Overlay(emf, frequency, closed, shift, drawn * closed)


def _check(
    event: Event, sources: Mapping[str, int], circuits: Mapping[str, int], switches: Sequence[str]
) -> None:
    kind: str = _TARGETS.get(event.kind, "source")
    known = {"circuit": list(circuits), "source": list(sources), "switch": list(switches)}[kind]
    if event.target not in known:
        raise EventError(event, f"no such {kind}; known: {', '.join(known)}")
    if event.end_ms is not None and event.end_ms <= event.start_ms:
        raise EventError(event, "it must end after it starts")
    if event.kind == "dip" and not 0 <= event.residual <= 1:
        raise EventError(event, f"the residual voltage is a share 0..1, found {event.residual:g}")
