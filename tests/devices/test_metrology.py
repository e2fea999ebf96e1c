"""Realistic modules: inside their class, the same at every look, still where there is no current."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.devices.solutions import BALANCED, A, Bench
from virtual_digiware.devices.connections import CurrentInput, Slot, Tap
from virtual_digiware.devices.measurement import measure
from virtual_digiware.devices.metrology import Metrology, Modules, cabinet_temperature_c, deviations_of
from virtual_digiware.devices.wiring import Wiring
from virtual_digiware.devices.wiring_compilation import compile_wiring
from virtual_digiware.profiles.noise import key
from virtual_digiware.profiles.solution import Solution

NOMINAL_A = 100.0
COUNT = 400
BENCH = Bench({f"c{i}": "board" for i in range(COUNT)})
KEYS = [key(1, "bench", f"serial {i}") for i in range(COUNT)]
INPUTS = tuple(CurrentInput(p, p) for p in ("L1", "L2", "L3"))
SLOTS = [Slot("head/I", 0, f"c{i}", "3P+N", INPUTS, NOMINAL_A, i) for i in range(COUNT)]
TAPS = [Tap(f"head{i}/U", "board") for i in range(COUNT)]
MODULES = Modules(KEYS, [key(1, "bench", f"tap {i}") for i in range(COUNT)])
HOUR_MS = 3_600_000


def wired(modules: Modules = MODULES) -> Wiring:
    return compile_wiring(SLOTS, TAPS, BENCH, deviations=deviations_of(modules))


def loaded(current_a: float, t_ms: int = 0, lag_deg: float = 60.0) -> Solution:
    phasors = current_a * np.exp(-1j * np.deg2rad(lag_deg)) * np.array([1, A**2, A])
    return BENCH.solution(BALANCED, np.tile(phasors, (COUNT, 1)), t_ms=t_ms)


def over(solution: Solution, duration_ms: int) -> Solution:
    return replace(solution, end_ms=solution.start_ms + duration_ms)


def test_ratio_errors_spread_over_a_third_of_the_class_and_stay_within_it():
    deviations = deviations_of(MODULES)
    current, voltage = deviations.slot_ratio - 1, deviations.tap_ratio - 1
    assert np.abs(current).max() <= 0.8 * 0.005 + 1e-12
    assert np.abs(voltage).max() <= 0.8 * 0.002 + 1e-12
    assert np.std(current) == pytest.approx(0.005 / 3, rel=0.1)
    assert np.std(voltage) == pytest.approx(0.002 / 3, rel=0.1)
    assert abs(np.mean(current)) < 0.005 / 3 * 4 / np.sqrt(COUNT)


def test_phase_errors_are_minutes_of_arc():
    minutes = np.rad2deg(deviations_of(MODULES).slot_lag_rad) * 60
    assert np.abs(minutes).max() <= 15.0
    assert np.std(minutes) == pytest.approx(5.0, rel=0.15)


def test_a_better_class_makes_smaller_errors_of_the_same_sign():
    usual = deviations_of(MODULES)
    better = deviations_of(replace(MODULES, slot_class_percent=0.2))
    np.testing.assert_allclose(better.slot_ratio - 1, 0.4 * (usual.slot_ratio - 1), atol=1e-15)


def test_power_errors_follow_ratio_and_phase():
    wiring = wired()
    solution = loaded(50.0)
    exact = measure(solution, compile_wiring(SLOTS, TAPS, BENCH)).active_power_total
    shown = measure(solution, wiring).active_power_total
    deviations = deviations_of(MODULES)
    ratio = deviations.slot_ratio * deviations.tap_ratio
    expected = ratio * (1 - np.tan(np.deg2rad(60)) * deviations.slot_lag_rad)  # dP/P = tan(phi) delta
    np.testing.assert_allclose(shown / exact, expected[None], rtol=1e-5)


def test_realistic_modules_never_take_energy_from_the_books():
    assert not wired().identity.any()


def test_noise_is_new_at_each_refresh_and_the_same_within_it():
    wiring = wired()
    errors = Metrology(MODULES, wiring, refresh_ms=1000)

    def shown(t_ms: int) -> np.ndarray:
        return measure(loaded(50.0, t_ms), wiring, errors=errors).current[0, :, 0]

    np.testing.assert_allclose(shown(5_000), shown(5_900), rtol=1e-8)  # the temperature moves on
    noise_a = shown(5_000) - shown(6_000)
    assert np.std(noise_a) == pytest.approx(np.sqrt(2) * 1e-4 * NOMINAL_A, rel=0.15)


def test_shown_values_still_belong_together():
    wiring = wired()
    result = measure(loaded(0.4), wiring, errors=Metrology(MODULES, wiring, refresh_ms=1000))
    powers = result.powers
    np.testing.assert_allclose(powers.active**2 + powers.reactive**2, powers.apparent**2, rtol=1e-9)
    np.testing.assert_allclose(powers.apparent[:, :3], result.rows.reference * result.rows.current)
    assert np.abs(powers.factor).max() <= 1.0
    ratio = np.abs(result.rows.fundamental) / result.rows.current
    np.testing.assert_allclose(ratio, 1.0)


def test_drift_follows_the_temperature_of_the_cabinet():
    wiring = wired()
    errors = Metrology(MODULES, wiring, refresh_ms=1000)
    night, day = 4 * HOUR_MS, 16 * HOUR_MS
    warmer_k = float(np.diff(cabinet_temperature_c(np.array([night, day])))[0])
    assert warmer_k == pytest.approx(8.0)
    means = [
        measure(over(loaded(50.0, t), 10_000), wiring, errors=errors).current[0, :, 0] for t in (night, day)
    ]
    drift = means[1] / means[0] - 1
    assert 0 < np.abs(drift).max() <= 20e-6 * 8.01


def test_means_over_an_interval_carry_no_noise():
    wiring = wired()
    errors = Metrology(MODULES, wiring, refresh_ms=1000)
    first, second = (
        measure(over(loaded(50.0, t), 10_000), wiring, errors=errors).active_power_total for t in (0, 10_000)
    )
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_below_the_starting_current_a_module_stands_still():
    wiring = wired()
    errors = Metrology(MODULES, wiring, refresh_ms=1000)
    result = measure(over(loaded(0.0009 * NOMINAL_A), 10_000), wiring, errors=errors)
    for values in (result.current, result.current_n, result.active_power_total, result.apparent_power_total):
        np.testing.assert_array_equal(values, 0.0)
    running = measure(over(loaded(0.0011 * NOMINAL_A), 10_000), wiring, errors=errors)
    assert (running.current > 0).all()


def test_a_single_phase_load_has_one_current_with_one_noise():
    slot = Slot("head/I", 2, "c0", "1P+N", (CurrentInput("L1", "L1"),), NOMINAL_A, 0)
    modules = Modules(KEYS[:1], MODULES.tap_keys[:1])
    wiring = compile_wiring([slot], TAPS[:1], BENCH, deviations=deviations_of(modules))
    result = measure(loaded(50.0), wiring, errors=Metrology(modules, wiring, refresh_ms=1000))
    np.testing.assert_array_equal(result.current_n, result.current[..., 0])
    assert np.isnan(result.current[..., 1:]).all()


def test_no_errors_at_all_is_exactly_ideal():
    still = replace(MODULES, slot_class_percent=0.0, tap_class_percent=0.0)
    deviations = replace(deviations_of(still), slot_lag_rad=np.zeros(COUNT))
    wiring = compile_wiring(SLOTS, TAPS, BENCH, deviations=deviations)
    assert wiring.identity.all()
