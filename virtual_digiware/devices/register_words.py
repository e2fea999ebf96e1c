"""Register words of the rows that a client writes: numbers and texts, high word and first character first.

Measured values never pass here; the buses encode those.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from virtual_digiware.devices.block import Row
from virtual_digiware.devices.encodings import ENCODINGS

WORD = 0xFFFF


def to_words(value: float | str, row: Row) -> tuple[int, ...]:
    """Words of a register value, `row.words` long. A text is cut or filled up with zeros.

    Source: MODBUS tables of DIRIS B30, V 153.745: STRING_NORM holds two characters a register, STRING_16 one.
    """
    encoding = ENCODINGS[row.encoding]
    if encoding.kind == "text":
        text = str(value)
        if encoding.characters_per_word == 1:
            return tuple(min(ord(c), WORD) for c in text[: row.words].ljust(row.words, "\0"))
        data = text.encode("latin-1", "replace")[: 2 * row.words].ljust(2 * row.words, b"\0")
        return tuple(data[i] << 8 | data[i + 1] for i in range(0, len(data), 2))
    if encoding.kind == "float":
        high, low = struct.unpack(">HH", struct.pack(">f", float(value)))
        return (high, low)
    number = int(value)
    return tuple(number >> 16 * shift & WORD for shift in reversed(range(row.words)))


def from_words(words: Sequence[int], row: Row) -> int | float | str:
    """Register value that `words` make up; texts end at their trailing zeros."""
    encoding = ENCODINGS[row.encoding]
    if encoding.kind == "text":
        if encoding.characters_per_word == 1:
            return "".join(map(chr, words)).rstrip("\0")
        data = b"".join(word.to_bytes(2, "big") for word in words)
        return data.decode("latin-1").rstrip("\0")
    if encoding.kind == "float":
        return float(struct.unpack(">f", struct.pack(">HH", *words))[0])
    number = 0
    for word in words:
        number = number << 16 | word
    if encoding.is_signed and number > encoding.maximum:
        number -= 1 << 16 * row.words
    return number


def violation(value: float | str, row: Row) -> str | None:
    """Why a device would not take this register value, or None: out of range, or not among its names."""
    if isinstance(value, str):
        return None
    encoding = ENCODINGS[row.encoding]
    if not math.isfinite(value):
        return f"{row.point} is {value}, right is a number"
    if encoding.kind == "integer" and not encoding.minimum <= value <= encoding.maximum:
        return f"{row.point} is {value}, right is {encoding.minimum} to {encoding.maximum}"
    if row.enum and value not in row.enum:
        return f"{row.point} is {value}, right is one of {', '.join(map(str, row.enum))}"
    return None
