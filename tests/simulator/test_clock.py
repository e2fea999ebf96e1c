"""The mapping from wall time to simulated time, within a run and over restarts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.simulator.clock import Anchor, Clock, start
from virtual_digiware.simulator.instants import format_instant, parse_instant

AT = parse_instant("2026-03-02T10:00:00Z")
WALL = parse_instant("2026-11-23T08:00:00Z")
HOUR = 3_600_000


class Elapsed:
    """A hand-driven source of nanoseconds."""

    def __init__(self) -> None:
        self.ns = 5_000

    def __call__(self) -> int:
        return self.ns


def test_a_first_run_begins_at_wall_time():
    assert start("real", 1.0, None, WALL).anchor == Anchor(WALL, WALL, 1.0)


def test_a_first_run_begins_where_it_is_told():
    assert start("real", 60.0, AT, WALL).anchor == Anchor(AT, WALL, 60.0)


def test_a_real_clock_goes_with_the_wall():
    elapsed = Elapsed()
    clock = Clock(Anchor(AT, WALL, 1.0), elapsed)
    elapsed.ns += 1_500_999_999
    assert clock.now_ms() == AT + 1500
    assert clock.wall_seconds_until(AT + 2000) == 0.5


def test_a_scaled_clock_goes_faster():
    elapsed = Elapsed()
    clock = Clock(Anchor(AT, WALL, 3600.0), elapsed)
    elapsed.ns += 1_000_000_000
    assert clock.now_ms() == AT + HOUR
    assert clock.wall_seconds_until(AT + 2 * HOUR) == 1.0


def test_a_manual_clock_stands_until_it_is_advanced():
    elapsed = Elapsed()
    clock = Clock(Anchor(AT, WALL, 0.0), elapsed)
    elapsed.ns += 10**12
    assert clock.now_ms() == AT
    assert clock.wall_seconds_until(AT + 1) == float("inf")
    clock.advance_to(AT + 250)
    assert clock.now_ms() == AT + 250


def test_a_manual_clock_does_not_go_back():
    clock = Clock(Anchor(AT, WALL, 0.0), Elapsed())
    with pytest.raises(ValueError, match="is before 2026-03-02T10:00:00Z"):
        clock.advance_to(AT - 1)


def test_a_running_clock_cannot_be_set():
    with pytest.raises(ValueError, match="only a manual clock"):
        Clock(Anchor(AT, WALL, 1.0), Elapsed()).advance_to(AT + 1)


def test_a_restarted_real_site_is_where_its_time_would_be_by_now():
    previous = Anchor(AT, WALL, 1.0)
    begun = start("real", 1.0, None, WALL + 2 * HOUR, previous, AT + 5000)
    assert begun == start("real", 1.0, None, WALL + 2 * HOUR, previous, AT)
    assert begun.anchor.sim_ms == AT + 2 * HOUR


def test_a_restarted_scaled_site_has_gone_on_at_its_old_rate():
    begun = start("real", 1.0, None, WALL + HOUR, Anchor(AT, WALL, 10.0), AT)
    assert begun.anchor == Anchor(AT + 10 * HOUR, WALL + HOUR, 1.0)


def test_a_restart_is_never_before_the_last_record_even_when_the_wall_clock_went_back():
    begun = start("real", 1.0, None, WALL - 24 * HOUR, Anchor(AT, WALL, 1.0), AT + HOUR)
    assert begun.anchor.sim_ms == AT + HOUR


def test_a_later_start_time_jumps_forward():
    begun = start("real", 1.0, AT + 48 * HOUR, WALL + HOUR, Anchor(AT, WALL, 1.0), AT)
    assert begun.anchor.sim_ms == AT + 48 * HOUR
    assert begun.notices == ()


def test_an_earlier_start_time_is_ignored_and_said():
    begun = start("real", 1.0, AT, WALL + HOUR, Anchor(AT, WALL, 1.0), AT)
    assert begun.anchor.sim_ms == AT + HOUR
    assert begun.notices == (
        "--at 2026-03-02T10:00:00Z is in the past of the journal; continuing from 2026-03-02T11:00:00Z",
    )


@pytest.mark.parametrize(
    ("at_ms", "expected"), [(None, AT + HOUR), (AT, AT + HOUR), (AT + 2 * HOUR, AT + 2 * HOUR)]
)
def test_a_restarted_manual_site_stands_at_the_last_record_or_where_it_is_told(at_ms, expected):
    begun = start("manual", 1.0, at_ms, WALL + 100 * HOUR, Anchor(AT, WALL, 1.0), AT + HOUR)
    assert begun.anchor == Anchor(expected, WALL + 100 * HOUR, 0.0)


@given(
    rate=st.floats(0, 1e5),
    steps=st.lists(st.integers(0, 10**12), max_size=20),
)
def test_simulated_time_never_goes_backwards(rate, steps):
    elapsed = Elapsed()
    clock = Clock(Anchor(AT, WALL, rate), elapsed)
    seen = clock.now_ms()
    for step in steps:
        elapsed.ns += step
        assert clock.now_ms() >= seen
        seen = clock.now_ms()


@given(st.integers(0, parse_instant("2200-01-01T00:00:00Z")))
def test_instants_survive_being_written(t_ms):
    assert parse_instant(format_instant(t_ms)) == t_ms


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("yesterday", "a time such as"),
        ("2026-03-02T10:00:00", r"2026-03-02T10:00:00Z \(UTC\)"),
        ("10:00", "a time such as"),
    ],
)
def test_a_time_that_is_none_is_refused(text, right):
    with pytest.raises(ValueError, match=right):
        parse_instant(text)
