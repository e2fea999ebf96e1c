"""The devices of a site as a picture shows them: in which cabinet, in which order, with which words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from virtual_digiware.devices.catalogue import products
from virtual_digiware.simulator.addressing import addressed_modules, addressed_sensors, gateway_address
from virtual_digiware.simulator.cabinet_models import supply_name
from virtual_digiware.simulator.diagram.parts import CabinetParts, Device, Glyph, Link, Medium, Stack
from virtual_digiware.simulator.line_models import Line
from virtual_digiware.simulator.site_models import Gateway, Module, Site

_DISPLAYS = ("D-50", "D-70")
_WITH_WEBVIEW = ("M-70", "D-70")
"""Source: Socomec note on DIRIS Digiware communication architectures, pages 4 and 5."""
_OF_NO_CABINET = "\0"
_SHOWN_CABLE_M = 2.0
"""Shorter bus cables are not told: they lie between neighbours on one rail."""


def gateway_key(name: str) -> str:
    return f"gateway {name}"


def meter_key(name: str) -> str:
    return f"meter {name}"


def datalogger_key(name: str) -> str:
    return f"datalogger {name}"


@dataclass(slots=True)
class Equipment:
    """Stacks by cabinet, and the bus cables between devices."""

    stacks: dict[str, list[Stack]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)

    def put(self, cabinet: str, devices: list[Device]) -> None:
        if devices:
            self.stacks.setdefault(cabinet, []).append(tuple(devices))

    def put_chain(self, cabinet: str, devices: list[Device], medium: Medium) -> None:
        self.put(cabinet, devices)
        self.links += [Link(one.key, other.key, medium) for one, other in pairwise(devices)]


def equipment_of(site: Site) -> tuple[tuple[CabinetParts, ...], tuple[Link, ...]]:
    """Cabinets in the order of the site file, then a place for what stands in none; and the bus cables."""
    found = Equipment()
    for gateway in site.gateways:
        _add_gateway(found, gateway)
    for cabinet, line, devices in _meters(site):
        if line is None:
            found.put_chain(cabinet, devices, "ethernet")
        elif (client := _lonely_client(site, cabinet, line)) is not None:
            found.stacks[cabinet].remove((_head(client),))
            found.put_chain(cabinet, [_head(client, line_settings(site.lines[line])), *devices], "rs485")
        else:
            found.put_chain(cabinet, devices, "rs485")
    for logger in site.dataloggers:
        details = (f"collects {_counted(len(logger.collects), 'device')}", f"every {logger.period_s} s")
        device = Device(datalogger_key(logger.name), logger.product, logger.name, "datalogger", None, details)
        found.put(logger.cabinet or _OF_NO_CABINET + "Datalogger", [device])
    names = [*site.cabinets, *(name for name in found.stacks if name not in site.cabinets)]
    return tuple(
        CabinetParts(name, _title(site, name), tuple(found.stacks[name]))
        for name in names
        if name in found.stacks
    ), tuple(found.links)


def _title(site: Site, cabinet: str) -> str:
    known = site.cabinets.get(cabinet)
    return (known.title if known is not None else "") or cabinet.removeprefix(_OF_NO_CABINET)


def _add_gateway(found: Equipment, gateway: Gateway) -> None:
    """The head, its bus cut where it leaves a cabinet, and the sensors below what stands with the head."""
    home = _home(gateway)
    addresses = {one.module.name: one.address for one in addressed_modules(gateway)}
    place, last, stack = home, _head(gateway), [_head(gateway)]
    parts = [(home, stack)]
    for module in gateway.bus:
        device = _module(gateway, module, addresses.get(module.name))
        found.links.append(Link(last.key, device.key, "digiware"))
        cabinet = module.cabinet or home
        if cabinet != place:
            place, stack = cabinet, []
            parts.append((place, stack))
        stack.append(device)
        last = device
    for cabinet, sensors in _sensors(gateway, home).items():
        if cabinet == home:
            parts[0][1].extend(sensors)
        else:
            parts.append((cabinet, sensors))
    for cabinet, devices in parts:
        found.put(cabinet, devices)


def line_settings(line: Line) -> str:
    """Such as "38400 8N1, 200 m"."""
    length = "" if line.length_m is None else f", {line.length_m:g} m"
    return f"{line.baudrate} 8{line.parity[0].upper()}{line.stop_bits}{length}"


def _head(gateway: Gateway, line: str = "") -> Device:
    product = products()[gateway.product]
    details = []
    if product.family != "interface":
        services = ["Modbus TCP"]
        services += ["BACnet"] if gateway.bacnet is not None else []
        services += ["SNMP"] if gateway.snmp is not None else []
        services += ["MQTT"] if gateway.mqtt is not None else []
        details.append(", ".join(services))
    if gateway.product in _WITH_WEBVIEW:
        details.append("WEBVIEW-M")
    if gateway.rs485 is not None:
        role = "client (master)" if gateway.rs485.role == "client" else "server (slave)"
        details += [f"RS485 {role}", *([line] if line else [])]
    if gateway.cascade:
        details.append(f"collects {', '.join(gateway.cascade)}")
    glyphs: list[Glyph] = ["display"] if gateway.product in _DISPLAYS else []
    if addressed_sensors(gateway):
        glyphs.append("waves")
    return Device(
        gateway_key(gateway.name),
        gateway.product,
        gateway.name,
        "head",
        gateway_address(gateway),
        tuple(details),
        tuple(glyphs),
    )


def _module(gateway: Gateway, module: Module, address: int | None) -> Device:
    details = []
    if module.circuits:
        details.append(", ".join(wiring.circuit for wiring in module.circuits))
    if module.board is not None:
        details.append(f"board {module.board}")
    if module.transfer is not None:
        details.append(f"transfer {module.transfer}")
    ends = {"input": module.inputs, "output": module.outputs, "probe": module.probes}
    if any(ends.values()):
        details.append(", ".join(_counted(len(driven), word) for word, driven in ends.items() if driven))
    family = products()[module.product].family
    if family == "repeater":
        details.append(f"supply {supply_name(module.supply)}")
    if module.cable_m >= _SHOWN_CABLE_M:
        details.append(f"{module.cable_m:g} m of bus cable")
    key = f"{gateway_key(gateway.name)} module {module.name}"
    return Device(key, module.product, module.name, family, address, tuple(details))


def _sensors(gateway: Gateway, home: str) -> dict[str, list[Device]]:
    found: dict[str, list[Device]] = {}
    for one in addressed_sensors(gateway):
        device = Device(
            f"{gateway_key(gateway.name)} sensor {one.sensor.name}",
            "Sensor",
            one.sensor.name,
            "sensor",
            one.address,
            (f"heard by {gateway.name}",),
            ("waves",),
        )
        found.setdefault(one.sensor.cabinet or home, []).append(device)
    return found


def _lonely_client(site: Site, cabinet: str, line: str) -> Gateway | None:
    """The client of a line, if it stands in that cabinet without a bus of its own: the meters go below it."""
    for gateway in site.gateways:
        is_client = (
            gateway.rs485 is not None and gateway.rs485.role == "client" and gateway.rs485.line == line
        )
        if is_client and _home(gateway) == cabinet and not gateway.bus and not addressed_sensors(gateway):
            return gateway
    return None


def _meters(site: Site) -> Iterator[tuple[str, str | None, list[Device]]]:
    """Meters that share a cabinet and a line, or a cabinet and Ethernet, are one stack."""
    found: dict[tuple[str, str | None], list[Device]] = {}
    for meter in site.meters:
        measured = ", ".join(wiring.circuit for wiring in meter.circuits)
        wire = "RS485 server (slave)" if meter.rs485 is not None else "Modbus TCP"
        device = Device(
            meter_key(meter.name), meter.product, meter.name, "meter", meter.address, (measured, wire)
        )
        cabinet = meter.cabinet or _OF_NO_CABINET + "Meters"
        found.setdefault((cabinet, meter.rs485.line if meter.rs485 else None), []).append(device)
    for (cabinet, line), devices in found.items():
        yield cabinet, line, devices


def _home(gateway: Gateway) -> str:
    return gateway.cabinet or _OF_NO_CABINET + gateway.name


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
