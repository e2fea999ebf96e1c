"""Durations and times as programs say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.simulator.durations import NotATime, duration_ms, instant_ms, moment


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("15 min", 900_000),
        ("2 h", 7_200_000),
        ("1 d", 86_400_000),
        ("1 h 30 min", 5_400_000),
        ("1h30min", 5_400_000),
        ("1.5 hours", 5_400_000),
        ("250 ms", 250),
        ("2 weeks", 1_209_600_000),
        ("0 s", 0),
        ("PT15M", 900_000),
        ("P1DT2H", 93_600_000),
        ("PT0.5S", 500),
        (timedelta(minutes=15), 900_000),
    ],
)
def test_a_duration_is_understood(text, milliseconds):
    assert duration_ms(text) == milliseconds


@pytest.mark.parametrize(
    ("duration", "right"),
    [
        ("15", 'a duration such as "15 min"'),
        ("", 'a duration such as "15 min"'),
        ("soon", 'a duration such as "15 min"'),
        ("15 min and more", 'a duration such as "15 min"'),
        ("P", 'a duration such as "15 min"'),
        ("15 M", r"a unit of ms, s, min, h, d, w instead of `M`"),
        ("1 month", "instead of `month`"),
        (15, 'a number needs a unit, say "15 s"'),
        (timedelta(seconds=-1), "time goes forward only"),
        ("0.5 ms", "a whole number of milliseconds"),
    ],
)
def test_what_is_no_duration_is_named_with_what_would_be_right(duration, right):
    with pytest.raises(NotATime, match=right):
        duration_ms(duration)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3650)))
def test_a_duration_of_python_is_the_same_as_its_text(duration):
    duration -= timedelta(microseconds=duration.microseconds % 1000)
    text = f"{duration.days} d {duration.seconds} s {duration.microseconds // 1000} ms"
    assert duration_ms(text) == duration_ms(duration) == duration // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-02T10:00:00Z",
        "2026-03-02T11:00:00+01:00",
        datetime(2026, 3, 2, 10, tzinfo=UTC),
        datetime(2026, 3, 2, 11, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_an_instant_is_the_same_in_every_zone(time):
    assert instant_ms(time) == 1_772_445_600_000
    assert moment(instant_ms(time)) == datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "right"),
    [
        ("2026-03-02T10:00:00", "names its zone"),
        (datetime(2026, 3, 2, 10), "knows its zone"),  # noqa: DTZ001
        ("tomorrow", "a time such as"),
        ("1999-12-31T00:00:00Z", "from 2000 to 2099"),
        (1_772_445_600, "a time such as"),
    ],
)
def test_what_is_no_time_is_named_with_what_would_be_right(time, right):
    with pytest.raises(NotATime, match=right):
        instant_ms(time)
