"""The clock on the wall: offsets, local days of 23 and 25 hours, types of day."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virtual_digiware.profiles.local_time import DAY_MS, LocalTime, TimezoneUnknown

ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
)
HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@settings(deadline=None)
@given(
    st.sampled_from(ZONES),
    st.lists(st.integers(ms("1990-01-01T00:00Z"), ms("2037-01-01T00:00Z")), min_size=1),
)
def test_offsets_are_those_of_the_zone_database(zone, times):
    expected = [
        datetime.fromtimestamp(t // 1000, UTC).astimezone(ZoneInfo(zone)).utcoffset().total_seconds() * 1000
        for t in times
    ]
    assert LocalTime(zone).offset_ms(np.array(times)).tolist() == expected


def test_the_clock_skips_an_hour_in_spring():
    before, after = (
        LocalTime("Europe/Paris")
        .moment(np.array([ms("2026-03-29T01:00Z") - 1, ms("2026-03-29T01:00Z")]))
        .time_of_day_ms
    )
    assert (before, after) == (2 * HOUR_MS - 1, 3 * HOUR_MS)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_local_day_lasts_as_long_as_its_clock_says(day, hours):
    around = ms(f"{day}T00:00Z") + np.arange(-DAY_MS, 2 * DAY_MS, 60_000)
    days = LocalTime("Europe/Paris").moment(around).day
    assert np.count_nonzero(days == ms(f"{day}T00:00Z") // DAY_MS) == hours * 60


def test_days_are_workdays_saturdays_and_sundays():
    noon = ms("2026-03-02T12:00Z") + np.arange(7) * DAY_MS
    assert LocalTime("UTC").moment(noon).day_type.tolist() == [0, 0, 0, 0, 0, 1, 2]


def test_summer_is_in_july():
    season = LocalTime("UTC").moment(np.array([ms("2026-01-15T12:00Z"), ms("2026-07-16T12:00Z")])).summer
    assert season == pytest.approx([0, 1], abs=1e-3)


def test_an_unknown_zone_is_refused_by_name():
    with pytest.raises(TimezoneUnknown, match="Europe/Atlantis"):
        LocalTime("Europe/Atlantis")
