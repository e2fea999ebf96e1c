"""Devices of a site that poll others over Ethernet: when, whom, and through which port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from virtual_digiware.buses.modbus.block_reading import read_blocks
from virtual_digiware.buses.modbus.cascade import CascadePolling, numbers_of
from virtual_digiware.buses.modbus.decoding import decoded
from virtual_digiware.buses.modbus.line_polling import polled_blocks
from virtual_digiware.buses.modbus.tcp_client import ModbusTcpClient
from virtual_digiware.devices.datalogger import MAX_DEVICES, Datalogger, Point, Target, Value
from virtual_digiware.devices.remote_units import RemoteUnits
from virtual_digiware.simulator.collected_file import write_collected
from virtual_digiware.simulator.logs import log
from virtual_digiware.simulator.polled_units import imported_units, own_units, polled_units

if TYPE_CHECKING:
    from virtual_digiware.devices.unit import Unit
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.datalogger_models import Datalogger as Described
    from virtual_digiware.simulator.endpoints import Endpoints
    from virtual_digiware.simulator.site_models import Gateway


@dataclass(frozen=True, slots=True)
class _Cascade:
    """One gateway with Ethernet slaves: whom it polls, and what it has collected of them."""

    polling: CascadePolling
    remote: RemoteUnits


class Collectors:
    """All dataloggers of a running site, and all gateways with Ethernet slaves.

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
        self._cascades = {
            gateway.name: self._import(building, gateway)
            for gateway in building.file.site.gateways
            if gateway.cascade
        }
        self._clients: dict[str, dict[str, ModbusTcpClient]] = {}
        self._published: Callable[[], None] = lambda: None
        self._polls: set[asyncio.Task[None]] = set()
        self._asked: set[tuple[str, str]] = set()
        """Who was asked by whom and has not answered yet: not asked again before that."""
        self._group: asyncio.TaskGroup | None = None

    @property
    def cycles_ms(self) -> set[int]:
        """Periods in which something is polled; aligned to 1970."""
        cascades = {cascade.polling.cycle_ms for cascade in self._cascades.values()}
        return cascades | {logger.period_ms for logger in self.loggers.values()}

    def _import(self, building: Building, gateway: Gateway) -> _Cascade:
        """The topology of a gateway's Ethernet slaves, shown by the gateway from now on."""
        site = building.file.site
        slaves = {
            slave: [self._model.units[path] for path in paths]
            for slave, paths in imported_units(site, gateway).items()
        }
        polling = CascadePolling(slaves, site.refresh_ms)
        local = [self._model.units[path] for path in (*own_units(gateway), *polled_units(site, gateway))]
        numbers = numbers_of(polling.units, {unit.address for unit in local if unit.address is not None})
        remote = RemoteUnits(polling)
        building.collections[gateway.name].add_remote(remote, numbers)
        return _Cascade(polling, remote)

    def start(self, endpoints: Endpoints, group: asyncio.TaskGroup) -> None:
        """Poll from now on, through the ports that are open."""
        self._group = group
        places = {
            port.wanted.gateway: (port.reachable_host, port.port)
            for port in endpoints.ports
            if port.wanted.service == "modbus_tcp"
        }
        for logger in self.loggers.values():
            targets = {one.target.through for one in logger.devices.values()}
            self._clients[logger.name] = {
                name: ModbusTcpClient(*places[name], self._patience_s[logger.name]) for name in targets
            }
        for master, cascade in self._cascades.items():
            slaves = cascade.polling.slaves
            self._clients[master] = {name: ModbusTcpClient(*places[name]) for name in slaves}
        self._published = endpoints.collect

    async def collect(self, t_ms: int, *, is_waiting: bool) -> None:
        """Poll what is due at a time that has just become visible; before `start`, nothing."""
        if self._group is None:
            return
        polls = {
            logger.name: self._poll(logger, due)
            for logger in self.loggers.values()
            if (due := [one for one in logger.due(t_ms) if (logger.name, one.path) not in self._asked])
        }
        polls |= {
            name: self._poll_cascade(name, cascade, t_ms)
            for name, cascade in self._cascades.items()
            if (name, "") not in self._asked and cascade.polling.is_due(t_ms)
        }
        started = [self._group.create_task(poll, name=f"polls of {name}") for name, poll in polls.items()]
        for task in started:
            self._polls.add(task)
            task.add_done_callback(self._polls.discard)
        if is_waiting and started:
            await asyncio.wait(started)

    async def stop(self) -> None:
        """Leave off polling and hang up."""
        self._group = None
        for task in tuple(self._polls):
            task.cancel()
        for clients in self._clients.values():
            for client in clients.values():
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

    async def _poll_cascade(self, master: str, cascade: _Cascade, t_ms: int) -> None:
        """Ask the units of all slaves, and show what came of it. Lost ones are asked less often."""

        def is_skipped(unit: Unit) -> bool:
            is_lost = cascade.remote.is_lost(unit, t_ms)
            cycle_begin_ms = t_ms // cascade.polling.cycle_ms * cascade.polling.cycle_ms
            return is_lost and cascade.remote.last_poll_ms(unit, t_ms, is_lost=True) < cycle_begin_ms

        self._asked.add((master, ""))
        try:
            await cascade.polling.poll(self._clients[master], t_ms, is_skipped)
        finally:
            self._asked.discard((master, ""))
        self._model.publish(self._model.snapshot)  # the same values, of which more is known
        self._published()

    async def _poll_one(self, logger: Datalogger, target: Target) -> None:
        self._asked.add((logger.name, target.path))
        try:
            await self._ask(logger, target)
        finally:
            self._asked.discard((logger.name, target.path))

    async def _ask(self, logger: Datalogger, target: Target) -> None:
        unit = self._model.units[target.path]
        client = self._clients[logger.name][target.through]
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
