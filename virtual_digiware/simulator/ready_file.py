"""The ready file: what can be reached where, as JSON, from the moment everything accepts connections."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from virtual_digiware.devices.site_units import SENSOR_PRODUCT

if TYPE_CHECKING:
    from virtual_digiware.devices.layout import GatewayLayout
    from virtual_digiware.simulator.endpoints import Endpoints
    from virtual_digiware.simulator.listening import OpenPort
    from virtual_digiware.simulator.site_models import Meter, Site


class ReadyFileRefused(OSError):
    """The place of the ready file does not take it."""


def describe_site(site: Site, gateways: tuple[GatewayLayout, ...], endpoints: Endpoints) -> dict[str, Any]:
    """Everything a client needs to know. A key is absent where a device has no such port."""
    ports = {(port.wanted.gateway, port.wanted.service): port for port in endpoints.ports}
    described = []
    for settings, layout in zip(site.gateways, gateways, strict=True):
        entry: dict[str, Any] = {"name": layout.name, "product": layout.product}
        if layout.address is not None:
            entry["address"] = layout.address
        for service in ("modbus_tcp", "rtu_over_tcp"):
            port = ports.get((layout.name, service))
            if port is not None:
                entry[service] = {"host": port.reachable_host, "port": port.port}
        bacnet = ports.get((layout.name, "bacnet"))
        if bacnet is not None and settings.bacnet is not None:
            entry["bacnet"] = {
                "host": bacnet.reachable_host,
                "port": bacnet.port,
                "instance": settings.bacnet.main_instance,
                "network": settings.bacnet.network,
            }
        snmp = ports.get((layout.name, "snmp"))
        if snmp is not None:
            entry["snmp"] = {"host": snmp.reachable_host, "port": snmp.port}
        if layout.name in endpoints.mqtt_publishers:
            publishing = endpoints.mqtt_publishers[layout.name].settings
            broker = {"host": publishing.host, "port": publishing.port}
            entry["mqtt"] = {**broker, "topic": publishing.base_topic}
        if settings.rs485 is not None:
            entry["rs485"] = {"line": settings.rs485.line, "role": settings.rs485.role}
        entry["units"] = [
            {
                "address": module.address,
                "product": module.product,
                "name": module.name,
                "circuits": list(module.circuits),
            }
            for module in layout.modules
        ]
        entry["units"] += [
            {"address": sensor.address, "product": SENSOR_PRODUCT, "name": sensor.name, "circuits": []}
            for sensor in layout.sensors
        ]
        described.append(entry)
    lines = []
    for line in endpoints.lines:
        settings_of_line = site.lines[line.name]
        kind = "serial" if settings_of_line.serial is not None else "pty"
        lines.append(
            {
                "name": line.name,
                **({kind: line.where} if line.where else {"client": _client_of(site, line.name)}),
                "baudrate": settings_of_line.baudrate,
                "parity": settings_of_line.parity,
                "stop_bits": settings_of_line.stop_bits,
            }
        )
    meters = [_described_meter(meter, ports.get((meter.name, "modbus_tcp"))) for meter in site.meters]
    content = {"site": site.site, "gateways": described, "meters": meters, "lines": lines}
    if site.dataloggers:
        content["dataloggers"] = [
            {
                "name": logger.name,
                "product": logger.product,
                "period_s": logger.period_s,
                "collects": [one.model_dump(exclude_none=True) for one in logger.collects],
            }
            for logger in site.dataloggers
        ]
    return content


def _described_meter(meter: Meter, port: OpenPort | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": meter.name,
        "product": meter.product,
        "address": meter.address,
        "circuit": meter.circuits[0].circuit,
    }
    if port is not None:
        entry["modbus_tcp"] = {"host": port.reachable_host, "port": port.port}
    if meter.rs485 is not None:
        entry["rs485"] = {"line": meter.rs485.line}
    return entry


def _client_of(site: Site, line: str) -> str:
    """The gateway that is the client of a line which nobody else reaches."""
    return next(
        gateway.name
        for gateway in site.gateways
        if gateway.rs485 is not None and gateway.rs485.line == line and gateway.rs485.role == "client"
    )


def write_ready_file(path: Path, content: Mapping[str, Any]) -> None:
    """Put the file in place whole: whoever sees it can read all of it.

    Raises:
        ReadyFileRefused: the place does not take it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Made anew under a name that nobody can know before: in a folder that all may write to, a foreign
        # link under a known one would lead the text to a place of somebody else's choice.
        fresh = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
        with fresh.open("x", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=2) + "\n")
        try:
            fresh.replace(path)
        except OSError:
            fresh.unlink()
            raise
    except OSError as error:
        raise ReadyFileRefused(f"the ready file {path} cannot be written: {error.strerror}") from error


def remove_ready_file(path: Path) -> None:
    """Nothing is ready, yet or any more."""
    with suppress(OSError):
        path.unlink()
