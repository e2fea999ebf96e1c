"""Faults of sensors and wires, and what every register of the miswired module shows then.

Balanced load, power factor 0.9 lagging, symmetric voltages. The expected numbers are worked out on paper
from the phasors, relative to the correct wiring, to the digits given.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.devices.solutions import BALANCED, A, Bench
from virtual_digiware.devices.connections import Conductor, CurrentInput, Slot, Tap
from virtual_digiware.devices.measurement import Measured, measure
from virtual_digiware.devices.wiring_compilation import compile_wiring

ANGLE = np.arccos(0.9)
LOAD = 10.0 * np.exp(-1j * ANGLE) * np.array([1.0, A**2, A])
FULL_W = 3 * 2300.0 * 0.9
FULL_VAR = 3 * 2300.0 * np.sin(ANGLE)
PHASE_W = 2300.0 * 0.9
BENCH = Bench({"load": "board"})

Currents = tuple[tuple[Conductor | None, complex], ...]
RIGHT: Currents = (("L1", 1), ("L2", 1), ("L3", 1))


def miswired(currents: Currents = RIGHT, tap: Tap | None = None) -> Measured:
    """Sensors k = 1, 2, 3 are configured on Lk and sit where `currents` says, with a ratio."""
    inputs = tuple(
        CurrentInput(encloses, phase, ratio)
        for phase, (encloses, ratio) in zip(("L1", "L2", "L3"), currents, strict=True)
    )
    slot = Slot("head/I", 0, "load", "3P+N", inputs, 63.0, 0)
    wiring = compile_wiring([slot], [tap or Tap("head/U", "board")], BENCH)
    return measure(BENCH.solution(BALANCED, LOAD), wiring)


FAULTS = [  # currents, P, Q1, PF, powers of the phases, negative / positive sequence, In / I
    pytest.param(
        (("L1", -1), ("L2", 1), ("L3", 1)), 0.33, 0.33, 0.30, (-1, 1, 1), 2.0, 2.0, id="CT1 reversed"
    ),
    pytest.param(
        (("L1", -1), ("L2", -1), ("L3", 1)),
        -0.33,
        -0.33,
        -0.30,
        (-1, -1, 1),
        2.0,
        2.0,
        id="CT1, CT2 reversed",
    ),
    pytest.param((("L1", -1), ("L2", -1), ("L3", -1)), -1, -1, -0.90, (-1, -1, -1), 0, 0, id="all reversed"),
    pytest.param(
        (("L2", 1), ("L1", 1), ("L3", 1)), 0, 0, 0, (-0.92, -0.08, 1), np.inf, 0, id="CT1 and CT2 swapped"
    ),
    pytest.param(
        (("L2", 1), ("L3", 1), ("L1", 1)),
        -0.92,
        1.29,
        -0.83,
        (-0.92,) * 3,
        0,
        0,
        id="sensors one phase ahead",
    ),
    pytest.param(
        (("L3", 1), ("L1", 1), ("L2", 1)),
        -0.08,
        -2.29,
        -0.07,
        (-0.08,) * 3,
        0,
        0,
        id="sensors one phase behind",
    ),
    pytest.param(
        (("L2", 1), ("L1", 1), ("L3", -1)),
        -0.67,
        -0.67,
        -0.60,
        (-0.92, -0.08, -1),
        0.5,
        2.0,
        id="CT1 and CT2 swapped, CT3 reversed",
    ),
    pytest.param(((None, 1), ("L2", 1), ("L3", 1)), 0.67, 0.67, 0.90, (0, 1, 1), 0.5, 1.0, id="CT1 open"),
    pytest.param(
        (("L1", 0.5), ("L2", 1), ("L3", 1)), 0.83, 0.83, 0.90, (0.5, 1, 1), 0.2, 0.5, id="CT1 half ratio"
    ),
    pytest.param(
        (("L1", 0.1), ("L2", 0.1), ("L3", 0.1)), 0.1, 0.1, 0.90, (0.1,) * 3, 0, 0, id="all ratios a tenth"
    ),
]


@pytest.mark.parametrize(
    ("currents", "active", "reactive", "factor", "phases", "unbalance", "neutral"), FAULTS
)
def test_a_current_fault_shows_in_every_register(
    currents, active, reactive, factor, phases, unbalance, neutral
):
    result = miswired(currents)
    digits = {"atol": 0.0051}
    np.testing.assert_allclose(result.active_power_total / FULL_W, active, **digits)
    np.testing.assert_allclose(result.fundamental_reactive_power_total / FULL_VAR, reactive, **digits)
    np.testing.assert_allclose(result.power_factor_total, factor, **digits)
    np.testing.assert_allclose(result.active_power[0, 0] / PHASE_W, phases, **digits)
    np.testing.assert_allclose(result.current_n / 10.0, neutral, **digits)
    if np.isinf(unbalance):
        positive, negative, _ = result.current_sequences[:, 0, 0]
        assert positive < 1e-12 < negative
    else:
        np.testing.assert_allclose(result.current_unbalance, unbalance, **digits)


def test_correct_wiring_is_the_reference_of_all_faults():
    result = miswired()
    np.testing.assert_allclose(result.active_power_total, FULL_W)
    np.testing.assert_allclose(result.fundamental_reactive_power_total, FULL_VAR)
    assert result.wiring.identity.all()


def test_swapped_voltages_spoil_the_powers_of_every_load_of_the_bus():
    result = miswired(tap=Tap("head/U", "board", conductors=("L2", "L1", "L3")))
    np.testing.assert_allclose(result.active_power_total, 0.0, atol=1e-9)
    np.testing.assert_allclose(result.active_power[0, 0] / PHASE_W, (-0.08, -0.92, 1), atol=0.0051)
    positive, negative, _ = result.voltages.phase_sequences[:, 0, 0]
    assert positive < 1e-9 < negative
    np.testing.assert_allclose(result.current_unbalance, 0.0, atol=1e-12)


def test_a_blown_voltage_fuse_takes_one_phase_away():
    result = miswired(tap=Tap("head/U", "board", conductors=(None, "L2", "L3")))
    np.testing.assert_allclose(result.active_power_total / FULL_W, 0.67, atol=0.0051)
    np.testing.assert_allclose(result.fundamental_reactive_power_total / FULL_VAR, 0.67, atol=0.0051)
    np.testing.assert_allclose(result.power_factor_total, 0.90, atol=0.0051)
    np.testing.assert_allclose(result.active_power[0, 0] / PHASE_W, (0, 1, 1), atol=1e-9)
    np.testing.assert_allclose(result.current_unbalance, 0.0, atol=1e-12)
    positive, negative, _ = result.voltages.phase_sequences[:, 0, 0]
    np.testing.assert_allclose((positive / 230, negative / positive), (0.67, 0.5), atol=0.0051)


def test_both_voltages_and_sensors_swapped_measure_rightly_but_turn_the_wrong_way():
    result = miswired(
        (("L1", 1), ("L3", 1), ("L2", 1)), Tap("head/U", "board", conductors=("L1", "L3", "L2"))
    )
    np.testing.assert_allclose(result.active_power_total / FULL_W, 1.0)
    np.testing.assert_allclose(result.fundamental_reactive_power_total / FULL_VAR, 1.0)
    np.testing.assert_allclose(result.active_power[0, 0] / PHASE_W, 1.0)
    np.testing.assert_allclose(result.power_factor_total, 0.9)
    assert result.voltages.is_rotation_negative.all()
    assert not miswired().voltages.is_rotation_negative.any()


@pytest.mark.parametrize("currents", [fault.values[0] for fault in FAULTS])
def test_no_miswired_circuit_takes_its_energy_from_the_books(currents):
    assert not miswired(currents).wiring.identity.any()


def test_a_fault_can_be_told_to_one_slot_and_leaves_its_neighbour_alone():
    inputs = tuple(CurrentInput(phase, phase) for phase in ("L1", "L2", "L3"))
    right = Slot("head/I", 0, "load", "3P+N", inputs, 63.0, 0)
    wrong = replace(right, slot=1, inputs=(replace(inputs[0], ratio=-1), *inputs[1:]))
    wiring = compile_wiring([right, wrong], [Tap("head/U", "board")], BENCH)
    result = measure(BENCH.solution(BALANCED, LOAD), wiring)
    np.testing.assert_allclose(result.active_power_total[0] / FULL_W, (1.0, 1 / 3))
