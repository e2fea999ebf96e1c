"""Keeping up to date what clients read: slots of simulated time, computed in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from math import ceil, inf
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from virtual_digiware.devices.model import SiteModel
    from virtual_digiware.devices.snapshot import Snapshot
    from virtual_digiware.simulator.clock import Clock

PIECE_S = 0.2
"""Computing time after which a long stretch of simulated time is interrupted: to show it, or to stop."""

SMALLEST_PIECE_MS = 60_000
FIRST_PIECE_MS = 3_600_000


class Refresher:
    """Advances the model of a site with its clock.

    Args:
        begin_ms: time up to which the model is computed already, its commissioning.
        refresh_ms: simulated time between refreshes, while time runs no faster than that of the machine.
        published: called after everything that became visible.
    """

    def __init__(
        self,
        model: SiteModel,
        clock: Clock,
        begin_ms: int,
        refresh_ms: int,
        published: Callable[[], None] = lambda: None,
    ) -> None:
        self.computed_ms = begin_ms
        self._model = model
        self._clock = clock
        self._published = published
        self._refresh_ms = refresh_ms
        self._piece_ms = FIRST_PIECE_MS
        self._cycles_ms: frozenset[int] = frozenset()
        self._poll: Callable[[int], Awaitable[None]] | None = None
        self._computing = threading.Lock()
        self._woken = asyncio.Event()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="refresh")

    @property
    def _slot_ms(self) -> int:
        # A fast clock refreshes as often as a real one, which makes the slots of simulated time longer.
        return self._refresh_ms * max(1, ceil(self._clock.anchor.rate))

    def stop_at_multiples_of(self, cycles_ms: Iterable[int], poll: Callable[[int], Awaitable[None]]) -> None:
        """Show what is there at the latest multiple of each cycle too: what is polled then is kept.

        `poll` is told every time that has become visible, and time waits for it.
        """
        self._cycles_ms, self._poll = frozenset(cycles_ms), poll

    def close(self) -> None:
        """Wait for the computation in progress and end the thread."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def now_ms(self) -> int:
        """The time at which something happens now: never before what clients have seen.

        Nor far behind it, where the machine cannot keep up with a fast clock: an intervention belongs to the
        time that clients see.
        """
        return max(self.computed_ms, min(self._clock.now_ms(), self.computed_ms + 2 * self._slot_ms))

    def slot(self) -> int:
        """The refresh slot of this moment; a time that was set by hand is its own."""
        now_ms = self._clock.now_ms()
        return (
            now_ms
            if self._clock.is_manual
            else max(now_ms // self._slot_ms * self._slot_ms, self.computed_ms)
        )

    async def keep_up(self) -> None:
        """Refresh at every slot, for ever. Slots that were missed are not made up for."""
        while True:
            self._woken.clear()
            following_ms = (self._clock.now_ms() // self._slot_ms + 1) * self._slot_ms
            wait_s = self._clock.wall_seconds_until(following_ms)
            if wait_s == inf:
                await self._woken.wait()
                continue
            # An alarm clock rather than `wait_for`, which costs a task at every refresh.
            alarm = asyncio.get_running_loop().call_later(wait_s, self._woken.set)
            try:
                await self._woken.wait()
            finally:
                alarm.cancel()
            if self._clock.now_ms() >= following_ms:
                await self.advance(max(following_ms, self.slot()))

    def wake(self) -> None:
        """Look at the clock again: it passes otherwise from now on."""
        self._woken.set()

    async def advance(self, end_ms: int, after_piece: Callable[[int], bool] = lambda t_ms: True) -> bool:
        """Compute and publish up to a time, in pieces that do not take long.

        Args:
            after_piece: told the time reached, before the end; false ends the computation there.

        Returns:
            Whether the end was reached.
        """
        while True:
            t_ms = min(self.computed_ms + self._piece_ms, end_ms, self._model.next_turn_ms or end_ms)
            polls_ms = [t_ms // cycle_ms * cycle_ms for cycle_ms in self._cycles_ms]
            t_ms = min((poll_ms for poll_ms in polls_ms if poll_ms > self.computed_ms), default=t_ms)
            began_s = perf_counter()
            await self._compute(max(t_ms, self.computed_ms))
            took_s = perf_counter() - began_s
            if self._poll is not None:
                await self._poll(self.computed_ms)
            if self._model.turn(self.computed_ms):
                continue  # what turned there is shown before time goes on
            if t_ms >= end_ms:
                return True
            if took_s < PIECE_S / 2:
                self._piece_ms *= 2
            elif took_s > PIECE_S:
                self._piece_ms = max(self._piece_ms // 2, SMALLEST_PIECE_MS)
            if not after_piece(t_ms):
                return False

    def recompute(self, t_ms: int) -> None:
        """Make an intervention visible at once; called in the loop, before it is answered."""
        with self._computing:
            snapshot = self._model.compute(t_ms)
            self.computed_ms = t_ms
        self._publish(snapshot)

    async def _compute(self, t_ms: int) -> None:
        snapshot = await asyncio.get_running_loop().run_in_executor(self._worker, self._compute_here, t_ms)
        # An intervention may have made something newer visible while this was computed.
        if snapshot is not None and t_ms >= self.computed_ms:
            self.computed_ms = t_ms
            self._publish(snapshot)

    def _publish(self, snapshot: Snapshot) -> None:
        self._model.publish(snapshot)
        self._published()

    def _compute_here(self, t_ms: int) -> Snapshot | None:
        with self._computing:
            return self._model.compute(t_ms) if t_ms >= self.computed_ms else None
