"""A site in operation: time passes, values are refreshed, clients are served, writes are kept."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from virtual_digiware.simulator.collecting import Collectors
from virtual_digiware.simulator.endpoints import Endpoints
from virtual_digiware.simulator.instants import format_instant
from virtual_digiware.simulator.logs import log
from virtual_digiware.simulator.opening import clock_record
from virtual_digiware.simulator.ready_file import describe_site, remove_ready_file, write_ready_file
from virtual_digiware.simulator.refreshing import Refresher
from virtual_digiware.simulator.snmp_agents import engine_boots
from virtual_digiware.simulator.time_control import TimeControl
from virtual_digiware.simulator.writing import JournaledWrites

if TYPE_CHECKING:
    from virtual_digiware.devices.records import Record
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.clock import Clock
    from virtual_digiware.simulator.faults.control import FaultControl
    from virtual_digiware.simulator.journal import Journal

MODBUS_DOOR = "virtual_digiware.buses.modbus.endpoint"
BACNET_DOOR = "virtual_digiware.buses.bacnet.endpoint"
"""Modules that import a protocol library, which takes a tenth of a second and more."""

SWITCH_INTERVAL_S = 0.0005
"""How long the computing thread may hold the interpreter while a client waits."""

SILENT_S = 1.0
"""Computing the past is worth a message when it takes longer."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to the site file."""

    port_base: int | None = None
    ready_file: Path | None = None
    collected_file: Path | None = None
    owns_process: bool = True
    """Signals, the switching of threads and the collector are ours; a guest (false) leaves them alone."""


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
        self._stop = asyncio.Event()
        refresh_ms = building.file.site.refresh_ms
        self._refresher = Refresher(
            building.model, clock, building.commissioned_ms, refresh_ms, self.endpoints.collect
        )
        self.time = TimeControl(clock, self._refresher, building.model, journal, self.now_ms)

    async def run(self) -> None:
        """Serve until `stop`, or SIGINT or SIGTERM where the process is ours.

        Raises:
            PortUnavailable, LineUnavailable, OSError: an endpoint or the ready file cannot be had.
        """
        if self.options.owns_process:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._stop.set)
            sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._connect()
        try:
            if await self._catch_up():
                await self._serve()
        finally:
            await self.endpoints.close()
            self._refresher.close()
            self._remember_time()

    @cached_property
    def faults(self) -> FaultControl:
        """What goes wrong here, in the hands of the user."""
        from virtual_digiware.simulator.faults.control import FaultControl

        return FaultControl(self.building, self.journal, self.now_ms, self._refresher.recompute)

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()

    def now_ms(self) -> int:
        """Simulated time of what happens now; never before what clients have seen or the journal has kept."""
        return max(self._refresher.now_ms(), self.journal.last_ms or 0)

    async def advance_to(self, t_ms: int) -> None:
        """Set a manual clock forward and show the site as it is then, exact to every refresh.

        Raises:
            ValueError: the clock runs by itself, or the time lies in its past.
        """
        if not self.clock.is_manual:
            raise ValueError("only a manual clock can be set; this one runs by itself")
        await self.time.jump(t_ms, exact=True)

    async def _catch_up(self) -> bool:
        """Compute from the commissioning until now, with all that was kept; false when told to stop."""
        begin_ms, began_s = self.building.commissioned_ms, perf_counter()

        def go_on(t_ms: int) -> bool:
            if perf_counter() - began_s > SILENT_S:
                self._progress((t_ms - begin_ms) / max(1, self._refresher.slot() - begin_ms), t_ms)
            return not self._stop.is_set()

        # A write was shown at its own time, which lies behind the beginning of its slot.
        written_ms = max(
            (record.time_ms for record in self.journal.records if record.kind != "clock"), default=0
        )
        return await self._refresher.advance(max(self._refresher.slot(), written_ms), go_on)

    async def _serve(self) -> None:
        await self._open()
        if self.options.owns_process:
            # What exists now stays; the collector must not walk through it while clients wait.
            gc.freeze()
            gc.enable()
        content = describe_site(self.building.file.site, self.building.layout.gateways, self.endpoints)
        if self.options.ready_file is not None:
            write_ready_file(self.options.ready_file, content)
        try:
            await self._go_on(content)
        finally:
            if self.options.ready_file is not None:
                remove_ready_file(self.options.ready_file)

    async def _go_on(self, content: dict[str, Any]) -> None:
        """Refresh what clients see until told to stop."""
        async with asyncio.TaskGroup() as group:
            self.collectors.start(self.endpoints, group)
            try:
                await self._collect(self._refresher.computed_ms)
                group.create_task(asyncio.to_thread(self._tell_everybody, content), name="announce")
                refresh = group.create_task(self._refresher.keep_up(), name="refresh")
                await self._stop.wait()
                refresh.cancel()
            finally:
                await self.collectors.stop()

    def _connect(self) -> None:
        """Let the devices of the site reach each other, while nobody else reaches them yet."""
        from virtual_digiware.buses.modbus.image import Images

        model = self.building.model
        self._images = Images(model)
        self._writes = JournaledWrites(model, self.journal, self.now_ms, self._refresher.recompute, _tell)
        self.endpoints.prepare(self.building, self._images, self._writes)
        self.collectors = Collectors(self.building, self.options.collected_file)
        cycles_ms = self.endpoints.poll_cycles_ms | self.collectors.cycles_ms
        self._refresher.stop_at_multiples_of(cycles_ms, self._collect)

    async def _collect(self, t_ms: int) -> None:
        await self.collectors.collect(t_ms, is_waiting=self.clock.is_manual)

    async def _open(self) -> None:
        boots = engine_boots(self.journal)
        base = self.options.port_base
        await self.endpoints.open(self.building, self._images, self._writes, base, boots)
        self._disturb()

    def _disturb(self) -> None:
        """Lay faults on what is open; a fault that has struck often enough is cleared by a record."""
        from virtual_digiware.simulator.faults.wire import WireFaults

        loop, faults = asyncio.get_running_loop(), self.building.model.faults

        def end(number: int) -> None:
            # Not in the midst of an answer: clearing lets ports and lines be told anew.
            loop.call_soon(self.faults.clear, number)

        self.endpoints.wire = WireFaults(
            faults,
            self.building.file.seed,
            self.endpoints.servers,
            self.endpoints.site_lines.lines,
            end,
        )
        self.endpoints.wire.follow()

    def _tell_everybody(self, content: dict[str, Any]) -> None:
        self._announce(content, self.endpoints)
        if not self.options.owns_process:
            return  # a guest may be stopped within milliseconds, and most never need these
        # Loaded now, lest somebody's first write waits for it; plain reads are answered without.
        log()
        import_module(MODBUS_DOOR)  # every site has lines or ports of it
        has_bacnet = any(port.wanted.service == "bacnet" for port in self.endpoints.ports)
        if has_bacnet and not self._stop.is_set():
            import_module(BACNET_DOOR)

    def _remember_time(self) -> None:
        """Keep the time that clients have seen, so that no later run begins before it."""
        last_ms = self.journal.last_ms
        if last_ms is None or self._refresher.computed_ms > last_ms:
            try:
                self.journal.append(clock_record(self.clock.anchor_at(self.now_ms())))
            except OSError as error:
                log().warning("the journal does not take the time of the stop", error=str(error))


def _tell(event: str, record: Record) -> None:
    with suppress(OSError):  # the write is kept, and its answer does not wait for somebody to read the log
        log().info(event, at=format_instant(record.time_ms), unit=record.target, **record.data)
