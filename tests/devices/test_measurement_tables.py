"""Tables of points: every row that a register block asks for, and values that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.devices.solutions import BALANCED, A, Bench, H
from virtual_digiware.devices.catalogue import products
from virtual_digiware.devices.circuit_tables import (
    CIRCUIT_INSTANTANEOUS,
    CIRCUIT_QUALITY,
    circuit_instantaneous,
    circuit_quality_values,
    circuit_values,
)
from virtual_digiware.devices.connections import CurrentInput, Slot, Tap
from virtual_digiware.devices.fundamental_tables import (
    CIRCUIT_FUNDAMENTAL,
    NETWORK_FUNDAMENTAL,
    circuit_fundamental,
    network_fundamental,
)
from virtual_digiware.devices.harmonic_tables import (
    CIRCUIT_HARMONIC_CURRENT,
    NETWORK_HARMONIC_VOLTAGE_LL,
    NETWORK_HARMONIC_VOLTAGE_LN,
    circuit_harmonic_current,
    network_harmonic_voltage_ll,
    network_harmonic_voltage_ln,
)
from virtual_digiware.devices.measured_spectra import slot_values
from virtual_digiware.devices.measurement import Measured, measure
from virtual_digiware.devices.network_tables import (
    NETWORK_FLOAT,
    NETWORK_INSTANTANEOUS,
    NETWORK_QUALITY,
    network_float,
    network_instantaneous,
    network_quality_values,
    network_values,
)
from virtual_digiware.devices.wiring_compilation import compile_wiring
from virtual_digiware.profiles.solution import ORDERS, Solution

TABLES = {
    "circuit.instantaneous": CIRCUIT_INSTANTANEOUS,
    "circuit.fundamental": CIRCUIT_FUNDAMENTAL,
    "circuit.harmonic_current": CIRCUIT_HARMONIC_CURRENT,
    "network.instantaneous": NETWORK_INSTANTANEOUS,
    "network.fundamental": NETWORK_FUNDAMENTAL,
    "network.harmonic_voltage_ln": NETWORK_HARMONIC_VOLTAGE_LN,
    "network.harmonic_voltage_ll": NETWORK_HARMONIC_VOLTAGE_LL,
    "network.float_instantaneous": NETWORK_FLOAT,
}
BENCH = Bench({"motor": "board", "lamp": "board"})
LAG = np.deg2rad(30.0)
MOTOR = 10.0 * np.exp(-1j * LAG) * np.array([1.0, A**2, A])
WIRING = compile_wiring(
    [
        Slot("i", 0, "motor", "3P+N", tuple(CurrentInput(p, p) for p in ("L1", "L2", "L3")), 63.0, 0),
        Slot("i", 1, "lamp", "1P+N", (CurrentInput("L2", "L2"),), 16.0, 0),
    ],
    [Tap("u", "board")],
    BENCH,
)


def known_solution() -> Solution:
    """A motor at 30 degrees, and a lamp on L2 with 40 % third, 30 % fifth and 5 % 27th harmonic."""
    voltage = np.zeros((1, 3, H), complex)
    voltage[0, :, 0] = BALANCED
    voltage[0, :, ORDERS.index(5)] = 230 * 0.03
    current = np.zeros((2, 3, H), complex)
    current[0, :, 0] = MOTOR
    lamp = current[1, 1]
    lamp[0] = 2.0 * A**2
    for order, share in ((3, 0.4), (5, 0.3), (27, 0.05)):
        lamp[ORDERS.index(order)] = 2.0 * share
    return BENCH.solution(voltage, current)


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure(known_solution(), WIRING)


@pytest.mark.parametrize("product", sorted(products()))
def test_every_row_of_a_measured_block_has_its_column(product):
    for placed in products()[product].blocks:
        names = TABLES.get(placed.block.table)
        if names is not None:
            rows = {row.point for row in placed.block.rows if not row.reserved}
            assert rows <= set(names), placed.block.name


@pytest.mark.parametrize("table", sorted(TABLES))
def test_the_columns_stand_in_the_order_of_the_registers(table):
    blocks = [
        placed.block
        for name in ("U-10", "U-30", "I-45")
        for placed in products()[name].blocks
        if placed.block.table == table
    ]
    for block in blocks:
        rows = [row.point for row in block.rows if not row.reserved]
        assert rows == [name for name in TABLES[table] if name in rows]


def test_no_name_stands_twice():
    for names in (*TABLES.values(), CIRCUIT_QUALITY, NETWORK_QUALITY):
        assert len(set(names)) == len(names)


def test_the_instantaneous_table_of_a_motor(measured):
    table = circuit_instantaneous(measured)
    root3 = np.sqrt(3)
    expected = {
        "load_status": 1.0,
        "voltage_ln_system": np.hypot(230.0, 6.9),
        "voltage_ll_system": 230 * root3,  # equal fifths of the phases cancel between them
        "current_system": 10.0,
        "frequency": 50.0,
        "voltage_l3_n": np.hypot(230.0, 6.9),
        "voltage_n_pe": 0.5,
        "voltage_l3_l1": 230 * root3,
        "current_l2": 10.0,
        "current_n": 0.0,
        "current_amplitude_unbalance": 0.0,
        "current_positive_sequence": 10.0,
        "current_negative_sequence": 0.0,
        "current_unbalance": 0.0,
        "apparent_power_nominal": 3 * 230 * 63.0,
        "active_power_total": 6900 * np.cos(LAG),
        "apparent_power_total": 30 * np.hypot(230.0, 6.9),
        "power_factor_total": np.cos(LAG) / np.hypot(1, 0.03),
        "power_factor_total_type": 2.0,
        "active_power_l1": 2300 * np.cos(LAG),
        "reactive_power_l1_leading": 0.0,
        "apparent_power_l3": 10 * np.hypot(230.0, 6.9),
        "power_factor_l2_type": 2.0,
    }
    for name, value in expected.items():
        assert table[name][0] == pytest.approx(value, abs=1e-9), name
    reactive = np.sqrt((30 * np.hypot(230.0, 6.9)) ** 2 - (6900 * np.cos(LAG)) ** 2)
    assert table["reactive_power_total"][0] == pytest.approx(reactive)
    assert table["reactive_power_total_lagging"][0] == pytest.approx(reactive)
    assert np.isnan(table["timestamp"]).all()
    assert np.isnan(table["integration_time"]).all()


def test_lagging_and_leading_parts_add_up_to_the_reactive_power(measured):
    table = circuit_instantaneous(measured)
    for row in ("total", "l1", "l2", "l3"):
        parts = table[f"reactive_power_{row}_lagging"] + table[f"reactive_power_{row}_leading"]
        np.testing.assert_array_equal(parts, table[f"reactive_power_{row}"])


def test_a_single_phase_lamp_fills_its_first_rows_only(measured):
    table = circuit_instantaneous(measured)
    rms = 2 * np.sqrt(1 + 0.4**2 + 0.3**2 + 0.05**2)
    assert table["current_l1"][1] == pytest.approx(rms)
    assert table["current_system"][1] == pytest.approx(rms)
    assert table["current_n"][1] == pytest.approx(rms)
    assert table["active_power_l1"][1] == pytest.approx(460 + 6.9 * 0.6)
    assert table["active_power_total"][1] == table["active_power_l1"][1]
    for name in ("voltage_l2_n", "current_l2", "active_power_l2", "power_factor_l3_type", "voltage_l1_l2"):
        assert np.isnan(table[name][1]), name
    for name in ("voltage_ll_system", "current_unbalance", "current_positive_sequence"):
        assert np.isnan(table[name][1]), name


def test_the_table_hides_what_the_measurement_hides():
    slots = [replace(WIRING.slots[0], is_enabled=False), WIRING.slots[1]]
    wiring = compile_wiring(slots, WIRING.taps, BENCH)
    table = circuit_instantaneous(measure(known_solution(), wiring, live=np.array([True, False])))
    assert table["load_status"].tolist() == [0.0, 1.0]
    assert np.isnan(table.values[1:, 0]).all()
    available = {name for name in table.names if not np.isnan(table[name][1])}
    assert available == {
        "load_status",
        "current_system",
        "current_l1",
        "current_n",
        "apparent_power_nominal",
    }


def test_a_batch_of_times_fills_a_table_each():
    solution = known_solution()
    twice = replace(
        solution,
        **{
            name: np.concatenate([value, value])
            for name, value in vars(solution).items()
            if isinstance(value, np.ndarray)
        },
    )
    values = circuit_values(measure(twice, WIRING))
    assert values.shape == (len(CIRCUIT_INSTANTANEOUS), 2, 2)
    np.testing.assert_array_equal(values[:, 0], values[:, 1])


def test_the_fundamental_table_of_a_motor(measured):
    table = circuit_fundamental(slot_values(known_solution(), measured, np.array([0])))
    expected = {
        "voltage_l1_n_h1": 230.0,
        "voltage_l2_n_h1_angle": -120.0,
        "voltage_l3_n_h1_angle": 120.0,
        "voltage_n_pe_h1": 0.5,
        "voltage_l1_l2_h1": 230 * np.sqrt(3),
        "voltage_l1_l2_h1_angle": 30.0,
        "voltage_l3_l1_h1_angle": 150.0,
        "current_l1_h1": 10.0,
        "current_l1_h1_angle": -30.0,
        "current_l2_h1_angle": -150.0,
        "displacement_angle_l3": 30.0,
        "active_power_l2_h1": 2300 * np.cos(LAG),
        "active_power_total_h1": 6900 * np.cos(LAG),
        "reactive_power_total_h1": 6900 * 0.5,
        "cos_phi_l1": np.cos(LAG),
        "tan_phi_l1": np.tan(LAG),
        "thd_voltage_l1_n": 3.0,
        "thd_voltage_l1_l2": 0.0,
        "thd_current_l1": 0.0,
        "k_factor_current_l1": 1.0,
        "thd_voltage_ln_system": 3.0,
    }
    for name, value in expected.items():
        assert table[name][0] == pytest.approx(value, abs=1e-9), name
    # 2048 samples of 10 cycles miss the top of a sine by less than 1 - cos(pi / 204.8).
    assert table["crest_factor_current_l1"][0] == pytest.approx(np.sqrt(2), rel=1.3e-4)
    assert np.isnan(table["thd_current_n"][0])
    assert np.isnan(table["current_n_h1_angle"][0])


def test_the_fundamental_table_of_a_lamp(measured):
    table = circuit_fundamental(slot_values(known_solution(), measured, np.array([1])))
    squares = np.array([1, 0.4**2, 0.3**2, 0.05**2])
    assert table["voltage_l1_n_h1_angle"][0] == pytest.approx(0.0)
    assert table["current_l1_h1_angle"][0] == pytest.approx(0.0, abs=1e-9)
    assert table["thd_current_l1"][0] == pytest.approx(100 * np.sqrt(squares[1:].sum()))
    assert table["k_factor_current_l1"][0] == pytest.approx(
        (squares * [1, 9, 25, 27**2]).sum() / squares.sum()
    )
    assert table["thd_current_n"][0] == table["thd_current_l1"][0]
    assert np.isnan(table["voltage_l1_l2_h1"][0])
    assert np.isnan(table["current_l2_h1"][0])


def test_harmonics_stand_in_percent_of_the_fundamental(measured):
    table = circuit_harmonic_current(slot_values(known_solution(), measured, np.array([1, 0])))
    assert table["harmonic_current_l1_h3"][0] == pytest.approx(40.0)
    assert table["harmonic_current_l1_h5"][0] == pytest.approx(30.0)
    assert table["harmonic_current_l1_h4"][0] == 0.0
    assert table["harmonic_current_l1_h26_34"][0] == pytest.approx(5.0)
    assert table["harmonic_current_l1_h51_63"][0] == 0.0
    assert table["harmonic_current_n_h3"][0] == pytest.approx(40.0)
    assert np.isnan(table["harmonic_current_l2_h3"][0])
    assert table["harmonic_current_l2_h3"][1] == 0.0


def test_total_distortion_is_the_root_of_the_listed_harmonics(measured):
    circuits = slot_values(known_solution(), measured, np.array([0, 1]))
    harmonics, fundamental = circuit_harmonic_current(circuits), circuit_fundamental(circuits)
    listed = [name for name in harmonics.names if name.startswith("harmonic_current_l1_")]
    total = np.sqrt(sum(harmonics[name] ** 2 for name in listed))
    np.testing.assert_allclose(total, fundamental["thd_current_l1"], atol=1e-9)


def test_the_network_table_of_known_voltages():
    bench = Bench({"load": "board"})
    voltage = 230 * np.array([1.0, 0.95 * A**2, 0.97 * A])
    wiring = compile_wiring([], [Tap("u", "board")], bench)
    table = network_instantaneous(measure(bench.solution(voltage, np.zeros(3)), wiring).voltages, wiring)
    positive, negative = abs(voltage @ [1, A, A**2]) / 3, abs(voltage @ [1, A**2, A]) / 3
    assert table["voltage_l2_n"][0] == pytest.approx(218.5)
    assert table["voltage_ln_system"][0] == pytest.approx(230 * 2.92 / 3)
    assert table["voltage_ln_positive_sequence"][0] == pytest.approx(positive)
    assert table["voltage_ln_unbalance"][0] == pytest.approx(100 * negative / positive)
    assert table["voltage_ll_unbalance"][0] == pytest.approx(100 * negative / positive)
    assert table["voltage_ll_positive_sequence"][0] == pytest.approx(np.sqrt(3) * positive)
    mean = 2.92 / 3
    assert table["voltage_ln_amplitude_unbalance"][0] == pytest.approx(100 * (1 - mean) / mean)
    assert table["voltage_n_pe"][0] == pytest.approx(0.5)
    assert network_float(measure(bench.solution(voltage, np.zeros(3)), wiring).voltages)["frequency"] == 50.0


def test_voltage_harmonics_and_distortion_of_known_voltages(measured):
    voltages = measured.voltages
    phase, line = network_harmonic_voltage_ln(voltages, WIRING), network_harmonic_voltage_ll(voltages, WIRING)
    assert phase["harmonic_voltage_l2_n_h5"][0] == pytest.approx(3.0)
    assert line["harmonic_voltage_l2_l3_h5"][0] == pytest.approx(0.0, abs=1e-12)
    table = network_fundamental(voltages, WIRING)
    assert table["thd_voltage_l2_n"][0] == pytest.approx(3.0)
    assert table["voltage_l2_n_h1_angle"][0] == pytest.approx(-120.0)
    assert table["crest_factor_voltage_l1_l2"][0] == pytest.approx(np.sqrt(2), rel=1.3e-4)
    # A fifth in phase with the crest of V1 makes it 3 % higher.
    assert table["crest_factor_voltage_l1_n"][0] == pytest.approx(np.sqrt(2) * 1.03 / np.hypot(1, 0.03))
    quality = dict(
        zip(
            NETWORK_QUALITY,
            network_quality_values(voltages, WIRING, network_values(voltages, WIRING))[:, 0, 0],
            strict=True,
        )
    )
    assert quality["thd_voltage_ln_system"] == pytest.approx(3.0)
    assert quality["voltage_ln_unbalance"] == pytest.approx(0.0, abs=1e-9)


def test_quality_of_circuits_agrees_with_their_spectra(measured):
    quality = dict(
        zip(CIRCUIT_QUALITY, circuit_quality_values(measured, circuit_values(measured))[:, 0], strict=True)
    )
    table = circuit_fundamental(slot_values(known_solution(), measured, np.array([0, 1])))
    for name in ("thd_current_l1", "thd_current_n", "displacement_angle_l1", "displacement_angle_n"):
        np.testing.assert_allclose(quality[name], table[name], atol=2e-6, err_msg=name)
    np.testing.assert_allclose(quality["thd_current_system"], table["thd_current_system"], atol=2e-6)


@pytest.mark.parametrize(
    ("network", "phases", "lines"),
    [
        ("1P+N", (True, False, False), (False, False, False)),
        ("2P", (False, False, False), (True, False, False)),
        ("2P+N", (True, True, False), (True, False, False)),
        ("3P", (False, False, False), (True, True, True)),
    ],
)
def test_a_voltage_module_shows_what_its_network_has(network, phases, lines):
    wiring = compile_wiring([], [Tap("u", "board", network)], BENCH)
    voltages = measure(known_solution(), wiring).voltages
    for table, suffix in (
        (network_instantaneous(voltages, wiring), ""),
        (network_fundamental(voltages, wiring), "_h1"),
    ):
        shown = [not np.isnan(table[f"voltage_{v}{suffix}"][0]) for v in ("l1_n", "l2_n", "l3_n")]
        assert tuple(shown) == phases
        shown = [not np.isnan(table[f"voltage_{v}{suffix}"][0]) for v in ("l1_l2", "l2_l3", "l3_l1")]
        assert tuple(shown) == lines
    instantaneous = network_instantaneous(voltages, wiring)
    assert np.isnan(instantaneous["voltage_ln_system"][0]) != any(phases)
    assert np.isnan(instantaneous["voltage_ll_system"][0]) != any(lines)
    assert np.isnan(instantaneous["voltage_n_pe"][0]) != any(phases)


def test_one_voltage_module_can_be_asked_alone():
    bench = Bench({"a": "first", "b": "second"})
    wiring = compile_wiring([], [Tap("u", "first"), Tap("v", "second", "1P+N")], bench)
    voltages = measure(
        bench.solution(np.array([BALANCED, 0.9 * BALANCED]), np.zeros((2, 3))), wiring
    ).voltages
    all_taps = network_fundamental(voltages, wiring)
    alone = network_fundamental(voltages, wiring, taps=np.array([1]))
    np.testing.assert_array_equal(alone.values[:, 0], all_taps.values[:, 1])
    assert alone["voltage_l1_n_h1"][0] == pytest.approx(207.0)


def test_a_voltage_module_that_is_gone_shows_nothing():
    voltages, gone = measure(known_solution(), WIRING).voltages, np.array([False])
    for table in (
        network_instantaneous(voltages, WIRING, gone),
        network_fundamental(voltages, WIRING, gone),
        network_harmonic_voltage_ln(voltages, WIRING, gone),
        network_harmonic_voltage_ll(voltages, WIRING, gone),
        network_float(voltages, gone),
    ):
        assert np.isnan(table.values).all()
    assert np.isnan(
        network_quality_values(voltages, WIRING, network_values(voltages, WIRING, gone), gone)
    ).all()
