"""Names of points: what they mean, and what somebody is told who got one wrong."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from virtual_digiware.simulator.cli import app
from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.oracle.oracle import SiteOracle, SnapshotOracle
from virtual_digiware.simulator.oracle.places import PointUnknown, places_of
from virtual_digiware.simulator.site_file import load_site

AT = "2026-03-02T10:00:00Z"


@pytest.fixture(scope="module")
def demo() -> SnapshotOracle:
    return SiteOracle(load_site("demo")).at(parse_instant(AT))


def test_every_point_has_a_name_that_means_it_alone(demo: SnapshotOracle) -> None:
    names = [place.name for unit in demo.units for place in places_of(unit)]
    assert len(names) == len(set(names)) > 3000
    for name in names[::97]:
        assert demo.place(name).name == name


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("i35/incomer/active_power_total", "m70/i35/incomer/circuit.instantaneous.active_power_total"),
        ("I-35/incomer/active_power_total", "m70/i35/incomer/circuit.instantaneous.active_power_total"),
        ("3/incomer/active_power_total", "m70/i35/incomer/circuit.instantaneous.active_power_total"),
        ("m70/i35/*/average.current_l1", "m70/i35/incomer/circuit.average.current_l1"),
        ("m70/u30/frequency", "m70/u30/network.instantaneous.frequency"),
        ("io20/1/temperature", "m70/io20/1/io.temperatures.temperature"),
        ("i35/incomer/active_energy_import", "m70/i35/incomer/circuit.energy.active_energy_import"),
    ],
)
def test_a_name_may_be_short(demo: SnapshotOracle, name: str, meant: str) -> None:
    assert demo.place(name).name == meant


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("i35/incommer/active_power_total", "it has: incomer. Did you mean incomer?"),
        ("i35/incomer/active_power_totl", "Did you mean active_power_total?"),
        ("m70/i36/incomer/active_power_total", "no unit 'm70/i36'; there are: m70, m70/u30"),
        ("i35/active_power_total", "outside its circuits or inputs: incomer"),
        ("u30/voltage_l1", "m70/u30 has no point 'voltage_l1'. Did you mean voltage_l1_n?"),
        ("i35", "right would be UNIT/CIRCUIT/POINT or UNIT/POINT"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(demo: SnapshotOracle, name: str, told: str) -> None:
    with pytest.raises(PointUnknown) as caught:
        demo.truths(name)
    assert told in str(caught.value)


def test_one_truth_is_not_told_of_many_points(demo: SnapshotOracle) -> None:
    with pytest.raises(PointUnknown, match=r"means 4 points: .* name one of them"):
        demo.truth("i60/*/active_power_total")


def test_a_time_before_the_last_one_may_be_asked(demo: SnapshotOracle) -> None:
    oracle, name = SiteOracle(load_site("demo")), "u30/frequency"
    late, early = parse_instant("2026-03-02T10:00:10Z"), parse_instant(AT)
    first = oracle.at(late).truth(name)
    assert oracle.at(early).truth(name).modbus == demo.truth(name).modbus
    assert oracle.at(late).truth(name).modbus == first.modbus


def test_a_unit_without_an_address_has_no_registers(demo: SnapshotOracle) -> None:
    [c31] = [unit for unit in demo.units if unit.path == "c31"]
    assert all(demo.truth_of(place).modbus is None for place in places_of(c31))


def test_the_command_line_refuses_a_wrong_name() -> None:
    done = CliRunner().invoke(app, ["truth", "demo", "i35/incommer/current_l1", "--at", AT])
    assert (done.exit_code, "Did you mean incomer?" in done.stderr) == (2, True)
