"""Registers to values: what a client of a device makes of its blocks, by the product's own data."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import isfinite

from virtual_digiware.devices.block import Block, Row
from virtual_digiware.devices.encodings import ENCODINGS

Value = float | str | None


def decoded(block: Block, data: bytes) -> Iterator[tuple[str, Value]]:
    """Points of a block with their values in engineering units; texts as they are, reserved rows left out.

    None where the device says that a value is not available.

    Args:
        data: Two bytes for each register of the block.
    """
    for row in block.rows:
        if not row.reserved:
            yield row.point, decoded_value(row, data[2 * row.offset : 2 * (row.offset + row.words)])


def decoded_value(row: Row, data: bytes) -> Value:
    """One point from the bytes of its registers; see `decoded`."""
    encoding = ENCODINGS[row.encoding]
    if encoding.kind == "text":
        if encoding.characters_per_word == 1:
            return data.decode("utf-16-be", "replace").rstrip("\0")
        return data.decode("latin-1").rstrip("\0")
    if encoding.is_low_word_first:
        data = b"".join(data[at : at + 2] for at in range(len(data) - 2, -1, -2))
    if encoding.kind == "float":
        value = struct.unpack(">f", data)[0] * row.scale
        return float(value) if isfinite(value) else None
    if encoding.missing and int.from_bytes(data, "big") == encoding.missing:
        return None
    number = int.from_bytes(data, "big", signed=encoding.is_signed)
    return number if row.scale == 1 else number * row.scale
