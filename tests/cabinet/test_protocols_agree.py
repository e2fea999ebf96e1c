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

READER = Path(__file__).parent / "bacnet_reader.py"


@pytest.fixture(scope="module")
def registers(demo: Cabinet) -> dict[Place, Register]:
    return registers_of(demo)


def test_snmp_shows_what_the_registers_show(demo: Cabinet, registers: dict[Place, Register]) -> None:
    require_program("snmpbulkwalk")
    agent = gateway(demo)["snmp"]
    where = f"{agent['host']}:{agent['port']}"
    printed = output_of(
        "snmpbulkwalk", "-v2c", "-c", "publicv2", "-Onq", "-Oe", where, "1.3.6.1.4.1.4555.10.20"
    )
    walked = dict(line.removeprefix(".").split(" ", 1) for line in printed.splitlines())
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
    assert compared > 200


def expected(registers: dict[Place, Register], place: Place) -> Register:
    """What Modbus shows; a point that a product does not have is 0 on every protocol."""
    return registers.get(place, NOT_MEASURED)


def test_bacnet_shows_what_the_registers_show(demo: Cabinet, registers: dict[Place, Register]) -> None:
    require_module("BAC0")
    router = gateway(demo)["bacnet"]
    addresses = [str(unit["address"]) for unit in gateway(demo)["units"]]
    own_port = str(free_ports(host="127.0.0.98"))
    where = router["host"], str(router["port"]), str(router["network"])
    printed = output_of(sys.executable, str(READER), *where, own_port, *addresses)
    devices = json.loads(printed.strip().splitlines()[-1])
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
