"""Measured values against known circuits, the laws that they keep, and short way against long way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.solutions import BALANCED, A, Bench, H
from virtual_digiware.devices.connections import CurrentInput, Slot, Tap
from virtual_digiware.devices.measurement import Measured, measure
from virtual_digiware.devices.wiring import Deviations, Wiring
from virtual_digiware.devices.wiring_compilation import compile_wiring
from virtual_digiware.profiles.solution import Solution

SEEDS = st.integers(0, 2**32 - 1)
THREE = ("L1", "L2", "L3")
KINDS = (
    ("1P+N", ("L3",), ("L3",)),
    ("1P+N", ("L2",), THREE),
    ("2P+N", ("L3", "L1"), ("L1", "L3")),
    ("3P+N", THREE, THREE),
    ("3P+N", (*THREE, "N"), THREE),
    ("2P", ("L1",), ("L1", "L2")),
    ("3P", THREE, THREE),
    ("3P", ("L3", "L2"), THREE),
    ("3P", ("L2",), THREE),
    ("3P+N", ("L1",), THREE),
)
BENCH = Bench(
    {f"c{kind}": f"b{kind % 2}" for kind in range(len(KINDS))},
    {f"c{kind}": phases for kind, (_, _, phases) in enumerate(KINDS)},  # type: ignore[misc]
)


def wiring_of_all_kinds(deviations: Deviations | None = None, sampled: bool = False) -> Wiring:
    """One slot of every kind of load; circuits alternate between two boards, each with its own tap."""
    slots = [
        Slot(
            "head/I",
            number,
            f"c{number}",
            network,
            tuple(CurrentInput(p, p) for p in inputs),
            63.0,
            number % 2,
            phases[:2] if len(phases) == 2 else ("L1", "L2"),
            is_sampled=sampled,
        )
        for number, (network, inputs, phases) in enumerate(KINDS)
    ]
    return compile_wiring(
        slots, [Tap("a/U", "b0"), Tap("b/U", "b1", is_sampled=sampled)], BENCH, deviations=deviations
    )


def random_solution(seed: int, times: int = 1) -> Solution:
    """Unbalanced, distorted voltages and currents of any phase; two-phase circuits have no third current."""
    random = np.random.default_rng(seed)

    def phasors(*shape: int) -> np.ndarray:
        return random.normal(size=shape) + 1j * random.normal(size=shape)

    falling = 1.0 / np.arange(1, 2 * H, 2) ** 1.5
    voltage = phasors(times, 2, 3, H) * falling * 10
    voltage[..., 0] += BALANCED
    current = phasors(times, len(KINDS), 3, H) * falling * 20
    for circuit, (_, _, phases) in enumerate(KINDS):
        for phase, name in enumerate(THREE):
            if name not in phases:
                current[:, circuit, phase] = 0
    return BENCH.solution(voltage, current)


def the_long_way(wiring: Wiring) -> Wiring:
    return replace(wiring, is_direct=np.zeros(wiring.count, bool))


def assert_equal_measurements(one: Measured, other: Measured, tolerance: float) -> None:
    power = 1.0 + np.nan_to_num(one.apparent_power_total)
    for name in (
        "current",
        "current_n",
        "voltage",
        "line_voltage",
        "active_power",
        "active_power_total",
        "fundamental_reactive_power",
        "apparent_power",
        "power_factor",
        "current_unbalance",
        "displacement_deg",
        "thd_current_n",
    ):
        a, b = getattr(one, name), getattr(other, name)
        scale = power[..., None] if "power" in name and a.ndim == 3 else power if "power" in name else 1.0
        np.testing.assert_allclose(a / scale, b / scale, rtol=tolerance, atol=tolerance, err_msg=name)
    # Q comes from a difference of squares, which is where the digits go.
    np.testing.assert_allclose(
        one.reactive_power_total**2 / power**2, other.reactive_power_total**2 / power**2, atol=tolerance * 10
    )


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_the_short_and_the_long_way_agree(seed):
    random = np.random.default_rng(seed)
    deviations = Deviations(
        1 + 0.01 * random.normal(size=len(KINDS)),
        0.005 * random.normal(size=len(KINDS)),
        1 + 0.01 * random.normal(size=2),
    )
    solution = random_solution(seed, times=2)
    for wiring in (wiring_of_all_kinds(), wiring_of_all_kinds(deviations)):
        assert wiring.direct.slots.size == 5
        assert_equal_measurements(measure(solution, wiring), measure(solution, the_long_way(wiring)), 1e-9)


@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_sampling_modules_show_the_same_values(seed):
    solution = random_solution(seed)
    phasor, sampled = (
        measure(solution, wiring_of_all_kinds()),
        measure(solution, wiring_of_all_kinds(sampled=True)),
    )
    assert_equal_measurements(phasor, sampled, 1e-9)


def test_a_site_can_mix_sampling_and_other_modules():
    wiring = wiring_of_all_kinds()
    slots = [replace(slot, is_sampled=slot.slot in (3, 5)) for slot in wiring.slots]
    mixed = compile_wiring(slots, wiring.taps, BENCH)
    solution = random_solution(7)
    assert_equal_measurements(measure(solution, wiring), measure(solution, mixed), 1e-9)


@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_a_batch_of_times_gives_the_same_values_as_each_time_alone(seed):
    solution = random_solution(seed, times=3)
    wiring = wiring_of_all_kinds()
    together = measure(solution, wiring)
    for at in range(3):
        alone = measure(moment(solution, at), wiring)
        np.testing.assert_array_equal(together.current[at], alone.current[0])
        np.testing.assert_array_equal(together.active_power_total[at], alone.active_power_total[0])
        np.testing.assert_array_equal(together.reactive_power[at], alone.reactive_power[0])


def moment(solution: Solution, at: int) -> Solution:
    only = slice(at, at + 1)
    arrays = {name: value[only] for name, value in vars(solution).items() if isinstance(value, np.ndarray)}
    return replace(
        solution, **arrays, current_spectrum=lambda circuits: solution.current_spectrum(circuits)[only]
    )


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_powers_form_a_triangle_and_power_factors_stay_within_one(seed):
    result = measure(random_solution(seed), wiring_of_all_kinds())
    powers = result.powers
    np.testing.assert_allclose(
        powers.active**2 + powers.reactive**2, powers.apparent**2, rtol=1e-12, atol=1e-9
    )
    assert np.nanmax(np.abs(powers.factor)) <= 1.0
    assert (np.sign(powers.reactive) == np.sign(powers.reactive1))[powers.reactive != 0].all()


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_line_voltages_follow_from_phase_voltages_and_their_angle(seed):
    solution = random_solution(seed)
    result = measure(solution, wiring_of_all_kinds())
    fundamental = replace(result.voltages, phasors=result.voltages.phasors[..., :1])
    phase, line = fundamental.phase, fundamental.line
    angle = np.angle(fundamental.phasors[..., 0])
    for first, second in ((0, 1), (1, 2), (2, 0)):
        theta = angle[..., first] - angle[..., second]
        a, b = phase[..., first], phase[..., second]
        np.testing.assert_allclose(line[..., first] ** 2, a**2 + b**2 - 2 * a * b * np.cos(theta))


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_sequences_put_together_give_the_phasors_again(seed):
    result = measure(random_solution(seed), wiring_of_all_kinds())
    slot = 3
    phasors = result.current_fundamental[0, slot]
    positive, negative, zero = result.current_sequences[:, 0, slot]
    assert positive == pytest.approx(abs(phasors @ [1, A, A**2]) / 3)
    assert negative == pytest.approx(abs(phasors @ [1, A**2, A]) / 3)
    assert zero == pytest.approx(abs(phasors.sum()) / 3)
    assert np.sum(np.abs(phasors) ** 2) == pytest.approx(3 * (positive**2 + negative**2 + zero**2))


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_distortion_is_that_of_the_harmonics(seed):
    solution = random_solution(seed)
    result = measure(solution, wiring_of_all_kinds())
    spectrum = solution.current_spectrum(np.array([3]))[:, 0]
    harmonic = np.sqrt(np.sum(np.abs(spectrum[..., 1:]) ** 2, axis=-1))
    np.testing.assert_allclose(result.thd_current[:, 3], harmonic / np.abs(spectrum[..., 0]))
    neutral = spectrum.sum(axis=1)
    expected = np.sqrt(np.sum(np.abs(neutral[..., 1:]) ** 2, axis=-1)) / np.abs(neutral[..., 0])
    np.testing.assert_allclose(result.thd_current_n[:, 3], expected)


QUADRANTS = [  # angle of the current in degrees, sign of P, sign of Q, type of the power factor
    (-30, 1, 1, 2),
    (-150, -1, 1, 1),
    (150, -1, -1, 2),
    (30, 1, -1, 1),
    (0, 1, 0, 0),
]


@pytest.mark.parametrize(("angle", "active", "reactive", "kind"), QUADRANTS)
def test_the_quadrant_decides_signs_and_type(angle, active, reactive, kind):
    bench = Bench({"load": "board"})
    current = 10 * np.exp(1j * np.deg2rad(angle)) * np.array([1, A**2, A])
    slot = Slot("head/I", 0, "load", "3P+N", tuple(CurrentInput(p, p) for p in THREE), 63.0, 0)
    result = measure(
        bench.solution(BALANCED, current), compile_wiring([slot], [Tap("head/U", "board")], bench)
    )
    assert result.active_power_total == pytest.approx(6900 * np.cos(np.deg2rad(angle)))
    assert np.sign(np.round(result.active_power_total)) == active
    # At unity the triangle leaves rounding: sqrt(2^-52) of S.
    assert np.sign(np.round(result.reactive_power_total, 2)) == reactive
    assert np.sign(result.power_factor_total) == active
    assert result.powers.factor_type[0, 3, 0] == kind
    assert result.displacement_deg[0, 0] == pytest.approx(-angle, abs=1e-9)


def test_budeanu_reactive_power_of_orders_is_their_sum():
    solution = random_solution(5)
    result = measure(solution, wiring_of_all_kinds(), method="budeanu")
    spectrum, voltage = solution.current_spectrum(np.array([3])), solution.voltage_v[:, [1]]
    expected = (voltage * spectrum.conj()).imag.sum(axis=-1)
    np.testing.assert_allclose(result.reactive_power[:, 3], expected[:, 0])
    np.testing.assert_allclose(result.reactive_power_total[:, 3], expected[:, 0].sum(axis=-1))


def test_loads_of_one_bus_share_voltage_and_frequency():
    result = measure(random_solution(9), wiring_of_all_kinds())
    three_phase = result.voltage[0, 3], result.voltage[0, 9]
    np.testing.assert_array_equal(*three_phase)
    np.testing.assert_array_equal(result.frequency, np.full((1, len(KINDS)), 50.0))


def test_a_dead_voltage_module_takes_powers_but_not_currents():
    solution, wiring = random_solution(3), wiring_of_all_kinds()
    live = np.arange(len(KINDS)) % 2 == 0
    result = measure(solution, wiring, live)
    whole = measure(solution, wiring)
    np.testing.assert_array_equal(result.current, whole.current)
    for name in ("active_power_total", "power_factor_total", "voltage", "frequency", "displacement_deg"):
        assert np.isnan(getattr(result, name)[:, ~live]).all()
        np.testing.assert_array_equal(getattr(result, name)[:, live], getattr(whole, name)[:, live])


def test_without_voltage_there_is_no_frequency_and_no_power():
    solution = random_solution(3)
    dark = replace(
        solution,
        voltage_v=np.zeros_like(solution.voltage_v),
        active_w=np.zeros_like(solution.active_w),
        reactive1_var=np.zeros_like(solution.reactive1_var),
    )
    result = measure(dark, wiring_of_all_kinds())
    assert np.isnan(result.frequency).all()
    np.testing.assert_array_equal(result.active_power_total, 0.0)
    assert np.isnan(result.power_factor_total).all()
