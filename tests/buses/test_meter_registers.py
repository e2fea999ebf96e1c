"""Products that keep holding and input registers apart, and allow less than Modbus does: both paths agree."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.buses.fakes import FakeHandler
from tests.buses.wire import read_pdu, rtu, tcp
from virtual_digiware.buses.modbus.counters import Counters
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.buses.modbus.rtu import RtuResponder
from virtual_digiware.buses.modbus.tcp import ModbusTcpServer
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import parse_site

START = 1_772_445_600_000
SITE = """\
site: bench
sources: {mains: {}}
boards: {main: {source: mains, circuits: {saw: {loads: [{class: resistive, power_kw: 9}]}}}}
gateways: [{name: gate, product: M-70, bus: []}]
meters:
  - {name: sdm, product: SDM630, circuits: [{circuit: saw}], modbus_tcp: {alternative: 1510}}
  - {name: iem, product: iEM3155, circuits: [{circuit: saw}], modbus_tcp: {alternative: 1511}}
  - name: own
    product: generic
    circuits: [{circuit: saw}]
    modbus_tcp: {alternative: 1512}
    registers:
      - {point: active_power_total, register_number: 11, type: float32, word_order: low_first, function: 4}
      - {point: current_l1, address: 10, type: u16, scale: 0.01, function: 3}
      - {point: voltage_l1_n, address: 11, type: u32, word_order: low_first, scale: 0.1, function: 3}
"""
MODEL = Building(parse_site(SITE, Path("bench.yaml")), START)
MODEL.model.publish(MODEL.model.compute(START + 60_000))
SERVERS = {
    name: ModbusTcpServer(station, MODEL.model, Images(MODEL.model), FakeHandler())
    for name, station in MODEL.meter_stations.items()
}
ADDRESSES = st.integers(0, 400) | st.integers(2990, 3220) | st.integers(45095, 45130) | st.integers(0, 65535)


def ask(name: str, function: int, address: int, count: int) -> bytes:
    """The response PDU."""
    reply = SERVERS[name].reply(tcp(read_pdu(address, count, function), 1))
    assert reply is not None
    return reply[7:]


@given(st.sampled_from(sorted(SERVERS)), st.integers(1, 127), ADDRESSES, st.integers(0, 130))
def test_both_paths_give_identical_frames(name: str, function: int, address: int, count: int) -> None:
    station = MODEL.meter_stations[name]
    responder = RtuResponder(station, MODEL.model, Images(MODEL.model), FakeHandler(), Counters())
    for unit_id in (1, 255):
        frame = tcp(read_pdu(address, count, function), unit_id)
        assert SERVERS[name].reply(frame) == SERVERS[name].full_reply(frame)
    on_line = rtu(read_pdu(address, count, function), 1)
    assert responder.reply(on_line) == responder.full_reply(on_line)


def test_input_and_holding_registers_at_one_address_are_two_things() -> None:
    (volts,) = struct.unpack(">f", ask("sdm", 4, 0, 2)[2:])
    assert 220 < volts < 250
    assert ask("sdm", 3, 0, 2)[2:] == bytes(4)
    (address,) = struct.unpack(">f", ask("sdm", 3, 20, 2)[2:])
    assert address == 1
    low, high = struct.unpack(">2s2s", ask("own", 4, 10, 2)[2:])
    (watts,) = struct.unpack(">f", high + low)
    assert 8500 < watts < 10_500
    current, low_word, high_word = struct.unpack(">HHH", ask("own", 3, 10, 3)[2:])
    assert current / 100 == pytest.approx(watts / 3 / volts, rel=0.02)
    assert (high_word << 16 | low_word) / 10 == pytest.approx(volts, abs=0.06)


@pytest.mark.parametrize(
    ("name", "function", "address", "count", "code"),
    [
        ("sdm", 4, 0, 80, None),
        ("sdm", 4, 0, 82, 3),  # the document's larger limit
        ("sdm", 4, 0, 3, 3),  # half a value
        ("sdm", 3, 100, 2, 2),
        ("sdm", 6, 20, 2, 1),  # function 16 only
        ("iem", 4, 2999, 2, 1),  # holding registers only
        ("iem", 3, 3000 - 1, 2, None),
        ("iem", 3, 100, 2, 2),
        ("own", 4, 11, 2, 2),
        ("own", 6, 10, 1, 1),
    ],
)
def test_what_a_document_excludes_gets_an_exception(
    name: str, function: int, address: int, count: int, code: int | None
) -> None:
    reply = ask(name, function, address, count)
    assert (reply[1] if reply[0] & 0x80 else None) == code
