"""The part of BER that frequent SNMP messages use: lengths, integers, object identifiers.

Encodings made here are the shortest possible ones, as pysnmp makes them (but for `_LONGER_IN_PYASN1`).
Reading is for the short path alone: it raises `NotPlain` for anything unusual, which is then left to pysnmp.
Source: ITU-T X.690, sections 8.1 to 8.19.
"""

from __future__ import annotations

from collections.abc import Sequence

Oid = tuple[int, ...]

INTEGER, OCTET_STRING, NULL, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x46
GET, GET_NEXT, RESPONSE, SET, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5
END_OF_MIB_VIEW = b"\x82\x00"

_MAX_KNOWN = 2048
_LONGER_IN_PYASN1 = frozenset({b"\x80", b"\x80\0", b"\x80\0\0", b"\x80\0\0\0"})
"""-128, -32768 and so on: the lowest number of each size, for which pyasn1 0.6 takes the next size."""


class NotPlain(Exception):
    """The bytes are not what the short path reads. Says nothing about whether they are right."""


def _long_length(size: int) -> bytes:
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(digits),)) + digits


LENGTHS: tuple[bytes, ...] = tuple(
    bytes((size,)) if size < 0x80 else _long_length(size) for size in range(_MAX_KNOWN)
)
"""Length octets of contents up to 2 KiB."""


def tlv(tag: int, content: bytes) -> bytes:
    """One encoding: tag, length, content."""
    size = len(content)
    return bytes((tag,)) + (LENGTHS[size] if size < _MAX_KNOWN else _long_length(size)) + content


def integer_content(number: int) -> bytes:
    """Content octets of an integer: two's complement, as few octets as possible."""
    magnitude = number if number >= 0 else ~number
    return number.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


def integer(number: int, tag: int = INTEGER) -> bytes:
    """An integer with its tag, which also says Gauge32, Counter32 and so on."""
    content = integer_content(number)
    return bytes((tag, len(content))) + content


def oid_content(oid: Sequence[int]) -> bytes:
    """Content octets of an object identifier with at least two numbers."""
    out = bytearray()
    for number in (40 * oid[0] + oid[1], *oid[2:]):
        out += arc(number)
    return bytes(out)


def arc(number: int) -> bytes:
    """One number of an object identifier, seven bits an octet."""
    if number < 0x80:
        return bytes((number,))
    digits = bytearray((number & 0x7F,))
    while number := number >> 7:
        digits.append(0x80 | number & 0x7F)
    digits.reverse()
    return bytes(digits)


def read_oid(content: bytes) -> Oid:
    """The object identifier that content octets stand for.

    Raises:
        NotPlain: Empty, cut off, not the shortest form, or a number beyond 32 bits.
    """
    if not content or content[-1] & 0x80:
        raise NotPlain
    numbers: list[int] = []
    number = 0
    is_new = True
    for octet in content:
        if is_new and octet == 0x80:
            raise NotPlain
        number = number << 7 | octet & 0x7F
        is_new = not octet & 0x80
        if is_new:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    oid = (first, numbers[0] - 40 * first, *numbers[1:])
    if max(oid) > 0xFFFFFFFF:
        raise NotPlain
    return oid


def read_integer(content: bytes) -> int:
    """The number in content octets of at most four.

    Raises:
        NotPlain: Another size, not the shortest form, or a number that pyasn1 writes with an octet too many.
    """
    size = len(content)
    if not 1 <= size <= 4 or content in _LONGER_IN_PYASN1:
        raise NotPlain
    if size > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1)):
        raise NotPlain
    return int.from_bytes(content, "big", signed=True)


def read_tlv(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the content of the encoding at `at` begins and ends.

    Raises:
        NotPlain: Another tag, an indefinite or unusually written length, or it ends beyond `data`.
    """
    try:
        if data[at] != tag:
            raise NotPlain
        size = data[at + 1]
        begin = at + 2
        if size >= 0x80:
            if size == 0x81:
                size = data[at + 2]
                begin = at + 3
            elif size == 0x82:
                size = data[at + 2] << 8 | data[at + 3]
                begin = at + 4
            else:
                raise NotPlain
    except IndexError:
        raise NotPlain from None
    end = begin + size
    if end > len(data):
        raise NotPlain
    return begin, end


def parse_oid(text: str) -> Oid:
    """`1.3.6.1` as numbers. Raises ValueError."""
    return tuple(int(number) for number in text.strip(".").split("."))
