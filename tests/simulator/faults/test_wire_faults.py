"""Faults of units, ports and lines as clients meet them: injected, asked, cleared, asked again."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import struct
import tty
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from pymodbus.client import AsyncModbusTcpClient

from tests.buses.wire import crc, read_pdu, rtu, tcp
from tests.simulator.faults.clients import opened_site
from tests.simulator.test_running import HEATER_POWER, Run, running
from tests.simulator.test_time_control import opened
from virtual_digiware.buses.interference import Strikes

PLAIN = read_pdu(HEATER_POWER, 2)
PORT = "gate/modbus_tcp"
LINE = """\
site: wired
sources: {mains: {}}
boards:
  main: {source: mains, circuits: {a: {loads: [{class: resistive, power_kw: 6}]}}}
gateways:
  - name: gate
    product: M-70
    rs485: {line: bus}
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-35, circuits: [{circuit: a}]}
lines:
  bus: {pty: PTY, timing: instant}
"""


@asynccontextmanager
async def connection(run: Run):
    place = run.content["gateways"][0]["modbus_tcp"]
    reader, writer = await asyncio.open_connection(*place.values())
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_while_one_unit_is_slow_the_others_are_answered_first_and_at_once():
    async with running(opened()) as run:
        run.site.faults.inject("slow_unit", "gate/i", delay_ms=200)
        run.writer.write(tcp(PLAIN, 3, 1) + tcp(PLAIN, 4, 2) + tcp(PLAIN, 3, 3) + tcp(PLAIN, 4, 4))
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        order, came_s = [], {}
        for _ in range(4):
            header = await run.reader.readexactly(7)
            number, _, length, _ = struct.unpack(">HHHB", header)
            assert (await run.reader.readexactly(length - 1))[0] == 3
            order.append(number)
            came_s[number] = loop.time() - asked_s
        assert order == [2, 4, 1, 3]
        assert came_s[4] < 0.2 <= came_s[1]
        run.site.faults.clear_all()
        run.writer.write(tcp(PLAIN, 3, 1) + tcp(PLAIN, 4, 2))
        assert [(await run.reader.readexactly(13))[1] for _ in range(2)] == [1, 2]


async def test_the_next_two_requests_meet_an_exception_and_the_fault_is_over():
    async with running(opened()) as run:
        client = AsyncModbusTcpClient(run.content["gateways"][0]["modbus_tcp"]["host"], port=port_of(run))
        assert await client.connect()
        right = (await client.read_holding_registers(HEATER_POWER, count=2, device_id=3)).registers
        run.site.faults.inject("modbus_exception", "gate/i", code=6, count=2)
        codes = []
        for _ in range(3):
            answer = await client.read_holding_registers(HEATER_POWER, count=2, device_id=3)
            assert not (await client.read_holding_registers(HEATER_POWER, count=2, device_id=4)).isError()
            codes.append(answer.exception_code if answer.isError() else answer.registers)
        assert codes == [6, 6, right]
        await asyncio.sleep(0)
        assert run.site.faults.active == ()
        assert run.site.journal.records[-1].kind == "clear"
        client.close()


def port_of(run: Run) -> int:
    return int(run.content["gateways"][0]["modbus_tcp"]["port"])


@pytest.mark.parametrize("code", [4, 6, 10, 11])
async def test_an_exception_of_one_unit_until_it_is_cleared(code: int):
    async with running(opened()) as run:
        right = await run.ask(3, PLAIN)
        run.site.faults.inject("modbus_exception", "gate/i", code=code)
        assert [await run.ask(3, PLAIN) for _ in range(3)] == [bytes((0x83, code))] * 3
        assert await run.set(3, 58112, 1000) == code
        assert (await run.ask(4, PLAIN))[0] == 3
        run.site.faults.clear_all()
        assert await run.ask(3, PLAIN) == right


async def test_a_share_of_the_answers_is_struck_and_always_the_same():
    async with running(opened()) as run, running(opened()) as again:
        fates = []
        for one in (run, again):
            one.site.faults.inject("modbus_exception", "gate/i", share=0.3)
            fates.append([(await one.ask(3, PLAIN))[0] for _ in range(200)])
        assert fates[0] == fates[1]
        assert 40 <= fates[0].count(0x83) <= 80


async def test_a_port_refuses_and_listens_again():
    async with running(opened()) as run:
        run.site.faults.inject("tcp_refuse", PORT)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port_of(run))
        assert (await run.ask(3, PLAIN))[0] == 3
        run.site.faults.clear_all()
        async with connection(run) as (reader, writer):
            writer.write(tcp(PLAIN, 3))
            assert len(await reader.readexactly(13)) == 13


async def test_a_port_with_room_for_one_client_resets_the_next():
    async with running(opened()) as run:
        run.site.faults.inject("tcp_limit", PORT, connections=1)
        async with connection(run) as (reader, writer):
            writer.write(tcp(PLAIN, 3))
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(13)
        run.site.faults.clear_all()
        async with connection(run) as (reader, writer):
            writer.write(tcp(PLAIN, 3))
            assert len(await reader.readexactly(13)) == 13


async def test_a_silent_port_takes_requests_and_answers_only_when_it_is_cleared():
    async with running(opened()) as run:
        run.site.faults.inject("tcp_silent", PORT, count=1)
        async with connection(run) as (reader, writer):
            writer.write(tcp(PLAIN, 3, 1))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readexactly(1), 0.2)
            assert run.site.faults.active == ()
            writer.write(tcp(PLAIN, 3, 2))
            assert (await reader.readexactly(13))[1] == 2


async def test_a_connection_is_reset_in_the_middle_of_an_answer_once():
    async with running(opened()) as run:
        run.site.faults.inject("tcp_reset", PORT, count=1)
        async with connection(run) as (reader, writer):
            writer.write(tcp(PLAIN, 3))
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(13)
        assert (await run.ask(3, PLAIN))[0] == 3


async def test_an_answer_drips_byte_by_byte_and_is_right():
    async with running(opened()) as run:
        right = await run.ask(3, PLAIN)
        run.site.faults.inject("tcp_drip", PORT, delay_ms=5)
        run.writer.write(tcp(PLAIN, 3))
        pieces = []
        while sum(map(len, pieces)) < 13:
            pieces.append(await run.reader.read(100))
        assert len(pieces) > 3
        assert b"".join(pieces)[7:] == right
        run.site.faults.clear_all()
        assert await run.ask(3, PLAIN) == right


@contextmanager
def terminal(path: str) -> Iterator[int]:
    device = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(device)
        yield device
    finally:
        os.close(device)


def taken(device: int, size: int, patience_s: float = 0.3) -> bytes:
    """So many bytes of a line, or what there is before it has been silent for a while."""
    data = b""
    while len(data) < size and select.select([device], [], [], patience_s)[0]:
        data += os.read(device, size - len(data))
    return data


async def heard(device: int, request: bytes, size: int) -> bytes:
    os.write(device, request)
    return await asyncio.to_thread(taken, device, size)


@pytest.mark.parametrize(
    ("kind", "parameters", "becomes"),
    [
        ("line_wrong_crc", {}, lambda right: right[:-2] + bytes(one ^ 0xFF for one in right[-2:])),
        ("line_lost", {}, lambda right: b""),
        ("line_late", {"delay_ms": 600}, lambda right: b""),
        ("line_duplicated", {}, lambda right: right * 2),
        ("line_truncated", {}, lambda right: right[: len(right) // 2]),
        ("line_two_clients", {}, lambda right: bytes.fromhex("010300000002c40b") + right),
    ],
)
async def test_answers_on_a_line_are_struck_once_and_then_right(kind, parameters, becomes, tmp_path):
    text = LINE.replace("PTY", str(tmp_path / "line"))
    async with running(opened_site(text)) as run:
        with terminal(str(tmp_path / "line")) as device:
            right = await heard(device, rtu(PLAIN, 3), 9)
            assert right[-2:] == crc(right[:-2])
            run.site.faults.inject(kind, "bus", count=1, **parameters)
            assert await heard(device, rtu(PLAIN, 3), 2 * len(right)) == becomes(right)
            late = await asyncio.to_thread(taken, device, 9, 1.0 if kind == "line_late" else 0.1)
            assert late == (right if kind == "line_late" else b"")
            assert await heard(device, rtu(PLAIN, 3), 9) == right
            assert run.site.faults.active == ()


async def test_noise_spoils_the_crc_of_answers_on_its_line_only(tmp_path):
    text = LINE.replace("PTY", str(tmp_path / "line"))
    async with running(opened_site(text)) as run:
        with terminal(str(tmp_path / "line")) as device:
            right = await heard(device, rtu(PLAIN, 3), 9)
            run.site.faults.inject("line_noise", "bus")
            noisy = [await heard(device, rtu(PLAIN, 3), 9) for _ in range(10)]
            for one in noisy:
                assert crc(one[:-2]) != one[-2:]
                assert sum((a ^ b).bit_count() for a, b in zip(one, right, strict=True)) == 1
            assert len(set(noisy)) > 5
            assert (await run.ask(3, PLAIN))[0] == 3
            run.site.faults.clear_all()
            assert await heard(device, rtu(PLAIN, 3), 9) == right


async def test_a_fault_of_the_wire_holds_after_a_restart(tmp_path):
    journal = tmp_path / "journal"
    async with running(opened(journal=journal)) as run:
        run.site.faults.inject("modbus_exception", "gate/i", code=4)
    async with running(opened(journal=journal)) as run:
        assert await run.ask(3, PLAIN) == b"\x83\x04"


def test_a_share_is_kept_in_the_long_run_and_differs_between_faults():
    def struck(number: int) -> list[bool]:
        one = Strikes(number, "slow", {}, 7, lambda number: None, share=0.25)
        return [one.strike() for _ in range(4000)]

    assert sum(struck(1)) == pytest.approx(1000, abs=110)
    assert struck(1) == struck(1) != struck(2)


UDP = LINE.replace("    rs485: {line: bus}\n", "    snmp: {}\n    bacnet: {}\n").split("lines:")[0]
SYSTEM_UP_TIME = bytes.fromhex(
    "302602010004067075626c6963a019020101020100020100300e300c06082b060102010103000500"
)
READ_OBJECT_NAME = bytes.fromhex("810a001101040005010c0c023fffff194d")


def asked(place: dict[str, object], request: bytes) -> bytes:
    """The answer to a datagram, empty when none comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(request, (str(place["host"]), int(str(place["port"]))))
        return client.recv(2048) if select.select([client], [], [], 1.0)[0] else b""


@pytest.mark.parametrize(
    ("service", "request_"), [("snmp", SYSTEM_UP_TIME), ("bacnet", READ_OBJECT_NAME)], ids=["snmp", "bacnet"]
)
async def test_a_service_on_udp_does_not_hear_and_hears_again(service: str, request_: bytes):
    async with running(opened_site(UDP)) as run:
        gateway = run.content["gateways"][0]
        before = await asyncio.to_thread(asked, gateway[service], request_)
        assert before
        run.site.faults.inject("tcp_silent", f"gate/{service}")
        assert await asyncio.to_thread(asked, gateway[service], request_) == b""
        assert (await run.ask(3, PLAIN))[0] == 3
        run.site.faults.clear_all()
        assert len(await asyncio.to_thread(asked, gateway[service], request_)) == len(before)
