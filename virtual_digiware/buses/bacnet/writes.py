"""What BACnet writes are on Modbus: outputs by command masks, clocks by their table, with function 16."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from virtual_digiware.buses.interfaces import Unit

FUNCTION = 16
_CLOCK, _OUTPUTS = "unit.clock", "io.digital_outputs"


class RegisterWrite(NamedTuple):
    """Values for consecutive registers of a unit."""

    address: int
    values: Sequence[int]


def output_write(unit: Unit, output: int, active: bool) -> RegisterWrite | None:
    """Drives one output, counted from 0, by the masks of the unit's output table; None without one."""
    for placed in unit.product.blocks:
        block = placed.block
        offsets = {row.point: row.offset for row in block.rows}
        if block.table == _OUTPUTS and "command_off_mask" in offsets:
            mask = 1 << output
            off, on = offsets["command_off_mask"], offsets["command_on_mask"]
            if on != off + 1:
                return None
            return RegisterWrite(placed.base + off, (0, mask) if active else (mask, 0))
    return None


def clock_write(unit: Unit, when: datetime) -> RegisterWrite | None:
    """Sets the unit's clock; None for a unit without one. Of several clock tables the shortest is written."""
    clocks = [placed for placed in unit.product.blocks if placed.block.table == _CLOCK]
    writable = [placed for placed in clocks if FUNCTION in placed.block.write_functions]
    if not writable:
        return None
    placed = min(writable, key=lambda one: one.block.words)
    words = [0] * placed.block.words
    for row in placed.block.rows:
        words[row.offset] = _part(when, row.point)
    return RegisterWrite(placed.base, tuple(words))


def _part(when: datetime, point: str) -> int:
    parts: Mapping[str, int] = {
        "year": when.year,
        "month": when.month,
        "day": when.day,
        "hour": when.hour,
        "minute": when.minute,
        "second": when.second,
        "millisecond": when.microsecond // 1000,
    }
    return parts.get(point, 0)
