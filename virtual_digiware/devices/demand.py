"""Averages over fixed blocks of time (demand), aligned to the local clock, and the load curve of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.points import FloatArray, IntArray
from virtual_digiware.profiles.local_time import LocalTime

BASE_STEP_MS = 10_000
CURVE_LENGTH = 5
"""Load-curve points that a module shows of each circuit (DIRIS B30 tables, load energy history)."""


class LocalBlocks:
    """Blocks of equal length that start on the marks of the local clock (10:00, 10:10, ...)."""

    def __init__(self, period_s: int, timezone: str) -> None:
        """Raises ValueError for a period that is no divisor of an hour in whole base steps."""
        if period_s <= 0 or 3600 % period_s or period_s * 1000 % BASE_STEP_MS:
            raise ValueError(f"a demand period of {period_s} s does not divide an hour into whole base steps")
        self.period_ms = period_s * 1000
        self._time = LocalTime(timezone)

    def start(self, t_ms: int) -> int:
        """Start of the block that holds `t_ms`."""
        offset_ms = int(self._time.offset_ms(np.array([t_ms], np.int64))[0])
        return (t_ms + offset_ms) // self.period_ms * self.period_ms - offset_ms

    def end(self, t_ms: int) -> int:
        """End of the block that holds `t_ms`, later than `t_ms`."""
        return self.start(t_ms) + self.period_ms


@dataclass(frozen=True, slots=True)
class Points:
    """Points of T times: circuits (P, T, N) and networks (Q, T, M), in the order of the tables."""

    circuits: FloatArray
    networks: FloatArray


@dataclass(frozen=True)
class Averages:
    """Time-weighted means of P points on N slots; RMS-type points by root of the mean of squares.

    Never changed in place. Steps are added one after the other, so the sums do not depend on how the
    steps came in batches. A step without a value (NaN) has no weight.
    """

    is_quadratic: BoolArray
    """(P, 1)"""
    total: FloatArray
    """(P, N) values (or squares) times milliseconds."""
    weight_ms: FloatArray
    """(P, N)"""

    @classmethod
    def nothing(cls, names: Sequence[str], quadratic: Collection[str], slots: int) -> Averages:
        """Nothing averaged yet; `quadratic` names the RMS-type points."""
        is_quadratic = np.array([name in quadratic for name in names], np.bool_)[:, None]
        return cls(is_quadratic, np.zeros((len(names), slots)), np.zeros((len(names), slots)))

    def cleared(self) -> Averages:
        """The start of a new block."""
        return Averages(self.is_quadratic, np.zeros_like(self.total), np.zeros_like(self.weight_ms))

    def including(self, values: FloatArray, duration_ms: IntArray) -> Averages:
        """With steps (P, T, N) of lengths (T,) added."""
        weight = np.where(np.isnan(values), 0.0, duration_ms[:, None].astype(np.float64))
        known = np.where(np.isnan(values), 0.0, values)
        weighted = np.where(self.is_quadratic[:, None], known * known, known) * weight
        return Averages(
            self.is_quadratic,
            _added(self.total, weighted),
            _added(self.weight_ms, weight),
        )

    def of(self, slots: IntArray) -> Averages:
        """Of some slots only."""
        return Averages(self.is_quadratic, self.total[:, slots], self.weight_ms[:, slots])

    def means(self) -> FloatArray:
        """(P, N), NaN where nothing was measured."""
        mean = np.divide(
            self.total, self.weight_ms, out=np.full(self.total.shape, np.nan), where=self.weight_ms > 0
        )
        return np.where(self.is_quadratic, np.sqrt(np.where(self.is_quadratic, mean, 0.0)), mean)


def _added(total: FloatArray, parts: FloatArray) -> FloatArray:
    """Parts (P, T, N) added to a total (P, N) one after the other, as a sum over an axis is not."""
    if parts.shape[1] == 1:
        return total + parts[:, 0]
    chain = np.concatenate([total[:, None], parts], axis=1)
    last: FloatArray = np.add.accumulate(chain, axis=1)[:, -1]
    return last.copy()


@dataclass(frozen=True)
class DemandBlock:
    """A block of the demand measurement, closed or still running.

    `gained_mj` (counters, N) is what the energy counters gained in it; `circuits` and `networks` average
    everything that is not an energy. `unfinished` is a step that counts in but is not booked.
    """

    start_ms: int
    end_ms: int
    period_ms: int
    gained_mj: IntArray
    circuits: Averages
    networks: Averages
    unfinished: tuple[Points, int] | None = None
    """The means of the step and its length in ms."""

    @property
    def is_partial(self) -> bool:
        """Shorter than the period: power-up or a change of the local clock."""
        return self.end_ms - self.start_ms != self.period_ms

    def powers(self, slots: IntArray) -> FloatArray:
        """Mean powers (counters, n): gain over real duration, so blocks times T add up to the index."""
        duration_ms = self.end_ms - self.start_ms
        gained = self.gained_mj[:, slots]
        if duration_ms == 0:
            return np.full(gained.shape, np.nan)
        return gained / float(duration_ms)

    def circuit_means(self, slots: IntArray) -> FloatArray:
        """(P, n)"""
        averages = self.circuits.of(slots)
        if self.unfinished is not None:
            points, length_ms = self.unfinished
            averages = averages.including(points.circuits[:, :, slots], np.array([length_ms], np.int64))
        return averages.means()

    def network_means(self, taps: IntArray) -> FloatArray:
        """(Q, m)"""
        averages = self.networks.of(taps)
        if self.unfinished is not None:
            points, length_ms = self.unfinished
            averages = averages.including(points.networks[:, :, taps], np.array([length_ms], np.int64))
        return averages.means()


class Demand:
    """The running block and what is kept of the closed ones: the last complete one and the load curve."""

    def __init__(
        self,
        blocks: LocalBlocks,
        circuits: Averages,
        networks: Averages,
        counters: tuple[int, int],
        start_ms: int,
    ) -> None:
        """`counters` is the shape (counters, N) of the energies; `start_ms` when measuring began."""
        self._blocks = blocks
        self._circuits, self._networks = circuits, networks
        self._gained = np.zeros(counters, np.int64)
        self.start_ms = self._booked_ms = start_ms
        """When the running block began."""
        self.end_ms = blocks.end(start_ms)
        """When it closes."""
        self.complete: DemandBlock | None = None
        self.curve: tuple[DemandBlock, ...] = ()
        """Closed blocks, newest first."""

    def book(self, edges: IntArray, gained: IntArray, points: Points) -> list[DemandBlock]:
        """Take in T steps between `edges` (T + 1,), none of which crosses a block's end.

        Args:
            edges: Where the steps begin and end.
            gained: What the counters gained in each step, (counters, T, N).
            points: Means of the points in each step.

        Returns:
            The blocks that closed.
        """
        durations = np.diff(edges)
        closed = []
        first = 0
        while first < len(durations):
            # All steps up to the end of the running block, at once.
            last = first + int(np.searchsorted(edges[first + 1 :], self.end_ms, side="left"))
            steps = slice(first, last + 1)
            self._circuits = self._circuits.including(points.circuits[:, steps], durations[steps])
            self._networks = self._networks.including(points.networks[:, steps], durations[steps])
            self._gained = self._gained + gained[:, steps].sum(axis=1)
            first = min(last + 1, len(durations))
            self._booked_ms = int(edges[first])
            if self._booked_ms >= self.end_ms:
                closed.append(self._close())
        return closed

    def _close(self) -> DemandBlock:
        block = self.running(self._booked_ms, np.zeros_like(self._gained), None)
        if not block.is_partial:
            self.complete = block
        self.curve = (block, *self.curve)[:CURVE_LENGTH]
        self._circuits, self._networks = self._circuits.cleared(), self._networks.cleared()
        self._gained = np.zeros_like(self._gained)
        self.start_ms, self.end_ms = self._booked_ms, self._blocks.end(self._booked_ms)
        return block

    def running(self, t_ms: int, gained: IntArray, points: Points | None) -> DemandBlock:
        """The running block at `t_ms`.

        Args:
            t_ms: Not before the last booked step.
            gained: What an unfinished step gives the counters (counters, N).
            points: Means of that step; None without one.
        """
        return DemandBlock(
            self.start_ms,
            t_ms,
            self._blocks.period_ms,
            self._gained + gained,
            self._circuits,
            self._networks,
            None if points is None else (points, t_ms - self._booked_ms),
        )

    def running_gain(self, gained: IntArray) -> IntArray:
        """What the counters (counters, N) have gained in the running block, an unfinished step counted in."""
        return self._gained + gained
