"""Every point of the demo site reads the same by Modbus, BACnet and SNMP, but for the rounding of each."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cabinet.cabinet import Cabinet, output_of
from tests.cabinet.registers import NOT_MEASURED, Place, Register, gateway, registers_of
from tests.external import require_module, require_program
from tests.ports import free_ports
from virtual_digiware.devices.bacnet_binding import binding
from virtual_digiware.devices.snmp_binding import snmp_binding

SNMP_INPUTS = {
    ("digital_input", "inputState"): ("io.digital_inputs", "active_mask", 1),
    ("digital_input", "inputFunction"): ("io.digital_inputs", "input_{}_function", 1),
    ("digital_output", "outputState"): ("io.digital_outputs", "active_mask", 1),
    ("analogue_input", "analogueInputValue"): ("io.analogue_inputs", "analogue_input_value", 1),
    ("analogue_input", "analogueInputAverage"): ("io.analogue_inputs", "analogue_input_average", 1),
    ("temperature", "temperatureValue"): ("io.temperatures", "temperature", 0.01),
    ("meter", "meterTotal"): ("io.meters", "meter_total", 1),
    ("meter", "meterPartial"): ("io.meters", "meter_partial", 1),
    ("meter", "meterUnit"): ("io.meters", "meter_unit", 1),
}
"""Columns of inputs and outputs: where the registers show the same, and what the column counts in."""
READER = Path(__file__).parent / "bacnet_reader.py"


@pytest.fixture(scope="module")
def registers(demo: Cabinet) -> dict[Place, Register]:
    return registers_of(demo)


def test_snmp_shows_what_the_registers_show(demo: Cabinet, registers: dict[Place, Register]) -> None:
    walked = walk(demo, "1.3.6.1.4.1.4555.10.20")
    compared = 0
    for table in snmp_binding().tables.values():
        for service in table.services:
            column = ".".join(map(str, table.column(service))) + "."
            for oid in (oid for oid in walked if oid.startswith(column)):
                address, slot = map(int, oid.removeprefix(column).split("."))
                source = service.load_table if slot else service.unit_table
                shown = expected(registers, Place(address, slot, source or "", service.point))
                if service.syntax == "Counter64":  # kilo-units and their residual in one number, cut off
                    residual = registers[Place(address, slot, source or "", f"{service.point}_residual")]
                    assert int(walked[oid]) == int(1000 * shown.value + residual.value + 0.01), service.name
                else:
                    tolerance = 0.51 * max(shown.resolution, service.scale)
                    value = int(walked[oid]) * service.scale
                    assert value == pytest.approx(shown.value, abs=tolerance), service.name
                compared += 1
    assert compared == len(walked) > 200


def test_snmp_shows_the_same_inputs_and_outputs(demo: Cabinet, registers: dict[Place, Register]) -> None:
    walked = walk(demo, "1.3.6.1.4.1.4555.10.40")
    objects = snmp_binding().objects
    compared = 0
    for (kind, name), (table, point, scale) in SNMP_INPUTS.items():
        column = ".".join(map(str, objects[kind].column(name))) + "."
        for oid in (oid for oid in walked if oid.startswith(column)):
            address, number = map(int, oid.removeprefix(column).split("."))
            if point == "active_mask":
                mask = int(registers[Place(address, 1, table, point)].value)
                shown = float(mask >> number - 1 & 1)
            elif "{}" in point:
                shown = registers[Place(address, 1, table, point.format(number))].value
            else:
                shown = registers[Place(address, number, table, point)].value
            assert int(walked[oid]) * scale == pytest.approx(shown), name
            compared += 1
    resets = ".".join(map(str, objects["meter"].column("meterReset"))) + "."
    assert compared == len([oid for oid in walked if not oid.startswith(resets)]) >= 30


def walk(demo: Cabinet, branch: str) -> dict[str, str]:
    """Values by object identifier, as net-snmp walks them."""
    require_program("snmpbulkwalk")
    agent = gateway(demo)["snmp"]
    where = f"{agent['host']}:{agent['port']}"
    printed = output_of("snmpbulkwalk", "-v2c", "-c", "publicv2", "-Onq", "-Oe", where, branch)
    return dict(line.removeprefix(".").split(" ", 1) for line in printed.splitlines())


def expected(registers: dict[Place, Register], place: Place) -> Register:
    """What Modbus shows; a point that a product does not have is 0 on every protocol."""
    return registers.get(place, NOT_MEASURED)


def test_bacnet_shows_what_the_registers_show(demo: Cabinet, registers: dict[Place, Register]) -> None:
    devices = bacnet_objects(demo, "analogInput")
    measurements = binding().measurements
    compared = 0
    for address, inputs in devices.items():
        for instance, value in inputs.items():
            slot, index = divmod(int(instance), 100)
            shown = measurements[index].shown
            places = [
                Place(int(address), row, properties["Present_Value"].table, properties["Present_Value"].point)
                for properties in shown.values()
                for row in (slot, 0)
            ]
            [register] = [registers[place] for place in places if place in registers] or [NOT_MEASURED]
            assert value == pytest.approx(register.value, rel=1e-6, abs=0.51 * register.resolution), (
                address, instance, measurements[index].name,
            )  # fmt: skip
            compared += 1
    assert compared > 200


@pytest.mark.parametrize(
    ("kind", "table"), [("binaryInput", "io.digital_inputs"), ("binaryOutput", "io.digital_outputs")]
)
def test_bacnet_shows_the_same_inputs_and_outputs(
    demo: Cabinet, registers: dict[Place, Register], kind: str, table: str
) -> None:
    compared = 0
    for address, objects in bacnet_objects(demo, kind).items():
        for instance, value in objects.items():
            mask = int(registers[Place(int(address), 1, table, "active_mask")].value)
            assert value == mask >> int(instance) // 100 - 1 & 1
            compared += 1
    assert compared == sum(
        int(register.value)
        for place, register in registers.items()
        if place.table == table and place.point in ("input_count", "output_count")
    )


def bacnet_objects(demo: Cabinet, kind: str) -> dict[str, dict[str, float]]:
    """Present values by address and instance, as BAC0 reads them."""
    require_module("BAC0")
    router = gateway(demo)["bacnet"]
    addresses = [str(unit["address"]) for unit in gateway(demo)["units"]]
    where = router["host"], str(router["port"]), str(router["network"])
    own_port = str(free_ports(host="127.0.0.98"))
    printed = output_of(sys.executable, str(READER), kind, *where, own_port, *addresses)
    devices: dict[str, dict[str, float]] = json.loads(printed.strip().splitlines()[-1])
    return devices
