"""Notifications of alarms as net-snmp's receiver takes them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.buses.snmp.agents import NOON_MS, Bench, bench, environment, run
from tests.external import require_program
from tests.ports import free_ports
from virtual_digiware.buses.snmp.alarms import LOG_LENGTH, AlarmList, AlarmNotice
from virtual_digiware.buses.snmp.settings import DELIVERED, Destination, SnmpSettings, User

ALARM = AlarmNotice(
    id=17, time_ms=NOON_MS + 5_000, address=4, load=2, type="threshold", number=3, state="active",
    text="I1 of sockets_1 above 12 A",
)  # fmt: skip
OVER = replace(ALARM, time_ms=NOON_MS + 65_000, state="finished", text="I1 of sockets_1 below 11 A")
USER = User("watch", "read", "SHA1", "sha1password", "AES128", "aespassword")


class Receiver:
    """snmptrapd on a free port, one line for every notification."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_ports()

    async def __aenter__(self) -> Receiver:
        settings = self.folder / f"snmptrapd-{self.port}.conf"
        settings.write_text(
            "authCommunity log,execute,net watchers\n"
            f"createUser -e 0x{IDENTITY.hex()} watch SHA sha1password AES aespassword\n"
            "createUser watch SHA sha1password AES aespassword\n"
            "authUser log,execute,net watch authPriv\n"
            "format1 %N.%q %W\\t%v\\n\n"
            "format2 %v\\n\n"
        )
        self._process = await asyncio.create_subprocess_exec(
            require_program("snmptrapd"),
            *("-f", "-Lo", "-n", "-C", "-c", str(settings), "-Oe", "-OQ", f"udp:127.0.0.1:{self.port}"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**environment(), "SNMP_PERSISTENT_DIR": str(self.folder)},
        )
        try:
            while "NET-SNMP version" not in (line := await self.line()):
                assert "directory" in line
        except BaseException:  # nobody will leave what was never entered
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        self._process.terminate()
        await self._process.communicate()

    async def line(self) -> str:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 10)
        return line.decode().strip()


IDENTITY = bench().agent.engine.id


async def started(destination: Destination, *more: Destination, repeat_s: float = 0.0) -> Bench:
    settings = SnmpSettings(
        communities=DELIVERED, users=(USER,), destinations=(destination, *more), repeat_s=repeat_s
    )
    own = bench(settings)
    own.host, own.port = await own.agent.start("127.0.0.1", 0)
    return own


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with Receiver(tmp_path) as one:
        yield one


def carried(line: str) -> list[str]:
    return line.split("\t")[-7:]


CARRIED = [
    "VIRTUAL-DIGIWARE-MIB::alarmModbusAddress.17 = 4",
    "VIRTUAL-DIGIWARE-MIB::alarmLoadNumber.17 = 2",
    "VIRTUAL-DIGIWARE-MIB::alarmType.17 = threshold",
    "VIRTUAL-DIGIWARE-MIB::alarmNumber.17 = 3",
    "VIRTUAL-DIGIWARE-MIB::alarmState.17 = 1",
    "VIRTUAL-DIGIWARE-MIB::alarmTime.17 = 2026-1-1,11:0:5.0,+0:0",
    "VIRTUAL-DIGIWARE-MIB::alarmText.17 = I1 of sockets_1 above 12 A",
]


@pytest.mark.parametrize(
    ("version", "name", "is_inform"),
    [("v2c", "watchers", False), ("v2c", "watchers", True), ("v3", "watch", False), ("v3", "watch", True)],
)
async def test_an_alarm_is_told_when_it_begins_and_when_it_is_over(receiver, version, name, is_inform):
    own = await started(Destination("127.0.0.1", receiver.port, version, name, is_inform))
    try:
        own.agent.alarm(ALARM)
        on = await receiver.line()
        own.agent.alarm(OVER)
        off = await receiver.line()
        assert "VIRTUAL-DIGIWARE-MIB::alarmOn" in on
        assert "0:0:01:00.00" in on  # simulated time since the agent was started
        assert carried(on) == CARRIED
        assert "VIRTUAL-DIGIWARE-MIB::alarmOff" in off
        assert carried(off)[4:] == [
            "VIRTUAL-DIGIWARE-MIB::alarmState.17 = 2",
            "VIRTUAL-DIGIWARE-MIB::alarmTime.17 = 2026-1-1,11:1:5.0,+0:0",
            "VIRTUAL-DIGIWARE-MIB::alarmText.17 = I1 of sockets_1 below 11 A",
        ]
        counters = own.agent.counters
        assert (counters.informs, counters.traps) == ((2, 0) if is_inform else (0, 2))
        if is_inform:
            await asyncio.wait_for(own.agent.traps.settled(), 10)
            assert counters.informs_unanswered == 0
    finally:
        await own.agent.close()


