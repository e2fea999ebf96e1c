"""Whatever a site has, its picture keeps things apart, and its wires join what the site file joins."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.diagram.apart import CLAIMS
from tests.diagram.geometry_of import joined_keys
from tests.diagram.hard_sites import any_sites, large_site
from virtual_digiware.simulator.diagram.geometry import Page
from virtual_digiware.simulator.diagram.page import page_of, picture_of
from virtual_digiware.simulator.diagram.parts import Supply
from virtual_digiware.simulator.site_file import SiteFile, load_site, parse_site, shipped_sites

FIGURES = [name for name in shipped_sites() if name.startswith("fig-")]


def page(file: SiteFile) -> Page:
    return page_of(picture_of(file.site, "M-70, " * 60))


@pytest.fixture(params=[*shipped_sites(), "large", "large with clients"], scope="module")
def drawn(request: pytest.FixtureRequest) -> Page:
    name: str = request.param
    return page(large_site("clients" in name) if name.startswith("large") else load_site(name))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_every_shipped_site_and_a_hard_one_are_drawn_so_that(claim, drawn):
    claim(drawn)


@given(any_sites())
def test_any_site_is_drawn_with_everything_apart(site):
    drawn = page_of(picture_of(site, "M-70"))
    for claim in CLAIMS:
        claim(drawn)


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


def test_a_source_is_shown_with_its_transfer_switch_and_with_the_boards_before_it():
    text = (
        "site: s\nsources: {mains: {}, genset: {kind: genset}}\n"
        "transfers: {ats: {sources: [mains, genset]}}\n"
        "boards:\n"
        "  plain: {source: mains, circuits: {a: {loads: [{class: resistive, power_kw: 1}]}}}\n"
        "  safe: {transfer: ats, circuits: {b: {loads: [{class: resistive, power_kw: 1}]}}}\n"
        "gateways: [{name: m, product: M-50}]\n"
    )
    drawn = page(parse_site(text))
    supplies = [placed.what.label for placed in drawn.placed if isinstance(placed.what, Supply)]
    assert sorted(supplies) == ["ats", "genset", "mains", "mains", "plain", "safe"]
    for claim in CLAIMS:
        claim(drawn)


def test_who_asks_all_joins_those_whom_others_ask():
    (network,) = joined_keys(page(large_site(with_clients=True)), "ethernet")
    asking = {"client first", "client second", "client third"}
    assert network == asking | {"gateway d70", "gateway m50", "meter t1", "meter t2"}
