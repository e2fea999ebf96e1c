"""A gateway as the client of an RS485 line: what stands behind it is read through it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.buses.wire import connected, rtu, tcp
from tests.external import require_program
from tests.simulator.line_sites import MASTER, read, running
from virtual_digiware.simulator.site_file import parse_site
from virtual_digiware.simulator.yaml_text import FileFaults

TARGET_FAILED = bytes((0x83, 0x0B))


async def test_mbpoll_reads_modules_behind_an_interface_and_a_slave_display_through_the_master():
    require_program("mbpoll")
    async with running(MASTER) as site:
        heater = await site.mbpoll("master", 11)
        assert 5800 < heater < 6500
        pump = await site.mbpoll("master", 22)
        assert 2900 < pump < 3300
        assert pump == await site.mbpoll("display", 22)
        assert await site.mbpoll("master", 3) > heater + pump
        counters = site.site.endpoints.site_lines.masters["master"].counters
        assert (counters.forwarded, counters.time_outs) == (2, 0)
        assert site.site.endpoints.site_lines.lines["field"].counters.requests >= 2


async def test_the_same_unit_answers_alike_on_both_ports_of_the_master():
    async with running(MASTER) as site:
        async with connected(site.place("master")) as client:
            over_tcp = await client.ask(tcp(read(), 11))
        async with connected(site.place("master", "rtu_over_tcp")) as client:
            await client.send(rtu(read(), 11))
            over_rtu = await client.take(9)
    assert over_rtu == rtu(over_tcp[7:], 11)


async def test_a_write_reaches_a_unit_behind_the_line():
    async with running(MASTER) as site, connected(site.place("master")) as client:
        assert (await client.ask(tcp("06E30003E8", 11)))[7:] == bytes.fromhex("06E30003E8")
        assert site.site.building.model.units["far/i"].state.is_unlocked


async def test_a_unit_whose_address_was_changed_behind_the_line_is_reached_under_its_new_one():
    async with running(MASTER) as site, connected(site.place("master")) as client:
        for write in ("06E30003E8", "06E0000021", "06E20000A1"):  # unlock, address 33, save
            assert (await client.ask(tcp(write, 11)))[7] == 6
        assert (await client.ask(tcp(read(), 33)))[7] == 3
        assert (await client.ask(tcp(read(), 11)))[7:] == TARGET_FAILED


async def test_a_silent_slave_costs_its_time_out_and_units_of_the_own_bus_answer_meanwhile():
    async with running(MASTER) as site, connected(site.place("master")) as client:
        site.unplug("far/i")
        await client.send(tcp(read(), 11, 1) + tcp(read(), 22, 2) + tcp(read(), 3, 3))
        order = [await client.take_tcp() for _ in range(3)]
        assert [int.from_bytes(reply[:2], "big") for reply in order] == [3, 1, 2]
        assert order[1][7:] == TARGET_FAILED
        assert order[2][7] == 3
        assert site.site.endpoints.site_lines.masters["master"].counters.time_outs == 2


async def test_a_slave_that_stays_silent_is_asked_once_without_retries():
    async with running(MASTER) as site, connected(site.place("master")) as client:
        site.unplug("far/i")
        counters = site.site.endpoints.site_lines.masters["master"].counters
        for _ in range(3):
            await client.ask(tcp(read(), 11))
        before = counters.time_outs
        await client.ask(tcp(read(), 11))
        assert counters.time_outs == before + 1
        site.unplug("far/i", present=True)
        assert (await client.ask(tcp(read(), 11)))[7] == 3


async def test_a_silent_slave_is_silence_over_rtu():
    async with running(MASTER) as site, connected(site.place("master", "rtu_over_tcp")) as client:
        site.unplug("far/i")
        await client.send(rtu(read(), 11))
        await client.send(rtu(read(), 22))
        assert (await client.take(9))[0] == 22


async def test_a_unit_that_nobody_has_is_refused_at_once():
    async with running(MASTER) as site, connected(site.place("master")) as client:
        assert (await client.ask(tcp(read(), 99)))[7:] == TARGET_FAILED
        assert site.site.endpoints.site_lines.masters["master"].counters.forwarded == 0


async def test_more_requests_than_the_line_can_queue_are_answered_as_busy():
    async with running(MASTER) as site, connected(site.place("master")) as client:
        site.unplug("far/i")
        await client.send(b"".join(tcp(read(), 11, number) for number in range(70)))
        first = await client.take_tcp()
        assert first[7:] == bytes((0x83, 6))
        assert int.from_bytes(first[:2], "big") == 65


async def test_a_client_that_leaves_before_the_answer_disturbs_nobody():
    async with running(MASTER) as site:
        site.unplug("far/i")
        async with connected(site.place("master")) as client:
            await client.send(tcp(read(), 11))
        async with connected(site.place("master")) as client:
            assert (await client.ask(tcp(read(), 22)))[7] == 3


@pytest.mark.parametrize("setting", ["baudrate: 9600", "parity: even"])
async def test_a_device_with_other_settings_than_its_line_is_not_understood(setting: str):
    text = MASTER.replace(
        "product: C-31\n    rs485: {line: field}", f"product: C-31\n    rs485: {{line: field, {setting}}}"
    )
    async with running(text) as site, connected(site.place("master")) as client:
        assert (await client.ask(tcp(read(), 11)))[7:] == TARGET_FAILED
        assert (await client.ask(tcp(read(), 22)))[7] == 3
        assert site.site.endpoints.site_lines.lines["field"].counters.bad_frames > 0


async def test_a_master_with_the_settings_of_no_device_hears_nobody():
    text = MASTER.replace("retries: 1", "retries: 0, baudrate: 19200")
    async with running(text) as site, connected(site.place("master")) as client:
        replies = await asyncio.gather(client.ask(tcp(read(), 11)))
        assert replies[0][7:] == TARGET_FAILED


MISTAKES: list[tuple[Callable[[str], str], str]] = [
    (lambda text: text.replace("{field: {}}", "{field: {pty: /tmp/x}}"), "no `pty`: master is the client"),
    (
        lambda text: text.replace("role: client, reply_ms: 30, retries: 1", "role: server"),
        "exactly one of `pty",
    ),
    (lambda text: text.replace("role: client", "role: server"), "no such key, or `role: client` beside it"),
]


@pytest.mark.parametrize(("change", "right"), MISTAKES)
def test_a_line_with_a_mistake_is_refused_with_what_would_be_right(change: Callable[[str], str], right: str):
    with pytest.raises(FileFaults) as refused:
        parse_site(change(MASTER), Path("site.yaml"))
    assert right in str(refused.value)
