"""A site in operation: time passes, values are refreshed, clients are served, writes are kept."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from virtual_digiware.simulator.endpoints import Endpoints
from virtual_digiware.simulator.instants import format_instant
from virtual_digiware.simulator.logs import log
from virtual_digiware.simulator.opening import clock_record
from virtual_digiware.simulator.ready_file import describe_site, remove_ready_file, write_ready_file
from virtual_digiware.simulator.writing import JournaledWrites

if TYPE_CHECKING:
    from virtual_digiware.devices.records import Record
    from virtual_digiware.devices.snapshot import Snapshot
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.clock import Clock
    from virtual_digiware.simulator.journal import Journal

SWITCH_INTERVAL_S = 0.0005
"""How long the computing thread may hold the interpreter while a client waits."""

HOUR_MS = 3_600_000
CATCH_UP_CHUNK_S = 0.2
"""Computing time between two looks at whether the run shall stop, while a site catches up with its time."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to the site file."""

    port_base: int | None = None
    ready_file: Path | None = None


class RunningSite:
    """One site from start to stop.

    Args:
        announce: called once, with the content of the ready file, when everything accepts connections.
        progress: called with a share (0..1) and a time while computing the past takes longer than a second.
    """

    def __init__(
        self,
        building: Building,
        clock: Clock,
        journal: Journal,
        options: Options,
        announce: Callable[[dict[str, Any], Endpoints], None] = lambda content, endpoints: None,
        progress: Callable[[float, int], None] = lambda share, t_ms: None,
    ) -> None:
        self.building = building
        self.clock = clock
        self.journal = journal
        self.options = options
        self.endpoints = Endpoints()
        self._announce = announce
        self._progress = progress
        self._computing = threading.Lock()
        self._computed_ms = building.commissioned_ms
        self._stop = asyncio.Event()

    @cached_property
    def _worker(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1, thread_name_prefix="refresh")

    async def run(self) -> None:
        """Serve until SIGINT, SIGTERM or `stop`.

        Raises:
            PortUnavailable, LineUnavailable, OSError: an endpoint or the ready file cannot be had.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        ready_file = self.options.ready_file
        try:
            if not await self._catch_up():
                return
            await self._open()
            # What exists now stays; the collector must not walk through it while clients wait.
            gc.freeze()
            gc.enable()
            content = describe_site(self.building.file.site, self.building.layout.gateways, self.endpoints)
            if ready_file is not None:
                write_ready_file(ready_file, content)
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.to_thread(self._tell_everybody, content), name="announce")
                refresh = group.create_task(self._refresh(), name="refresh")
                await self._stop.wait()
                refresh.cancel()
        finally:
            if ready_file is not None:
                remove_ready_file(ready_file)
            await self.endpoints.close()
            self._worker.shutdown(wait=True, cancel_futures=True)
            self._remember_time()

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    def now_ms(self) -> int:
        """Simulated time, never before what is already computed or kept."""
        return max(self.clock.now_ms(), self._computed_ms, self.journal.last_ms or 0)

    async def advance_to(self, t_ms: int) -> None:
        """Set a manual clock forward and show the site as it is then."""
        self.clock.advance_to(t_ms)
        await self._compute_until(t_ms)

    def _tell_everybody(self, content: dict[str, Any]) -> None:
        self._announce(content, self.endpoints)
        log()  # loaded now, lest the first write waits for it

    async def _open(self) -> None:
        from virtual_digiware.buses.modbus.image import Images

        model = self.building.model
        writes = JournaledWrites(model, self.journal, self.now_ms, self._recompute, _tell)
        await self.endpoints.open(self.building, Images(model), writes, self.options.port_base)

    async def _catch_up(self) -> bool:
        """Compute from the commissioning (with all that the journal kept) until now; false when told to stop.

        In pieces, so that a signal is heard and progress can be told.
        """
        begin_ms, step_ms = self.building.commissioned_ms, HOUR_MS
        began_s = perf_counter()
        while not self._stop.is_set():
            end_ms = self._slot(self.now_ms())
            t_ms = min(self._computed_ms + step_ms, end_ms)
            piece_s = perf_counter()
            await self._compute_until(t_ms)
            now_s = perf_counter()
            if t_ms >= end_ms:
                return True
            if now_s - piece_s < CATCH_UP_CHUNK_S / 2:
                step_ms *= 2
            elif now_s - piece_s > CATCH_UP_CHUNK_S:
                step_ms = max(step_ms // 2, HOUR_MS // 60)
            if now_s - began_s > 1:
                self._progress((t_ms - begin_ms) / (end_ms - begin_ms), t_ms)
        return False

    def _slot(self, t_ms: int) -> int:
        """The refresh slot that holds a time; a time that was set by hand stays as it is."""
        if self.clock.is_manual:
            return t_ms
        return max(t_ms // self._slot_ms * self._slot_ms, self._computed_ms)

    @cached_property
    def _slot_ms(self) -> int:
        """Simulated time between refreshes: of the site file, and longer when time runs faster than it."""
        return self.building.file.site.refresh_ms * max(1, ceil(self.clock.anchor.rate))

    async def _refresh(self) -> None:
        """Show new values at every slot of simulated time; slots that were missed are not made up for."""
        while True:
            if self.clock.is_manual:
                await self._stop.wait()
                return
            following_ms = (self.clock.now_ms() // self._slot_ms + 1) * self._slot_ms
            await asyncio.sleep(self.clock.wall_seconds_until(following_ms))
            await self._compute_until(max(following_ms, self._slot(self.clock.now_ms())))

    async def _compute_until(self, t_ms: int) -> None:
        snapshot = await asyncio.get_running_loop().run_in_executor(self._worker, self._compute, t_ms)
        # A write may have made something newer visible while this was computed.
        if snapshot is not None and t_ms >= self._computed_ms:
            self.building.model.publish(snapshot)
            self._computed_ms = t_ms

    def _compute(self, t_ms: int) -> Snapshot | None:
        with self._computing:
            return self.building.model.compute(t_ms) if t_ms >= self._computed_ms else None

    def _recompute(self, t_ms: int) -> None:
        """Make a write visible before it is answered."""
        with self._computing:
            snapshot = self.building.model.compute(t_ms)
            self._computed_ms = t_ms
        self.building.model.publish(snapshot)

    def _remember_time(self) -> None:
        """Keep the time that clients have seen, so that no later run begins before it."""
        last_ms = self.journal.last_ms
        if last_ms is None or self._computed_ms > last_ms:
            now_ms = self.now_ms()
            self.journal.append(clock_record(self.clock.anchor_at(now_ms)))


def _tell(event: str, record: Record) -> None:
    log().info(event, at=format_instant(record.time_ms), unit=record.target, **record.data)
