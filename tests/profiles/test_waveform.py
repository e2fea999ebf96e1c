"""Samples from spectra and back: exact in a synchronous window, with a known artefact in any other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.profiles import quantities as q
from virtual_digiware.profiles.solution import ORDERS
from virtual_digiware.profiles.waveform import (
    Window,
    analyse,
    circuit_waveforms,
    fixed_window,
    mean_power,
    piecewise_envelope,
    synchronous_window,
    synthesis_basis,
    synthesise,
)

H = len(ORDERS)
WHOLE = pytest.mark.parametrize("frequency_hz", [49.5, 50.0, 50.05, 60.0])


def spectra(seed: int, *shape: int, fundamental: float = 230.0, distortion: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = fundamental * distortion * (rng.normal(size=(*shape, H)) + 1j * rng.normal(size=(*shape, H)))
    values = values / np.array(ORDERS)
    values[..., 0] = fundamental * np.exp(2j * np.pi * rng.uniform(size=shape))
    return values


def test_a_cosine_starts_at_its_peak():
    one = np.zeros(H, dtype=complex)
    one[0] = 230
    samples = synthesise(one, Window(cycles=1, samples=8))
    assert samples == pytest.approx(230 * np.sqrt(2) * np.cos(np.arange(8) * np.pi / 4), abs=1e-12)


def test_orders_turn_forward_with_their_own_speed():
    one = np.zeros(H, dtype=complex)
    one[ORDERS.index(5)] = 2j
    theta = np.arange(64) * 2 * np.pi / 64
    assert synthesise(one, Window(1, 64)) == pytest.approx(-2 * np.sqrt(2) * np.sin(5 * theta), abs=1e-13)


@WHOLE
def test_a_window_is_ten_cycles_at_50_hz_and_twelve_at_60(frequency_hz):
    window = synchronous_window(frequency_hz)
    assert (window.cycles, window.samples) == (12 if frequency_hz == 60 else 10, 2048)


@WHOLE
def test_synchronous_samples_measure_as_their_phasors(frequency_hz):
    window = synchronous_window(frequency_hz)
    voltage, current = spectra(1, 50, distortion=0.05), spectra(2, 50, fundamental=16, distortion=0.8)
    u, i = synthesise(voltage, window), synthesise(current, window)
    measured = analyse(u, int(window.cycles))
    assert measured.rms == pytest.approx(q.rms(voltage), rel=1e-12)
    apparent = q.apparent_power(voltage, current)
    assert np.max(np.abs(mean_power(u, i) - q.active_power(voltage, current)) / apparent) < 1e-12
    assert np.max(np.abs(measured.orders[..., 0::2] - voltage)) < 1e-13 * 230
    assert np.max(np.abs(measured.orders[..., 1::2])) < 1e-13 * 230  # even orders
    assert np.max(np.abs(measured.subgroups[..., 0::2] - np.abs(voltage))) < 2e-14 * 230 * 2
    assert measured.thd == pytest.approx(q.thd_fundamental(voltage), rel=1e-12)
    points = 512 if frequency_hz == 60 else 1024
    assert measured.crest_factor == pytest.approx(q.crest_factor(voltage, points), rel=1e-12)


def test_single_precision_samples_lose_less_than_a_tenth_of_a_millionth_of_the_rms():
    window = synchronous_window(50.0)
    values = spectra(3, 200)
    parts = values.view(np.float64).astype(np.float32)
    single = parts @ synthesis_basis(window, "float32")
    assert single.dtype == np.float32
    assert analyse(single, 10).rms == pytest.approx(q.rms(values), rel=1e-7)


@pytest.mark.parametrize(
    ("frequency_hz", "of_rms", "of_power"), [(50.05, 5e-4, 1.2e-3), (49.5, 5e-3, 1.2e-2)]
)
def test_a_window_that_does_not_follow_the_mains_shows_the_known_artefact(frequency_hz, of_rms, of_power):
    window = fixed_window(frequency_hz)
    angles = np.linspace(0, 2 * np.pi, 64)
    u, i = np.zeros((2, 64, H), dtype=complex)
    u[:, 0] = 230 * np.exp(1j * angles)
    i[:, 0] = 10 * np.exp(1j * (angles - 0.45))
    samples = synthesise(u, window)
    rms_error = np.max(np.abs(analyse(samples, 10).rms / 230 - 1))
    power_error = np.max(np.abs(mean_power(samples, synthesise(i, window)) / 2300 - np.cos(0.45)))
    assert of_rms / 3 < rms_error < of_rms
    assert of_power / 3 < power_error < of_power


@given(st.integers(0, 2**32), st.sampled_from([10, 12]), st.floats(0.01, 1.5))
def test_any_spectrum_survives_synthesis_and_analysis(seed, cycles, distortion):
    values = spectra(seed, fundamental=100, distortion=distortion)
    measured = analyse(synthesise(values, Window(cycles)), cycles)
    assert np.max(np.abs(measured.orders[0::2] - values)) < 1e-12 * q.rms(values)
    assert measured.rms == pytest.approx(q.rms(values), rel=1e-12)


def test_a_neighbouring_bin_counts_to_the_harmonic_subgroup():
    theta = 2 * np.pi * np.arange(2048) / 2048
    samples = np.sqrt(2) * (3 * np.cos(50 * theta) + 4 * np.cos(51 * theta))  # 250 and 255 Hz
    measured = analyse(samples, 10)
    assert measured.subgroups[4] == pytest.approx(5)
    assert abs(measured.orders[4]) == pytest.approx(3)


def test_analysis_of_silence_has_no_ratios():
    measured = analyse(np.zeros(2048), 10)
    assert measured.rms == 0
    assert np.isnan(measured.thd)
    assert np.isnan(measured.crest_factor)


@pytest.mark.parametrize(("samples", "cycles"), [(1000, 10), (2048, 2)])
def test_analysis_refuses_windows_that_cannot_show_the_50th_order(samples, cycles):
    with pytest.raises(ValueError, match="50th"):
        analyse(np.zeros(samples), cycles)


def test_a_dip_of_the_middle_third_lowers_the_rms_by_its_energy():
    window = Window(cycles=12, samples=2400)  # 0.24 s
    one = np.zeros(H, dtype=complex)
    one[0] = 230
    factor = piecewise_envelope(window, 50.0, [(0.08, 0.4), (0.16, 1.0)])
    assert factor.tolist() == [1.0] * 800 + [0.4] * 800 + [1.0] * 800
    dipped = synthesise(one, window) * factor
    assert np.sqrt(np.mean(dipped**2)) == pytest.approx(230 * np.sqrt((2 + 0.4**2) / 3))


def test_one_cycle_rms_in_a_dip_is_the_mixture_of_both_levels():
    # U^2 = (1 - x) U0^2 + x U1^2 with x the share of the cycle inside the dip, in quarters of a cycle
    one = np.zeros(H, dtype=complex)
    one[0] = 230
    for quarters in range(1, 4):
        window = Window(cycles=1, samples=4096)
        factor = piecewise_envelope(window, 50.0, [(0.02 - 0.005 * quarters, 0.5)])
        u = synthesise(one, window) * factor
        expected = np.sqrt((1 - quarters / 4) * 230**2 + quarters / 4 * 115**2)
        assert np.sqrt(np.mean(u**2)) == pytest.approx(expected, rel=1e-3)


def test_waveforms_of_a_circuit_cover_the_asked_cycles():
    voltage, current = spectra(4, 3), spectra(5, 3, fundamental=10)
    waves = circuit_waveforms(voltage, current, 50.0, cycles=2.5)
    assert waves.time_s[0] == 0
    assert waves.time_s[-1] + waves.time_s[1] == pytest.approx(0.05)
    assert waves.voltage_v.shape == waves.current_a.shape == (3, 1280)
    assert waves.neutral_a == pytest.approx(waves.current_a.sum(axis=0))
    assert np.max(np.abs(waves.voltage_v[:, :512] - waves.voltage_v[:, 512:1024])) < 1e-10  # cycles repeat


def test_waveforms_of_no_cycle_are_refused():
    with pytest.raises(ValueError, match="positive"):
        circuit_waveforms(spectra(4, 3), spectra(5, 3), 50.0, cycles=0)
