"""Property values to bytes, for the short path: what `endpoint` makes of them with the library, only faster.

Source: ASHRAE 135, 20.2 (application tags and their contents).
"""

from __future__ import annotations

from struct import pack
from typing import cast

from virtual_digiware.buses.bacnet.values import Octets, Tag, Value, Values

_EXTENDED = 5
_UTF8 = b"\0"


def encode(values: Values) -> bytes:
    """All parts of a property's value, one after the other."""
    return b"".join([_one(value) for value in values])


def unsigned_octets(number: int) -> bytes:
    """The shortest big-endian form, at least one octet."""
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def context_unsigned(tag: int, number: int) -> bytes:
    """An unsigned or enumerated value of up to four octets under a context tag below 15."""
    octets = unsigned_octets(number)
    return bytes((tag << 4 | 0x08 | len(octets),)) + octets


def _one(value: Value) -> bytes:
    tag, content = value
    if tag == Tag.REAL:
        return b"\x44" + pack(">f", content)
    if tag == Tag.NULL:
        return b"\0"
    if tag == Tag.BOOLEAN:
        return b"\x11" if content else b"\x10"
    return _tagged(tag, _octets(tag, value))


def _octets(tag: Tag, value: Value) -> bytes:
    content = value.content
    if tag in (Tag.UNSIGNED, Tag.ENUMERATED):
        return unsigned_octets(cast(int, content))
    if tag == Tag.SIGNED:
        return _signed_octets(cast(int, content))
    if tag == Tag.TEXT:
        return _UTF8 + cast(str, content).encode("utf-8")
    if tag == Tag.BITS:
        return _bits(cast(tuple[bool, ...], content))
    if tag == Tag.OBJECT:
        return cast(int, content).to_bytes(4, "big")
    return bytes(cast(Octets, content))


def _signed_octets(number: int) -> bytes:
    magnitude = number if number >= 0 else ~number
    return number.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


def _bits(flags: tuple[bool, ...]) -> bytes:
    unused = -len(flags) % 8
    number = 0
    for flag in flags:
        number = number << 1 | flag
    return bytes((unused,)) + (number << unused).to_bytes((len(flags) + 7) // 8, "big")


def _tagged(tag: Tag, octets: bytes) -> bytes:
    size = len(octets)
    if size < _EXTENDED:
        return bytes((tag << 4 | size,)) + octets
    if size <= 253:
        return bytes((tag << 4 | _EXTENDED, size)) + octets
    return bytes((tag << 4 | _EXTENDED, 254)) + size.to_bytes(2, "big") + octets
