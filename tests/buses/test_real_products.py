"""The products of the catalogue, as the demo site installs them, read word by word."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.buses.fakes import FakeHandler
from tests.buses.wire import read_pdu, rtu, tcp
from virtual_digiware.buses.identification import basic_and_regular_objects, net_id
from virtual_digiware.buses.modbus.image import Images, is_readable
from virtual_digiware.buses.modbus.rtu_line import RtuLine
from virtual_digiware.buses.modbus.station import Station
from virtual_digiware.buses.modbus.tcp import ModbusTcpServer
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.unit import Unit
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import load_site

COMMISSIONED_MS = 1772445600000  # 2026-03-02T10:00:00Z


@pytest.fixture(scope="module")
def building() -> Building:
    one = Building(load_site("demo"), COMMISSIONED_MS)
    one.model.publish(one.model.compute(COMMISSIONED_MS + 3_600_000))
    return one


@pytest.fixture(scope="module")
def model(building: Building) -> SiteModel:
    return building.model


@pytest.fixture(scope="module")
def station(building: Building) -> Station:
    return building.stations["m70"]


def readable_spans(unit: Unit) -> Iterator[tuple[int, int]]:
    """Address and count of reads that together cover everything that the unit shows."""
    for placed in unit.product.blocks:
        if is_readable(placed):
            for address in range(placed.base, placed.end, 125):
                yield address, min(125, placed.end - address)


def test_every_register_that_a_unit_shows_can_be_read_and_both_ways_agree(
    model: SiteModel, station: Station
) -> None:
    server = ModbusTcpServer(station, model, Images(model), FakeHandler())
    reads = 0
    with capture_logs() as logs:
        for unit in (station.own, *station.bus):
            assert unit is not None
            assert unit.address is not None
            for address, count in readable_spans(unit):  # type: ignore[arg-type]
                frame = tcp(read_pdu(address, count), unit.address)
                reply = server.reply(frame)
                assert reply[7] == 3, (unit.path, address, count)
                assert len(reply) == 9 + 2 * count
                assert server.full_reply(frame) == reply
                reads += 1
    assert logs == []
    assert reads > 500
    assert server.counters.failures == server.counters.exceptions == 0


def test_what_a_unit_shows_ends_at_its_blocks(model: SiteModel) -> None:
    images = Images(model)
    for unit in model.units.values():
        shown = {
            word
            for placed in unit.product.blocks
            if is_readable(placed)
            for word in range(placed.base, placed.end)
        }
        image = images.of(unit)
        edges = {word + step for word in shown for step in (-1, 1)} - shown
        assert all(image.read(word, 1) is None for word in edges)


def test_a_slot_without_a_circuit_reads_as_disabled_and_empty(model: SiteModel) -> None:
    """An I-60 has six load slots; four circuits of the demo site leave slots 5 and 6."""
    image = Images(model).of(model.units["m70/i60"])  # type: ignore[arg-type]
    for slot, status in enumerate((1, 1, 1, 1, 0, 0)):
        words = image.read(18432 + 2048 * slot, 92)
        assert words is not None
        assert int.from_bytes(words[:2]) == status
        assert any(words[2:]) == bool(status)
    assert image.read(18432 + 2048 * 6, 1) is None


def test_a_module_is_recognised_by_its_identification(model: SiteModel, station: Station) -> None:
    server = ModbusTcpServer(station, model, Images(model), FakeHandler())
    for unit in station.bus:
        assert unit.address is not None
        reply = server.reply(tcp(read_pdu(50000, 69), unit.address))
        words = struct.unpack(">69H", reply[9:])
        assert bytes(words[:4]) == b"SOCO"
        assert struct.pack(">8H", *words[42:50]).rstrip(b"\0") == b"SOCOMEC"
        assert words[67] << 16 | words[68] == net_id(unit)
        assert basic_and_regular_objects(unit)[0] == b"SOCOMEC"
    ids = [net_id(unit) for unit in station.bus]
    assert len(set(ids)) == len(ids)


def test_the_modules_behind_a_c31_answer_on_its_line_under_their_own_addresses(building: Building) -> None:
    station = building.stations["c31"]
    model = building.model
    line = RtuLine([station], model, Images(model), FakeHandler())
    sent: list[bytes] = []
    for unit in station.bus:
        assert unit.address is not None
        reply = line.exchange(rtu(read_pdu(50000, 4), unit.address), line.timing)
        assert reply == rtu("03 08 0053 004f 0043 004f", unit.address)
        sent.append(reply)
    assert len(sent) == len(station.bus) > 0
    assert line.exchange(rtu(read_pdu(50000, 4), 1), line.timing) == b""


def test_the_voltage_reference_of_each_bus_is_its_u_module(building: Building) -> None:
    for station in building.stations.values():
        reference = station.bus.voltage_reference()
        assert reference is not None
        assert reference.product.name.startswith("U-")
