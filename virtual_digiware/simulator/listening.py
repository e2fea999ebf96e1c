"""Which TCP ports a site wants, and in which order; opening them where the standard ones are not to be had.

The order (it also numbers the ports of `--port-base`): gateways as in the file, Modbus TCP before RTU over TCP.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from virtual_digiware.simulator.site_models import ModbusTcp, RtuOverTcp, Site

Service = Literal["modbus_tcp", "rtu_over_tcp"]


@dataclass(frozen=True, slots=True)
class WantedPort:
    """One listening port as the site file asks for it."""

    gateway_index: int
    gateway: str
    service: Service
    host: str
    port: int
    alternative: int


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A bound and listening socket, and why it is not the standard port (empty when it is)."""

    wanted: WantedPort
    socket: socket.socket
    host: str
    port: int
    reason: str


class PortUnavailable(Exception):
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
    """Every port of the site, in the documented order. A C-31 has none; other gateways have both unless switched off."""
    default_host = "127.0.0.1" if site.listen == "loopback" else "0.0.0.0"
    for index, gateway in enumerate(site.gateways):
        if gateway.product == "C-31":
            continue
        services: tuple[tuple[Service, ModbusTcp | RtuOverTcp | Literal[False] | None], ...] = (
            ("modbus_tcp", ModbusTcp() if gateway.modbus_tcp is None else gateway.modbus_tcp),
            ("rtu_over_tcp", RtuOverTcp() if gateway.rtu_over_tcp is None else gateway.rtu_over_tcp),
        )
        for service, settings in services:
            if settings:
                host = settings.host or default_host
                yield WantedPort(index, gateway.name, service, host, settings.port, settings.alternative)


def open_ports(site: Site, port_base: int | None = None) -> list[OpenPort]:
    """Bind and listen on every port of the site.

    Args:
        port_base: when given, the ports are `port_base`, `port_base + 1`, ... in the documented order.

    Raises:
        PortUnavailable: a port and its alternative are both refused; nothing stays open.
    """
    opened: list[OpenPort] = []
    try:
        for position, wanted in enumerate(wanted_ports(site)):
            choices = (wanted.port, wanted.alternative) if port_base is None else (port_base + position,)
            opened.append(_open(wanted, choices))
    except PortUnavailable:
        for one in opened:
            one.socket.close()
        raise
    return opened


def _open(wanted: WantedPort, choices: tuple[int, ...]) -> OpenPort:
    reasons: dict[int, str] = {}
    for port in dict.fromkeys(choices):
        try:
            listener = _listen(wanted.host, port)
        except OSError as error:
            reasons[port] = _REASONS.get(error.errno or 0, error.strerror or str(error))
        else:
            reason = "".join(f"{first} {why}" for first, why in reasons.items())
            return OpenPort(wanted, listener, wanted.host, port, reason)
    raise PortUnavailable(wanted, reasons)


_REASONS = {
    errno.EACCES: "not permitted",
    errno.EPERM: "not permitted",
    errno.EADDRINUSE: "in use",
    errno.EADDRNOTAVAIL: "no such address on this machine",
}


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A restart must not wait for the last run's connections to leave TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener
