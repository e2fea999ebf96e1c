"""Which ports a site wants, and in which order; opening them where the standard ones are not to be had.

The order, which also numbers the ports of `--port-base`: gateways as in the file, then meters; for each
gateway Modbus TCP before RTU over TCP before BACnet/IP before SNMP.
"""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from virtual_digiware.simulator.bacnet_models import Bacnet
from virtual_digiware.simulator.site_models import ModbusTcp, RtuOverTcp, Site
from virtual_digiware.simulator.snmp_models import Snmp

Service = Literal["modbus_tcp", "rtu_over_tcp", "bacnet", "snmp"]


@dataclass(frozen=True, slots=True)
class WantedPort:
    """One listening port as the site file asks for it; a meter stands in for the gateway with `is_meter`."""

    gateway_index: int
    gateway: str
    service: Service
    host: str
    port: int
    alternative: int
    connections: int = 0
    idle_s: float = 0.0
    is_meter: bool = False


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A port that accepts connections; `reason` says why it is not the standard one (empty when it is)."""

    wanted: WantedPort
    host: str
    port: int
    reason: str

    @property
    def reachable_host(self) -> str:
        """An address that a client on this machine connects to."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)


class EndpointUnavailable(Exception):
    """Something that clients should reach cannot be opened on this machine."""


class PortUnavailable(EndpointUnavailable):
    """Neither the port nor its alternative can be had. The machine's state, not a mistake of the file."""

    def __init__(self, wanted: WantedPort, reasons: dict[int, str]) -> None:
        self.wanted = wanted
        self.reasons = reasons
        tried = " and ".join(f"{wanted.host}:{port} ({reason})" for port, reason in reasons.items())
        super().__init__(
            f"{wanted.gateway}: no port for {wanted.service}: tried {tried}. "
            "Choose others with --port-base N, or with `port` and `alternative` in the site file."
        )


def wanted_ports(site: Site) -> Iterator[WantedPort]:
    """Every port of the site, in the documented order. A C-31 has none, the others have what is not off."""
    default_host = "127.0.0.1" if site.listen == "loopback" else "0.0.0.0"
    bacnet_hosts = _hosts(site, {gateway.name: gateway.bacnet for gateway in site.gateways})
    snmp_hosts = _hosts(site, {gateway.name: gateway.snmp for gateway in site.gateways})
    for index, gateway in enumerate(site.gateways):
        if gateway.product == "C-31":
            continue
        services: tuple[tuple[Service, ModbusTcp | RtuOverTcp], ...] = (
            ("modbus_tcp", gateway.modbus_tcp or ModbusTcp.model_validate({})),
            ("rtu_over_tcp", gateway.rtu_over_tcp or RtuOverTcp.model_validate({})),
        )
        for service, settings in services:
            if settings.enabled:
                host = settings.host or default_host
                yield WantedPort(
                    gateway_index=index,
                    gateway=gateway.name,
                    service=service,
                    host=host,
                    port=settings.port,
                    alternative=settings.alternative,
                    connections=settings.connections,
                    idle_s=settings.idle_s,
                )
        if gateway.bacnet is not None and gateway.bacnet.enabled:
            yield WantedPort(
                gateway_index=index,
                gateway=gateway.name,
                service="bacnet",
                host=bacnet_hosts[gateway.name],
                port=gateway.bacnet.port,
                alternative=gateway.bacnet.alternative,
            )
        if gateway.snmp is not None and gateway.snmp.enabled:
            yield WantedPort(
                gateway_index=index,
                gateway=gateway.name,
                service="snmp",
                host=snmp_hosts[gateway.name],
                port=gateway.snmp.port,
                alternative=gateway.snmp.alternative,
            )
    for index, meter in enumerate(site.meters):
        if meter.modbus_tcp is not None and meter.modbus_tcp.enabled:
            tcp = meter.modbus_tcp
            yield WantedPort(
                gateway_index=index,
                gateway=meter.name,
                service="modbus_tcp",
                host=tcp.host or default_host,
                port=tcp.port,
                alternative=tcp.alternative,
                connections=tcp.connections,
                idle_s=tcp.idle_s,
                is_meter=True,
            )


def _hosts(site: Site, sections: Mapping[str, Bacnet | Snmp | None]) -> dict[str, str]:
    """Addresses for a UDP service by gateway: on loopback, each gateway that wants the same port has its own.

    Real gateways all have the standard port, so clients, and broadcasts, expect them on one port.
    """
    hosts: dict[str, str] = {}
    wanting: dict[int, int] = {}
    for name, settings in sections.items():
        if settings is not None and settings.enabled:
            number = wanting[settings.port] = wanting.get(settings.port, 0) + 1
            own = f"127.0.0.{number}" if site.listen == "loopback" else "0.0.0.0"
            hosts[name] = settings.host or own
    return hosts


Start = Callable[[str, int], Awaitable[tuple[str, int]]]
"""Listens on (host, port) and returns what clients connect to, as the servers of `buses` do."""


async def open_port(start: Start, wanted: WantedPort, number: int | None = None) -> OpenPort:
    """Listen on the wanted port, or on its alternative where that is not permitted or in use.

    Args:
        number: replaces both when given; 0 lets the system choose.

    Raises:
        PortUnavailable: every choice was refused.
    """
    reasons: dict[int, str] = {}
    if number is not None and number > _LAST_PORT:
        raise PortUnavailable(wanted, {number: f"beyond {_LAST_PORT}"})
    for port in dict.fromkeys((wanted.port, wanted.alternative) if number is None else (number,)):
        try:
            host, bound = await start(wanted.host, port)
        except OSError as error:
            reasons[port] = _REASONS.get(error.errno or 0, error.strerror or str(error))
        else:
            reason = "".join(f"{refused} {why}" for refused, why in reasons.items())
            return OpenPort(wanted, host, bound, reason)
    raise PortUnavailable(wanted, reasons)


_LAST_PORT = 65535

_REASONS = {
    errno.EACCES: "not permitted",
    errno.EPERM: "not permitted",
    errno.EADDRINUSE: "in use",
    errno.EADDRNOTAVAIL: "no such address on this machine",
}
