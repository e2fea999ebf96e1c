"""Each figure of the communication note as a running site, read as it is drawn and held against the truth."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from tests.figures.clients import Way, ethernet, terminal
from tests.figures.expectations import Expected, check_module
from virtual_digiware.devices.layout import GatewayLayout
from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.opening import TimeOptions, open_site
from virtual_digiware.simulator.running import Options, RunningSite
from virtual_digiware.simulator.site_file import load_site, shipped_sites

FIGURES = [name for name in shipped_sites() if name.startswith("fig-")]
AT = parse_instant("2026-03-02T10:00:00Z")


@asynccontextmanager
async def running(name: str) -> AsyncIterator[tuple[RunningSite, dict[str, Any]]]:
    """A figure's site under a manual clock, on free ports."""
    loop = asyncio.get_running_loop()
    opened = open_site(load_site(name), TimeOptions("manual", at_ms=AT))
    ready: asyncio.Future[dict[str, Any]] = loop.create_future()

    def announce(content: dict[str, Any], _: object) -> None:
        loop.call_soon_threadsafe(ready.set_result, content)

    site = RunningSite(opened.building, opened.clock, opened.journal, Options(port_base=0), announce)
    task = asyncio.create_task(site.run(), name=name)
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    try:
        yield site, await ready
    finally:
        site.stop()
        await task
        opened.journal.close()


async def way_to(
    stack: AsyncExitStack, gateway: GatewayLayout, content: dict[str, Any], opened: dict[str, Way]
) -> Way:
    """How a client reaches the modules behind a head: its own port, the master of its line, or the line."""
    entries = {entry["name"]: entry for entry in content["gateways"]}
    lines = {line["name"]: line for line in content["lines"]}
    entry = entries[gateway.name]
    line = lines.get(entry.get("rs485", {}).get("line", ""))
    if line is not None and entry["rs485"]["role"] == "server":
        if "client" in line:
            entry = entries[line["client"]]
        else:
            if line["name"] not in opened:
                opened[line["name"]] = await stack.enter_async_context(terminal(line))
            return opened[line["name"]]
    if entry["name"] not in opened:
        opened[entry["name"]] = await stack.enter_async_context(ethernet(entry))
    return opened[entry["name"]]


@pytest.mark.parametrize("name", FIGURES)
async def test_a_figure_answers_as_drawn(name: str):
    async with running(name) as (site, content), AsyncExitStack() as stack:
        await site.advance_to(AT + 60_000)
        expected = Expected(site.building, site.now_ms())
        opened: dict[str, Way] = {}
        compared: set[str] = set()
        for gateway in site.building.layout.gateways:
            way = await way_to(stack, gateway, content, opened)
            for module in gateway.modules:
                compared.update(await check_module(module, way, module.address, expected))
        check_balance(site, expected, compared)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def check_balance(site: RunningSite, expected: Expected, compared: set[str]) -> None:
    """What comes in goes out: an incomer that was read is the sum of its feeders, all of them read."""
    for board in site.building.file.site.boards.values():
        incomers = [name for name, circuit in board.circuits.items() if circuit.incomer]
        feeders = [name for name, circuit in board.circuits.items() if not circuit.incomer]
        if incomers and compared.issuperset(feeders):
            whole = sum(expected.active_w(name) for name in feeders)
            assert abs(expected.active_w(incomers[0]) - whole) <= 1e-6 * max(1.0, abs(whole))
