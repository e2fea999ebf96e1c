"""Each figure of the communication note as a running site, read as it is drawn and held against the truth."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.figures.clients import Way, ethernet, terminal
from tests.figures.expectations import (
    MAGIC,
    ON_SOURCE_1,
    ON_SOURCE_2,
    Expected,
    check_datalogger,
    check_meter,
    check_module,
    check_sensor,
    magic,
    place,
)
from tests.figures.independent import check_cascade, check_with_mbpoll, mbpoll
from tests.simulator.line_sites import AT, running_file
from virtual_digiware.devices.catalogue import product
from virtual_digiware.devices.layout import GatewayLayout
from virtual_digiware.simulator.running import RunningSite
from virtual_digiware.simulator.site_file import load_site, shipped_sites

FIGURES = [name for name in shipped_sites() if name.startswith("fig-")]


async def ways_to(
    stack: AsyncExitStack, gateway: GatewayLayout, content: dict[str, Any], opened: dict[str, Way]
) -> list[Way]:
    """How clients reach the modules behind a head: its own port, its line or the master of its line.

    Both of the first two where a figure has a supervisor on each.
    """
    entries = {entry["name"]: entry for entry in content["gateways"]}
    lines = {line["name"]: line for line in content["lines"]}
    entry = entries[gateway.name]
    ways = []
    line = lines.get(entry.get("rs485", {}).get("line", ""))
    if line is not None and entry["rs485"]["role"] == "server":
        if "client" in line:
            entry = entries[line["client"]]
        else:
            if line["name"] not in opened:
                opened[line["name"]] = await stack.enter_async_context(terminal(line))
            ways.append(opened[line["name"]])
    if "modbus_tcp" in entry:
        if entry["name"] not in opened:
            opened[entry["name"]] = await stack.enter_async_context(ethernet(entry))
        ways.append(opened[entry["name"]])
    return ways


async def way_to_meter(
    stack: AsyncExitStack, meter: dict[str, Any], content: dict[str, Any], opened: dict[str, Way]
) -> Way:
    """A meter's own port, or the master of its line."""
    if "modbus_tcp" in meter:
        return await stack.enter_async_context(ethernet(meter))
    line = next(line for line in content["lines"] if line["name"] == meter["rs485"]["line"])
    master = next(entry for entry in content["gateways"] if entry["name"] == line["client"])
    if master["name"] not in opened:
        opened[master["name"]] = await stack.enter_async_context(ethernet(master))
    return opened[master["name"]]


def test_every_figure_of_the_note_is_there():
    assert [f"fig-{number:02}" for number in range(1, 37)] == FIGURES


@pytest.mark.parametrize("name", FIGURES)
async def test_a_figure_answers_as_drawn(name: str):
    async with running_file(load_site(name)) as run, AsyncExitStack() as stack:
        site, content = run.site, run.content
        await site.advance_to(AT + 60_000)
        expected = Expected(site.building, site.now_ms())
        opened: dict[str, Way] = {}
        compared: set[str] = set()
        for gateway in site.building.layout.gateways:
            ways = await ways_to(stack, gateway, content, opened)
            assert ways, gateway.name
            for way in ways:
                for module in gateway.modules:
                    compared.update(await check_module(module, way, module.address, expected))
                for unit in (
                    site.building.model.units[f"{gateway.name}/{one.name}"] for one in gateway.sensors
                ):
                    assert unit.sensor is not None
                    await check_sensor(unit.sensor, way, unit.address or 0, site.now_ms())
                if gateway.address is not None:
                    assert await magic(product(gateway.product), way, gateway.address) == MAGIC
            await check_with_mbpoll(gateway.modules, ways, expected)
        for meter in content.get("meters", ()):
            circuit = meter["circuits"][0] if "circuits" in meter else meter["circuit"]
            way = await way_to_meter(stack, meter, content, opened)
            described = site.building.model.units[meter["name"]].product
            await check_meter(described, circuit, way, meter["address"], expected)
            compared.add(circuit)
        for gateway in site.building.file.site.gateways:
            if gateway.cascade:
                await check_cascade(site, gateway.name, content, expected)
        for logger in site.collectors.loggers.values():
            check_datalogger(logger, expected)
        check_balance(site, expected, compared)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_transfer_of_figure_35_is_seen_at_the_controller_and_at_the_voltage_module():
    async with running_file(load_site("fig-35")) as run, AsyncExitStack() as stack:
        site, content = run.site, run.content
        way = await stack.enter_async_context(ethernet(content["gateways"][0]))
        controller, u, incomer = 6, 2, 3
        position = place(product("ATyS-C65"), "transfer.status", "position").address
        voltage = place(product("U-30"), "network.instantaneous", "voltage_l1_n").address
        power = place(product("I-35"), "circuit.instantaneous", "active_power_total").address
        frequency = place(product("U-30"), "network.instantaneous", "frequency").address

        async def seen() -> tuple[int, bool, bool]:
            """Position of the switch, whether there is voltage below it, and power."""
            volts = await mbpoll(way, u, voltage)
            return (
                await mbpoll(way, controller, position, "4"),
                volts > 20_000,
                await mbpoll(way, incomer, power) > 0,
            )

        assert await seen() == (ON_SOURCE_1, True, True)
        site.faults.inject("interruption", "mains", duration_ms=600_000)
        await site.advance_to(AT + 2_000)
        assert await seen() == (ON_SOURCE_1, False, False)
        await site.advance_to(AT + 60_000)
        assert await seen() == (ON_SOURCE_2, True, True)
        assert await mbpoll(way, u, frequency) != 50_000  # of the loaded generating set, with its droop
        await site.advance_to(AT + 1_200_000)
        assert await seen() == (ON_SOURCE_1, True, True)
        log = site.building.model.snapshot.alarms.of("d70/u").voltage_log
        interruptions = [one for one in log if one.kind == "interruption"]
        assert len(interruptions) == 2  # mains lost; dead time of the way back
        assert interruptions[-1].start_ms == pytest.approx(AT, abs=30)


def check_balance(site: RunningSite, expected: Expected, compared: set[str]) -> None:
    """What comes in goes out: an incomer that was read is the sum of its feeders, all of them read."""
    for board in site.building.file.site.boards.values():
        incomers = [name for name, circuit in board.circuits.items() if circuit.incomer]
        feeders = [name for name, circuit in board.circuits.items() if not circuit.incomer]
        if incomers and compared.issuperset(feeders):
            whole = sum(expected.active_w(name) for name in feeders)
            assert abs(expected.active_w(incomers[0]) - whole) <= 1e-6 * max(1.0, abs(whole))
