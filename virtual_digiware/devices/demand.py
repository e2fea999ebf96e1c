"""Averages over fixed blocks of time (demand), aligned to the local clock, and the load curve of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

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


class Averages:
    """Time-weighted means of points in the running block; RMS-type points by root mean of squares.

    Steps are added one after the other, so the sums do not depend on how the steps came in batches.
    A step without a value (NaN) has no weight.
    """

    def __init__(self, names: Sequence[str], quadratic: Collection[str], slots: int) -> None:
        self.names = tuple(names)
        self._quadratic = np.array([name in quadratic for name in self.names], np.bool_)[:, None]
        self._sum = np.zeros((len(self.names), slots))
        self._weight_ms = np.zeros((len(self.names), slots))

    def clear(self) -> None:
        """Start a new block."""
        self._sum[:] = 0.0
        self._weight_ms[:] = 0.0

    def prepare(self, values: FloatArray, duration_ms: IntArray) -> StepSums:
        """Steps (P, T, N) of lengths (T,), ready for `add`."""
        weight = np.where(np.isnan(values), 0.0, duration_ms[:, None].astype(np.float64))
        known = np.nan_to_num(values, nan=0.0)
        squared = np.where(self._quadratic[:, None], known * known, known)
        return StepSums(squared * weight, weight)

    def add(self, steps: StepSums, i: int) -> None:
        """Add step `i`."""
        self._sum += steps.contribution[:, i]
        self._weight_ms += steps.weight_ms[:, i]

    def means(self, unfinished: StepSums | None = None) -> FloatArray:
        """Means of the running block (P, N), NaN where nothing was measured; may count one more step."""
        total, weight_ms = self._sum, self._weight_ms
        if unfinished is not None:
            total, weight_ms = total + unfinished.contribution[:, 0], weight_ms + unfinished.weight_ms[:, 0]
        mean = np.divide(total, weight_ms, out=np.full(total.shape, np.nan), where=weight_ms > 0)
        return np.where(self._quadratic, np.sqrt(np.where(self._quadratic, mean, 0.0)), mean)


@dataclass(frozen=True, slots=True)
class StepSums:
    """What steps contribute to averages: weighted values (P, T, N) and weights."""

    contribution: FloatArray
    weight_ms: FloatArray


@dataclass(frozen=True, slots=True)
class DemandBlock:
    """A block of the demand measurement, closed or still running.

    `gained_mj` (counters, N) is what the energy counters gained in it; `circuits` and `networks` are the
    means (P, N) of everything that is not an energy.
    """

    start_ms: int
    end_ms: int
    period_ms: int
    gained_mj: IntArray
    circuits: FloatArray
    networks: FloatArray

    @property
    def is_partial(self) -> bool:
        """Shorter than the period: power-up or a change of the local clock."""
        return self.end_ms - self.start_ms != self.period_ms

    @property
    def powers(self) -> FloatArray:
        """Mean powers (counters, N): gain over real duration, so blocks times T add up to the index."""
        duration_ms = self.end_ms - self.start_ms
        if duration_ms == 0:
            return np.full(self.gained_mj.shape, np.nan)
        return self.gained_mj / float(duration_ms)


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
        self._circuits = circuits
        self._networks = networks
        self._gained = np.zeros(counters, np.int64)
        self._start_ms = self._booked_ms = start_ms
        self._end_ms = blocks.end(start_ms)
        self.complete: DemandBlock | None = None
        self.curve: tuple[DemandBlock, ...] = ()
        """Closed blocks, newest first."""

    @property
    def period_ms(self) -> int:
        return self._blocks.period_ms

    @property
    def end_ms(self) -> int:
        """When the running block closes."""
        return self._end_ms

    def book(
        self, edges: IntArray, gained: IntArray, circuits: FloatArray, networks: FloatArray
    ) -> list[DemandBlock]:
        """Take in T steps between `edges` (T + 1,), none of which crosses a block's end.

        Args:
            edges: Where the steps begin and end.
            gained: What the counters gained in each step, (counters, T, N).
            circuits: Means of the circuits' points, (P, T, N); `networks` likewise.

        Returns:
            The blocks that closed.
        """
        durations = np.diff(edges)
        circuit_steps = self._circuits.prepare(circuits, durations)
        network_steps = self._networks.prepare(networks, durations)
        closed = []
        for i, end_ms in enumerate(edges[1:].tolist()):
            self._circuits.add(circuit_steps, i)
            self._networks.add(network_steps, i)
            self._gained = self._gained + gained[:, i]
            self._booked_ms = end_ms
            if end_ms >= self._end_ms:
                closed.append(self._close(end_ms))
        return closed

    def _close(self, end_ms: int) -> DemandBlock:
        block = self._block(end_ms, self._gained, self._circuits.means(), self._networks.means())
        if not block.is_partial:
            self.complete = block
        self.curve = (block, *self.curve)[:CURVE_LENGTH]
        self._circuits.clear()
        self._networks.clear()
        self._gained = np.zeros_like(self._gained)
        self._start_ms, self._end_ms = end_ms, self._blocks.end(end_ms)
        return block

    def running(
        self, t_ms: int, gained: IntArray, unfinished: tuple[FloatArray, FloatArray] | None
    ) -> DemandBlock:
        """The running block at `t_ms`.

        Args:
            t_ms: Not before the last booked step.
            gained: What an unfinished step gives the counters (counters, N).
            unfinished: Means of that step, circuits (P, 1, N) and networks (Q, 1, M); None without one.
        """
        if unfinished is None:
            circuits, networks = self._circuits.means(), self._networks.means()
        else:
            length = np.array([t_ms - self._booked_ms], np.int64)
            circuits = self._circuits.means(self._circuits.prepare(unfinished[0], length))
            networks = self._networks.means(self._networks.prepare(unfinished[1], length))
        return self._block(t_ms, self._gained + gained, circuits, networks)

    def running_gain(self, gained: IntArray) -> IntArray:
        """What the counters (counters, N) have gained in the running block, an unfinished step counted in."""
        return self._gained + gained

    @property
    def start_ms(self) -> int:
        """When the running block began."""
        return self._start_ms

    def _block(
        self, end_ms: int, gained: IntArray, circuits: FloatArray, networks: FloatArray
    ) -> DemandBlock:
        return DemandBlock(self._start_ms, end_ms, self._blocks.period_ms, gained, circuits, networks)
