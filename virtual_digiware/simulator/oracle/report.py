"""Truths as text for people, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from virtual_digiware.simulator.instants import format_instant

if TYPE_CHECKING:
    from virtual_digiware.simulator.oracle.truth import ModbusTruth, Truth


def truths_json(truths: Sequence[Truth]) -> str:
    """A list of objects, one for each point."""
    return json.dumps([truth.as_data() for truth in truths], indent=1, ensure_ascii=False) + "\n"


def truths_text(truths: Sequence[Truth]) -> str:
    """A paragraph for each point: what is true, and a line for each place where a client reads it."""
    return "\n".join("\n".join(_paragraph(truth)) + "\n" for truth in truths)


def _paragraph(truth: Truth) -> Iterator[str]:
    age = f", {truth.age_ms / 1000:g} s old" if truth.age_ms else ""
    value = "not available" if truth.value is None else with_unit(truth.value, truth.unit)
    yield truth.name
    yield f"  {value} at {format_instant(truth.time_ms)}, {truth.quality.replace('_', ' ')}{age}"
    if truth.modbus is None:
        yield "  Modbus  none: the unit has no address"
    else:
        yield f"  Modbus  {_modbus(truth.modbus, truth.unit)}"
    for bacnet in truth.bacnet:
        where = f"device {bacnet.device} {bacnet.object} {bacnet.property} of {bacnet.gateway}"
        yield f"  BACnet  {where}: {bacnet.value:.9g} {bacnet.unit} (Real); {bacnet.confidence}"
    for snmp in truth.snmp:
        value = with_unit(f"{snmp.value * snmp.scale:.10g}", snmp.unit)
        yield (
            f"  SNMP    {snmp.oid} of {snmp.gateway}: {snmp.syntax} {snmp.value} x {snmp.scale:g} = {value} "
            f"±{snmp.tolerance:g}; {snmp.confidence}"
        )
    for mqtt in truth.mqtt:
        value = "null" if mqtt.value is None else with_unit(mqtt.value, mqtt.unit)
        yield f"  MQTT    {mqtt.topic} points.{mqtt.name}.value: {value} ±{mqtt.tolerance:g}; {mqtt.quality}"


def _modbus(modbus: ModbusTruth, unit: str) -> str:
    where = (
        f"unit {modbus.unit_id} address {modbus.address} function {'/'.join(map(str, modbus.functions))}: "
        f"{modbus.type} x {modbus.scale:g}"
    )
    if modbus.words is None:
        return f"{where}; nobody answers; {modbus.confidence}"
    words = " ".join(f"{word:04X}" for word in modbus.words)
    order = f", {modbus.word_order}" if len(modbus.words) > 1 else ""
    value = modbus.value if isinstance(modbus.value, str) else f"{modbus.value:.10g}"
    return f"{where}, {words}{order} = {with_unit(value, unit)} ±{modbus.tolerance:g}; {modbus.confidence}"


def with_unit(value: object, unit: str) -> str:
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}".rstrip()
