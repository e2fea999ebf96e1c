"""Rules of RS485 lines."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.buses.modbus.station import MAX_DEVICES
from virtual_digiware.simulator.addressing import addressed_modules, addressed_sensors, gateway_address
from virtual_digiware.simulator.line_models import DeviceOnLine
from virtual_digiware.simulator.lines_checks import clients_of
from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_models import Site
from virtual_digiware.simulator.yaml_text import KeyPath

MAX_LENGTH_M = 1200.0
"""Source: manuals 545830B, page 37, and RCM 551066A, page 53."""

MASTERS = ("M-50", "M-70", "D-50", "D-70")
"""Source: communication-architecture note, figures 12, 17, 26, 28 and 34."""

_MANUALS = "manuals 545830B page 37, RCM 551066A page 53, ISOM 546780C page 54"


def on_line(site: Site, line: str) -> list[tuple[tuple[str, int], str]]:
    """Key path and name of every device that is connected to a line, its master too."""
    return [
        (("gateways", index), gateway.name)
        for index, gateway in enumerate(site.gateways)
        if gateway.rs485 is not None and gateway.rs485.line == line
    ] + [
        (("meters", index), meter.name)
        for index, meter in enumerate(site.meters)
        if meter.rs485 is not None and meter.rs485.line == line
    ]


@rule("rs485-devices", "error", _MANUALS)
def rs485_devices(site: Site) -> Iterator[Broken]:
    """A line has at most 32 devices; a C-31, or a display as slave, counts as one whatever is behind it."""
    for line in site.lines:
        devices = on_line(site, line)
        for path, name in devices[MAX_DEVICES : MAX_DEVICES + 1]:
            yield Broken(
                path,
                f"{len(devices)} devices on line {line}",
                f"at most {MAX_DEVICES}; move {name} and those after it to another line",
            )


@rule("rs485-length", "error", "manuals 545830B page 37, RCM 551066A page 53")
def rs485_length(site: Site) -> Iterator[Broken]:
    """A line is at most 1200 m long."""
    for name, line in site.lines.items():
        if line.length_m is not None and line.length_m > MAX_LENGTH_M:
            yield Broken(
                ("lines", name, "length_m"),
                f"{line.length_m:g} m",
                f"at most {MAX_LENGTH_M:g} m; farther cabinets take an M-50 and Ethernet",
            )


@rule("rs485-one-master", "error", f"{NOTE}, glossary; manual 545830B page 37")
def rs485_one_master(site: Site) -> Iterator[Broken]:
    """A line has one master: one gateway with `role: client`, or else the user's program."""
    for name in site.lines:
        clients = clients_of(site, name)
        for index in clients[1:]:
            other = site.gateways[clients[0]].name
            change = f"one client on a line; {other} already is the client of {name}"
            yield Broken(("gateways", index, "rs485", "role"), "client", change)


@rule("rs485-master-product", "error", f"{NOTE}, figures 1, 8, 9, 12, 17, 26, 28 and 34")
def rs485_master_product(site: Site) -> Iterator[Broken]:
    """The master of a line is an M-50, M-70, D-50 or D-70; a C-31 never is one."""
    for index, gateway in enumerate(site.gateways):
        if gateway.rs485 is not None and gateway.rs485.role == "client" and gateway.product not in MASTERS:
            yield Broken(
                ("gateways", index, "rs485", "role"),
                f"a {gateway.product} as client",
                f"`role: server`; the client of a line is one of {', '.join(MASTERS)}",
            )


@rule("rs485-settings", "error", "manual 545830B page 37 (one line, one master, frames with a CRC)")
def rs485_settings(site: Site) -> Iterator[Broken]:
    """All devices of a line have its baud rate, parity and stop bits."""
    places: list[tuple[KeyPath, DeviceOnLine | None]] = [
        (("gateways", index, "rs485"), gateway.rs485) for index, gateway in enumerate(site.gateways)
    ]
    places += [(("meters", index, "rs485"), meter.rs485) for index, meter in enumerate(site.meters)]
    for path, port in places:
        if port is None:
            continue
        line = site.lines[port.line]
        for key in ("baudrate", "parity", "stop_bits"):
            own, common = getattr(port, key), getattr(line, key)
            if own is not None and own != common:
                yield Broken((*path, key), str(own), f"{common}, as line {port.line} has it")


@rule("rs485-addresses", "error", "DIRIS Digiware M-50/M-70 manual 548751C, pages 46 and 51")
def rs485_addresses(site: Site) -> Iterator[Broken]:
    """Everything that answers on one line has an address of its own, modules behind a C-31 too."""
    taken: dict[tuple[str, int], str] = {}
    for index, gateway in enumerate(site.gateways):
        if gateway.rs485 is None:
            continue
        line = gateway.rs485.line
        own = gateway_address(gateway)
        here = {} if own is None else {own: gateway.name}
        here |= {
            address: f"{gateway.name}/{module.name}" for _, module, address in addressed_modules(gateway)
        }
        here |= {
            address: f"{gateway.name}/{sensor.name}" for _, sensor, address in addressed_sensors(gateway)
        }
        for address, holder in here.items():
            if (line, address) in taken:
                yield Broken(
                    ("gateways", index, "rs485", "line"),
                    line,
                    "addresses that differ on one line; "
                    f"{holder} and {taken[line, address]} both have {address}",
                )
            taken.setdefault((line, address), holder)
    for index, meter in enumerate(site.meters):
        if meter.rs485 is not None:
            place = meter.rs485.line, meter.address
            if place in taken:
                yield Broken(
                    ("meters", index, "address"),
                    str(meter.address),
                    f"an address of its own on line {place[0]}; {taken[place]} already has {place[1]}",
                )
            taken.setdefault(place, meter.name)


@rule("rs485-termination", "note", _MANUALS)
def rs485_termination(site: Site) -> Iterator[Broken]:
    """A line has a resistor of 120 ohm at each end."""
    for name in site.lines:
        if on_line(site, name):
            yield Broken(("lines", name), f"line {name}", "nothing in the file; 120 ohm belong at both ends")


RULES = (
    rs485_devices,
    rs485_length,
    rs485_one_master,
    rs485_master_product,
    rs485_settings,
    rs485_addresses,
    rs485_termination,
)
