"""A gateway that collects other gateways over Ethernet, and shows their units as its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.buses.wire import connected, tcp
from tests.simulator.line_sites import AT, SHOP, Running, read, running
from virtual_digiware.devices.collection import Reading
from virtual_digiware.simulator.site_file import parse_site
from virtual_digiware.simulator.yaml_text import FileFaults

SITE = (
    SHOP
    + """\
lines: {field: {}}
gateways:
  - name: m70
    product: M-70
    cascade: [m50_b, m50_c]
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-30, circuits: [{circuit: incomer}]}
  - name: m50_b
    product: M-50
    modbus_tcp: {host: 127.0.0.2}
    rtu_over_tcp: {host: 127.0.0.2}
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-30, circuits: [{circuit: heater}]}
  - name: m50_c
    product: M-50
    modbus_tcp: {host: 127.0.0.3}
    rtu_over_tcp: {host: 127.0.0.3}
    rs485: {line: field, role: client, reply_ms: 20, retries: 0}
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-30, circuits: [{circuit: pump}]}
  - name: hut
    product: C-31
    rs485: {line: field}
    bus:
      - {name: u, product: U-30, address: 10}
      - {name: i, product: I-60, address: 11, circuits: [{circuit: light}]}
"""
)


def power(site: Running, number: int) -> Reading:
    collection = site.site.building.collections["m70"]
    unit = collection.unit_at(number)
    assert unit is not None
    return collection.reading(unit, "circuit.instantaneous", "active_power_total", 0)


async def test_units_of_equal_address_in_three_cabinets_have_numbers_of_their_own():
    async with running(SITE) as site:
        collection = site.site.building.collections["m70"]
        assert [(collection.number_of(unit), unit.path) for unit in collection.units] == [
            (1, "m70"), (2, "m70/u"), (3, "m70/i"),
            (101, "m50_b"), (102, "m50_b/u"), (103, "m50_b/i"),
            (104, "m50_c"), (105, "m50_c/u"), (106, "m50_c/i"), (107, "hut/u"), (108, "hut/i"),
        ]  # fmt: skip
        for number, gateway, unit in (
            (3, "m70", 3),
            (103, "m50_b", 3),
            (106, "m50_c", 3),
            (108, "m50_c", 11),
        ):
            shown = power(site, number)
            assert (shown.quality, shown.time_ms) == ("good", AT)
            assert round(shown.value) == await site.mbpoll(gateway, unit)


async def test_the_own_port_of_the_master_shows_its_local_space_only():
    async with running(SITE) as site, connected(site.place("m70")) as client:
        for number in (11, 103):
            assert (await client.ask(tcp(read(), number)))[7:] == bytes((0x83, 0x0B))


async def test_one_advance_completes_the_poll_and_between_polls_the_values_stand():
    async with running(SITE) as site:
        cycle_ms = 5000
        await site.site.advance_to(AT + cycle_ms - 1)
        assert (power(site, 103).time_ms, power(site, 3).time_ms) == (AT, AT + cycle_ms - 1)
        await site.site.advance_to(AT + 3 * cycle_ms + 17)
        assert power(site, 103).time_ms == AT + 3 * cycle_ms


async def test_a_unit_that_falls_silent_in_a_slave_is_lost_in_the_master_and_comes_back():
    async with running(SITE) as site:
        collection = site.site.building.collections["m70"]
        site.unplug("m50_b/i")
        for step in range(1, 6):
            await site.site.advance_to(AT + step * 5000)
        assert power(site, 103)[1:] == ("lost", AT)
        assert power(site, 106).quality == "good"
        texts = {one.text for one in site.site.building.model.snapshot.alarms.active if one.unit == "m70"}
        assert texts == {"m50_b/i: no answer"}
        site.unplug("m50_b/i", present=True)
        for step in range(6, 20):
            await site.site.advance_to(AT + step * 5000)
        assert power(site, 103).quality == "good"
        assert not collection.is_lost(collection.units[5])


async def test_a_site_started_later_shows_what_it_would_show_had_it_run_all_the_time():
    text = SITE.replace("site: shop", "site: shop\ncommissioned: 2026-03-02T09:00:00Z")
    end_ms = AT + 7_300
    async with running(text) as site:
        await site.site.advance_to(end_ms)
        shown = [power(site, number) for number in (3, 103, 106, 108)]
    async with running(text, at_ms=end_ms) as later:
        assert [power(later, number) for number in (3, 103, 106, 108)] == shown
    assert [reading.time_ms for reading in shown] == [end_ms, AT + 5000, AT + 5000, AT + 5000]


@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        ("[m50_b, m50_c]", "[m50_b, m50_d]", "Did you mean m50_"),
        ("[m50_b, m50_c]", "[m50_b, m50_b]", "each gateway once"),
        ("[m50_b, m50_c]", "[m70]", "a gateway with a Modbus TCP port and no `cascade` of its own"),
    ],
)
def test_an_impossible_cascade_is_refused(old: str, new: str, right: str):
    with pytest.raises(FileFaults) as refused:
        parse_site(SITE.replace(old, new), Path("site.yaml"))
    assert right in str(refused.value)
