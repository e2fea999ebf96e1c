"""An RS485 line as a pseudo-terminal with a stable name, and as a serial port of the machine."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop
from structlog.testing import capture_logs

from tests.buses.fakes import FakeHandler, FakeSite, current_module
from tests.buses.wire import PATIENCE_S, crc, read_pdu, rtu
from virtual_digiware.buses.digiware import DigiwareBus
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.buses.modbus.line_timing import LineTiming
from virtual_digiware.buses.modbus.rtu_line import RtuLine
from virtual_digiware.buses.modbus.station import Station
from virtual_digiware.buses.pty_line import LinkTaken, PtyLine
from virtual_digiware.buses.serial_port import SerialLine, SerialPortUnavailable

READ = rtu(read_pdu(18434, 2))
ANSWER = rtu("03 04 0000 0401")
LONG_READ = rtu(read_pdu(18432, 100))


def line(timing: LineTiming | None = None) -> RtuLine:
    site = FakeSite()
    station = Station(None, DigiwareBus(None, [(current_module(), 1.0)]))
    return RtuLine([station], site, Images(site), FakeHandler(), timing)


class Terminal:
    """A client that opens a serial device by name."""

    def __init__(self, name: str) -> None:
        self.handle = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def send(self, data: bytes) -> None:
        assert os.write(self.handle, data) == len(data)

    async def take(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        taken = b""
        while len(taken) < size:
            readable = asyncio.Event()
            loop.add_reader(self.handle, readable.set)
            try:
                await asyncio.wait_for(readable.wait(), PATIENCE_S)
            finally:
                loop.remove_reader(self.handle)
            taken += os.read(self.handle, size - len(taken))
        return taken

    def close(self) -> None:
        os.close(self.handle)


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def ask(name: str, request: bytes = READ, size: int = len(ANSWER)) -> bytes:
    terminal = Terminal(name)
    try:
        terminal.send(request)
        return await terminal.take(size)
    finally:
        terminal.close()


@pytest.mark.parametrize("factory", [None, uvloop.new_event_loop])
def test_clients_come_and_go_on_a_line_with_a_stable_name(factory: type | None, tmp_path: Path) -> None:
    async def scenario() -> None:
        link = tmp_path / "rs485"
        pty = PtyLine(line(), link)
        assert await pty.start() == str(link)
        assert str(link.readlink()) == pty.device
        for _ in range(20):
            assert await ask(str(link)) == ANSWER
        assert await ask(pty.device) == ANSWER
        assert pty.line.counters.requests == 21
        await pty.close()
        assert not link.is_symlink()
        await pty.close()

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(scenario())


async def test_frames_of_one_chunk_and_noise_between_them_pass_the_line_unchanged() -> None:
    pty = PtyLine(line())
    name = await pty.start()
    every_byte = rtu(
        bytes.fromhex("10 0000 0080") + b"\0" + bytes(range(256))
    )  # what a cooked terminal would eat
    assert await ask(name, READ + every_byte[:40] + READ, 2 * len(ANSWER)) == 2 * ANSWER
    await pty.close()


@pytest.mark.parametrize("leftover", ["dangling", "/dev/pts/ptmx"])
async def test_a_stale_link_is_replaced(leftover: str, tmp_path: Path) -> None:
    link = tmp_path / "rs485"
    link.symlink_to(leftover)
    pty = PtyLine(line(), link)
    await pty.start()
    assert str(link.readlink()) == pty.device
    await pty.close()
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("kind", ["file", "directory", "link to a file"])
async def test_what_is_not_ours_is_left_alone(kind: str, tmp_path: Path) -> None:
    link = tmp_path / "rs485"
    if kind == "directory":
        link.mkdir()
    elif kind == "file":
        link.write_text("precious")
    else:
        (tmp_path / "precious").write_text("precious")
        link.symlink_to(tmp_path / "precious")
    with pytest.raises(LinkTaken) as refusal:
        await PtyLine(line(), link).start()
    assert refusal.value.link == link
    assert link.exists()
    assert link.is_dir() or link.read_text() == "precious"


async def test_a_link_that_became_somebody_else_s_is_left_alone(tmp_path: Path) -> None:
    link = tmp_path / "rs485"
    first, second = PtyLine(line(), link), PtyLine(line(), link)
    await first.start()
    await second.start()
    await first.close()
    assert await ask(str(link)) == ANSWER
    await second.close()
    assert not link.is_symlink()


async def test_answers_that_nobody_reads_are_bounded_and_the_next_client_gets_its_own() -> None:
    pty = PtyLine(line(LineTiming(grace_s=5.0)))
    name = await pty.start()
    deaf = Terminal(name)
    while not pty.line.counters.dropped:
        deaf.send(LONG_READ * 20)
        await asyncio.wait_for(answered(pty, pty.line.counters.requests + 20), PATIENCE_S)
    assert 4096 <= len(pty._unsent) < 4096 + 64 * 256
    deaf.close()
    pty._last_sent -= 10.0  # the test turns the clock by hand
    for _ in range(3):
        assert await ask(name) == ANSWER
    assert not pty._unsent
    await pty.close()


async def test_an_answer_that_its_client_did_not_wait_for_is_not_taken_for_the_next_one() -> None:
    pty = PtyLine(line())
    name = await pty.start()
    hasty = Terminal(name)
    hasty.send(LONG_READ)
    await asyncio.wait_for(answered(pty, 1), PATIENCE_S)
    hasty.close()
    pty._last_sent -= 10.0
    assert await ask(name) == ANSWER
    assert pty.line.counters.dropped == 1
    await pty.close()


async def test_a_client_that_reads_late_gets_every_answer() -> None:
    pty = PtyLine(line())
    name = await pty.start()
    late = Terminal(name)
    for _ in range(20):
        late.send(LONG_READ * 20)
        await asyncio.wait_for(answered(pty, pty.line.counters.requests + 20), PATIENCE_S)
        for _ in range(20):
            answer = await late.take(205)
            assert answer[:3] == bytes((4, 3, 200))
            assert answer[-2:] == crc(answer[:-2])
    assert pty.line.counters.dropped == 0
    late.close()
    await pty.close()


async def answered(pty: PtyLine, requests: int) -> None:
    loop = asyncio.get_running_loop()
    while pty.line.counters.requests < requests:
        turn = loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn


@pytest.fixture
def port() -> Iterator[tuple[Terminal, str]]:
    """A serial port of the machine, played by a pseudo-terminal, with our end of the cable."""
    near, far = os.openpty()
    tty.setraw(far)
    os.set_blocking(near, False)
    client = Terminal.__new__(Terminal)
    client.handle = near
    try:
        yield client, os.ttyname(far)
    finally:
        if client.handle >= 0:
            os.close(near)
        os.close(far)


async def test_a_line_can_be_a_serial_port_of_the_machine(port: tuple[Terminal, str]) -> None:
    client, device = port
    serial = SerialLine(line(LineTiming(19200, stop_bits=2)), device)
    assert not serial.is_open
    assert await serial.start() == device
    assert serial.is_open
    for _ in range(3):
        client.send(READ)
        assert await client.take(len(ANSWER)) == ANSWER
    await serial.close()
    assert not serial.is_open
    assert serial.lost is None
    await serial.close()


async def test_a_port_that_is_not_there_is_said_to_be_missing() -> None:
    serial = SerialLine(line(), "/dev/ttyNowhere")
    with pytest.raises(SerialPortUnavailable, match="ttyNowhere") as refusal:
        await serial.start()
    assert refusal.value.device == "/dev/ttyNowhere"
    await serial.close()


async def test_a_port_that_goes_away_is_reported(port: tuple[Terminal, str]) -> None:
    client, device = port
    serial = SerialLine(line(), device)
    await serial.start()
    with capture_logs() as logs:
        os.close(client.handle)
        client.handle = -1
        assert serial._protocol is not None
        await asyncio.wait_for(serial._protocol.gone.wait(), PATIENCE_S)
    assert not serial.is_open
    assert [entry["device"] for entry in logs] == [device]
    assert serial.lost is not None
