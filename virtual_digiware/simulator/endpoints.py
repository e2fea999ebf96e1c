"""Opening and closing everything that clients connect to: ports of the gateways, RS485 lines."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from virtual_digiware.devices.remote_units import RemoteUnits
from virtual_digiware.simulator.link_claims import claim_link, foreign_part
from virtual_digiware.simulator.listening import (
    EndpointUnavailable,
    OpenPort,
    WantedPort,
    open_port,
    wanted_ports,
)
from virtual_digiware.simulator.site_lines import SiteLines, build_lines

if TYPE_CHECKING:
    from virtual_digiware.buses.bacnet.gateway import BacnetGateway
    from virtual_digiware.buses.interfaces import WriteHandler
    from virtual_digiware.buses.modbus.forwarding import Forwarder
    from virtual_digiware.buses.modbus.image import Images
    from virtual_digiware.buses.modbus.rtu_line import RtuLine
    from virtual_digiware.buses.mqtt.publisher import MqttPublisher
    from virtual_digiware.buses.snmp.agent import SnmpAgent
    from virtual_digiware.devices.collection import GatewayCollection
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.faults.wire import WireFaults
    from virtual_digiware.simulator.line_models import Line
    from virtual_digiware.simulator.mqtt_publishers import MqttAlarms
    from virtual_digiware.simulator.snmp_alarms import SnmpAlarms


COLLECTED = ("bacnet", "snmp")
"""Services that show what a gateway has collected, rather than its modules themselves."""


class LineUnavailable(EndpointUnavailable):
    """An RS485 line of the site cannot be opened here. `line` is its name, `reason` why."""

    def __init__(self, line: str, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OpenLine:
    """An RS485 line that answers at `where`; `reason` says why that is not the place in the site file.

    `where` is empty for a line whose client is a gateway of the site.
    """

    name: str
    where: str
    reason: str = ""


@dataclass
class Endpoints:
    """All open endpoints of a site; `close` closes them, newest first."""

    ports: list[OpenPort] = field(default_factory=list)
    lines: list[OpenLine] = field(default_factory=list)
    site_lines: SiteLines = field(default_factory=SiteLines)
    snmp_agents: dict[str, SnmpAgent] = field(default_factory=dict)
    """Agents by the name of their gateway."""
    bacnet_gateways: dict[str, BacnetGateway] = field(default_factory=dict)
    mqtt_publishers: dict[str, MqttPublisher] = field(default_factory=dict)
    """Publishers by the name of their gateway."""
    wire: WireFaults | None = None
    """Faults of ports and lines, once everything is open."""
    servers: dict[str, Server] = field(default_factory=dict)
    """What listens, by "<gateway>/<service>"."""
    _mqtt_alarms: MqttAlarms | None = None
    _snmp_alarms: SnmpAlarms | None = None
    _collections: dict[str, GatewayCollection] = field(default_factory=dict)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def prepare(self, building: Building, images: Images, handler: WriteHandler) -> None:
        """Connect what gateways poll, so that they have collected it before anybody looks."""
        self.site_lines = build_lines(building, images, handler)
        self._stack.callback(self.site_lines.close)
        for name, polling in self.site_lines.polling.items():
            collection = self._collections[name] = building.collections[name]
            collection.add_remote(RemoteUnits(polling))
        for gateway in building.file.site.gateways:
            if gateway.cascade:
                self._collections[gateway.name] = building.collections[gateway.name]

    @property
    def poll_cycles_ms(self) -> set[int]:
        """Cycles in which something of the site is polled; aligned to the epoch."""
        return {polling.cycle_ms for polling in self.site_lines.polling.values()}

    async def open(
        self,
        building: Building,
        images: Images,
        handler: WriteHandler,
        port_base: int | None,
        engine_boots: int = 1,
    ) -> None:
        """Open everything, after `prepare`; when one thing cannot be opened nothing stays open.

        Args:
            port_base: ports are numbered from here, in the order of `wanted_ports`; 0: free ports.
            engine_boots: which start of the site this is, for SNMP.

        Raises:
            PortUnavailable, LineUnavailable: what cannot be opened, and why.
        """
        try:
            for position, wanted in enumerate(wanted_ports(building.file.site)):
                server = self._server(building, wanted, images, handler, engine_boots)
                self.servers[f"{wanted.gateway}/{wanted.service}"] = server
                number = None if port_base is None else port_base + position if port_base else 0
                self.ports.append(await open_port(server.start, wanted, number))
                if wanted.service in COLLECTED:
                    self._collections[wanted.gateway] = building.collections[wanted.gateway]
                self._stack.push_async_callback(server.close)
            for name, settings in building.file.site.lines.items():
                await self._open_line(name, settings)
            if self.snmp_agents:
                from virtual_digiware.simulator.snmp_alarms import SnmpAlarms

                self._snmp_alarms = SnmpAlarms(building.model, self.snmp_agents)
            self._publish(building)
        except BaseException:
            await self.close()
            raise

    def _publish(self, building: Building) -> None:
        from virtual_digiware.devices.mqtt_binding import published_tables
        from virtual_digiware.simulator.mqtt_publishers import MqttAlarms, mqtt_publishers

        self.mqtt_publishers.update(mqtt_publishers(building))
        if not self.mqtt_publishers:
            return
        for name in self.mqtt_publishers:
            self._collections[name] = building.collections[name]
            building.collections[name].ask(one.table for one in published_tables())
        building.model.snapshot.prepare()
        for publisher in self.mqtt_publishers.values():
            publisher.start()
            self._stack.push_async_callback(publisher.close)
        self._mqtt_alarms = MqttAlarms(building.model, self.mqtt_publishers)

    def collect(self) -> None:
        """Let the gateways take over what has been published, whether or not somebody reads them."""
        for collection in self._collections.values():
            collection.collect()
        if self.wire is not None:
            self.wire.follow()
        if self._snmp_alarms is not None:
            self._snmp_alarms.tell()
        if self._mqtt_alarms is not None:
            self._mqtt_alarms.tell()
        for publisher in self.mqtt_publishers.values():
            publisher.collect()
        for gateway in self.bacnet_gateways.values():
            gateway.notify()

    async def close(self) -> None:
        await self._stack.aclose()
        self._collections.clear()
        self.servers.clear()
        self.wire = None
        self._snmp_alarms = self._mqtt_alarms = None
        self.bacnet_gateways.clear()
        self.mqtt_publishers.clear()
        self.ports.clear()
        self.lines.clear()
        self.snmp_agents.clear()

    def _server(
        self, building: Building, wanted: WantedPort, images: Images, handler: WriteHandler, boots: int
    ) -> Server:
        if wanted.service == "bacnet":
            gateway = self.bacnet_gateways[wanted.gateway] = _bacnet_gateway(building, wanted, handler)
            return gateway
        if wanted.service == "snmp":
            from virtual_digiware.simulator.snmp_agents import snmp_agent

            agent = self.snmp_agents[wanted.gateway] = snmp_agent(building, wanted, handler, boots)
            return agent
        forwarder = self.site_lines.masters.get(wanted.gateway)
        return _modbus_server(building, wanted, images, handler, forwarder)

    async def _open_line(self, name: str, settings: Line) -> None:
        line = self.site_lines.lines[name]
        if settings.pty is None and settings.serial is None:
            self.lines.append(OpenLine(name, ""))  # its client is a gateway of the site
            return
        open_it = self._open_pty if settings.serial is None else self._open_serial
        self.lines.append(await open_it(name, settings, line))

    async def _open_pty(self, name: str, settings: Line, line: RtuLine) -> OpenLine:
        from virtual_digiware.buses.pty_line import LinkTaken, PtyLine

        wanted = Path(settings.pty or "")
        foreign = foreign_part(wanted)
        if foreign is not None:
            return await self._open_unnamed(name, line, f"{foreign} belongs to another user")
        try:
            claim = claim_link(wanted)
        except PermissionError:
            return await self._open_unnamed(name, line, f"{wanted.parent} may not be made")
        except OSError as error:
            raise LineUnavailable(name, f"{wanted}: {error.strerror or error}") from error
        self._stack.callback(claim.release)
        reason = "" if claim.link == wanted else f"{wanted} is held by another run"
        pty = PtyLine(line, claim.link)
        try:
            where = await pty.start()
        except LinkTaken as error:
            raise LineUnavailable(name, str(error)) from error
        except PermissionError:
            return await self._open_unnamed(name, line, f"{claim.link} is not ours to write")
        self._stack.push_async_callback(pty.close)
        return OpenLine(name, where, reason)

    async def _open_unnamed(self, name: str, line: RtuLine, reason: str) -> OpenLine:
        """Where the link cannot be ours, say of another user's run, the terminal itself will do."""
        from virtual_digiware.buses.pty_line import PtyLine

        pty = PtyLine(line)
        where = await pty.start()
        self._stack.push_async_callback(pty.close)
        return OpenLine(name, where, reason)

    async def _open_serial(self, name: str, settings: Line, line: RtuLine) -> OpenLine:
        from virtual_digiware.buses.serial_port import SerialLine, SerialPortUnavailable

        serial = SerialLine(line, settings.serial or "")
        try:
            where = await serial.start()
        except SerialPortUnavailable as error:
            raise LineUnavailable(name, str(error)) from error
        self._stack.push_async_callback(serial.close)
        return OpenLine(name, where)


