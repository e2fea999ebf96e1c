"""Devices of a site that poll others over Ethernet: when, whom, and through which port."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from virtual_digiware.buses.modbus.block_reading import read_blocks
from virtual_digiware.buses.modbus.decoding import decoded
from virtual_digiware.buses.modbus.line_polling import polled_blocks
from virtual_digiware.buses.modbus.tcp_client import ModbusTcpClient
from virtual_digiware.devices.datalogger import MAX_DEVICES, Datalogger, Point, Target, Value
from virtual_digiware.simulator.collected_file import write_collected
from virtual_digiware.simulator.logs import log
from virtual_digiware.simulator.polled_units import own_units, polled_units

if TYPE_CHECKING:
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.datalogger_models import Datalogger as Described
    from virtual_digiware.simulator.endpoints import Endpoints


class Collectors:
    """All dataloggers of a running site.

    While time stands and is moved by hand, a poll is over before whoever moved it goes on; while time runs by
    itself nobody waits for it.

    Args:
        collected_file: Where to write what they hold, after every poll.
    """

    def __init__(self, building: Building, collected_file: Path | None = None) -> None:
        self._model = building.model
        self._file = collected_file
        self.loggers = {
            one.name: Datalogger(one.name, one.period_s, targets_of(building, one)[:MAX_DEVICES])
            for one in building.file.site.dataloggers
        }
        self._patience_s = {one.name: one.reply_ms / 1000 for one in building.file.site.dataloggers}
        self._clients: dict[tuple[str, str], ModbusTcpClient] = {}
        self._polls: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    @property
    def cycles_ms(self) -> set[int]:
        """Periods in which something is polled; aligned to 1970."""
        return {logger.period_ms for logger in self.loggers.values()}

    def start(self, endpoints: Endpoints, group: asyncio.TaskGroup) -> None:
        """Poll from now on, through the ports that are open."""
        self._group = group
        places = {
            port.wanted.gateway: (port.reachable_host, port.port)
            for port in endpoints.ports
            if port.wanted.service == "modbus_tcp"
        }
        for logger in self.loggers.values():
            for through in {one.target.through for one in logger.devices.values()}:
                host, port = places[through]
                client = ModbusTcpClient(host, port, self._patience_s[logger.name])
                self._clients[logger.name, through] = client

    async def collect(self, t_ms: int, *, is_waiting: bool) -> None:
        """Poll what is due at a time that has just become visible; before `start`, nothing."""
        if self._group is None:
            return
        started = []
        for logger in self.loggers.values():
            due = logger.due(t_ms)
            if due:
                task = self._group.create_task(self._poll(logger, due), name=f"polls of {logger.name}")
                self._polls.add(task)
                task.add_done_callback(self._polls.discard)
                started.append(task)
        if is_waiting and started:
            await asyncio.wait(started)

    async def stop(self) -> None:
        """Leave off polling and hang up."""
        self._group = None
        for task in tuple(self._polls):
            task.cancel()
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    async def _poll(self, logger: Datalogger, due: list[Target]) -> None:
        """Ask all targets at once: one that is silent delays no other."""
        await asyncio.gather(*(self._poll_one(logger, target) for target in due))
        if self._file is not None:
            try:
                write_collected(self._file, self.loggers.values(), self._model.snapshot.time_ms)
            except OSError as error:  # whoever reads the file misses something, nobody else
                log().warning("what was collected cannot be written", error=str(error))

    async def _poll_one(self, logger: Datalogger, target: Target) -> None:
        unit = self._model.units[target.path]
        client = self._clients[logger.name, target.through]
        found = None
        if unit.address is not None:
            found = await read_blocks(client, unit.address, unit.product, polled_blocks(unit))
        if found is None:
            logger.failed(target)
            return
        values: dict[Point, Value] = {
            (placed.block.table, placed.slot, point): value
            for placed, data in found
            for point, value in decoded(placed.block, data)
        }
        logger.answered(target, values, self._model.snapshot.time_ms)


def targets_of(building: Building, described: Described) -> list[Target]:
    """Everything that a datalogger collects, each device once: the whole topology under its gateways."""
    site = building.file.site
    gateways = {gateway.name: gateway for gateway in site.gateways}
    targets: dict[str, Target] = {}
    for one in described.collects:
        through = one.gateway or one.meter or ""
        gateway = gateways.get(through)
        paths = [through] if gateway is None else [*own_units(gateway), *polled_units(site, gateway)]
        for path in paths:
            unit = building.model.units[path]
            targets.setdefault(path, Target(path, through, unit.product.name, unit.circuits))
    return list(targets.values())
