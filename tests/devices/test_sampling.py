"""Sampled measurement agrees with the phasor formulas, whichever windows are measured together."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virtual_digiware.devices.sampling import Sampled, measure_windows
from virtual_digiware.profiles import quantities as q
from virtual_digiware.profiles.library import load_classes
from virtual_digiware.profiles.solution import ORDERS
from virtual_digiware.profiles.waveform import analyse, mean_power, synchronous_window, synthesise

H = len(ORDERS)
TOLERANCE = 1e-6


def installation(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Voltages near 230 V with a few percent of harmonics; currents with spectra of the library."""
    rng = np.random.default_rng(seed)
    balanced = np.exp(-2j * np.pi / 3 * np.arange(3))
    voltage = np.zeros((rows, 3, H), dtype=complex)
    voltage[..., 0] = 230 * balanced * (1 + 0.02 * rng.normal(size=(rows, 3)))
    small = rng.normal(size=(rows, 3, H - 1)) + 1j * rng.normal(size=(rows, 3, H - 1))
    voltage[..., 1:] = 230 * 0.03 * small / np.array(ORDERS[1:])
    classes = list(load_classes().values())
    current = np.empty_like(voltage)
    for row in range(rows):
        spectra = classes[rng.integers(len(classes))].spectra
        shape = spectra[rng.integers(spectra.shape[0]), rng.integers(spectra.shape[1])]
        turn = np.angle(voltage[row, :, 0])[:, None] * np.array(ORDERS)
        current[row] = rng.uniform(0.5, 300, size=(3, 1)) * shape * np.exp(1j * turn)
        current[row, :, 0] *= np.exp(1j * rng.uniform(-np.pi, np.pi))
    return voltage, current, current.sum(axis=1)


@pytest.mark.parametrize("frequency_hz", [49.9, 60.1])
def test_sampled_values_agree_with_the_phasor_formulas(frequency_hz):
    rows = 70
    voltage, current, neutral = installation(7, rows)
    sampled = measure_windows(voltage, current, neutral, np.full(rows, frequency_hz))
    points = 512 if frequency_hz > 55 else 1024
    apparent = q.apparent_power(voltage, current)
    active = q.active_power(voltage, current)
    reactive1 = q.reactive_power_fundamental(voltage, current)
    line = q.line_voltages(voltage)
    for measured, expected in [
        (sampled.voltage_v, q.rms(voltage)),
        (sampled.line_voltage_v, q.rms(line)),
        (sampled.current_a, q.rms(current)),
        (sampled.neutral_a, q.rms(neutral)),
        (sampled.apparent_va, apparent),
        (sampled.thd_voltage, q.thd_fundamental(voltage)),
        (sampled.thd_line_voltage, q.thd_fundamental(line)),
        (sampled.thd_neutral, q.thd_fundamental(neutral)),
        (sampled.crest_voltage, q.crest_factor(voltage, points)),
        (sampled.crest_current, q.crest_factor(current, points)),
        (sampled.crest_neutral, q.crest_factor(neutral, points)),
    ]:
        assert measured == pytest.approx(expected, rel=TOLERANCE)
    assert np.max(np.abs(sampled.thd_current - q.thd_fundamental(current))) < TOLERANCE
    assert np.max(np.abs(sampled.active_w - active) / apparent) < TOLERANCE
    assert np.max(np.abs(sampled.reactive1_var - reactive1) / apparent) < TOLERANCE
    total = q.reactive_power_total(apparent, active, reactive1)
    assert np.max(np.abs(sampled.reactive_var - total) / apparent) < TOLERANCE
    assert np.max(np.abs(sampled.power_factor - q.power_factor(active, apparent))) < TOLERANCE
    for orders, spectrum in [
        (sampled.voltage_orders, voltage),
        (sampled.current_orders, current),
        (sampled.neutral_orders, neutral),
    ]:
        assert orders.shape[-1] == 50
        scale = np.max(np.abs(spectrum))
        assert np.max(np.abs(orders[..., 0::2] - spectrum)) < TOLERANCE * scale
        assert np.max(np.abs(orders[..., 1::2])) < TOLERANCE * scale


@settings(max_examples=15)
@given(st.integers(0, 2**32))
def test_any_circuit_measures_alike_by_samples_and_by_phasors(seed):
    voltage, current, neutral = installation(seed, 3)
    sampled = measure_windows(voltage, current, neutral, np.full(3, 50.0))
    apparent = q.apparent_power(voltage, current)
    assert sampled.current_a == pytest.approx(q.rms(current), rel=TOLERANCE)
    assert np.max(np.abs(sampled.active_w - q.active_power(voltage, current)) / apparent) < TOLERANCE
    assert sampled.active_w**2 + sampled.reactive_var**2 == pytest.approx(sampled.apparent_va**2, rel=1e-12)


def test_a_circuit_measures_the_same_bits_alone_and_in_a_crowd_of_both_frequencies():
    rows = 75
    voltage, current, neutral = installation(11, rows)
    frequency = np.where(np.arange(rows) % 3 == 0, 60.0, 50.0)
    together = measure_windows(voltage, current, neutral, frequency)
    for row in (0, 1, 40, 74):
        one = slice(row, row + 1)
        alone = measure_windows(voltage[one], current[one], neutral[one], frequency[one])
        for field in fields(Sampled):
            assert np.array_equal(getattr(alone, field.name)[0], getattr(together, field.name)[row])


@pytest.mark.parametrize("frequency_hz", [50.0, 60.0])
def test_a_window_of_all_2048_samples_measures_the_same(frequency_hz):
    voltage, current, neutral = installation(13, 4)
    sampled = measure_windows(voltage, current, neutral, np.full(4, frequency_hz))
    window = synchronous_window(frequency_hz)
    assert window.samples == 2048
    u, i = synthesise(voltage, window), synthesise(current, window)
    whole = analyse(i, int(window.cycles))
    assert sampled.current_a == pytest.approx(whole.rms, rel=1e-12)
    assert sampled.active_w == pytest.approx(mean_power(u, i), rel=1e-9)
    assert sampled.crest_current == pytest.approx(whole.crest_factor, rel=1e-12)
    assert np.max(np.abs(sampled.current_orders - whole.orders)) < 1e-12 * np.max(whole.rms)


def test_a_dead_circuit_measures_zero_and_its_ratios_are_not_available():
    nothing = np.zeros((1, 3, H), dtype=complex)
    sampled = measure_windows(nothing, nothing, nothing[:, 0], np.array([50.0]))
    for value in (sampled.voltage_v, sampled.current_a, sampled.active_w, sampled.reactive_var):
        assert np.all(value == 0)
    for ratio in (sampled.power_factor, sampled.thd_current, sampled.crest_voltage, sampled.thd_neutral):
        assert np.all(np.isnan(ratio))


def test_no_circuits_measure_as_no_rows():
    empty = np.zeros((0, 3, H), dtype=complex)
    sampled = measure_windows(empty, empty, empty[:, 0], np.zeros(0))
    assert sampled.voltage_v.shape == (0, 3)
    assert sampled.neutral_orders.shape == (0, 50)
