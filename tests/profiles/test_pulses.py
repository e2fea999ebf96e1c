"""Pulses: inside their slots, as often as said, and with the energy that numeric integration finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virtual_digiware.profiles.library import Cycle
from virtual_digiware.profiles.noise import key, key_array
from virtual_digiware.profiles.pulses import STEP_MS, Pulses

START = Cycle(600, (100, 200), (0.5, 0.8), inrush_multiple=6, inrush_tau_s=1.5)
PLAIN = Cycle(900, (30, 600), (0.1, 0.3), probability=0.7)
TRIP = Cycle(60, (15, 40), (-0.3, -0.1), probability=0.4, scaled_by_profile=True)
NOMINAL_W = np.array([10_000.0, 4_000.0])
KEYS = key_array([key(1, "site", "a"), key(1, "site", "b")])
CYCLES = [(0, 0, START), (0, 1, TRIP), (1, 0, PLAIN)]


def always(t_ms):
    return np.ones(t_ms.shape)


def pulses(cycles=CYCLES):
    return Pulses(cycles, NOMINAL_W, KEYS)


def sampled(subject, start_ms, end_ms, samples=4000):
    """Mean by the midpoint rule."""
    t = start_ms + (np.arange(samples) + 0.5) * (end_ms - start_ms) / samples
    step = np.full(samples, start_ms // STEP_MS)
    return subject.at(subject.of_steps(step, always), t).mean(axis=0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), st.integers(0, 9_999), st.integers(1, 10_000))
def test_mean_power_is_what_integration_finds(step, offset, length):
    start = step * STEP_MS + offset
    end = min(start + length, (step + 1) * STEP_MS)
    subject = pulses()
    mean = subject.mean(subject.of_steps(np.array([step]), always), np.array([start]), np.array([end]))[0]
    # The midpoint rule misses an edge by at most one sample of the largest step, six times 8 kW.
    assert mean == pytest.approx(sampled(subject, start, end), abs=3 * 48_000 / 4000)


def test_a_whole_day_of_steps_holds_the_energy_of_its_pulses():
    subject = pulses([(0, 0, START)])
    steps = np.arange(8640)
    found = subject.of_steps(steps, always)
    energy = subject.mean(found, steps * STEP_MS, (steps + 1) * STEP_MS).sum() * 10
    inside = (found.start_ms >= 0) & (found.end_ms <= 8640 * STEP_MS)
    starts, first = np.unique(found.start_ms[inside], return_index=True)
    length = (found.end_ms[inside][first] - starts) / 1000
    power = found.power_w[inside][first]
    expected = np.sum(power * (length + 5 * 1.5 * (1 - np.exp(-length / 1.5))))
    # The pulse under way at each end of the day belongs only in part.
    assert energy == pytest.approx(expected, abs=2 * 8000 * (200 + 7.5))


def test_pulses_stay_inside_their_slots_and_limits():
    subject = pulses([(0, 0, START)])
    found = subject.of_steps(np.arange(0, 6000, 60), always)
    length = found.end_ms - found.start_ms
    assert 100_000 <= length.min() <= length.max() <= 200_000
    assert 5_000 <= found.power_w.min() <= found.power_w.max() <= 8_000
    slots = np.unique(found.start_ms - found.start_ms.min() % 600_000)
    assert slots.size == 100


def test_a_slot_is_empty_as_often_as_said():
    subject = pulses([(1, 0, PLAIN)])
    found = subject.of_steps(np.arange(0, 90 * 5000, 90), always)
    assert np.mean(found.end_ms > found.start_ms) == pytest.approx(0.7, abs=0.02)


def test_the_profile_scales_how_often_never_beyond_always():
    subject = pulses([(0, 0, TRIP)])
    steps = np.arange(0, 6 * 5000, 6)
    half = subject.of_steps(steps, lambda t: np.full(t.shape, 0.5))
    lots = subject.of_steps(steps, lambda t: np.full(t.shape, 9.0))
    assert np.mean(half.end_ms > half.start_ms) == pytest.approx(0.2, abs=0.02)
    assert np.mean(lots.end_ms > lots.start_ms) == pytest.approx(0.4, abs=0.02)


def test_an_inrush_begins_at_its_multiple():
    subject = pulses([(0, 0, START)])
    found = subject.of_steps(np.array([30]), always)
    begin, power = found.start_ms[0], found.power_w[0, 0]
    step = begin // STEP_MS
    around = subject.at(
        subject.of_steps(np.repeat(step, 3), always), begin + np.array([-1, 0, 1500]).repeat(1)
    )
    expected = [0, 6 * power, (1 + 5 / np.e) * power]
    assert around[:, 0] == pytest.approx(expected, rel=1e-9)


def test_equal_cycles_of_two_loads_do_not_march_in_step():
    subject = pulses([(0, 0, PLAIN), (1, 0, PLAIN)])
    found = subject.of_steps(np.arange(0, 9000, 90), always)
    assert np.mean(found.start_ms[:, 0] == found.start_ms[:, 1]) < 0.05
