"""Local time of a site, vectorised: UTC offset, local day, time of day, type of day, place in the year.

Simulated time is UTC everywhere; a local zone enters only where people live by the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from virtual_digiware.profiles.solution import FloatArray, IntArray

DAY_MS = 86_400_000
_WEEK_S = 7 * 86_400
_YEAR_DAYS = 365.2425
_COLDEST_DAY = 14  # mid-January, as day of the year counted from 0
_DAY_TYPE_OF_WEEKDAY = np.array([0, 0, 0, 0, 0, 1, 2])  # Monday first: workday, Saturday, Sunday


class TimezoneUnknown(ValueError):
    """The installation names a zone that the IANA database does not have; `timezone` as found."""

    def __init__(self, timezone: str) -> None:
        super().__init__(f"no time zone {timezone!r}; names look like Europe/Paris or UTC")
        self.timezone = timezone


@dataclass(frozen=True)
class LocalMoment:
    """Instants on the local clock and calendar; arrays share the shape of the instants asked for."""

    day: IntArray
    """Local days since 1970-01-01."""
    time_of_day_ms: IntArray
    """0 to 86 399 999 on the local clock, whatever the day's true length."""
    day_type: IntArray
    """0 workday, 1 Saturday, 2 Sunday."""
    summer: FloatArray
    """0 in the middle of January, 1 half a year later, a cosine between; constant during a day."""


class LocalTime:
    """The clock on the wall of a site."""

    def __init__(self, timezone: str) -> None:
        """Raises TimezoneUnknown."""
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise TimezoneUnknown(timezone) from None
        self.timezone = timezone

    def offset_ms(self, t_ms: IntArray) -> IntArray:
        """Local time minus UTC at instants of any shape."""
        if t_ms.size == 0:
            return np.zeros_like(t_ms)
        edges, offsets = _changes(self.timezone, _year(int(t_ms.min())), _year(int(t_ms.max())))
        return offsets[np.searchsorted(edges, t_ms, side="right")]

    def moment(self, t_ms: IntArray) -> LocalMoment:
        """The local clock and calendar at instants of any shape."""
        local = t_ms + self.offset_ms(t_ms)
        day = local // DAY_MS
        angle = (day - _COLDEST_DAY) * (2 * np.pi / _YEAR_DAYS)
        return LocalMoment(
            day=day,
            time_of_day_ms=local - day * DAY_MS,
            day_type=_DAY_TYPE_OF_WEEKDAY[(day + 3) % 7],  # 1970-01-01 was a Thursday
            summer=0.5 - 0.5 * np.cos(angle),
        )


def _year(t_ms: int) -> int:
    return datetime.fromtimestamp(t_ms / 1000, UTC).year


@lru_cache(maxsize=256)
def _changes(timezone: str, first_year: int, last_year: int) -> tuple[IntArray, IntArray]:
    """Instants at which the offset changes (n,) and the offsets around them (n + 1,)."""
    start = int(datetime(first_year, 1, 1, tzinfo=UTC).timestamp()) - _WEEK_S
    end = int(datetime(last_year + 1, 1, 1, tzinfo=UTC).timestamp()) + _WEEK_S
    zone = ZoneInfo(timezone)

    def offset(t_s: int) -> int:
        delta = datetime.fromtimestamp(t_s, UTC).astimezone(zone).utcoffset()
        return 0 if delta is None else round(delta.total_seconds() * 1000)

    edges: list[int] = []
    offsets = [offset(start)]
    # No zone changes twice within a week; halving finds the second at which it does.
    for week in range(start, end, _WEEK_S):
        low, high = week, week + _WEEK_S
        if offset(high) == offsets[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
        edges.append(high * 1000)
        offsets.append(offset(high))
    return np.array(edges, dtype=np.int64), np.array(offsets, dtype=np.int64)
