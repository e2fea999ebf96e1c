"""The chain of modules behind one head."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.buses.fakes import FakeUnit, block, current_module, gateway, product, row, voltage_module
from virtual_digiware.buses.digiware import DigiwareBus
from virtual_digiware.buses.identification import basic_and_regular_objects, net_id
from virtual_digiware.buses.modbus.station import LineDirectory, Station


def chain(*addresses: int) -> tuple[DigiwareBus, list[FakeUnit]]:
    units = [current_module(f"M-70/I-{order}", address) for order, address in enumerate(addresses)]
    return DigiwareBus(gateway(), [(unit, 0.5) for unit in units]), units


def test_positions_add_up_along_the_cable() -> None:
    bus = DigiwareBus(
        gateway(), [(voltage_module(), 1.0), (current_module(), 0.5), (current_module("x", 9), 10)]
    )
    assert [stop.position_m for stop in bus.stops] == [1.0, 1.5, 11.5]
    assert [stop.order for stop in bus.stops] == [0, 1, 2]
    assert bus.length_m == 11.5
    assert len(bus) == 3


def test_a_module_is_found_under_its_address_while_it_lives() -> None:
    bus, units = chain(3, 4, 5)
    assert bus.find(4) is units[1]
    units[1].is_present = False
    assert bus.find(4) is None
    assert bus.find(99) is None
    assert bus.present() == (units[0], units[2])


def test_a_module_is_found_under_its_new_address_after_it_was_given_one() -> None:
    bus, units = chain(3, 4)
    units[1].address = 12
    assert bus.find(4) is None
    assert bus.find(12) is units[1]


def test_neither_of_two_live_modules_with_one_address_answers() -> None:
    bus, units = chain(3, 4, 4)
    assert bus.find(4) is None
    assert bus.conflicts() == {4: (units[1], units[2])}
    assert bus.find(3) is units[0]
    units[2].is_present = False
    assert bus.find(4) is units[1]
    assert bus.conflicts() == {}


def test_a_cut_cable_takes_away_what_lies_behind_it() -> None:
    bus = DigiwareBus(
        gateway(), [(voltage_module(), 1.0), (current_module(), 0.5), (current_module("x", 9), 10)]
    )
    assert [unit.path for unit in bus.cut_at(1.2)] == ["M-70/I-30", "x"]
    assert bus.cut_at(0.0) == tuple(bus)
    assert bus.cut_at(11.5) == ()
    assert bus.find(9) is not None  # to cut is the caller's doing


def test_the_voltage_reference_is_the_live_u_module() -> None:
    reference = voltage_module()
    bus = DigiwareBus(gateway(), [(current_module(), 1.0), (reference, 1.0)])
    assert bus.voltage_reference() is reference
    reference.is_present = False
    assert bus.voltage_reference() is None


def test_a_longer_chain_has_a_longer_cycle() -> None:
    assert chain(3)[0].cycle_ms < chain(3, 4)[0].cycle_ms
    assert chain(*range(2, 34))[0].cycle_ms < 1000  # a full bus keeps up with a refresh each second


@given(st.integers(0, 2**41), st.integers(0, 4))
def test_a_value_is_never_newer_than_now_nor_older_than_two_cycles(t_ms: int, order: int) -> None:
    bus, units = chain(3, 4, 5, 6, 7)
    collected_ms = bus.collected_at(units[order], t_ms)
    assert t_ms - 2 * bus.cycle_ms < collected_ms < t_ms
    assert bus.collected_at(units[order], t_ms + bus.cycle_ms) == collected_ms + bus.cycle_ms


def test_a_foreign_module_is_not_collected() -> None:
    with pytest.raises(KeyError):
        chain(3)[0].collected_at(current_module("other/I-30"), 0)


def test_an_impossible_chain_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        DigiwareBus(None, [(current_module(), -0.5)])
    with pytest.raises(ValueError, match="once"):
        DigiwareBus(None, [(current_module(), 0.5), (current_module(), 0.5)])


def test_a_module_shows_its_net_id() -> None:
    assert net_id(current_module()) == 0x00C0FFEE


def test_a_gateway_answers_for_itself_and_its_modules() -> None:
    bus, units = chain(3, 4)
    own = gateway()
    station = Station(own, bus)
    assert station.find(1) is own
    assert station.find(4) is units[1]
    assert station.find(0) is None
    assert station.find(255) is None
    assert Station(own, bus, answers_any_unit=True).find(255) is own
    own.is_present = False
    assert station.find(1) is None


def test_a_c31_is_transparent() -> None:
    bus, units = chain(3, 4)
    for own in (None, gateway("C-31", None)):
        station = Station(own, bus)
        assert [station.find(address) for address in (1, 3, 4)] == [None, *units]


def test_devices_of_one_line_that_share_an_address_garble_each_other() -> None:
    first, second = Station(None, chain(3, 4)[0]), Station(None, chain(4, 5)[0])
    line = LineDirectory([first, second])
    assert line.find(4) is None
    assert line.claims(4) == 2
    assert line.find(3) is first.find(3)
    assert line.find(5) is second.find(5)
    assert line.find(6) is None
    assert line.claims(6) == 0


def test_a_unit_without_identification_has_no_net_id_but_still_a_name() -> None:
    unit = FakeUnit("C-31", product("C-31", family="interface"), None)
    assert net_id(unit) is None
    assert basic_and_regular_objects(unit) == {
        0: b"SOCOMEC",
        1: b"C-31",
        2: b"0.00",
        4: b"C-31",
        5: b"C-31",
        6: b"C-31",
    }


def test_a_revision_of_three_parts_is_shown_as_such() -> None:
    rows = [
        row("version_major", 0, "U16", 1),
        row("version_minor", 1, "U16", 1),
        row("software_version", 2, "U16", 1),
    ]
    block_of_three = block("identification", 50000, 3, rows, table="unit.identification")
    unit = FakeUnit(
        "M-70", product("M-70", block_of_three), 1, texts={"version_major": 1, "version_minor": 6}
    )
    assert basic_and_regular_objects(unit)[2] == b"1.6.0"
