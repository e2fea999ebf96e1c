"""Stateless noise: published vectors, statistics, and values that never depend on who else is asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virtual_digiware.profiles.noise import (
    OrnsteinUhlenbeck,
    Stream,
    as_normal,
    bits,
    derive,
    key,
    key_array,
    normal,
    ou,
    uniform,
)

# First outputs of SplitMix64 seeded with 1234567, as published with many implementations of it.
SPLITMIX64 = (
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
)
KEYS = key_array([key(1, "site", f"load/{n}") for n in range(40)])
MINUTE_MS = 60_000


def test_hashed_bits_are_those_of_splitmix64():
    found = bits(np.array([1234567], dtype=np.uint64), np.arange(1, 6))
    assert tuple(int(value) for value in found) == SPLITMIX64


def test_keys_tell_seed_site_and_name_apart():
    keys = {key(1, "a", "b"), key(2, "a", "b"), key(1, "ab", ""), key(1, "", "ab"), key(-1, "a", "b")}
    assert len(keys) == 5
    assert all(0 <= value < 2**64 for value in keys)


def test_normal_numbers_are_bounded_by_four_full_and_four_empty_lanes():
    ends = as_normal(np.array([0, 2**64 - 1], dtype=np.uint64))
    assert ends == pytest.approx([-np.sqrt(12), np.sqrt(12)], rel=1e-4)


def test_normal_numbers_have_the_promised_moments():
    drawn = normal(KEYS[:, None], Stream.SLOW, np.arange(25_000))
    assert drawn.mean() == pytest.approx(0, abs=4e-3)
    assert drawn.var() == pytest.approx(1, abs=5e-3)
    assert (drawn**4).mean() == pytest.approx(2.7, abs=0.02)


def test_uniform_numbers_fill_their_interval_evenly():
    drawn = uniform(KEYS[:, None], Stream.VARIANT, np.arange(25_000))
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = np.histogram(drawn, 20, (0, 1))[0]
    assert counts == pytest.approx(np.full(20, drawn.size / 20), rel=0.02)


def test_neighbouring_slots_keys_and_streams_are_unrelated():
    drawn = normal(KEYS[:, None], Stream.SLOW, np.arange(25_000))
    other = normal(KEYS[:, None], Stream.DAY, np.arange(25_000))
    assert np.mean(drawn[:, 1:] * drawn[:, :-1]) == pytest.approx(0, abs=5e-3)
    assert np.mean(drawn[1:] * drawn[:-1]) == pytest.approx(0, abs=5e-3)
    assert np.mean(drawn * other) == pytest.approx(0, abs=5e-3)


@settings(deadline=None)
@given(st.integers(-(2**40), 2**40), st.integers(0, 39))
def test_a_number_does_not_depend_on_its_batch(slot, place):
    batch = normal(KEYS, Stream.SLOW, slot)
    assert normal(KEYS[place], Stream.SLOW, slot)[0] == batch[place]
    assert normal(KEYS[::-1], Stream.SLOW, np.array([[slot], [7]]))[0, ::-1].tolist() == batch.tolist()


@pytest.mark.parametrize(("distance_s", "covariance"), [(10, 0.967), (30, 0.905), (300, 0.369)])
def test_slow_noise_has_the_covariance_of_its_time_constant(distance_s, covariance):
    # With a time constant of 300 s: exp(-1/30), exp(-1/10), exp(-1).
    keys = key_array([key(2, "site", f"{n}") for n in range(400)])
    t_ms = np.arange(0, 4 * 3_600_000, 10_000)
    values = ou(keys, Stream.SLOW, t_ms, 300_000, 10_000)
    lag = distance_s // 10
    assert np.mean(values[lag:] * values[:-lag]) == pytest.approx(covariance, abs=0.02)
    assert values.var() == pytest.approx(1, abs=0.02)


def test_slow_noise_is_a_straight_line_between_leaves():
    leaves = np.array([5, 6]) * 120_000
    ends = ou(KEYS, Stream.SLOW, leaves, 600_000, 120_000)
    inside = ou(KEYS, Stream.SLOW, leaves[:1] + 30_000, 600_000, 120_000)
    assert inside[0] == pytest.approx(0.75 * ends[0] + 0.25 * ends[1], rel=1e-12)


def test_slow_noise_of_one_load_ignores_the_time_constants_of_others():
    tau = np.linspace(60_000, 10_000_000, 40)
    together = ou(KEYS, Stream.SLOW, np.array([123_456_789]), tau, 120_000)
    alone = [ou(KEYS[n], Stream.SLOW, np.array([123_456_789]), tau[n], 120_000)[0, 0] for n in range(40)]
    assert together[0].tolist() == alone


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-(10**12), 2 * 10**12), min_size=1, max_size=20))
def test_slow_noise_can_be_asked_in_any_order(times):
    process = OrnsteinUhlenbeck(KEYS[:3], Stream.SLOW, [300_000, 600_000, 7_200_000], 120_000)
    batch = process.at(np.array(times))
    assert [process.at(np.array([t]))[0].tolist() for t in times] == batch.tolist()


def test_streams_can_be_derived_beforehand():
    assert bits(derive(KEYS, 3), 9).tolist() == bits(derive(KEYS, Stream.DETAIL), 9).tolist()
