"""Clients that others wrote read and write: mbpoll, and libmodbus through a few lines of C."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.buses.fakes import FakeHandler, FakeSite, current_module, gateway, voltage_module
from tests.external import require_header, require_program
from virtual_digiware.buses.digiware import DigiwareBus
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.buses.modbus.rtu_line import RtuLine
from virtual_digiware.buses.modbus.station import Station
from virtual_digiware.buses.modbus.tcp import ModbusTcpServer
from virtual_digiware.buses.pty_line import PtyLine

PATIENCE_S = 20.0
CLIENT = Path(__file__).parent / "clients" / "libmodbus_client.c"

SEEN = [  # action, what libmodbus prints
    (["read", "18434", "2"], "0000 0401"),
    (["input", "18434", "2"], "0000 0401"),
    (["read", "50000", "4"], "0053 004f 0043 004f"),
    (["read", "18432", "100"], None),
    (["read", "0", "1"], "error 2 Illegal data address"),
    (["read", "58112", "1"], "error 2 Illegal data address"),
    (["write", "58112", "1000"], "03e8"),
    (["many", "57856", "161", "7"], "00a1 0007"),
    (["read", "18434", "2"], "0000 0401"),
]


class Bench:
    def __init__(self) -> None:
        self.site = FakeSite()
        self.handler = FakeHandler(site=self.site)
        bus = DigiwareBus(None, [(voltage_module(), 1.0), (current_module(), 0.5)])
        images = Images(self.site)
        self.server = ModbusTcpServer(Station(gateway(), bus), self.site, images, self.handler)
        self.pty = PtyLine(RtuLine([Station(None, bus)], self.site, images, self.handler))


@asynccontextmanager
async def bench() -> AsyncIterator[tuple[Bench, str, str]]:
    """A bench with the port of its TCP server and the name of its serial line."""
    one = Bench()
    _, port = await one.server.start("127.0.0.1", 0)
    name = await one.pty.start()
    try:
        yield one, str(port), name
    finally:
        await one.pty.close()
        await one.server.close()


async def run(*command: str) -> str:
    """What a program prints; it has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0, printed.decode()
    return printed.decode()


@pytest.fixture(scope="module")
def libmodbus(tmp_path_factory: pytest.TempPathFactory) -> str:
    require_header("modbus/modbus.h")
    program = tmp_path_factory.mktemp("libmodbus") / "client"
    command = ["gcc", "-O1", "-Wall", "-Werror", "-o", str(program), str(CLIENT), "-lmodbus"]
    subprocess.run(command, check=True, timeout=PATIENCE_S)
    return str(program)


@pytest.mark.parametrize("way", ["tcp", "rtu"])
async def test_libmodbus_reads_and_writes(libmodbus: str, way: str) -> None:
    async with bench() as (one, port, line):
        where = ["tcp", "127.0.0.1", port] if way == "tcp" else ["rtu", line, "38400"]
        printed = await run(libmodbus, *where, "4", *(word for action, _ in SEEN for word in action))
        answers = printed.splitlines()
        assert len(answers) == len(SEEN)
        for answer, (_, expected) in zip(answers, SEEN, strict=True):
            if expected is not None:
                assert answer == expected
        values = [int(word, 16) for word in answers[3].split()]
        assert len(values) == 100
        assert [high << 16 | low for high, low in zip(values[:92:2], values[1:92:2], strict=True)] == [
            1000 * n + 25 for n in range(46)
        ]
        assert one.handler.writes == [("M-70/I-30", 6, 58112, (1000,)), ("M-70/I-30", 16, 57856, (161, 7))]


async def test_libmodbus_hears_that_a_unit_does_not_respond_over_tcp_and_nothing_on_the_line(
    libmodbus: str,
) -> None:
    async with bench() as (_, port, line):
        over_tcp = await run(libmodbus, "tcp", "127.0.0.1", port, "77", "read", "18434", "2")
        assert over_tcp == "error 11 Target device failed to respond\n"
        on_line = await run(libmodbus, "rtu", line, "38400", "77", "read", "18434", "2", "read", "18434", "2")
        assert on_line.count("timed out") == 2


@pytest.mark.parametrize("way", ["tcp", "rtu"])
async def test_mbpoll_reads_a_module(way: str) -> None:
    mbpoll = require_program("mbpoll")
    async with bench() as (_, port, line):
        where = ["-m", "tcp", "-p", port] if way == "tcp" else ["-m", "rtu", "-b", "38400", "-P", "none"]
        target = "127.0.0.1" if way == "tcp" else line
        options = ["-a", "4", "-0", "-1", "-B", "-t", "4:int", "-r", "18434", "-c", "3"]
        printed = await run(mbpoll, *where, *options, target)
        values = dict(re.findall(r"\[(\d+)\]:\s+(-?\d+)", printed))
        assert values == {"18434": "1025", "18436": "2025", "18438": "3025"}