class Server(Protocol):
    """What listens on a port of a gateway."""

    async def start(self, host: str, port: int) -> tuple[str, int]: ...

    async def close(self) -> None: ...


def _modbus_server(
    building: Building,
    wanted: WantedPort,
    images: Images,
    handler: WriteHandler,
    forwarder: Forwarder | None,
) -> Server:
    from virtual_digiware.buses.modbus.listener import ConnectionLimits
    from virtual_digiware.buses.modbus.rtu import RtuOverTcpServer
    from virtual_digiware.buses.modbus.tcp import ModbusTcpServer

    stations = building.meter_stations if wanted.is_meter else building.stations
    station = stations[wanted.gateway]
    limits = ConnectionLimits(wanted.connections, wanted.idle_s)
    kind = ModbusTcpServer if wanted.service == "modbus_tcp" else RtuOverTcpServer
    return kind(station, building.model, images, handler, limits, forwarder=forwarder)


def _bacnet_gateway(building: Building, wanted: WantedPort, handler: WriteHandler) -> BacnetGateway:
    from virtual_digiware.buses.bacnet.alarm_states import AlarmStates
    from virtual_digiware.buses.bacnet.directory import BacnetSettings
    from virtual_digiware.buses.bacnet.gateway import BacnetGateway

    section = building.file.site.gateways[wanted.gateway_index].bacnet
    assert section is not None  # or nobody would want this port
    settings = BacnetSettings(
        section.network, section.main_instance, section.foreign_devices, section.cov, section.cov_increment
    )
    collection = building.collections[wanted.gateway]
    return BacnetGateway(collection, settings, handler, AlarmStates(building.model))
