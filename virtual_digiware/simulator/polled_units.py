"""Which units a gateway polls beyond its own bus, on its line or in other gateways, by their paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.simulator.addressing import addressed_modules, addressed_sensors, gateway_address

if TYPE_CHECKING:
    from virtual_digiware.simulator.line_models import DeviceOnLine
    from virtual_digiware.simulator.site_models import Gateway, Site


def polled_units(site: Site, gateway: Gateway) -> tuple[str, ...]:
    """Units on the line of which the gateway is the client."""
    port = gateway.rs485
    if port is None or port.role != "client":
        return ()
    return tuple(path for _, paths in _on_line(site, port.line) for path in paths)


def unheard_units(site: Site, gateway: Gateway) -> frozenset[str]:
    """Those whose speed or parity differs from that of the gateway which polls them."""
    port = gateway.rs485
    if port is None or port.role != "client" or port.line not in site.lines:
        return frozenset()
    line = site.lines[port.line]

    def settings(of: DeviceOnLine) -> tuple[int, str]:
        return of.baudrate or line.baudrate, of.parity or line.parity

    own = settings(port)
    devices = _on_line(site, port.line)
    return frozenset(path for device, paths in devices if settings(device) != own for path in paths)


def _on_line(site: Site, line: str) -> list[tuple[DeviceOnLine, list[str]]]:
    """Ports of all that answer on a line, each with the units that are reached through it."""
    heads: list[tuple[DeviceOnLine, list[str]]] = [
        (other.rs485, own_units(other))
        for other in site.gateways
        if other.rs485 is not None and other.rs485.line == line and other.rs485.role == "server"
    ]
    meters: list[tuple[DeviceOnLine, list[str]]] = [
        (meter.rs485, [meter.name])
        for meter in site.meters
        if meter.rs485 is not None and meter.rs485.line == line
    ]
    return heads + meters


def own_units(gateway: Gateway) -> list[str]:
    """The gateway, unless it has no address, the modules of its bus and its sensors."""
    modules = [module.name for _, module, _ in addressed_modules(gateway)]
    sensors = [one.sensor.name for one in addressed_sensors(gateway)]
    behind = [f"{gateway.name}/{name}" for name in (*modules, *sensors)]
    return behind if gateway_address(gateway) is None else [gateway.name, *behind]


def imported_units(site: Site, gateway: Gateway) -> dict[str, list[str]]:
    """The topology under each Ethernet slave of a gateway, by the slave's name: its bus, sensors and line."""
    slaves = {other.name: other for other in site.gateways if other.name in gateway.cascade}
    return {name: [*own_units(slaves[name]), *polled_units(site, slaves[name])] for name in gateway.cascade}


def missed_units(site: Site, gateway: Gateway) -> tuple[str, ...]:
    """All units beyond its bus that a gateway collects, and misses when they fall silent."""
    imported = [path for paths in imported_units(site, gateway).values() for path in paths]
    return (*polled_units(site, gateway), *imported)
