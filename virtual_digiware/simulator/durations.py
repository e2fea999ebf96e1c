"""Durations and times as programs say them ("15 min", timedelta, ISO 8601, datetime) -> milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from virtual_digiware.simulator.instants import parse_start

UNITS_MS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
"""Of simulated time, so a day has 24 hours whatever the clocks of its zone do."""

_OTHER_WORDS = {
    "msec": "ms", "millisecond": "ms", "milliseconds": "ms",
    "sec": "s", "second": "s", "seconds": "s",
    "minute": "min", "minutes": "min",
    "hour": "h", "hours": "h",
    "day": "d", "days": "d",
    "week": "w", "weeks": "w",
}  # fmt: skip
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_ISO = re.compile(
    r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?",
)
_ISO_UNITS = ("w", "d", "h", "min", "s")
_RIGHT = 'a duration such as "15 min", "1 h 30 min", "PT15M" or a timedelta'

Duration = str | timedelta
Time = str | datetime


class NotATime(ValueError):
    """Neither a duration nor a time where one is wanted: `found` stands there, `right` would be right."""

    def __init__(self, found: object, right: str) -> None:
        super().__init__(f"found {found!r}; right would be {right}")
        self.found = found
        self.right = right


def duration_ms(duration: Duration) -> int:
    """Milliseconds of a duration; never negative.

    Raises:
        NotATime: it is none, is negative, or is not a whole number of milliseconds.
    """
    if isinstance(duration, timedelta):
        total_ms = duration / timedelta(milliseconds=1)
    elif not isinstance(duration, str):
        raise NotATime(duration, f'{_RIGHT}; a number needs a unit, say "{duration} s"')
    elif duration.strip().startswith("P"):
        total_ms = _from_iso(duration)
    else:
        total_ms = _from_parts(duration)
    if total_ms < 0:
        raise NotATime(duration, "a duration of 0 or more: time goes forward only")
    whole_ms = round(total_ms)
    if abs(total_ms - whole_ms) > 1e-6:
        raise NotATime(duration, "a whole number of milliseconds")
    return whole_ms


def instant_ms(time: Time) -> int:
    """Milliseconds since 1970 UTC of a time at which a site can be in operation.

    Raises:
        NotATime: it is none, does not name its zone, or is not in the years 2000 to 2099.
    """
    if isinstance(time, datetime):
        if time.tzinfo is None:
            raise NotATime(time, "a datetime that knows its zone, such as datetime(..., tzinfo=UTC)")
        text = time.astimezone(UTC).isoformat()
    elif isinstance(time, str):
        text = time
    else:
        raise NotATime(time, "a time such as 2026-03-02T10:00:00Z or a datetime with a zone")
    try:
        return parse_start(text)
    except ValueError as error:
        raise NotATime(time, str(error)) from error


def moment(t_ms: int) -> datetime:
    """A simulated time as Python says it, in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t_ms)


def _from_iso(text: str) -> float:
    found = _ISO.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise NotATime(text, _RIGHT)
    return sum(
        float(number) * UNITS_MS[unit]
        for number, unit in zip(found.groups(), _ISO_UNITS, strict=True)
        if number
    )


def _from_parts(text: str) -> float:
    total_ms, position = 0.0, 0
    while position < len(text.rstrip()):
        part = _PART.match(text, position)
        if part is None:
            raise NotATime(text, _RIGHT)
        word = part[2].lower() if part[2].lower() in _OTHER_WORDS else part[2]
        unit = _OTHER_WORDS.get(word, word)
        if unit not in UNITS_MS:
            raise NotATime(text, f"a unit of {', '.join(UNITS_MS)} instead of `{part[2]}`")
        total_ms += float(part[1]) * UNITS_MS[unit]
        position = part.end()
    if position == 0:
        raise NotATime(text, _RIGHT)
    return total_ms
