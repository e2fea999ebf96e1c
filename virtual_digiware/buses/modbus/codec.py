"""Values of a block to the bytes of its registers: high byte first, high word first.

A block is compiled once into a `BlockPlan`; the numeric rows of a measured table then go to the wire
in a handful of numpy calls, whatever their number. Texts and numbers above 32 bits take a path of
their own, row by row. Knows no unit, no address space and no socket.

Rules, the same on both paths:

- register value = engineering value / scale, rounded half to even;
- a value that is not available (NaN, None) reads 0, no other pattern being published;
- what the type cannot hold reads as the type's limit, and is counted.

Source: order of words and bytes, types and epoch of dates: MODBUS tables of DIRIS Digiware and B-30.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address
from math import inf, isnan
from typing import NamedTuple

import numpy as np

from virtual_digiware.buses.interfaces import RawValue
from virtual_digiware.devices.block import Block, Row
from virtual_digiware.devices.encodings import ENCODINGS, Encoding
from virtual_digiware.devices.points import FloatArray, IntArray

_FLOAT32_MAX = float(np.finfo(np.float32).max)


class Encoded(NamedTuple):
    """The bytes of a block, and how many of its values the types could not hold."""

    data: bytes
    saturated: int


class NotEncodable(ValueError):
    """A device gave a value of a kind that the row's encoding does not know: our mistake, not the peer's."""

    def __init__(self, encoding: str, value: object) -> None:
        super().__init__(f"{value!r} has no {encoding} form")
        self.encoding = encoding
        self.value = value


class BlockPlan:
    """How the rows of one block become words; made once per block, shared by all its slots and units."""

    def __init__(self, block: Block) -> None:
        self.block = block
        rows = tuple((index, row) for index, row in enumerate(block.rows) if not row.reserved)
        plain = tuple((index, row) for index, row in rows if _is_plain(row))
        self._all = rows
        self._odd = tuple((index, row) for index, row in rows if not _is_plain(row))
        self._rows = np.array([index for index, _ in plain], dtype=np.intp)
        self._scale = np.array([row.scale for _, row in plain], dtype=np.float64)
        bounds = [_bounds(row.encoding) for _, row in plain]
        self._low = np.array([low for low, _ in bounds], dtype=np.float64)
        self._high = np.array([high for _, high in bounds], dtype=np.float64)
        is_float = [ENCODINGS[row.encoding].kind == "float" for _, row in plain]
        missing = [_signed_form(row) for _, row in plain]
        self._missing = np.array(missing, dtype=np.float64) if any(missing) else None
        self._floats = np.flatnonzero(is_float)
        self._integers = np.logical_not(is_float) if any(is_float) else True
        self._source, self._shift = self._words(plain)

    def _words(self, plain: Sequence[tuple[int, Row]]) -> tuple[IntArray, IntArray]:
        """For each word of the block: its plain row (one past the last: none), and the shift inside it."""
        source = np.full(self.block.words, len(plain), dtype=np.int64)
        shift = np.zeros(self.block.words, dtype=np.int64)
        for at, (_, row) in enumerate(plain):
            for word in range(row.words):
                source[row.offset + word] = at
                below = word if ENCODINGS[row.encoding].is_low_word_first else row.words - 1 - word
                shift[row.offset + word] = 16 * below
        return source, shift

    def encode(self, values: FloatArray | Sequence[RawValue], *, raw: bool = False) -> Encoded:
        """Bytes of the whole block, two for each of its words; reserved words are 0.

        Args:
            values: One for each row of the block, reserved rows included (theirs are ignored).
            raw: Values are register values and texts; no scale is applied.

        Raises:
            NotEncodable: A value is of a kind that its row's encoding does not know.
            ValueError: There are not as many values as rows.
        """
        if len(values) != len(self.block.rows):
            raise ValueError(f"{self.block.name}: {len(self.block.rows)} rows, {len(values)} values")
        if raw or not isinstance(values, np.ndarray):
            return self._encode_rows(values, bytearray(2 * self.block.words), self._all, raw)
        data, saturated = self._encode_plain(values)
        if not self._odd:
            return Encoded(data, saturated)
        rest = self._encode_rows(values, bytearray(data), self._odd, raw)
        return Encoded(rest.data, saturated + rest.saturated)

    def _encode_plain(self, values: FloatArray) -> tuple[bytes, int]:
        wire = np.zeros(len(self._rows) + 1, dtype=np.int64)  # the last stays 0: for reserved words
        with np.errstate(over="ignore"):
            scaled = values.take(self._rows) / self._scale
        unavailable = np.isnan(scaled)
        scaled[unavailable] = 0.0
        np.rint(scaled, out=scaled, where=self._integers)
        fitting = np.minimum(np.maximum(scaled, self._low), self._high)
        saturated = int(np.count_nonzero(fitting != scaled))
        if self._floats.size:
            # From here an F32 travels as its bit pattern; a float64 holds every 32-bit integer exactly.
            fitting[self._floats] = fitting[self._floats].astype(np.float32).view(np.uint32)
        if self._missing is not None:
            np.copyto(fitting, self._missing, where=unavailable)
        wire[:-1] = fitting
        return (wire.take(self._source) >> self._shift).astype(">u2").tobytes(), saturated

    def _encode_rows(
        self,
        values: FloatArray | Sequence[RawValue],
        out: bytearray,
        rows: Sequence[tuple[int, Row]],
        raw: bool,
    ) -> Encoded:
        saturated = 0
        for index, row in rows:
            value = values[index]
            # 0, None and "" read 0, which is there already, and so do most rows of a log. F32 has a -0.
            if not value and ENCODINGS[row.encoding].kind != "float":
                continue
            data, is_clipped = encode_value(row.encoding, row.words, value, 1.0 if raw else row.scale)
            saturated += is_clipped
            out[2 * row.offset : 2 * (row.offset + row.words)] = data
        return Encoded(bytes(out), saturated)


def _is_plain(row: Row) -> bool:
    """Numbers of at most 32 bits, on which float64 arithmetic is exact."""
    kind = ENCODINGS[row.encoding].kind
    return kind == "float" or (kind == "integer" and row.words <= 2)


def _bounds(encoding: str) -> tuple[float, float]:
    known = ENCODINGS[encoding]
    return (-_FLOAT32_MAX, _FLOAT32_MAX) if known.kind == "float" else (known.minimum, known.maximum)


def encode_value(
    encoding: str, words: int, value: RawValue | np.float64, scale: float = 1.0
) -> tuple[bytes, bool]:
    """One value as the bytes of its `words` registers, and whether the type could not hold it.

    A text is cut, or padded with zeros, to its registers. U32_IP also takes dotted text, DATETIME_3 ISO text.

    Raises:
        NotEncodable: The encoding is unknown, or the value is of a kind that it does not know.
    """
    known = ENCODINGS.get(encoding)
    if known is None:
        raise NotEncodable(encoding, value)
    if value is None or (isinstance(value, float) and isnan(value)):
        return known.missing.to_bytes(2 * words, "big"), False
    if known.kind == "text":
        return _text(encoding, words, value), False
    if isinstance(value, str):
        value = _number_in(encoding, value)
    if known.kind == "float":
        exact = float(value) / scale
        held = min(max(exact, -_FLOAT32_MAX), _FLOAT32_MAX)
        return _in_order(struct.pack(">f", held), known), held != exact
    wanted = _rounded(value, scale)
    fitting = min(max(wanted, known.minimum), known.maximum)
    data = (int(fitting) & ((1 << 16 * words) - 1)).to_bytes(2 * words, "big")
    return _in_order(data, known), fitting != wanted


def _in_order(data: bytes, encoding: Encoding) -> bytes:
    """Registers, given high word first, in the order of the wire."""
    if not encoding.is_low_word_first:
        return data
    return b"".join(data[at : at + 2] for at in range(len(data) - 2, -1, -2))


def _signed_form(row: Row) -> int:
    """The pattern of a value that is not available as the number that gives those bits."""
    encoding = ENCODINGS[row.encoding]
    return encoding.missing - (1 << 16 * row.words) if encoding.is_signed and encoding.missing else 0


def _rounded(value: float, scale: float) -> int | float:
    """The register value before it is limited; infinite where the value is."""
    if isinstance(value, int) and scale == 1:
        return value  # exact, beyond what a float could hold
    quotient = float(value) / scale
    return quotient if quotient in (inf, -inf) else round(quotient)


def _text(encoding: str, words: int, value: object) -> bytes:
    if isinstance(value, int):  # registers as somebody wrote them, kept as one number
        return (value & ((1 << 16 * words) - 1)).to_bytes(2 * words, "big")
    if not isinstance(value, str):
        raise NotEncodable(encoding, value)
    if encoding == "STRING_16":
        return value[:words].encode("utf-16-be", "replace")[: 2 * words].ljust(2 * words, b"\0")
    return value.encode("latin-1", "replace")[: 2 * words].ljust(2 * words, b"\0")


def _number_in(encoding: str, text: str) -> int:
    """The register value behind an address in dotted form or a calendar date.

    Source of DATETIME_3 (bytes year - 2000, month, day, hour, minute, second): DIRIS Digiware S-135 manual
    546420C p. 35, with decoding seen in clients of the DIRIS A-30.
    """
    try:
        if encoding == "U32_IP":
            return int(IPv4Address(text))
        if encoding == "DATETIME_3":
            when = datetime.fromisoformat(text)
            fields = (when.year - 2000, when.month, when.day, when.hour, when.minute, when.second)
            return int.from_bytes(bytes(fields), "big")
    except ValueError as problem:
        raise NotEncodable(encoding, text) from problem
    raise NotEncodable(encoding, text)
