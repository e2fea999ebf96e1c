"""Formulas of electrical quantities: numbers that others computed, then properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from virtual_digiware.profiles import quantities as q
from virtual_digiware.profiles.solution import ORDERS

A = np.exp(2j * np.pi / 3)
BALANCED = np.array([1, A**2, A])
H = len(ORDERS)


def spectrum(**orders: complex) -> np.ndarray:
    """A spectrum from `h3=0.6`."""
    values = np.zeros(H, dtype=complex)
    for name, value in orders.items():
        values[ORDERS.index(int(name[1:]))] = value
    return values


def three_phases(one: np.ndarray) -> np.ndarray:
    """The same waveform in each phase, a third of a cycle later each."""
    return np.stack([one * np.exp(-2j * np.pi / 3 * k * np.array(ORDERS)) for k in range(3)])


def random_spectra(seed: int, *shape: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(*shape, H)) + 1j * rng.normal(size=(*shape, H))) / np.array(ORDERS)


part = st.floats(-400, 400, allow_subnormal=False).map(lambda x: 0.0 if abs(x) < 1e-6 else x)
phasors = st.builds(complex, part, part)


def spectra_of(*shape: int) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.complex128, (*shape, H), elements=phasors, fill=st.just(0j))


# Numbers computed elsewhere -------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.005, 0.02, 0.1, 0.5])
def test_unbalance_from_three_line_voltages_is_that_of_the_sequences(share):
    fundamental = 230 * (BALANCED + share * np.exp(0.7j) * np.conj(BALANCED))
    lines = np.abs(q.line_voltages(fundamental[:, None])[:, 0])
    assert q.unbalance_from_line_voltages(lines) == pytest.approx(share, abs=5e-13)
    assert q.negative_sequence_unbalance(fundamental) == pytest.approx(share, abs=1e-15)


def test_unbalance_from_line_voltages_is_the_published_formula():
    lines = np.array([398.0, 402.5, 391.0])
    beta = np.sum(lines**4) / np.sum(lines**2) ** 2
    root = np.sqrt(3 - 6 * beta)
    assert q.unbalance_from_line_voltages(lines) == pytest.approx(np.sqrt((1 - root) / (1 + root)), rel=1e-9)


def test_amplitude_unbalance_is_another_number_than_the_sequence_unbalance():
    for angle in np.linspace(0, 2 * np.pi, 25):
        line = BALANCED + 0.005 * np.exp(1j * angle) * np.conj(BALANCED)
        amplitude = q.amplitude_unbalance(np.abs(line))
        assert 0.86 < amplitude / q.negative_sequence_unbalance(line) < 1.01


@pytest.mark.parametrize(
    ("characteristic", "phases", "magnitudes"),
    [
        ("C", lambda v: (1, -0.5 - 0.5j * np.sqrt(3) * v, -0.5 + 0.5j * np.sqrt(3) * v), (1, 0.66, 0.66)),
        ("D", lambda v: (v, -v / 2 - 0.5j * np.sqrt(3), -v / 2 + 0.5j * np.sqrt(3)), (0.5, 0.90, 0.90)),
    ],
)
def test_a_dip_seen_through_a_transformer_has_a_third_of_unbalance_and_no_zero_sequence(
    characteristic, phases, magnitudes
):
    fundamental = np.array(phases(0.5))
    assert np.abs(fundamental) == pytest.approx(magnitudes, abs=0.005), characteristic
    assert q.negative_sequence_unbalance(fundamental) == pytest.approx(1 / 3)
    assert q.zero_sequence_unbalance(fundamental) == pytest.approx(0, abs=1e-15)


def test_a_blown_voltage_fuse_leaves_two_thirds_positive_sequence_and_half_unbalance():
    fundamental = BALANCED * np.array([0, 1, 1])
    positive, _, _ = q.sequence_components(fundamental)
    assert abs(positive) == pytest.approx(0.67, abs=0.004)
    assert q.negative_sequence_unbalance(fundamental) == pytest.approx(0.5)


def test_a_reversed_current_sensor_doubles_the_negative_sequence():
    current = BALANCED * np.array([-1, 1, 1])
    assert q.negative_sequence_unbalance(current) == pytest.approx(2.0)
    assert q.rms(q.neutral_current(current[:, None])) == pytest.approx(2.0)


def test_sixty_percent_third_harmonic_gives_1_54_times_the_phase_current_in_the_neutral():
    current = three_phases(10 * spectrum(h1=1, h3=0.6))
    assert q.rms(q.neutral_current(current)) / q.rms(current)[0] == pytest.approx(1.54, abs=0.005)


def test_line_voltage_of_a_balanced_system_is_root_three():
    lines = q.line_voltages(three_phases(230 * spectrum(h1=1, h3=0.05)))
    assert q.rms(lines) == pytest.approx(np.full(3, 230 * np.sqrt(3)))  # triplen orders cancel
    assert q.angle_deg(lines[0, 0]) == pytest.approx(30)


@pytest.mark.parametrize(
    ("listed", "percent"),
    [
        ({5: 0.38, 7: 0.14, 11: 0.07, 13: 0.03, 17: 0.03, 19: 0.02}, 41),
        ({3: 0.94, 5: 0.85, 7: 0.72, 9: 0.57, 11: 0.42, 13: 0.28, 17: 0.08, 19: 0.05}, 166),
    ],
)
def test_thd_of_published_spectra(listed, percent):
    values = spectrum(h1=1, **{f"h{order}": share for order, share in listed.items()})
    assert 100 * q.thd_fundamental(values) == pytest.approx(percent, abs=1.5)  # listed in whole percent


def test_power_factor_with_sinusoidal_voltage_is_cos_phi_over_the_distortion():
    voltage = spectrum(h1=230)
    current = spectrum(h1=10 * np.exp(-0.3j), h5=4, h7=2)
    active = q.active_power(voltage, current)
    factor = q.power_factor(active, q.apparent_power(voltage, current))
    assert factor == pytest.approx(np.cos(0.3) / np.sqrt(1 + q.thd_fundamental(current) ** 2))


def test_k_factor_of_a_sine_is_one_and_grows_with_the_square_of_the_order():
    assert q.k_factor(spectrum(h1=7)) == pytest.approx(1)
    assert q.k_factor(spectrum(h1=1, h5=1)) == pytest.approx(13)


def test_demand_distortion_falls_at_light_load_where_thd_does_not():
    heavy, light = spectrum(h1=100, h5=20), spectrum(h1=10, h5=2)
    assert q.tdd(heavy, 100.0) == pytest.approx(0.2)
    assert q.tdd(light, 100.0) == pytest.approx(0.02)
    assert q.thd_fundamental(light) == pytest.approx(0.2)


def test_crest_factor_of_a_sine_and_of_a_peaky_supply():
    assert q.crest_factor(spectrum(h1=10 * np.exp(0.4j))) == pytest.approx(np.sqrt(2), rel=1e-5)
    in_phase = spectrum(h1=1, h3=0.94, h5=0.85)
    peak = np.sqrt(2) * (1 + 0.94 + 0.85)
    assert q.crest_factor(in_phase) == pytest.approx(peak / np.sqrt(1 + 0.94**2 + 0.85**2))


QUADRANTS = [  # P, Q, quadrant, leading, sign of PF after IEC, after IEEE
    (5.0, 3.0, 1, False, 1, -1),
    (-5.0, 3.0, 2, True, -1, 1),
    (-5.0, -3.0, 3, False, -1, -1),
    (5.0, -3.0, 4, True, 1, 1),
]


@pytest.mark.parametrize(("active", "reactive", "number", "leads", "iec", "ieee"), QUADRANTS)
def test_quadrant_decides_character_and_sign_of_the_power_factor(active, reactive, number, leads, iec, ieee):
    p, r = np.array(active), np.array(reactive)
    factor = q.power_factor(p, np.hypot(p, r))
    assert q.quadrant(p, r) == number
    assert q.is_leading(p, r) == leads
    assert np.sign(factor) == iec
    assert np.sign(q.power_factor_ieee(factor, q.is_leading(p, r))) == ieee
    assert q.cos_phi(p, r) == pytest.approx(factor)
    assert q.tan_phi(p, r) == pytest.approx(reactive / active)


def test_a_pure_resistance_is_in_quadrant_one_and_nothing_is_in_none():
    assert q.quadrant(np.array([5.0, 0.0, np.nan]), np.array([0.0, 0.0, 1.0])).tolist() == [1, 0, 0]


def test_apparent_powers_are_ordered_in_five_thousand_unbalanced_distorted_cases():
    voltage = 230 * 0.03 * random_spectra(1, 5000, 3)
    voltage[..., 0] += 230 * BALANCED
    current = random_spectra(2, 5000, 3)
    vector = q.apparent_power_vector(voltage, current)
    arithmetic = q.apparent_power_arithmetic(voltage, current)
    effective = q.apparent_power_effective(voltage, current)
    assert np.all(vector <= arithmetic)
    assert np.all(arithmetic <= effective)


def test_apparent_powers_agree_for_a_balanced_sine():
    voltage, current = three_phases(spectrum(h1=230)), three_phases(spectrum(h1=10 * np.exp(-0.5j)))
    for formula in (q.apparent_power_vector, q.apparent_power_arithmetic, q.apparent_power_effective):
        assert formula(voltage, current) == pytest.approx(6900)


def test_ratios_of_nothing_are_not_available_and_do_not_warn():
    nothing = np.zeros((3, H), dtype=complex)
    assert np.all(q.rms(nothing) == 0)
    for formula in (q.thd_fundamental, q.thd_rms, q.k_factor, q.crest_factor):
        assert np.all(np.isnan(formula(nothing)))
    assert np.isnan(q.negative_sequence_unbalance(nothing[:, 0]))
    assert np.isnan(q.unbalance_from_line_voltages(np.zeros(3)))
    assert np.isnan(q.amplitude_unbalance(np.zeros(3)))
    assert np.isnan(q.angle_deg(np.array(0j)))
    zero = np.zeros(2)
    assert np.all(np.isnan(q.power_factor(zero, zero)))
    assert np.all(np.isnan(q.cos_phi(zero, zero)))
    assert np.all(np.isnan(q.tan_phi(zero, zero)))


# Properties -----------------------------------------------------------------------------------------------


@given(phasors, phasors)
def test_line_and_phase_voltages_close_the_triangle(first, second):
    voltage = np.array([[first], [second], [0j]])
    line = abs(q.line_voltages(voltage)[0, 0])
    cosine = (first * np.conj(second)).real
    expected = np.sqrt(max(abs(first) ** 2 + abs(second) ** 2 - 2 * cosine, 0))
    assert line == pytest.approx(expected, rel=1e-9, abs=1e-4)


@given(spectra_of(3), spectra_of(3))
def test_power_triangle_holds_and_power_factor_stays_within_one(voltage, current):
    apparent = q.apparent_power_arithmetic(voltage, current)
    active = q.active_power(voltage, current).sum()
    sign = q.reactive_power_fundamental(voltage, current).sum()
    reactive = q.reactive_power_total(apparent, active, sign)
    assert active**2 + reactive**2 == pytest.approx(apparent**2, rel=1e-12)
    assert reactive * sign >= 0
    factor = q.power_factor(active, apparent)
    assert np.isnan(factor) if apparent == 0 else abs(factor) <= 1


@given(spectra_of(3), spectra_of(3))
def test_vector_apparent_power_never_exceeds_arithmetic_nor_that_the_effective(voltage, current):
    voltage = voltage - voltage.mean(axis=0)  # no zero sequence: see apparent_power_effective
    vector = q.apparent_power_vector(voltage, current)
    arithmetic = q.apparent_power_arithmetic(voltage, current)
    effective = q.apparent_power_effective(voltage, current)
    assert vector <= arithmetic * (1 + 1e-12)
    assert arithmetic <= effective * (1 + 1e-12)


@given(hnp.arrays(np.complex128, (4, 3), elements=phasors))
def test_phasors_recompute_from_their_sequences(fundamental):
    positive, negative, zero = q.sequence_components(fundamental)
    rebuilt = np.stack([positive + negative + zero, A**2 * positive + A * negative + zero], axis=-1)
    assert np.allclose(rebuilt, fundamental[:, :2], atol=1e-9)
    assert np.allclose(A * positive + A**2 * negative + zero, fundamental[:, 2], atol=1e-9)


@given(spectra_of())
def test_both_distortion_ratios_follow_from_the_listed_orders(values):
    fundamental = abs(values[0])
    listed = np.sqrt(sum(abs(value) ** 2 for value in values[1:]))
    if fundamental == 0:
        assert np.isnan(q.thd_fundamental(values))
        return
    thd = listed / fundamental
    assert q.thd_fundamental(values) == pytest.approx(thd, rel=1e-12)
    assert q.thd_rms(values) == pytest.approx(thd / np.sqrt(1 + thd**2), rel=1e-9)


@given(spectra_of(), spectra_of())
def test_apparent_power_is_fundamental_and_three_distortion_powers(voltage, current):
    first = abs(voltage[0]) * abs(current[0])
    parts = [first, *q.distortion_powers(voltage, current)]
    assert np.sqrt(sum(p**2 for p in parts)) == pytest.approx(q.apparent_power(voltage, current), rel=1e-9)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_power_factor_sign_follows_the_quadrant(active, reactive):
    p, r = np.array(active), np.array(reactive)
    number = int(q.quadrant(p, r))
    assert (number == 0) == (active == 0 and reactive == 0)
    if number:
        assert (number in (1, 4)) == (active >= 0)
        assert (number in (1, 2)) == (reactive >= 0)
        assert bool(q.is_leading(p, r)) == (number in (2, 4))
