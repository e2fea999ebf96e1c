"""What a program is told of a point, against the listing of all points."""

from __future__ import annotations

from collections import Counter

import pytest

from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.points_listing import PointLine, Selection, point_lines
from virtual_digiware.simulator.session.values import value_of
from virtual_digiware.simulator.site_file import load_site, parse_site
from virtual_digiware.testing import Site

AT = 1_772_445_600_000
METERS = """\
site: third
sources: {grid: {voltage_v: 400, transformer_kva: 100}}
boards: {main: {source: grid, circuits: {pump: {loads: [{class: motor-dol, power_kw: 11}]}}}}
gateways: [{name: m70, product: M-70, bus: [{name: u, product: U-10, address: 2}]}]
meters:
  - {name: a40, product: A-40, address: 21, circuits: [{circuit: pump, nominal_a: 63}],
     modbus_tcp: {port: 1510, alternative: 1511}}
"""


def agrees(line: PointLine, value: object) -> bool:
    if line.value is None or isinstance(line.value, str):
        return value == line.value
    if not isinstance(value, int | float):
        return False
    # The listing rounds to what the register can show; whole kWh leave out their residual.
    step = 1.0 if line.point.endswith(("_import", "_export", "_lagging", "_leading")) else line.scale
    return abs(value - line.value) <= max(step, abs(line.value) * 1e-6) * 1.000001


@pytest.mark.parametrize("site", ["demo", "meters"])
def test_every_point_of_the_listing_has_the_same_value(site):
    file = load_site("demo") if site == "demo" else parse_site(METERS)
    building = Building(file, AT)
    lines = list(point_lines(building, AT + 7_200_000, Selection()))
    places = Counter((line.gateway, line.module, line.table, line.point) for line in lines)
    compared = 0
    for line in lines:
        if places[line.gateway, line.module, line.table, line.point] > 1:
            continue  # of several circuits or inputs: see below
        path = f"{line.gateway}/{line.module}" if line.module else line.gateway
        value = value_of(building.model, path, line.point, line.table)
        assert agrees(line, value), (line, value)
        compared += 1
    assert compared > 90


def test_every_circuit_of_a_module_with_several_has_values_of_its_own():
    building = Building(load_site("demo"), AT)
    lines = list(point_lines(building, AT, Selection(unit="i60", point="active_power_total")))
    now = {line.circuit: line for line in lines if line.table == "circuit.instantaneous"}
    assert len(now) == 4
    for circuit, line in now.items():
        assert agrees(line, value_of(building.model, circuit, "active_power_total"))
    assert len({line.value for line in now.values()}) == 4


def test_a_meter_is_reached_on_a_port_of_its_own_also_after_a_restart():
    with Site(METERS) as site:
        place = site.modbus("a40")
        assert place == site.modbus("A-40") != site.modbus("m70")
        assert site.unit_id("a40") == 21
        assert site.truth("pump", "active_power_total") == site.truth("a40", "active_power_total") > 5000
        site.restart()
        assert site.modbus("a40") == place
