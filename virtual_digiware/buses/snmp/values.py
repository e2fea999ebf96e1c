"""Encoded SNMP values of numbers, texts and times; numbers rounded and limited as their registers are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from virtual_digiware.buses.snmp.ber import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
    Oid,
    integer,
    oid_content,
    tlv,
)
from virtual_digiware.devices.block import Row
from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.devices.points import FloatArray
from virtual_digiware.devices.snmp_binding import Syntax

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_TEXT = 255

TAGS: Mapping[Syntax, int] = {
    "Integer32": INTEGER,
    "Gauge32": GAUGE32,
    "Counter32": COUNTER32,
    "Counter64": COUNTER64,
}
_MODULUS: Mapping[int, int] = {COUNTER32: 1 << 32, COUNTER64: 1 << 64, TIME_TICKS: 1 << 32}


def register_numbers(values: FloatArray, row: Row) -> list[int]:
    """What the registers of a row hold for engineering values: scaled, rounded half to even, limited; NaN
    is 0.

    The same rules as the Modbus codec's, so that both protocols agree to the digit.
    """
    encoding = ENCODINGS[row.encoding]
    with np.errstate(over="ignore"):
        scaled = values / row.scale
    scaled[np.isnan(scaled)] = 0.0
    limited = np.clip(np.rint(scaled), encoding.minimum, encoding.maximum)
    numbers: list[int] = limited.astype(np.int64).tolist()
    return numbers


def number(value: int, tag: int = INTEGER) -> bytes:
    """An integer of any kind; counters and ticks wrap."""
    modulus = _MODULUS.get(tag)
    return integer(value if modulus is None else value % modulus, tag)


def text(value: str) -> bytes:
    """A DisplayString of at most 255 octets."""
    return tlv(OCTET_STRING, value.encode("utf-8")[:_MAX_TEXT])


def octets(value: bytes) -> bytes:
    return tlv(OCTET_STRING, value)


def identifier(value: Oid) -> bytes:
    return tlv(OBJECT_IDENTIFIER, oid_content(value))


def date_and_time(t_ms: int) -> bytes:
    """A DateAndTime in UTC. Source: RFC 2579, section 2."""
    moment = _EPOCH + timedelta(milliseconds=t_ms)
    parts = (moment.month, moment.day, moment.hour, moment.minute, moment.second)
    deciseconds = moment.microsecond // 100_000
    return octets(moment.year.to_bytes(2, "big") + bytes((*parts, deciseconds)) + b"+\0\0")
