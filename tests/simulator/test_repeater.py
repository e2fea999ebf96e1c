"""A C-32 on the bus: no address and no registers, a new length and a new supply."""

from __future__ import annotations

from pathlib import Path

import pytest

from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.bus_chain import bus_segments
from virtual_digiware.simulator.site_file import SiteFile, parse_site
from virtual_digiware.simulator.yaml_text import FileFaults

SITE = """\
site: hall
sources: {mains: {}}
boards:
  main: {source: mains, circuits: {a: {loads: [{class: resistive, power_kw: 2}]}}}
gateways:
  - name: m50
    product: M-50
    supply: {watts: 20}
    cabinet: near
    bus:
      - {name: u, product: U-30}
      - {name: rep, product: C-32, cable_m: 90, supply: P15, cabinet: far}
      - {name: i, product: I-35, cable_m: 80, rj45_couplers: 1, circuits: [{circuit: a}]}
cabinets: {near: {title: Hall}, far: {}}
"""


def site(text: str = SITE) -> SiteFile:
    return parse_site(text, Path("hall.yaml"))


def test_a_repeater_takes_no_address():
    building = Building(site(), 0)
    (gateway,) = building.layout.gateways
    assert [(module.name, module.address, module.cable_m) for module in gateway.modules] == [
        ("u", 2, 0.5),
        ("i", 3, 170),
    ]
    assert "m50/rep" not in building.model.units


def test_modules_behind_a_repeater_vanish_with_a_cut_before_it():
    bus = Building(site(), 0).stations["m50"].bus
    assert [unit.path for unit in bus.cut_at(60)] == ["m50/i"]
    assert bus.overloaded() == ()


def test_a_bus_knows_whom_a_small_supply_does_not_reach():
    bus = Building(site(SITE.replace("supply: P15", "supply: {watts: 2}")), 0).stations["m50"].bus
    assert [unit.path for unit in bus.overloaded()] == ["m50/i"]


def test_each_segment_has_its_own_supply_and_length():
    near, far = bus_segments(site().site.gateways[0])
    assert (near.supply_w, near.length_m, near.total_w) == (20, 90.5, pytest.approx(2.5 + 0.72 + 90.5 * 0.03))
    assert (far.supply_w, far.length_m) == (15, pytest.approx(83.33, abs=0.01))
    assert far.total_w == pytest.approx(1 + 0.52 + 80 * 0.03 + 0.1)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("product: C-32,", "product: C-32, address: 9,", "gateways[0].bus[1].address"),
        ("product: C-32,", "product: C-32, circuits: [{circuit: a}],", "gateways[0].bus[1].circuits"),
        ("product: U-30", "product: U-30, supply: P15", "gateways[0].bus[0].supply"),
        ("watts: 20", "watts: 0", "gateways[0].supply.watts"),
    ],
)
def test_a_key_that_does_not_belong_is_refused(old, new, key):
    with pytest.raises(FileFaults) as caught:
        site(SITE.replace(old, new))
    assert key in [fault.key for fault in caught.value.faults]


def test_where_things_stand_and_what_feeds_them_does_not_touch_what_is_read():
    moved = SITE.replace("title: Hall", "title: Other")
    assert site(moved).fingerprint == site().fingerprint
