"""Supervisors on an RS485 line and on Ethernet at the same time, and lines as full as they may be."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.buses.wire import connected, tcp
from tests.external import require_program
from tests.simulator.line_sites import HEATER_POWER, SHOP, mbpoll, read, running

BOTH = (
    SHOP
    + """\
lines: {plc: {pty: FOLDER/plc, baudrate: 19200, parity: even}}
gateways:
  - name: d70
    product: D-70
    rs485: {line: plc}
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-30, circuits: [{circuit: heater}]}
  - name: hut
    product: C-31
    rs485: {line: plc}
    bus:
      - {name: v, product: U-30, address: 10}
      - {name: j, product: I-30, address: 11, circuits: [{circuit: pump}]}
"""
)


async def test_two_mbpolls_at_once_read_the_same_gateway_over_rs485_and_over_ethernet(tmp_path: Path):
    """Figures 3, 6 and 7 of the note on communication architectures."""
    require_program("mbpoll")
    async with running(BOTH.replace("FOLDER", str(tmp_path))) as site:
        host, port = site.place("d70")
        serial = ("-b", "19200", "-P", "even", str(tmp_path / "plc"))
        reads = [
            mbpoll("rtu", *serial, unit=3, address=HEATER_POWER),
            *(mbpoll("tcp", "-p", str(port), host, unit=3, address=HEATER_POWER) for _ in range(3)),
        ]
        values = {value for values in await asyncio.gather(*reads) for value in values}
        assert len(values) == 1
        assert 5800 < values.pop() < 6500


@pytest.mark.parametrize("setting", [", baudrate: 9600", ", parity: odd"])
async def test_a_device_with_wrong_settings_on_the_line_of_a_supervisor_is_silent_and_the_others_answer(
    tmp_path: Path, setting: str
):
    require_program("mbpoll")
    text = BOTH.replace("FOLDER", str(tmp_path)).replace("{line: plc}", f"{{line: plc{setting}}}", 1)
    async with running(text) as site:
        serial = ("-b", "19200", "-P", "even", str(tmp_path / "plc"))
        with pytest.raises(AssertionError, match="timed out"):
            await mbpoll("rtu", *serial, unit=3, address=HEATER_POWER, patience_s="0.2")
        assert 2900 < (await mbpoll("rtu", *serial, unit=11, address=HEATER_POWER))[0] < 3300
        assert await site.mbpoll("d70", 3) > 5800


def full_line(interfaces: int) -> str:
    """A master and so many C-31s on one line."""
    cabinets = "".join(
        f"""\
  - name: c{number}
    product: C-31
    rs485: {{line: field}}
    bus:
      - {{name: u, product: U-30, address: {3 * number + 10}}}
      - {{name: i, product: I-30, address: {3 * number + 11}, circuits: [{{circuit: heater}}]}}
"""
        for number in range(interfaces)
    )
    master = "  - {name: m70, product: M-70, rs485: {line: field, role: client, reply_ms: 20, retries: 0}}\n"
    return SHOP + "lines: {field: {}}\ngateways:\n" + master + cabinets


async def test_a_site_forced_to_run_with_more_devices_than_a_line_carries_hears_the_first():
    async with running(full_line(34)) as site, connected(site.place("m70")) as client:
        assert (await client.ask(tcp(read(), 3 * 31 + 11)))[7] == 3
        assert (await client.ask(tcp(read(), 3 * 32 + 11)))[7:] == bytes((0x83, 0x0B))


async def test_a_master_collects_thirty_one_interfaces_beside_it_on_its_line():
    """32 devices, the master counted: as many as an RS485 line carries."""
    async with running(full_line(31)) as site:
        collection = site.site.building.collections["m70"]
        assert len(collection.units) == 1 + 2 * 31
        assert not any(collection.is_lost(unit) for unit in collection.units)
        async with connected(site.place("m70")) as client:
            await client.send(b"".join(tcp(read(), 3 * number + 11, number) for number in range(31)))
            replies = [await client.take_tcp() for _ in range(31)]
        assert [int.from_bytes(reply[:2], "big") for reply in replies] == list(range(31))
        assert {reply[7:] for reply in replies} == {replies[0][7:]}
        assert replies[0][7] == 3
