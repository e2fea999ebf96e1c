"""The short path and pymodbus's own classes say the same, byte for byte, whatever the request."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.buses.fakes import FakeHandler, FakeSite, current_module, gateway, voltage_module
from tests.buses.wire import read_pdu, rtu, tcp
from virtual_digiware.buses.digiware import DigiwareBus
from virtual_digiware.buses.modbus.counters import Counters
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.buses.modbus.rtu import RtuResponder
from virtual_digiware.buses.modbus.station import Station
from virtual_digiware.buses.modbus.tcp import ModbusTcpServer

EDGES = (0, 18431, 18432, 18531, 18532, 20480, 50000, 50068, 50069, 50071, 50072, 58112, 65535)
ADDRESSES = st.sampled_from(EDGES).flatmap(lambda edge: st.integers(max(edge - 3, 0), min(edge + 90, 65535)))
COUNTS = st.integers(1, 40) | st.integers(0, 130) | st.sampled_from([0, 125, 126, 65535])
UNITS = st.integers(1, 6) | st.integers(0, 255)


def server_and_responder() -> tuple[FakeSite, ModbusTcpServer, RtuResponder]:
    site = FakeSite()
    modules = [voltage_module(), current_module(), current_module("M-70/two", 5, circuits=("a", "b"))]
    station = Station(gateway(), DigiwareBus(None, [(module, 1.0) for module in modules]))
    images, handler = Images(site), FakeHandler()
    server = ModbusTcpServer(station, site, images, handler)
    return site, server, RtuResponder(station, site, images, handler, Counters())


@given(
    st.lists(st.tuples(UNITS, st.sampled_from([3, 4]) | st.integers(0, 255), ADDRESSES, COUNTS), max_size=30)
)
@settings(max_examples=200)
def test_short_path_and_pymodbus_give_identical_frames(requests: list[tuple[int, int, int, int]]) -> None:
    site, server, responder = server_and_responder()
    for number, (unit_id, function, address, count) in enumerate(requests * 2):
        if number % 7 == 0:
            site.version += 1
        pdu = read_pdu(address, count, function)
        over_tcp = tcp(pdu, unit_id, number)
        assert server.reply(over_tcp) == server.full_reply(over_tcp)
        if unit_id != 0 and function < 0x80:
            over_rtu = rtu(pdu, unit_id)
            assert responder.reply(over_rtu) == responder.full_reply(over_rtu)


@given(st.binary(min_size=1, max_size=20), UNITS)
def test_any_pdu_gets_the_same_frame_on_both_ways(pdu: bytes, unit_id: int) -> None:
    _, server, _ = server_and_responder()
    frame = tcp(pdu, unit_id)
    assert server.reply(frame) == server.full_reply(frame)


def test_the_short_path_is_taken_and_kept() -> None:
    site, server, responder = server_and_responder()
    frame = tcp(read_pdu(18432, 92))
    assert server.reply(frame) == server.reply(frame)
    assert list(server.kept) == [frame[2:]]
    assert server.counters.functions == {3: 2}
    assert responder.kept_reply(rtu(read_pdu(18432, 92))) is None
    responder.reply(rtu(read_pdu(18432, 92)))
    assert responder.kept_reply(rtu(read_pdu(18432, 92))) is not None
    site.version += 1
    assert responder.kept_reply(rtu(read_pdu(18432, 92))) is None


def test_kept_replies_are_bounded() -> None:
    _, server, responder = server_and_responder()
    for address in range(18432, 18532):
        for count in range(1, 60):
            server.reply(tcp(read_pdu(address, count)))
            responder.reply(rtu(read_pdu(address, count)))
    assert 0 < len(server.kept) <= 4096
    assert 0 < len(responder._kept) <= 4096
