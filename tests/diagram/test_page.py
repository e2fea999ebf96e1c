"""Whatever a site has, its picture keeps things apart, and its wires join what the site file joins."""

from __future__ import annotations

from itertools import combinations

import pytest

from tests.diagram.geometry_of import joined_keys, wire_boxes, word_boxes
from tests.diagram.hard_sites import large_site
from virtual_digiware.simulator.diagram.geometry import Box, Page
from virtual_digiware.simulator.diagram.page import page_of, picture_of
from virtual_digiware.simulator.diagram.parts import Device
from virtual_digiware.simulator.site_file import SiteFile, load_site, parse_site, shipped_sites

FIGURES = [name for name in shipped_sites() if name.startswith("fig-")]


def page(file: SiteFile) -> Page:
    return page_of(picture_of(file.site, "M-70, " * 60))


@pytest.fixture(params=[*shipped_sites(), "large", "large with clients"], scope="module")
def drawn(request: pytest.FixtureRequest) -> Page:
    name: str = request.param
    return page(large_site("clients" in name) if name.startswith("large") else load_site(name))


def overlapping(boxes: list[Box]) -> list[tuple[Box, Box]]:
    return [(one, other) for one, other in combinations(boxes, 2) if one.meets(other)]


def test_no_two_boxes_overlap(drawn):
    assert not overlapping([thing.box for thing in (*drawn.placed, *drawn.samples)])
    assert not overlapping([frame.box for frame in drawn.frames])


def test_every_device_stands_in_one_cabinet(drawn):
    cabinets = [frame.box for frame in drawn.frames if frame.kind == "cabinet"]
    devices = [placed.box for placed in drawn.placed if isinstance(placed.what, Device)]
    assert devices
    assert all(sum(cabinet.holds(device) for cabinet in cabinets) == 1 for device in devices)


def test_words_stay_in_their_boxes(drawn):
    for owner in (*drawn.frames, *drawn.placed):
        for text in owner.texts:
            assert owner.box.holds(text.box), text.text
    legend = drawn.frames[-1].box
    assert all(legend.holds(sample.text.box) and legend.holds(sample.box) for sample in drawn.samples)


def test_no_two_words_overlap(drawn):
    assert not overlapping(word_boxes(drawn))


def test_nothing_is_beside_the_page(drawn):
    sheet = Box(-1, -1, drawn.width + 2, drawn.height + 2)
    things = [owner.box for owner in (*drawn.frames, *drawn.placed)]
    assert all(sheet.holds(box) for box in [*things, *word_boxes(drawn), *(b for _, b in wire_boxes(drawn))])


def test_no_wire_crosses_a_device_or_a_word(drawn):
    obstacles = [thing.box for thing in (*drawn.placed, *drawn.samples)] + word_boxes(drawn)
    for wire, box in wire_boxes(drawn):
        assert not [obstacle for obstacle in obstacles if box.meets(obstacle)], wire


def test_no_wire_runs_on_top_of_another(drawn):
    """They may cross. The branches of a supply share their way on purpose."""
    shown = [(wire, box) for wire, box in wire_boxes(drawn) if wire.medium != "supply"]
    for (one, box), (other, other_box) in combinations(shown, 2):
        if box.meets(other_box) and (box.width > box.height) == (other_box.width > other_box.height):
            assert one is other, (one, other)


@pytest.mark.parametrize("name", FIGURES)
def test_a_bus_joins_its_head_and_its_modules(name):
    file = load_site(name)
    expected = [
        {f"gateway {one.name}", *(f"gateway {one.name} module {module.name}" for module in one.bus)}
        for one in file.site.gateways
        if one.bus
    ]
    assert joined_keys(page(file), "digiware") == sorted(expected, key=sorted)


@pytest.mark.parametrize("name", FIGURES)
def test_a_line_joins_everybody_on_it_and_nobody_else(name):
    file = load_site(name)
    site = file.site
    expected = []
    for line in site.lines:
        keys = {f"gateway {one.name}" for one in site.gateways if one.rs485 and one.rs485.line == line}
        keys |= {f"meter {one.name}" for one in site.meters if one.rs485 and one.rs485.line == line}
        keys |= {f"client {one.name}" for one in site.supervisors if one.line == line}
        expected.append(keys)
    assert joined_keys(page(file), "rs485") == sorted(expected, key=sorted)


@pytest.mark.parametrize(
    ("name", "networks"),
    [
        ("fig-01", []),
        ("fig-12", [{"client supervisor", "gateway m70"}]),
        ("fig-13", [{"client supervisor", "gateway m50_main", "gateway m50_lab", "gateway m50_canteen"}]),
        ("demo", [{"client \0", "gateway m70"}]),
    ],
)
def test_ethernet_joins_gateways_and_whoever_asks_them(name, networks):
    assert joined_keys(page(load_site(name)), "ethernet") == networks


def test_meters_stand_below_the_client_of_their_line_where_it_has_no_bus():
    drawn = page(large_site(with_clients=False))
    assert {"gateway m50", "meter e1", "meter e2"} in joined_keys(drawn, "rs485")


def test_a_line_with_a_pty_waits_for_a_client_and_one_with_a_gateway_as_client_does_not():
    lines = joined_keys(page(large_site(with_clients=False)), "rs485")
    assert {"gateway c31_too", "client \0two"} in lines
    assert {"gateway d70", "gateway c31"} in lines


def test_a_supervisor_whom_nobody_can_answer_is_drawn_without_a_wire():
    text = load_site("single").text.file.read_text(encoding="utf-8")
    alone = parse_site(text + "\nsupervisors: [{name: scada, ethernet: true}]\n")
    drawn = page(alone)
    assert [placed.what.title for placed in drawn.placed if placed.kind == "client"] == ["scada"]
    assert joined_keys(drawn, "ethernet") == joined_keys(drawn, "rs485") == []


def test_who_asks_all_joins_those_whom_others_ask():
    (network,) = joined_keys(page(large_site(with_clients=True)), "ethernet")
    asking = {"client first", "client second", "client third"}
    assert network == asking | {"gateway d70", "gateway m50", "meter t1", "meter t2"}