async def test_a_v1_trap_names_the_branch_and_its_own_number(receiver):
    own = await started(Destination("127.0.0.1", receiver.port, "v1", "watchers"))
    try:
        own.agent.alarm(ALARM)
        assert (await receiver.line()).startswith(
            "VIRTUAL-DIGIWARE-MIB::productAlarms.VIRTUAL-DIGIWARE-MIB::alarmOn Ent"
        )
    finally:
        await own.agent.close()


async def test_both_destinations_hear_of_an_alarm(tmp_path):
    async with Receiver(tmp_path) as first, Receiver(tmp_path) as second:
        own = await started(
            Destination("127.0.0.1", first.port, "v2c", "watchers"),
            Destination("127.0.0.1", second.port, "v3", "watch"),
        )
        try:
            own.agent.alarm(ALARM)
            assert carried(await first.line()) == carried(await second.line()) == CARRIED
        finally:
            await own.agent.close()


async def test_an_active_alarm_is_told_again_after_each_period(receiver):
    own = await started(Destination("127.0.0.1", receiver.port, "v2c", "watchers"), repeat_s=0.05)
    try:
        own.agent.alarm(ALARM)
        for _ in range(3):
            assert "alarmOn" in await receiver.line()
        own.agent.alarm(OVER)
        while "alarmOff" not in (line := await receiver.line()):
            assert "alarmOn" in line
        told = own.agent.counters.traps
        own.agent.alarm(replace(OVER, state="acknowledged"))
        assert own.agent.counters.traps == told
    finally:
        await own.agent.close()


async def test_an_alarm_that_is_only_recalled_is_told_when_it_is_over(receiver):
    own = await started(Destination("127.0.0.1", receiver.port, "v2c", "watchers"))
    try:
        own.agent.recall(ALARM)
        own.agent.alarm(ALARM)
        assert own.agent.counters.traps == 0
        own.agent.alarm(OVER)
        assert "alarmOff" in await receiver.line()
        assert own.agent.counters.traps == 1
    finally:
        await own.agent.close()


async def test_an_inform_that_nobody_answers_is_given_up_and_counted():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        own = await started(Destination("127.0.0.1", silent.getsockname()[1], "v2c", "watchers", True))
        try:
            assert own.agent.library is not None  # made now, so that nothing waits for it
            own.agent.alarm(ALARM)
            silent.settimeout(5)
            first = silent.recv(4096)
            now_s = 1000.0
            while own.agent.traps.waiting:
                now_s += 0.2
                own.agent.library.tick(now_s)
            silent.setblocking(False)
            # Sent again with the same request id, then given up.
            assert {silent.recv(4096)[-120:] for _ in range(2)} == {first[-120:]}
            assert own.agent.counters.informs_unanswered == 1
        finally:
            await own.agent.close()


async def test_the_community_of_a_destination_opens_nothing(receiver):
    own = await started(Destination("127.0.0.1", receiver.port, "v2c", "watchers"))
    try:
        program = require_program("snmpget")
        arguments = ("-v2c", "-c", "watchers", "-r", "0", "-t", "0.2", own.address, "1.3.6.1.2.1.1.5.0")
        assert "Timeout" in (await run(program, *arguments))[2]
    finally:
        await own.agent.close()


async def test_alarms_stand_in_a_table(listening):
    listening.agent.alarm(ALARM)
    listening.agent.alarm(replace(ALARM, id=18, load=0, type="system", text="i60 does not answer"))
    listening.agent.alarm(OVER)
    program = require_program("snmptable")
    arguments = ("-v2c", "-c", "publicv2", "-Ci", "-Cf", ";", listening.address, "alarmTable")
    status, out, err = await run(program, *arguments)
    assert status == 0, err
    rows = [line.split(";") for line in out.splitlines() if line.startswith(("17", "18", "index"))]
    assert rows[0] == [
        "index", "alarmModbusAddress", "alarmLoadNumber", "alarmType", "alarmNumber", "alarmState",
        "alarmTime", "alarmText",
    ]  # fmt: skip
    assert rows[1] == ["17", "4", "2", "threshold", "3", "finished", "2026-1-1,11:1:5.0,+0:0", OVER.text]
    assert rows[2][-1] == "i60 does not answer"
    asked = ("-v2c", "-c", "publicv2", "-Oqv", listening.address, "alarmActiveCount.0")
    _, out, _ = await run(require_program("snmpget"), *asked)
    assert out == "1\n"


def test_the_list_forgets_the_oldest_alarm_that_is_over():
    alarms = AlarmList()
    for number in range(1, LOG_LENGTH + 1):
        alarms.note(replace(ALARM, id=number, state="finished" if number == 5 else "active"))
    alarms.note(replace(ALARM, id=500))
    assert len(alarms.notices()) == LOG_LENGTH
    assert 5 not in {notice.id for notice in alarms.notices()}
    alarms.note(replace(ALARM, id=501))
    assert [notice.id for notice in alarms.notices()][:3] == [2, 3, 4]
    assert len(alarms.active()) == LOG_LENGTH
