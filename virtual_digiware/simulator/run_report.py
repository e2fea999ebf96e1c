"""What `vdigiware run` shows once a site accepts connections: its endpoints, and commands to try on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from virtual_digiware.devices.block import Product
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.endpoints import Endpoints

PORT_NAMES = {
    "modbus_tcp": "Modbus TCP",
    "rtu_over_tcp": "RTU over TCP",
    "bacnet": "BACnet/IP",
    "snmp": "SNMP",
}
EXAMPLE_POINTS = {"voltage": "voltage_l1_n", "current": "active_power_total"}
PARITY_LETTERS = {"none": "n", "even": "e", "odd": "o"}


class Report(Console):
    """A console that goes on in silence when nobody reads it: clients may still want the site."""

    def on_broken_pipe(self) -> None:
        with suppress(SystemExit):
            super().on_broken_pipe()


def print_report(console: Console, building: Building, content: dict[str, Any], endpoints: Endpoints) -> None:
    """The table of endpoints and the commands."""
    from rich.table import Table

    site = building.file.site
    table = Table(title=site.title or site.site, title_justify="left", show_edge=False, pad_edge=False)
    for column in ("gateway", "reach it at", "units"):
        table.add_column(column, overflow="fold")
    for gateway in content["gateways"]:
        units = ", ".join(f"{unit['address']} {unit['product']}" for unit in gateway["units"])
        own = f"{gateway['address']} {gateway['product']}, " if "address" in gateway else ""
        places = "\n".join(_places(gateway, content))
        table.add_row(f"{gateway['name']} ({gateway['product']})", places, own + units)
    for meter in content["meters"]:
        places = "\n".join(_places(meter, content))
        table.add_row(
            f"{meter['name']} ({meter['product']})", places, f"{meter['address']} {meter['circuit']}"
        )
    for logger in content.get("dataloggers", ()):
        collected = ", ".join(name for one in logger["collects"] for name in one.values())
        every = f"every {logger['period_s']} s, by Modbus TCP"
        table.add_row(f"{logger['name']} ({logger['product']})", every, f"collects {collected}")
    console.print(table)
    for port in endpoints.ports:
        if port.reason:
            console.print(f"{port.wanted.gateway}: port {port.reason}, so {port.port} is used instead")
    for line in endpoints.lines:
        if line.reason:
            console.print(f"{line.name}: {line.reason}, so {line.where} is used instead")
    for name, agent in endpoints.snmp_agents.items():
        if not agent.communities and not agent.settings.users:
            console.print(
                f"{name}: SNMP lets nobody in: the delivered communities only work on loopback, "
                "and the site file names no `communities` or `users` of its own"
            )
    commands = list(example_commands(building, content))
    if commands:
        console.print("\nPoint a client at it, for example (mbpoll is a Debian package):")
        for command, meaning in commands:
            console.print(f"  {command}   # {meaning}", soft_wrap=True, highlight=False)
    console.print("Stop with Ctrl+C.")


def _places(gateway: dict[str, Any], content: dict[str, Any]) -> Iterator[str]:
    for key, name in PORT_NAMES.items():
        if key in gateway:
            yield f"{name} {gateway[key]['host']}:{gateway[key]['port']}"
    if "mqtt" in gateway:
        broker = gateway["mqtt"]
        yield f"MQTT to {broker['host']}:{broker['port']}, {broker['topic']}/#"
    if "rs485" in gateway:
        line = next(line for line in content["lines"] if line["name"] == gateway["rs485"]["line"])
        where = line.get("pty") or line.get("serial") or _behind(gateway, line)
        letter = PARITY_LETTERS[line["parity"]].upper()
        yield f"RS485 {where} {line['baudrate']} 8{letter}{line['stop_bits']}"


def _behind(gateway: dict[str, Any], line: dict[str, Any]) -> str:
    """What stands for the place of a line that only gateways of the site reach."""
    if gateway["name"] == line["client"]:
        return f"client of {line['name']}"
    return f"{line['name']}, through {line['client']}"


def _door(gateway: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    """The gateway that a client of this one's units connects to: itself, or the client of its line."""
    if "modbus_tcp" in gateway or "rs485" not in gateway:
        return gateway
    line = next(line for line in content["lines"] if line["name"] == gateway["rs485"]["line"])
    return next((one for one in content["gateways"] if one["name"] == line.get("client")), gateway)


def example_commands(building: Building, content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """One mbpoll command for the first voltage and current module of each gateway, with its meaning."""
    for gateway in content["gateways"]:
        shown: set[str] = set()
        for unit in gateway["units"]:
            product = building.products[unit["product"]]
            point = EXAMPLE_POINTS.get(product.family)
            place = None if point is None else find_point(product, point)
            if point is None or place is None or product.family in shown:
                continue
            shown.add(product.family)
            kind = "4:int" if place.words == 2 else "4"
            register = f"-a {unit['address']} -t {kind} -B -0 -r {place.address} -c 1 -1"
            what = f"{point} of {unit['name']}, x {place.scale:g} {place.unit}"
            door = _door(gateway, content)
            yield f"{_client(door, content)} {register} {_target(door, content)}", what


def _client(gateway: dict[str, Any], content: dict[str, Any]) -> str:
    if "modbus_tcp" in gateway:
        return f"mbpoll -m tcp -p {gateway['modbus_tcp']['port']}"
    line = next(line for line in content["lines"] if line["name"] == gateway["rs485"]["line"])
    return f"mbpoll -m rtu -b {line['baudrate']} -P {line['parity']} -s {line['stop_bits']}"


def _target(gateway: dict[str, Any], content: dict[str, Any]) -> str:
    if "modbus_tcp" in gateway:
        return str(gateway["modbus_tcp"]["host"])
    line = next(line for line in content["lines"] if line["name"] == gateway["rs485"]["line"])
    return str(line.get("pty") or line.get("serial"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point is read, and how: value = register x scale, in unit."""

    address: int
    words: int
    scale: float
    unit: str


def find_point(product: Product, point: str) -> Place | None:
    """The first instantaneous register of a point."""
    for placed in product.blocks:
        if placed.block.table.endswith(".instantaneous"):
            for row in placed.block.rows:
                if row.point == point:
                    return Place(placed.base + row.offset, row.words, row.scale, row.unit)
    return None
