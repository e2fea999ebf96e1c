"""Collected numbers by unit, table, point and slot, taken from the collection once for each version."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from virtual_digiware.devices.points import FloatArray

if TYPE_CHECKING:
    from virtual_digiware.devices.collection import GatewayCollection
    from virtual_digiware.devices.unit import Unit

CLOCK = ("year", "month", "day", "hour", "minute", "second")
_OTHER_POINTS: Mapping[str, Sequence[str]] = {
    "unit.clock": CLOCK,
    "unit.operating_hours": ("operating_time_total",),
    "io.digital_inputs": ("active_mask",),
    "io.digital_outputs": ("active_mask",),
}


class Columns:
    """Numbers of one gateway's collection.

    Args:
        collection: What the gateway has collected.
        points: All points that are asked of a table, so that a table is fetched whole.
    """

    def __init__(self, collection: GatewayCollection, points: Mapping[str, Sequence[str]]) -> None:
        self._collection = collection
        self._rows = {
            table: {point: row for row, point in enumerate(names)}
            for table, names in {**points, **_OTHER_POINTS}.items()
        }
        self._version: int | None = None
        self._made: dict[tuple[str, str], FloatArray] = {}
        self._first: dict[tuple[str, str, str], int] = {}

    def value(self, unit: Unit, table: str, point: str, slot: int) -> float:
        """One number; NaN where the unit has no such point or slot, or nothing was collected yet."""
        row = self._rows.get(table, {}).get(point)
        if row is None:
            return math.nan
        column = self._table(unit, table)
        if not table.startswith(("circuit.", "network.")):
            slot += self._first_place(unit, table, point)
        return float(column[row, slot]) if slot < column.shape[1] else math.nan

    def _table(self, unit: Unit, table: str) -> FloatArray:
        version = self._collection.version
        if version != self._version:
            self._made.clear()
            self._version = version
        key = unit.path, table
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._collection.column(unit, table, tuple(self._rows[table]))
        return made

    def _first_place(self, unit: Unit, table: str, point: str) -> int:
        """The first of the blocks with this table that has the point: values and averages are two blocks."""
        key = unit.product.name, table, point
        first = self._first.get(key)
        if first is None:
            blocks = [placed.block for placed in unit.product.blocks if placed.block.table == table]
            having = [at for at, block in enumerate(blocks) if any(row.point == point for row in block.rows)]
            first = self._first[key] = having[0] if having else 0
        return first
