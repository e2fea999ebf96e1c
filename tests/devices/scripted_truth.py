"""A truth whose powers somebody wrote down: piecewise constant, three equal phases, so results are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from tests.devices.solutions import BALANCED, Bench
from virtual_digiware.profiles.installation import Event, Installation
from virtual_digiware.profiles.solution import IntArray, Solution

Script = Sequence[tuple[int, float, float]]
"""(from this time in ms on, active power W, reactive power var), ascending."""


class ScriptedTruth:
    """Circuits on one board at 230 V. `edges` are event edges that cut base steps."""

    def __init__(
        self, scripts: Mapping[str, Script], edges: Sequence[int] = (), timezone: str = "UTC"
    ) -> None:
        self._bench = Bench(dict.fromkeys(scripts, "main"))
        self._scripts = [
            (np.array([t for t, _, _ in script]), np.array([complex(p, q) for _, p, q in script]))
            for script in scripts.values()
        ]
        self._edges = sorted(edges)
        self._timezone = timezone
        self.circuit_index, self.board_index = self._bench.circuit_index, self._bench.board_index
        self.board_source = self._bench.board_source
        self.switching_ms: Sequence[int] = ()
        self.course = None

    @cached_property
    def installation(self) -> Installation:
        bench = self._bench.installation
        return Installation(
            bench.name, bench.sources, bench.boards, bench.circuits, bench.loads, self._timezone
        )

    def with_events(self, events: Sequence[Event]) -> ScriptedTruth:
        other = ScriptedTruth({}, [event.start_ms for event in events], self._timezone)
        other.__dict__.update({**self.__dict__, "_edges": other._edges})
        return other

    def boundaries(self, start_ms: int, end_ms: int) -> IntArray:
        between = set(range(start_ms // 10_000 * 10_000 + 10_000, end_ms, 10_000))
        between |= {edge for edge in self._edges if start_ms < edge < end_ms}
        return np.array([start_ms, *sorted(between), end_ms], np.int64)

    def at(self, t_ms: IntArray) -> Solution:
        powers = [values[np.searchsorted(times, t_ms, "right") - 1] for times, values in self._scripts]
        return self._solution(np.stack(powers, axis=1), t_ms, t_ms)

    def mean(self, start_ms: IntArray, end_ms: IntArray) -> Solution:
        powers = [
            (_integral(times, values, end_ms) - _integral(times, values, start_ms)) / (end_ms - start_ms)
            for times, values in self._scripts
        ]
        return self._solution(np.stack(powers, axis=1), start_ms, end_ms)

    def at_and_mean(self, t_ms: IntArray, start_ms: IntArray, end_ms: IntArray) -> tuple[Solution, Solution]:
        return self.at(t_ms), self.mean(start_ms, end_ms)

    def book(self, solution: Solution) -> IntArray:
        active_w = solution.active_w.sum(axis=2)
        duration = solution.end_ms - solution.start_ms
        return np.rint(active_w * duration[:, None]).astype(np.int64)

    def _solution(self, power: np.ndarray, start_ms: IntArray, end_ms: IntArray) -> Solution:
        """`power` is complex (T, K)."""
        voltage = np.broadcast_to(BALANCED, (len(power), 1, 3))
        current = np.conj(power[:, :, None] / 3 / voltage)
        made = self._bench.solution(voltage, current)
        made.__dict__.update(start_ms=start_ms, end_ms=end_ms)
        return made


def _integral(times: np.ndarray, values: np.ndarray, t_ms: IntArray) -> np.ndarray:
    """Of the power from the first time on, complex W times ms."""
    lengths = np.append(np.diff(times), 0)
    before = np.concatenate([[0.0], np.cumsum(values * lengths)[:-1]])
    piece = np.searchsorted(times, t_ms, "right") - 1
    return before[piece] + values[piece] * (t_ms - times[piece])
