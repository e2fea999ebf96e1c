"""The Modbus TCP port over real sockets: ordinary clients, hasty ones, broken ones and hostile ones."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import uvloop
from structlog.testing import capture_logs

from tests.buses.fakes import FakeHandler, FakeSite, current_module, gateway, voltage_module
from tests.buses.wire import PATIENCE_S, connected, read_pdu, tcp
from virtual_digiware.buses.digiware import DigiwareBus
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.buses.modbus.listener import ConnectionLimits
from virtual_digiware.buses.modbus.station import Station
from virtual_digiware.buses.modbus.tcp import ModbusTcpServer

READ = tcp(read_pdu(18434, 2))
ANSWER = tcp("03 04 0000 0401")


class Bench:
    """A gateway at 1 with a U module at 3 and an I module at 4, serving on a port of its own."""

    def __init__(self, limits: ConnectionLimits | None = None, any_unit: bool = False) -> None:
        self.site = FakeSite()
        self.handler = FakeHandler(site=self.site)
        self.current = current_module()
        self.voltage = voltage_module()
        self.own = gateway()
        bus = DigiwareBus(self.own, [(self.voltage, 1.0), (self.current, 0.5)])
        station = Station(self.own, bus, answers_any_unit=any_unit)
        self.server = ModbusTcpServer(station, self.site, Images(self.site), self.handler, limits)
        self.address = ("", 0)

    @property
    def counters(self):  # type: ignore[no-untyped-def]
        return self.server.counters


@asynccontextmanager
async def bench(limits: ConnectionLimits | None = None, any_unit: bool = False) -> AsyncIterator[Bench]:
    one = Bench(limits, any_unit)
    one.address = await one.server.start("127.0.0.1", 0)
    try:
        yield one
    finally:
        await one.server.close()


@pytest.fixture(params=["asyncio", "uvloop"])
def on_loop(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Runs a scenario on the loop that Python brings, and on uvloop's."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else None

    def run(scenario: Callable[[], Awaitable[None]]) -> None:
        async def supervised() -> None:
            await scenario()
            assert asyncio.all_tasks() == {asyncio.current_task()}

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(supervised())

    return run


def test_a_client_reads_a_module_through_its_gateway(on_loop) -> None:  # type: ignore[no-untyped-def]
    async def scenario() -> None:
        async with bench() as one, connected(one.address) as client:
            assert await client.ask(READ) == ANSWER
            assert await client.ask(READ) == ANSWER
            assert await client.ask(tcp(read_pdu(18434, 2, 4))) == tcp("04 04 0000 0401")
            assert await client.ask(tcp(read_pdu(50000, 4), 1)) == tcp("03 08" + "0000" * 4, 1)
            assert one.counters.functions == {3: 3, 4: 1}
            assert one.counters.requests == 4
            assert one.counters.exceptions == 0

    on_loop(scenario)


def test_a_client_sees_the_new_values_after_a_refresh(on_loop) -> None:  # type: ignore[no-untyped-def]
    async def scenario() -> None:
        async with bench() as one, connected(one.address) as client:
            assert await client.ask(READ) == ANSWER
            one.current.values["value_1"] = 655.36
            assert await client.ask(READ) == ANSWER
            one.site.version += 1
            assert await client.ask(READ) == tcp("03 04 0001 0000")

    on_loop(scenario)


def test_pipelined_requests_are_all_answered_in_order(on_loop) -> None:  # type: ignore[no-untyped-def]
    async def scenario() -> None:
        async with bench() as one, connected(one.address) as client:
            requests = [tcp(read_pdu(18432 + n % 90, 1 + n % 10), transaction_id=n) for n in range(3000)]
            requests[1000] = tcp("06 0001 0003", transaction_id=1000)
            requests[2000] = tcp(read_pdu(0, 1), transaction_id=2000)
            sending = asyncio.create_task(client.send(b"".join(requests)))
            replies = [await client.take_tcp() for _ in requests]
            await sending
            assert [int.from_bytes(reply[:2], "big") for reply in replies] == list(range(3000))
            assert replies[1000][7:] == bytes.fromhex("06 0001 0003")
            assert replies[2000][7:] == b"\x83\x02"
            assert all(reply[7] == 3 for n, reply in enumerate(replies) if n not in (1000, 2000))

    on_loop(scenario)


def test_requests_may_come_byte_by_byte(on_loop) -> None:  # type: ignore[no-untyped-def]
    async def scenario() -> None:
        async with bench() as one, connected(one.address) as client:
            client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in (READ, tcp("10 0001 0002 04 000a 0102"), READ):
                for byte in request:
                    await client.send(bytes((byte,)))
            assert await client.take_tcp() == ANSWER
            assert await client.take_tcp() == tcp("10 0001 0002")
            assert await client.take_tcp() == ANSWER

    on_loop(scenario)


@pytest.mark.parametrize("cut", range(1, len(READ) * 2))
async def test_requests_may_be_cut_anywhere(cut: int) -> None:
    async with bench() as one, connected(one.address) as client:
        stream = READ + tcp(read_pdu(18434, 1), transaction_id=8)
        await client.send(stream[:cut])
        if cut >= len(READ):
            assert await client.take_tcp() == ANSWER
        await client.send(stream[cut:])
        if cut < len(READ):
            assert await client.take_tcp() == ANSWER
        assert await client.take_tcp() == tcp("03 02 0000", transaction_id=8)


@pytest.mark.parametrize(
    ("request_frame", "reply"),
    [
        (tcp(read_pdu(18434, 0)), tcp("83 03")),
        (tcp(read_pdu(18434, 126)), tcp("83 03")),
        (tcp(read_pdu(18434, 126, 4)), tcp("84 03")),
        (tcp(read_pdu(65535, 2)), tcp("83 02")),
        (tcp(read_pdu(0, 1)), tcp("83 02")),
        (tcp(read_pdu(58112, 1)), tcp("83 02")),  # write only
        (tcp(read_pdu(18434, 2), 77), tcp("83 0b", 77)),
        (tcp(read_pdu(18434, 2), 0), tcp("83 0b", 0)),
        (tcp(read_pdu(18434, 2), 255), tcp("83 0b", 255)),
        (tcp("06 0001 0003", 77), tcp("86 0b", 77)),
        (tcp("41 00", 77), tcp("c1 0b", 77)),
        (tcp("41 00"), tcp("c1 01")),
        (tcp("03"), tcp("83 03")),
        (tcp("03 4802"), tcp("83 03")),
        (tcp("03 4802 0002 00"), tcp("83 03")),
        (tcp("03" + "00" * 252), tcp("83 03")),
        (tcp("00"), tcp("80 01")),
    ],
)
async def test_an_impossible_request_gets_its_exception_and_the_next_one_its_answer(
    request_frame: bytes, reply: bytes
) -> None:
    async with bench() as one, connected(one.address) as client:
        await client.send(request_frame + READ)
        assert await client.take_tcp() == reply
        assert await client.take_tcp() == ANSWER
        assert one.counters.exceptions == 1
        assert one.counters.bad_frames == 0


async def test_a_frame_of_another_protocol_is_discarded_and_counted() -> None:
    async with bench() as one, connected(one.address) as client:
        await client.send(READ[:2] + b"\x00\x01" + READ[4:] + READ[:2] + b"\xff\xff" + READ[4:] + READ)
        assert await client.take_tcp() == ANSWER
        assert one.counters.bad_frames == 2
        assert one.counters.requests == 1


@pytest.mark.parametrize("length", [0, 1, 255, 256, 65535])
async def test_a_length_that_cannot_be_ends_the_connection_after_what_came_before(length: int) -> None:
    async with bench() as one, connected(one.address) as client, connected(one.address) as other:
        await client.send(READ + struct.pack(">HHHB", 8, 0, length, 4) + READ)
        assert await client.take_tcp() == ANSWER
        assert await client.is_closed()
        assert one.counters.bad_frames == 1
        assert await other.ask(READ) == ANSWER


@pytest.mark.parametrize(
    "noise", [b"GET / HTTP/1.1\r\nHost: m70\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"\xff" * 5000]
)
async def test_who_speaks_something_else_is_hung_up_on(noise: bytes) -> None:
    async with bench() as one, connected(one.address) as client, connected(one.address) as other:
        await client.send(noise)
        assert await client.is_closed()
        assert await other.ask(READ) == ANSWER
        assert one.counters.bad_frames == 1


async def test_a_client_that_leaves_in_the_middle_of_a_header_harms_nobody() -> None:
    async with bench() as one, connected(one.address) as other:
        async with connected(one.address) as client:
            await client.send(READ[:5])
        assert await other.ask(READ) == ANSWER


async def test_the_gateway_answers_as_unit_0_and_255_where_that_is_allowed() -> None:
    async with bench(any_unit=True) as one, connected(one.address) as client:
        for unit_id in (0, 1, 255):
            assert (await client.ask(tcp(read_pdu(50000, 1), unit_id)))[7:] == bytes.fromhex("03 02 0000")


async def test_a_dead_module_and_one_of_two_with_the_same_address_fail_to_respond() -> None:
    async with bench() as one, connected(one.address) as client:
        assert await client.ask(READ) == ANSWER
        one.current.is_present = False
        one.site.version += 1
        assert await client.ask(READ) == tcp("83 0b")
        one.current.is_present = True
        one.voltage.address = 4
        one.site.version += 1
        assert await client.ask(READ) == tcp("83 0b")
        assert one.counters.unanswered == 2
        assert one.counters.collisions == 1


async def test_a_write_is_handed_on_echoed_and_seen_by_the_requests_behind_it() -> None:
    async with bench() as one, connected(one.address) as client:
        assert await client.ask(READ) == ANSWER
        one.current.values["value_1"] = 0.0
        await client.send(tcp("06 e300 03e8") + READ + tcp("10 e200 0001 02 00a1"))
        assert await client.take_tcp() == tcp("06 e300 03e8")
        assert await client.take_tcp() == tcp("03 04 0000 0000")
        assert await client.take_tcp() == tcp("10 e200 0001")
        assert one.handler.writes == [("M-70/I-30", 6, 0xE300, (1000,)), ("M-70/I-30", 16, 0xE200, (161,))]


async def test_a_mistake_of_ours_is_exception_4_logged_and_counted_and_the_server_goes_on() -> None:
    async with bench() as one, connected(one.address) as client:
        one.handler.error = RuntimeError("the journal is full")
        with capture_logs() as logs:
            assert await client.ask(tcp("06 e300 03e8")) == tcp("86 04")
            del one.current.values["value_0"]
            one.current.texts["magic"] = 1.5
            assert await client.ask(tcp(read_pdu(50000, 1))) == tcp("83 04")
        assert [(entry["log_level"], entry["unit"]) for entry in logs] == [("error", "M-70/I-30")] * 2
        assert one.counters.failures == 2
        assert await client.ask(READ) == ANSWER


async def test_a_module_identifies_itself() -> None:
    async with bench() as one, connected(one.address) as client:
        reply = await client.ask(tcp("2b 0e 01 00"))
        assert reply[7:] == bytes.fromhex("2b0e01820000 03") + b"\0\x07SOCOMEC\x01\x04I-30\x02\x041.34"
        reply = await client.ask(tcp("2b 0e 02 04"))
        assert reply[14:] == b"\x04\x04I-30\x05\x0aDIRIS I-30\x06\x04I-30"


def test_a_storm_of_connections_leaves_the_clients_that_are_in_undisturbed(on_loop) -> None:  # type: ignore[no-untyped-def]
    async def scenario() -> None:
        async with bench(ConnectionLimits(8)) as one, AsyncExitStack() as stack:
            inside = [await stack.enter_async_context(connected(one.address)) for _ in range(8)]
            for client in inside:
                assert await client.ask(READ) == ANSWER

            async def knock() -> bool:
                async with connected(one.address) as client:
                    return await client.is_closed()

            assert all(await asyncio.gather(*(knock() for _ in range(200))))
            for client in inside:
                assert await client.ask(READ) == ANSWER
            assert one.counters.connections == 8
            assert one.counters.refused_connections == 200

    on_loop(scenario)


async def test_a_client_that_leaves_makes_room_for_another() -> None:
    async with bench(ConnectionLimits(1)) as one:
        for _ in range(5):
            async with connected(one.address) as client:
                assert await client.ask(READ) == ANSWER
                client.writer.write_eof()
                assert await client.is_closed()  # only then has the server noticed
        assert one.counters.connections == 5
        assert one.counters.refused_connections == 0


async def test_512_connections_can_be_allowed() -> None:
    async with bench(ConnectionLimits(512)) as one, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(one.address)) for _ in range(128)]
        for client in clients:
            await client.send(READ)
        assert [await client.take_tcp() for client in clients] == [ANSWER] * 128


async def test_a_silent_client_is_hung_up_on() -> None:
    async with bench(ConnectionLimits(8, idle_s=0.3)) as one, connected(one.address) as client:
        assert await client.ask(READ) == ANSWER
        assert await client.is_closed()
        assert one.counters.idle_connections == 1


class Hose:
    """As much of a transport as a connection touches."""

    def __init__(self) -> None:
        self.is_aborted = False
        self.sent: list[bytes] = []
        self.write = self.sent.append

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 0

    def abort(self) -> None:
        self.is_aborted = True


async def test_single_bytes_dripping_in_do_not_keep_a_connection_but_requests_do() -> None:
    connection = Bench().server.make_connection()
    hose = Hose()
    connection.connection_made(hose)  # type: ignore[arg-type]
    for step in range(20):
        if step < 10:
            connection.get_buffer(-1)[: len(READ)] = READ
            connection.buffer_updated(len(READ))
        elif step < 15:
            connection.get_buffer(-1)[:1] = READ[step - 10 : step - 9]
            connection.buffer_updated(1)
        connection._timer.cancel()  # type: ignore[union-attr]  # the test turns the clock by hand
        connection._watch()
        if hose.is_aborted:
            break
    assert step == 14
    assert len(hose.sent) == 10
    connection.connection_lost(None)


def test_a_client_that_does_not_read_holds_up_nobody_and_loses_nothing(on_loop) -> None:  # type: ignore[no-untyped-def]
    async def scenario() -> None:
        async with bench() as one, connected(one.address) as other, AsyncExitStack() as stack:
            slow = stack.enter_context(socket.socket())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(slow, one.address)
            request, count = tcp(read_pdu(18432, 100)), 60_000
            sending = asyncio.create_task(loop.sock_sendall(slow, request * count))
            backlog = 0
            while not backlog:
                assert await other.ask(READ) == ANSWER
                backlog = max(backlog_of(connection) for connection in one.server.connections)
            for _ in range(200):
                assert await other.ask(READ) == ANSWER
            assert max(backlog_of(connection) for connection in one.server.connections) < 512 * 1024
            taken, size = 0, 9 + 200
            while taken < count * size:
                taken += len(await asyncio.wait_for(loop.sock_recv(slow, 1 << 20), PATIENCE_S))
            await sending
            assert taken == count * size

    on_loop(scenario)


def backlog_of(connection: object) -> int:
    transport = connection._transport  # type: ignore[attr-defined]
    return 0 if transport is None else transport.get_write_buffer_size()


async def test_a_closed_port_has_dropped_its_clients_and_can_be_opened_again() -> None:
    one = Bench()
    address = await one.server.start("127.0.0.1", 0)
    async with connected(address) as client:
        assert await client.ask(READ) == ANSWER
        await one.server.close()
        assert await client.is_closed()
    await one.server.close()
    again = Bench()
    assert await again.server.start(*address) == address
    await again.server.close()


async def test_a_taken_port_is_said_to_be_taken() -> None:
    async with bench() as one:
        with pytest.raises(OSError, match="address already in use"):
            await Bench().server.start(*one.address)


@pytest.mark.parametrize(("connections", "idle_s"), [(0, 60.0), (8, 0.0)])
def test_limits_that_admit_nobody_are_refused(connections: int, idle_s: float) -> None:
    with pytest.raises(ValueError, match="room"):
        ConnectionLimits(connections, idle_s)
