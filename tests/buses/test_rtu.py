"""RTU over TCP, and an RS485 line with several devices; what calls for silence, and time on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.buses.fakes import FakeHandler, FakeSite, FakeUnit, current_module, gateway, voltage_module
from tests.buses.wire import PATIENCE_S, Client, connected, read_pdu, rtu
from virtual_digiware.buses.digiware import DigiwareBus
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.buses.modbus.line_timing import LineTiming
from virtual_digiware.buses.modbus.listener import ConnectionLimits
from virtual_digiware.buses.modbus.rtu import RtuOverTcpServer
from virtual_digiware.buses.modbus.rtu_line import RtuLine
from virtual_digiware.buses.modbus.station import Station

READ = rtu(read_pdu(18434, 2))
ANSWER = rtu("03 04 0000 0401")


class Bench:
    """A gateway at 1 with an I module at 4, on its port for RTU over TCP."""

    def __init__(self, **options: object) -> None:
        self.site = FakeSite()
        self.handler = FakeHandler(site=self.site)
        self.current = current_module()
        station = Station(gateway(), DigiwareBus(None, [(voltage_module(), 1.0), (self.current, 0.5)]))
        self.server = RtuOverTcpServer(station, self.site, Images(self.site), self.handler, **options)  # type: ignore[arg-type]


@asynccontextmanager
async def served(**options: object) -> AsyncIterator[tuple[Bench, Client]]:
    one = Bench(**options)
    address = await one.server.start("127.0.0.1", 0)
    try:
        async with connected(address) as client:
            yield one, client
    finally:
        await one.server.close()


async def test_a_module_is_read_in_rtu_over_tcp() -> None:
    async with served() as (one, client):
        for _ in range(3):
            await client.send(READ)
            assert await client.take(len(ANSWER)) == ANSWER
        one.current.values["value_1"] = 0.0
        one.site.version += 1
        await client.send(READ)
        assert await client.take(len(ANSWER)) == rtu("03 04 0000 0000")
        assert one.server.counters.functions == {3: 4}


async def test_requests_that_arrive_together_are_all_answered_in_order() -> None:
    async with served() as (_, client):
        await client.send(READ + rtu("06 0001 0003") + READ + READ + rtu(read_pdu(0, 1)))
        expected = ANSWER + rtu("06 0001 0003") + ANSWER + ANSWER + rtu("83 02")
        assert await client.take(len(expected)) == expected


async def test_a_request_may_come_byte_by_byte() -> None:
    async with served(patience_s=PATIENCE_S) as (_, client):
        for byte in READ:
            await client.send(bytes((byte,)))
        assert await client.take(len(ANSWER)) == ANSWER


@pytest.mark.parametrize(
    ("unanswered", "counter"),
    [
        (READ[:-1] + bytes((READ[-1] ^ 0x10,)), "bad_frames"),
        (READ[:5], "bad_frames"),
        (b"\xff\x00\xff", "bad_frames"),
        (rtu(read_pdu(18434, 2), 77), "unanswered"),
        (rtu("06 0001 0003", 77), "unanswered"),
        (rtu("06 0001 0003", 0), "broadcasts"),
        (rtu("10 0001 0001 02 0003", 0), "broadcasts"),
    ],
)
async def test_silence_is_the_answer_and_the_next_request_gets_its_own(
    unanswered: bytes, counter: str
) -> None:
    async with served() as (one, client):
        await client.send(unanswered + READ)
        assert await client.take(len(ANSWER)) == ANSWER
        assert getattr(one.server.counters, counter) == 1
        assert one.handler.writes == []


async def test_a_function_that_nobody_knows_is_refused_once_the_line_falls_silent() -> None:
    async with served(patience_s=0.01) as (_, client):
        await client.send(rtu("41 01 02"))
        assert await client.take(5) == rtu("c1 01")


async def test_an_exception_of_another_device_is_not_a_request() -> None:
    wire = Wire(line := line_of([current_module()], timing=LineTiming(grace_s=0.0)))
    wire.session.receive(rtu("83 02"))
    wire.session._fall_silent()  # the test turns the clock by hand
    assert wire.sent.empty()
    assert line.counters.bad_frames == 1
    wire.session.close()


async def test_a_partial_frame_does_not_outlive_the_silence_behind_it() -> None:
    wire = Wire(line := line_of([current_module()]))
    wire.session.receive(rtu("10 0000 0002 04 0001 0002")[:-3])
    assert wire.session._silence is not None
    wire.session._fall_silent()
    assert line.counters.bad_frames == 1
    assert (await wire.ask(READ))[1] == ANSWER
    wire.session.close()


async def test_the_end_of_a_partial_frame_is_noticed_without_another_byte() -> None:
    wire = Wire(line_of([current_module()], timing=LineTiming(115200, grace_s=0.001)))
    assert (await wire.ask(rtu("41 00")))[1] == rtu("c1 01")


async def test_two_clients_are_served_and_a_third_is_not() -> None:
    one = Bench()
    address = await one.server.start("127.0.0.1", 0)
    async with connected(address) as first, connected(address) as second, connected(address) as third:
        for client in (first, second):
            await client.send(READ)
            assert await client.take(len(ANSWER)) == ANSWER
        assert await third.is_closed()
    await one.server.close()


async def test_more_clients_can_be_allowed() -> None:
    one = Bench(limits=ConnectionLimits(64))
    address = await one.server.start("127.0.0.1", 0)
    async with connected(address), connected(address), connected(address) as third:
        await third.send(READ)
        assert await third.take(len(ANSWER)) == ANSWER
    await one.server.close()


class Wire:
    """The other end of a line in memory."""

    def __init__(self, line: RtuLine, *, is_timed_by_wire: bool = False) -> None:
        self.sent: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self.session = line.open_session(self._take, is_timed_by_wire=is_timed_by_wire)

    def _take(self, data: bytes) -> None:
        self.sent.put_nowait((self._loop.time(), data))

    async def ask(self, request: bytes) -> tuple[float, bytes]:
        """Seconds until the answer, and the answer."""
        start = self._loop.time()
        self.session.receive(request)
        when, data = await asyncio.wait_for(self.sent.get(), PATIENCE_S)
        return when - start, data


def line_of(*heads: list[FakeUnit], timing: LineTiming | None = None) -> RtuLine:
    site = FakeSite()
    stations = [Station(None, DigiwareBus(None, [(unit, 1.0) for unit in modules])) for modules in heads]
    return RtuLine(stations, site, Images(site), FakeHandler(), timing)


async def test_only_the_device_that_owns_the_address_answers_on_a_line() -> None:
    first, second = current_module("C-31 a/I", 4), current_module("C-31 b/I", 5)
    second.values["value_1"] = 0.02
    wire = Wire(line_of([first], [second]))
    assert (await wire.ask(READ))[1] == ANSWER
    assert (await wire.ask(rtu(read_pdu(18434, 2), 5)))[1] == rtu("03 04 0000 0002", 5)


async def test_two_devices_of_a_line_with_one_address_garble_each_other() -> None:
    line = line_of(
        [current_module("C-31 a/I", 4)], [current_module("C-31 b/I", 4), current_module("C-31 b/J", 5)]
    )
    wire = Wire(line)
    wire.session.receive(READ)
    assert (await wire.ask(rtu(read_pdu(18434, 2), 5)))[1] == rtu("03 04 0000 0401", 5)
    assert line.counters.collisions == 1


@pytest.mark.parametrize(
    ("timing", "character_s", "silence_s"),
    [
        (LineTiming(9600, "even", 1), 11 / 9600, 3.5 * 11 / 9600),
        (LineTiming(9600, "none", 2), 11 / 9600, 3.5 * 11 / 9600),
        (LineTiming(19200, "none", 1), 10 / 19200, 3.5 * 10 / 19200),
        (LineTiming(38400, "none", 1), 10 / 38400, 0.00175),
        (LineTiming(115200, "odd", 1), 11 / 115200, 0.00175),
    ],
)
def test_characters_and_silences_last_as_long_as_the_speed_says(
    timing: LineTiming, character_s: float, silence_s: float
) -> None:
    assert timing.character_s == pytest.approx(character_s)
    assert timing.silence_s == pytest.approx(silence_s)
    assert timing.patience_s == max(0.02, timing.silence_s)


def test_one_hundred_words_occupy_a_fast_line_for_about_18_ms() -> None:
    assert 0.0185 < LineTiming(115200).exchange_s(8, 205) < 0.0215


@pytest.mark.parametrize("wrong", [{"baudrate": 0}, {"grace_s": -1}])
def test_impossible_timing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="speed"):
        LineTiming(**wrong)  # type: ignore[arg-type]


async def test_a_line_in_real_time_takes_the_time_of_its_characters() -> None:
    timing = LineTiming(9600, pace="real")
    wire = Wire(line_of([current_module()], timing=timing))
    expected_s = timing.exchange_s(len(READ), len(ANSWER))
    took_s, answer = await wire.ask(READ)
    assert answer == ANSWER
    assert took_s >= expected_s - 0.001
    start_s = asyncio.get_running_loop().time()
    for _ in range(2):
        wire.session.receive(READ)
    for turn in (1, 2):  # one after the other: there is one wire
        when_s, _ = await asyncio.wait_for(wire.sent.get(), PATIENCE_S)
        assert when_s - start_s >= turn * expected_s - 0.001


async def test_a_real_wire_already_takes_its_time() -> None:
    timing = LineTiming(300, pace="real")
    wire = Wire(line_of([current_module()], timing=timing), is_timed_by_wire=True)
    took_s, _ = await wire.ask(READ)
    assert timing.silence_s - 0.001 <= took_s < timing.exchange_s(len(READ), len(ANSWER))


async def test_answers_that_wait_for_the_line_are_bounded_and_forgotten_when_it_closes() -> None:
    line = line_of([current_module()], timing=LineTiming(1200, pace="real"))
    wire = Wire(line)
    for _ in range(20):
        wire.session.receive(READ)
    assert line.counters.dropped == 4
    wire.session.close()
    assert wire.sent.empty()
