"""Property values as neutral data: an application tag and a content. `codec` and `endpoint` encode them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

UNSPECIFIED = 255
"""Octet of a date or time that says nothing. Source: ASHRAE 135, 20.2.12 and 20.2.13."""

_EPOCH_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_2000 = datetime(2000, 1, 1, tzinfo=UTC)


class Tag(IntEnum):
    """Application tag numbers. Source: ASHRAE 135, 20.2.1.4."""

    NULL = 0
    BOOLEAN = 1
    UNSIGNED = 2
    SIGNED = 3
    REAL = 4
    TEXT = 7
    BITS = 8
    ENUMERATED = 9
    DATE = 10
    TIME = 11
    OBJECT = 12


Octets = tuple[int, int, int, int]
"""A date (year - 1900, month, day, weekday from Monday 1) or a time (hour, minute, second, hundredth)."""

Content = None | bool | int | float | str | tuple[bool, ...] | Octets


class Value(NamedTuple):
    """One value. Contents: bits as a tuple of booleans, objects as 32 bits, dates and times as octets."""

    tag: Tag
    content: Content


Values = tuple[Value, ...]
"""Value of a property: one, or the parts of a list, an array or a date with time."""

NO_DATE = Value(Tag.DATE, (UNSPECIFIED,) * 4)
NO_TIME = Value(Tag.TIME, (UNSPECIFIED,) * 4)
NULL = Value(Tag.NULL, None)


def real(number: float) -> Values:
    """A Real; what is not available reads 0, as on the real gateways."""
    return (Value(Tag.REAL, 0.0 if math.isnan(number) else float(number)),)


def unsigned(number: int) -> Values:
    return (Value(Tag.UNSIGNED, int(number)),)


def signed(number: int) -> Values:
    return (Value(Tag.SIGNED, int(number)),)


def enumerated(number: int) -> Values:
    return (Value(Tag.ENUMERATED, int(number)),)


def boolean(truth: bool) -> Values:
    return (Value(Tag.BOOLEAN, truth),)


def text(words: str) -> Values:
    return (Value(Tag.TEXT, words),)


def bits(flags: Iterable[bool]) -> Values:
    return (Value(Tag.BITS, tuple(flags)),)


def numbered_bits(numbers: Iterable[int], size: int) -> Values:
    """A bit string of a size with the bits of these numbers set."""
    present = set(numbers)
    return bits(number in present for number in range(size))


def object_id(number: int) -> Values:
    return (Value(Tag.OBJECT, number),)


def date_and_time(seconds: float) -> Values:
    """A BACnetDateTime from seconds since 2000; unspecified when there is none."""
    if math.isnan(seconds) or not 0 < seconds < 2**32:
        return (NO_DATE, NO_TIME)
    return moment(_EPOCH_2000 + timedelta(seconds=int(seconds)))


def moment_of(t_ms: int | None) -> Values:
    """A BACnetDateTime, to the hundredth of a second, of ms since 1970; unspecified for None."""
    return (NO_DATE, NO_TIME) if t_ms is None else moment(_EPOCH_1970 + timedelta(milliseconds=t_ms))


def moment(when: datetime) -> Values:
    """A BACnetDateTime of a calendar time."""
    return (
        Value(Tag.DATE, (when.year - 1900, when.month, when.day, when.isoweekday())),
        Value(Tag.TIME, (when.hour, when.minute, when.second, when.microsecond // 10_000)),
    )
