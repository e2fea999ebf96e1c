"""Instants as text and back: ISO 8601 with a zone <-> int64 milliseconds since 1970 UTC, exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_MS = (datetime(2000, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND
_END_MS = (datetime(2100, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND


def parse_instant(text: str) -> int:
    """Milliseconds of a time such as `2026-03-02T10:00:00Z`.

    Raises:
        ValueError: not a time, or one without a zone; the message says what would be right.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("a time such as 2026-03-02T10:00:00Z") from error
    if "T" not in text:
        raise ValueError("a time such as 2026-03-02T10:00:00Z")
    if moment.tzinfo is None:
        raise ValueError(f"a time that names its zone, such as {text}Z (UTC) or {text}+01:00")
    return (moment - _EPOCH) // _MILLISECOND


def parse_start(text: str) -> int:
    """As `parse_instant`, for times at which a site can be in operation.

    Raises:
        ValueError: the dates of the registers, which count years from 2000 in two digits, cannot show it.
    """
    t_ms = parse_instant(text)
    if not _FIRST_MS <= t_ms < _END_MS:
        raise ValueError("a time from 2000 to 2099, as the registers show")
    return t_ms


def format_instant(t_ms: int) -> str:
    """The shortest usual form: `2026-03-02T10:00:00Z`, with milliseconds only where there are some."""
    precision = "milliseconds" if t_ms % 1000 else "seconds"
    return (_EPOCH + t_ms * _MILLISECOND).isoformat(timespec=precision).replace("+00:00", "Z")
