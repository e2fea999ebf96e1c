"""Figures read by programs that others wrote: mbpoll behind each head, net-snmp for cascades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.external import require_program
from tests.figures.clients import Way
from tests.figures.expectations import Expected, place
from tests.simulator import line_sites
from tests.simulator.test_collected_on_every_protocol import output_of
from virtual_digiware.devices.catalogue import product
from virtual_digiware.devices.layout import ModuleLayout
from virtual_digiware.simulator.running import RunningSite

ACTIVE_POWER = "1.3.6.1.4.1.4555.10.20.20.1.10040"
POWER = ("circuit.instantaneous", "active_power_total")
FIRST_BEYOND = 101
"""Number of the first unit that a cascade brings, see docs/communication.md."""


async def mbpoll(way: Way, unit: int, address: int, kind: str = "4:int") -> int:
    """One register (`4`) or signed pair of registers (`4:int`) of a unit."""
    (value,) = await line_sites.mbpoll(*way.mbpoll, unit=unit, address=address, kind=kind)
    return value


async def check_with_mbpoll(modules: Sequence[ModuleLayout], ways: Sequence[Way], expected: Expected) -> None:
    """The power of the last circuit behind a head, or the voltage of a head without circuits."""
    for way in ways:
        for module in reversed(modules):
            described = product(module.product)
            if module.allocations:
                at = place(described, *POWER, len(module.allocations) - 1)
                truth = expected.active_w(module.allocations[-1].circuit)
            elif described.family == "dc_voltage":
                assert module.dc is not None
                assert module.dc.board is not None
                at, truth = place(described, "dc.network", "voltage"), expected.dc_voltage_v(module.dc.board)
            else:
                continue
            shown = await mbpoll(way, module.address, at.address) * at.scale
            assert abs(shown - truth) <= 0.51 * at.scale, module.name
            break


async def check_cascade(site: RunningSite, master: str, content: dict[str, Any], expected: Expected) -> None:
    """What the master of a cascade tells net-snmp of the circuits in its slaves' cabinets."""
    agent = next(entry["snmp"] for entry in content["gateways"] if entry["name"] == master)
    printed = await output_of(
        require_program("snmpwalk"),
        "-v2c",
        "-c",
        "publicv2",
        "-Oqn",
        f"{agent['host']}:{agent['port']}",
        ACTIVE_POWER,
    )  # fmt: skip
    shown = dict(
        line.removeprefix(f".{ACTIVE_POWER}.").split(" ")
        for line in printed.splitlines()
        if ACTIVE_POWER in line
    )
    collection = site.building.collections[master]
    beyond = [unit for unit in collection.units if (collection.number_of(unit) or 0) >= FIRST_BEYOND]
    assert {unit.path.partition("/")[0] for unit in beyond} == set(
        next(one.cascade for one in site.building.file.site.gateways if one.name == master)
    )
    for unit in beyond:
        for load, circuit in enumerate(unit.circuits, 1):
            value = float(shown[f"{collection.number_of(unit)}.{load}"])
            assert abs(value - expected.active_w(circuit)) <= 0.51, unit.path
