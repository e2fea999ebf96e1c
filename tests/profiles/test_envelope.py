"""What loads draw: step means against dense sampling, detail without bias, local profiles, replay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.profiles.installations import HOUR_MS, MONDAY_MS, classes, quiet
from virtual_digiware.profiles.envelope import Envelope
from virtual_digiware.profiles.installation import Load, Recording
from virtual_digiware.profiles.library import Cycle, daily_profile, load_classes
from virtual_digiware.profiles.noise import key
from virtual_digiware.profiles.recordings import RecordingError, Replay

STEP_MS = 10_000
EVERY_CLASS = tuple(Load(f"load {name}", "", name, 1000.0) for name in load_classes())


def envelope(*loads: Load, timezone="Europe/Paris", seed=1, **changed) -> Envelope:
    keys = {load.name: key(seed, "site", f"load/{load.name}") for load in loads}
    return Envelope(loads, classes(**changed), daily_profile, keys, key(seed, "site", "weather"), timezone)


def active(demand):
    return demand.conjugate_va.real


def reactive(demand):
    return -demand.conjugate_va.imag


def test_a_step_mean_is_the_mean_of_its_windows():
    subject = envelope(*EVERY_CLASS)
    start = MONDAY_MS + 9 * HOUR_MS + np.arange(30) * STEP_MS
    mean = active(subject.mean(start, start + STEP_MS))
    # Pulses may begin at any ms: sample each; slow parts are linear, so sampling at .5 ms would be exact.
    for row in (0, 13, 29):
        sampled = active(subject.at(start[row] + np.arange(STEP_MS))).mean(axis=0)
        assert mean[row] == pytest.approx(sampled, rel=2e-3, abs=0.5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 8640), st.lists(st.integers(1, 9_999), min_size=1, max_size=5, unique=True))
def test_means_of_parts_add_up_to_the_mean_of_the_step(step, cuts):
    subject = envelope(*EVERY_CLASS)
    edges = MONDAY_MS + step * STEP_MS + np.array([0, *sorted(cuts), STEP_MS])
    parts = active(subject.mean(edges[:-1], edges[1:])) * np.diff(edges)[:, None]
    whole = active(subject.mean(edges[:1], edges[-1:]))[0] * STEP_MS
    assert parts.sum(axis=0) == pytest.approx(whole, rel=1e-10, abs=1e-4)


def test_detail_has_no_mean_over_a_step_and_the_stated_deviation():
    subject = envelope(Load("l", "", "rough", 1000.0), rough=quiet(fluctuation=0.01))
    t = MONDAY_MS + np.arange(200 * 50) * 200
    windows = active(subject.at(t))[:, 0].reshape(200, 50)
    assert windows.mean(axis=1) == pytest.approx(np.full(200, 1000.0), rel=1e-12)
    assert windows.std() == pytest.approx(10.0, rel=0.03)
    assert active(subject.at(t + 199))[:, 0].tolist() == windows.ravel().tolist()


def test_slow_noise_day_and_weather_keep_the_mean():
    restless = quiet(sigma=0.05, day_sigma=0.05, weather=0.1)
    loads = [Load(f"l{n}", "", "restless", 1000.0) for n in range(50)]
    subject = envelope(*loads, restless=restless)
    start = MONDAY_MS + np.arange(2000) * 3 * HOUR_MS
    drawn = active(subject.mean(start, start + STEP_MS))
    assert drawn.mean() == pytest.approx(1000, rel=0.02)
    assert drawn.std() == pytest.approx(1000 * np.sqrt(0.05**2 + 0.05**2 + 0.1**2), rel=0.1)


def test_weather_is_shared_by_all_loads_of_a_site():
    loads = [Load(f"l{n}", "", "exposed", 1000.0) for n in range(3)]
    subject = envelope(*loads, exposed=quiet(weather=0.1))
    drawn = active(subject.at(MONDAY_MS + np.arange(100) * HOUR_MS))
    assert np.ptp(drawn, axis=1).max() == 0
    assert np.ptp(drawn[:, 0]) > 100


@pytest.mark.parametrize(
    ("utc", "local_hour"),
    [
        ("2026-03-27T09:00", 10),  # winter time, Friday
        ("2026-03-30T08:00", 10),  # summer time, Monday
        ("2026-03-29T00:59", 1 + 59 / 60),  # the Sunday without an hour from 2 to 3
        ("2026-03-29T01:01", 3 + 1 / 60),
    ],
)
def test_profiles_follow_the_local_clock_over_a_change_of_time(utc, local_hour):
    t = np.array([np.datetime64(utc, "ms").astype(np.int64)])
    subject = envelope(Load("l", "", "office", 1000.0), office=quiet(profile="G1", night_base=0.0))
    days = daily_profile("G1")[2 if utc.startswith("2026-03-29") else 0]
    summer = 0.5 - 0.5 * np.cos(2 * np.pi * (t[0] // 86_400_000 - 14) / 365.2425)
    nodes = days[0] + (days[1] - days[0]) * summer
    expected = np.interp(local_hour, np.arange(97) / 4, np.append(nodes, nodes[0]))
    assert active(subject.at(t))[0, 0] == pytest.approx(1000 * expected, rel=1e-6)


def test_the_mean_winter_workday_is_the_mean_level():
    subject = envelope(
        Load("l", "", "shop", 1000.0), shop=quiet(profile="G4", mean_level=0.4, night_base=0.1)
    )
    start = np.datetime64("2026-01-14T23:00", "ms").astype(np.int64) + np.arange(8640) * STEP_MS
    assert active(subject.mean(start, start + STEP_MS)).mean() == pytest.approx(400, rel=1e-3)


def test_reactive_power_follows_the_load_level():
    motor = quiet(
        profile="sun", night_base=0.0, power_factor=0.87, part_load=((0.25, 0.5), (0.5, 0.75), (1.0, 0.87))
    )
    subject = envelope(Load("l", "", "motor", 1000.0), motor=motor)
    demand = subject.at(MONDAY_MS + np.arange(0, 24 * HOUR_MS, 600_000))
    level = active(demand)[:, 0] / 1000
    cosine = np.interp(level, [0.25, 0.5, 1.0], [0.5, 0.75, 0.87])
    assert reactive(demand)[:, 0] == pytest.approx(1000 * level * np.tan(np.arccos(cosine)), rel=1e-9)


@pytest.mark.parametrize(
    ("own", "is_leading", "asked", "expected"),
    [
        (0.9, False, None, 484.3),  # 1000 W * tan(acos(0.9))
        (0.9, True, None, -484.3),
        (0.9, True, 0.8, -750.0),
        (0.9, False, -0.8, -750.0),
        (1.0, False, 0.8, 750.0),
        (0.9, False, 1.0, 0.0),
    ],
)
def test_a_load_may_have_a_power_factor_of_its_own(own, is_leading, asked, expected):
    kind = quiet(power_factor=own, part_load=((1.0, own),), leading=is_leading)
    subject = envelope(Load("l", "", "kind", 1000.0, power_factor=asked), kind=kind)
    assert reactive(subject.at(np.array([MONDAY_MS])))[0, 0] == pytest.approx(expected, abs=0.05)


def test_an_exporting_load_stays_inductive_where_its_class_is():
    kind = quiet(mean_level=-1.0, night_base=-1.0, power_factor=0.8, part_load=((1.0, 0.8),))
    demand = envelope(Load("l", "", "kind", 1000.0), kind=kind).at(np.array([MONDAY_MS]))
    assert demand.conjugate_va[0, 0] == pytest.approx(-1000 - 750j)
    assert demand.level[0, 0] == pytest.approx(1.0)


def test_a_load_draws_the_same_in_any_company_and_order():
    t = MONDAY_MS + 8 * HOUR_MS + np.arange(0, HOUR_MS, 7_777)
    together = envelope(*EVERY_CLASS).at(t).conjugate_va
    backwards = envelope(*EVERY_CLASS[::-1]).at(t).conjugate_va[:, ::-1]
    some = envelope(*EVERY_CLASS[::3]).at(t).conjugate_va
    assert np.array_equal(together, backwards)
    assert np.array_equal(together[:, ::3], some)


def test_seeds_and_names_make_different_loads():
    load = Load("l", "", "office-sockets", 1000.0)
    t = np.array([MONDAY_MS + 10 * HOUR_MS])
    drawn = {
        active(envelope(load).at(t))[0, 0],
        active(envelope(load, seed=2).at(t))[0, 0],
        active(envelope(Load("m", "", "office-sockets", 1000.0)).at(t))[0, 0],
    }
    assert len(drawn) == 3


RECORDING = Recording(
    time_ms=(MONDAY_MS, MONDAY_MS + 20_000, MONDAY_MS + 45_000),
    active_w=(1000.0, 2000.0, -500.0),
    reactive_var=(100.0, -50.0, 0.0),
)


def test_a_recording_is_replayed_as_step_means():
    subject = envelope(Load("l", "", "office-sockets", 5000.0, recording=RECORDING))
    start = MONDAY_MS + np.arange(8) * STEP_MS
    demand = subject.mean(start, start + STEP_MS)
    # 20 s of 1000 W, 25 s of 2000 W, 25 s (as long as the sample before) of -500 W, then again.
    expected = [1000, 1000, 2000, 2000, 750, -500, -500, 1000]
    assert active(demand)[:, 0] == pytest.approx(np.array(expected, dtype=float))
    assert reactive(demand)[:, 0] == pytest.approx(
        np.array([100, 100, -50, -50, -25, 0, 0, 100], dtype=float)
    )
    shown = subject.at(start + 3_333)
    assert active(shown)[:, 0] == pytest.approx(np.array(expected, dtype=float))


def test_a_recording_that_does_not_repeat_is_off_before_and_after():
    once = Recording(RECORDING.time_ms, RECORDING.active_w, RECORDING.reactive_var, repeat=False)
    steps = MONDAY_MS // STEP_MS + np.array([-1, 0, 6, 7])
    assert Replay(once).means(steps)[:, 0] == pytest.approx(np.array([0.0, 1000.0, -500.0, 0.0]))


def test_a_recording_repeats_backwards_too():
    steps = MONDAY_MS // STEP_MS + np.arange(7)
    assert Replay(RECORDING).means(steps - 7 * 1000) == pytest.approx(Replay(RECORDING).means(steps))


@pytest.mark.parametrize(
    "broken",
    [
        Recording((), (), ()),
        Recording((0, 10), (1.0,), (1.0, 2.0)),
        Recording((10, 0), (1.0, 1.0), (1.0, 2.0)),
        Recording((10, 10), (1.0, 1.0), (1.0, 2.0)),
    ],
)
def test_a_broken_recording_is_refused(broken):
    with pytest.raises(RecordingError):
        Replay(broken)


def test_an_inrush_lowers_the_power_factor():
    start = Cycle(600, (300, 300), (0.9, 0.9), inrush_multiple=2.2, inrush_tau_s=2)
    motor = quiet(
        mean_level=0.0,
        night_base=0.0,
        power_factor=0.87,
        part_load=((0.5, 0.75), (1.0, 0.87), (1.2, 0.86), (2.0, 0.3)),
        cycles=(start,),
    )
    demand = envelope(Load("l", "", "motor", 1000.0), motor=motor).at(MONDAY_MS + np.arange(0, 600_000, 100))
    power = active(demand)[:, 0]
    factor = power / np.maximum(np.abs(demand.conjugate_va[:, 0]), 1)
    assert power.max() == pytest.approx(1980, rel=0.05)
    assert factor[np.argmax(power)] == pytest.approx(0.32, abs=0.06)
    assert np.median(factor[power > 0]) == pytest.approx(np.interp(0.9, [0.5, 1.0], [0.75, 0.87]), abs=1e-6)
