"""Planned wirings: which inputs a layout may have, and what each network type shows of a known current."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.solutions import BALANCED, A, Bench
from virtual_digiware.devices.connections import SENSOR_COUNTS, CurrentInput, Slot, Tap, WiringError, connect
from virtual_digiware.devices.layout import Allocation, GatewayLayout, ModuleLayout, NetworkType, SiteLayout
from virtual_digiware.devices.measurement import Measured, measure
from virtual_digiware.devices.wiring_compilation import compile_wiring, wire
from virtual_digiware.profiles.installation import Load, Phase

UNBALANCED = np.array([10.0, 8.0 * A**2, 6.0 * A])


def allocation(
    network: NetworkType, *phases: str, circuit: str = "load", nominal_a: float = 63.0
) -> Allocation:
    inputs = tuple(range(1, len(phases) + 1))
    return Allocation(circuit, network, inputs, phases, (1,) * len(phases), nominal_a)  # type: ignore[arg-type]


def site(*modules: ModuleLayout) -> SiteLayout:
    return SiteLayout("bench", (GatewayLayout("head", "m-70", 1, modules),))


def measured(
    plan: Allocation, current: np.ndarray, network: NetworkType = "3P+N", **phases: object
) -> Measured:
    bench = Bench({"load": "board"}, phases={"load": phases.get("phases", ("L1", "L2", "L3"))})  # type: ignore[dict-item]
    layout = site(U(network), ModuleLayout("I", "i-35", 3, allocations=(plan,)))
    return measure(bench.solution(BALANCED, current), wire(layout, bench))


def U(network: NetworkType = "3P+N", board: str = "board", name: str = "U") -> ModuleLayout:
    return ModuleLayout(name, "u-30", 2, board=board, network=network)


def test_the_first_of_two_voltage_modules_on_one_bus_gives_the_reference():
    bench = Bench({"load": "board"})
    plan = ModuleLayout("I", "i-35", 3, allocations=(allocation("1P+N", "L1"),))
    slots, taps = connect(site(U(), U(name="U2"), plan), bench.installation)
    assert [tap.unit for tap in taps] == ["head/U", "head/U2"]
    assert [slot.tap for slot in slots] == [0]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (allocation("3P+N", "L1", "L2"), "takes 1 or 3 or 4 sensors, not 2"),
        (allocation("1P+N", "L1", circuit="nowhere"), "no circuit named 'nowhere'"),
        (allocation("3P", "L1", "L1", "L2"), "two sensors on one phase"),
        (allocation("3P+N", "L1", "L2", "N"), "N belongs to the fourth sensor"),
        (allocation("1P+N", "L3"), "has L1, L2, no L3"),
        (replace(allocation("1P+N", "L1"), inputs=(1, 2)), "must have the same length"),
        (replace(allocation("1P+N", "L1"), directions=(0,)), "a direction is 1 or -1"),
    ],
)
def test_an_allocation_that_cannot_be_wired_is_refused_with_its_reason(given, reason):
    bench = Bench({"load": "board"}, phases={"load": ("L1", "L2")})
    layout = site(ModuleLayout("I", "i-35", 3, allocations=(given,)))
    with pytest.raises(WiringError, match=reason) as refusal:
        wire(layout, bench)
    assert refusal.value.unit == "head/I"


def test_a_voltage_module_on_an_unknown_board_is_refused():
    with pytest.raises(WiringError, match="no board named 'attic'; boards: board"):
        wire(site(U(board="attic")), Bench({"load": "board"}))


def test_a_site_without_any_circuit_has_empty_arrays():
    bench = Bench({"load": "board"})
    wiring = wire(site(U()), bench)
    result = measure(bench.solution(BALANCED, UNBALANCED), wiring)
    assert wiring.count == 0
    assert result.current.shape == (1, 0, 3)


def test_inputs_may_be_used_in_any_order_without_changing_what_is_measured():
    straight = measured(allocation("3P+N", "L1", "L2", "L3"), UNBALANCED)
    crossed = measured(allocation("3P+N", "L3", "L1", "L2"), UNBALANCED)
    np.testing.assert_array_equal(crossed.current, straight.current)
    np.testing.assert_array_equal(crossed.active_power, straight.active_power)
    assert crossed.wiring.identity.all()


def test_a_single_phase_load_reports_in_its_own_first_row():
    result = measured(allocation("1P+N", "L2"), UNBALANCED)
    np.testing.assert_allclose(result.current[0, 0], [8.0, np.nan, np.nan])
    np.testing.assert_allclose(result.voltage[0, 0], [230.0, np.nan, np.nan])
    np.testing.assert_allclose(result.active_power[0, 0], [1840.0, np.nan, np.nan])
    np.testing.assert_allclose(result.active_power_total, [[1840.0]])
    np.testing.assert_allclose(result.current_n, [[8.0]])
    assert np.isnan(result.line_voltage).all()
    assert np.isnan(result.current_unbalance).all()


def test_a_load_between_two_phases_has_a_line_voltage_only():
    current = np.array([0.0, 5.0, -5.0]) * np.exp(-0.5j * np.pi)  # in phase with U23
    result = measured(allocation("2P", "L2"), current, phases=("L2", "L3"))
    np.testing.assert_allclose(result.line_voltage[0, 0], [230 * np.sqrt(3), np.nan, np.nan])
    assert np.isnan(result.voltage).all()
    assert np.isnan(result.current_n).all()
    np.testing.assert_allclose(result.active_power_total, [[230 * np.sqrt(3) * 5]])
    np.testing.assert_allclose(result.power_factor_total, [[1.0]])


def test_the_other_sensor_place_of_a_two_phase_load_measures_the_same_power():
    current = np.array([0.0, 5.0, -5.0]) * np.exp(-0.7j)
    one = measured(allocation("2P", "L2"), current, phases=("L2", "L3"))
    other = measured(allocation("2P", "L3"), current, phases=("L2", "L3"))
    np.testing.assert_allclose(other.active_power_total, one.active_power_total)
    np.testing.assert_allclose(other.reactive_power_total, one.reactive_power_total)


def test_two_phases_and_neutral_use_rows_one_and_two():
    result = measured(allocation("2P+N", "L1", "L3"), np.array([4.0, 0.0, 3.0 * A]), phases=("L1", "L3"))
    np.testing.assert_allclose(result.current[0, 0], [4.0, 3.0, np.nan])
    np.testing.assert_allclose(result.line_voltage[0, 0], [230 * np.sqrt(3), np.nan, np.nan])
    np.testing.assert_allclose(result.current_n, [[abs(4 + 3 * A)]])
    np.testing.assert_allclose(result.active_power_total, [[230.0 * 7]])


THREE_WIRE = np.array([10.0, 8.0 * A**2, -(10.0 + 8.0 * A**2)]) * np.exp(-0.3j)


@pytest.mark.parametrize("phases", [("L1", "L2", "L3"), ("L1", "L3"), ("L2", "L3"), ("L2", "L1")])
def test_two_wattmeters_see_the_whole_power_of_a_three_wire_load(phases):
    result = measured(allocation("3P", *phases), THREE_WIRE)
    np.testing.assert_allclose(result.active_power_total, [[np.sum(BALANCED * THREE_WIRE.conj()).real]])
    np.testing.assert_allclose(result.current[0, 0], np.abs(THREE_WIRE))
    assert np.isnan(result.active_power).all()
    assert np.isnan(result.voltage).all()
    np.testing.assert_allclose(result.line_voltage[0, 0], 230 * np.sqrt(3))


@pytest.mark.parametrize("network", ["3P", "3P+N"])
@pytest.mark.parametrize("phase", ["L1", "L2", "L3"])
def test_one_sensor_on_a_balanced_load_tells_it_all(network, phase):
    balanced = 10.0 * np.array([1.0, A**2, A]) * np.exp(-0.4j)
    result = measured(allocation(network, phase), balanced)
    np.testing.assert_allclose(result.current[0, 0], 10.0)
    np.testing.assert_allclose(result.active_power_total, [[3 * 2300 * np.cos(0.4)]])
    np.testing.assert_allclose(result.current_unbalance, 0.0, atol=1e-12)


def test_a_fourth_sensor_measures_the_neutral():
    result = measured(allocation("3P+N", "L1", "L2", "L3", "N"), UNBALANCED)
    np.testing.assert_allclose(result.current_n, [[abs(UNBALANCED.sum())]])
    assert result.wiring.identity.all()


def test_a_backward_sensor_that_is_configured_backward_measures_rightly():
    given = replace(allocation("3P+N", "L1", "L2", "L3"), directions=(-1, 1, -1))
    assert measured(given, UNBALANCED).wiring.identity.all()


@pytest.mark.parametrize(
    ("network", "phases", "voltages", "lines"),
    [
        ("1P+N", ("L1",), (230.0, np.nan, np.nan), (np.nan, np.nan, np.nan)),
        ("2P+N", ("L1", "L2"), (230.0, 230.0, np.nan), (400.0, np.nan, np.nan)),
    ],
)
def test_a_load_cannot_have_voltages_that_its_voltage_module_does_not_measure(
    network, phases, voltages, lines
):
    result = measured(allocation("3P+N", "L1", "L2", "L3"), UNBALANCED, network)
    np.testing.assert_allclose(result.voltage[0, 0], voltages)
    np.testing.assert_allclose(result.line_voltage[0, 0], lines, rtol=0.01)
    assert np.isnan(result.active_power_total).all()
    np.testing.assert_allclose(result.current[0, 0], np.abs(UNBALANCED))


def test_a_four_wire_load_behind_a_three_wire_voltage_module_has_totals_only():
    result = measured(allocation("3P+N", "L1", "L2", "L3"), THREE_WIRE, "3P")
    np.testing.assert_allclose(result.active_power_total, [[np.sum(BALANCED * THREE_WIRE.conj()).real]])
    assert np.isnan(result.active_power).all()


def test_without_a_voltage_module_there_are_currents_but_no_powers():
    bench = Bench({"load": "board"})
    layout = site(ModuleLayout("I", "i-35", 3, allocations=(allocation("3P+N", "L1", "L2", "L3"),)))
    result = measure(bench.solution(BALANCED, UNBALANCED), wire(layout, bench))
    np.testing.assert_allclose(result.current[0, 0], [10.0, 8.0, 6.0])
    for missing in (result.active_power_total, result.power_factor_total, result.voltage, result.frequency):
        assert np.isnan(missing).all()
    assert not result.wiring.identity.any()


def test_power_is_taken_at_the_tap_and_not_at_the_load_own_board():
    bench = Bench({"near": "tapped", "far": "other"})
    voltage = np.array([BALANCED, 0.9 * BALANCED])
    current = np.array([UNBALANCED, UNBALANCED])
    slots = (
        allocation("3P+N", "L1", "L2", "L3", circuit="near"),
        allocation("3P+N", "L1", "L2", "L3", circuit="far"),
    )
    wiring = wire(site(U(board="tapped"), ModuleLayout("I", "i-60", 3, allocations=slots)), bench)
    result = measure(bench.solution(voltage, current), wiring)
    np.testing.assert_allclose(result.active_power_total, [[230.0 * 24, 230.0 * 24]])
    np.testing.assert_array_equal(wiring.identity, [True, False])


@pytest.mark.parametrize(
    ("network", "phases", "own", "is_exact"),
    [
        ("1P+N", ("L2",), ("L2",), True),
        ("1P+N", ("L2",), ("L1", "L2", "L3"), False),
        ("2P+N", ("L1", "L2"), ("L1", "L2"), True),
        ("3P+N", ("L1", "L2", "L3"), ("L1", "L2", "L3"), True),
        ("3P+N", ("L1",), ("L1", "L2", "L3"), False),
    ],
)
def test_only_a_circuit_that_is_measured_whole_takes_its_energy_from_the_books(
    network, phases, own, is_exact
):
    result = measured(allocation(network, *phases), UNBALANCED, phases=own)
    assert bool(result.wiring.identity[0]) is is_exact


@pytest.mark.parametrize(("to_neutral", "is_exact"), [(False, True), (True, False)])
def test_a_two_phase_circuit_is_whole_while_nothing_returns_by_the_neutral(to_neutral, is_exact):
    pair: tuple[Phase, ...] = ("L2", "L3")
    loads = [Load("welder", "load", "x", 1e3, pair, line_to_line=True)]
    if to_neutral:
        loads.append(Load("lamp", "load", "x", 60.0, ("L2",)))
    bench = Bench({"load": "board"}, {"load": pair}, tuple(loads))
    layout = site(U(), ModuleLayout("I", "i-35", 3, allocations=(allocation("2P", "L2"),)))
    assert bool(wire(layout, bench).identity[0]) is is_exact


def test_nominal_apparent_power_follows_the_network_type():
    expected = {"1P+N": 230.0, "2P": 230 * np.sqrt(3), "2P+N": 460.0, "3P": 690.0, "3P+N": 690.0}
    sensors = {"1P+N": ["L1"], "2P": ["L1"], "2P+N": ["L1", "L2"], "3P": ["L1", "L3"], "3P+N": ["L1"]}
    for network, volts in expected.items():
        result = measured(allocation(network, *sensors[network], nominal_a=100.0), UNBALANCED)  # type: ignore[arg-type]
        np.testing.assert_allclose(result.wiring.nominal_va, [volts * 100.0])


def test_settings_written_later_change_what_the_module_believes():
    bench = Bench({"load": "board"})
    layout = site(U(), ModuleLayout("I", "i-35", 3, allocations=(allocation("3P+N", "L1", "L2", "L3"),)))
    slots, taps = connect(layout, bench.installation)
    slot = slots[0]
    first = replace(slot.inputs[0], direction=-1)
    turned = replace(slot, inputs=(first, *slot.inputs[1:]))
    result = measure(bench.solution(BALANCED, UNBALANCED), compile_wiring([turned], taps, bench))
    np.testing.assert_allclose(result.active_power[0, 0], [-2300.0, 1840.0, 1380.0])
    undefined = replace(slot, inputs=(replace(slot.inputs[0], phase=None), *slot.inputs[1:]))
    result = measure(bench.solution(BALANCED, UNBALANCED), compile_wiring([undefined], taps, bench))
    np.testing.assert_allclose(result.current[0, 0], [0.0, 8.0, 6.0])


def test_a_disabled_load_measures_nothing():
    bench = Bench({"load": "board"})
    layout = site(U(), ModuleLayout("I", "i-35", 3, allocations=(allocation("3P+N", "L1", "L2", "L3"),)))
    slots, taps = connect(layout, bench.installation)
    wiring = compile_wiring([replace(slots[0], is_enabled=False)], taps, bench)
    result = measure(bench.solution(BALANCED, UNBALANCED), wiring)
    for values in (
        result.current,
        result.voltage,
        result.active_power_total,
        result.frequency,
        result.current_n,
    ):
        assert np.isnan(values).all()
    assert not wiring.identity.any()


@given(
    shape=st.sampled_from(
        [(network, count) for network, counts in SENSOR_COUNTS.items() for count in counts]
    ),
    believed=st.lists(
        st.tuples(st.sampled_from(["L1", "L2", "L3", "N", None]), st.sampled_from([1, -1])),
        min_size=4,
        max_size=4,
    ),
    taps=st.sampled_from(["1P+N", "2P", "2P+N", "3P", "3P+N"]),
)
@settings(max_examples=150, deadline=None)
def test_whatever_a_client_writes_into_the_sensor_settings_can_be_measured(shape, believed, taps):
    network, count = shape
    bench = Bench({"load": "board"})
    inputs = tuple(
        CurrentInput(true, phase, direction=direction)
        for true, (phase, direction) in zip(("L1", "L2", "L3", "N")[:count], believed[:count], strict=True)
    )
    slot = Slot("head/I", 0, "load", network, inputs, 63.0, 0)
    wiring = compile_wiring([slot], [Tap("head/U", "board", taps)], bench)
    result = measure(bench.solution(BALANCED, UNBALANCED), wiring)
    spectral = measure(bench.solution(BALANCED, UNBALANCED), replace(wiring, is_direct=np.array([False])))
    assert np.isfinite(result.rows.current).all()
    np.testing.assert_allclose(result.current, spectral.current, atol=1e-9)
    np.testing.assert_allclose(result.current_n, spectral.current_n, atol=1e-9)
    np.testing.assert_allclose(result.active_power_total, spectral.active_power_total, atol=1e-9)
