"""Which tables MQTT publishes under which topic: reading `bindings/mqtt.yaml`, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

from virtual_digiware.devices.block import Product, Row
from virtual_digiware.devices.catalogue_section import load

Per = Literal["circuit", "slot", "unit"]

_FILE = Path(__file__).parent / "bindings" / "mqtt.yaml"
_RESIDUAL = "_residual"


@dataclass(frozen=True, slots=True)
class Published:
    """One table that is published below a unit's topic: once per circuit or slot, or once for the unit."""

    table: str
    topic: str
    per: Per
    without: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sent:
    """One point as it is sent: `digits` behind the decimal point are what its register resolves.

    `residual` names the second register of an energy: the value is then 1000 x the first + the second.
    """

    point: str
    unit: str
    digits: int
    residual: str | None = None


@cache
def published_tables() -> tuple[Published, ...]:
    """The tables in the order of the file. Raises CatalogueError for a file that cannot be right."""
    file = load(_FILE, frozenset({"source", "tables"}))
    file.text("source")
    return tuple(
        Published(
            part.text("table"),
            part.text("topic"),
            cast(Per, part.choice("per", ("circuit", "slot", "unit"))),
            frozenset(part.texts("without")),
        )
        for part in file.sections("tables", frozenset({"table", "topic", "per", "without"}))
    )


def sent_points(product: Product, published: Published) -> tuple[Sent, ...]:
    """The points that a product has in a table, in the order of its registers; dates are not sent."""
    rows = {
        row.point: row
        for placed in product.blocks
        if placed.block.table == published.table and placed.slot == 0
        for row in placed.block.rows
        if not row.reserved and row.encoding != "DATETIME" and not row.encoding.startswith("STRING")
    }
    return tuple(
        _sent(row, rows.get(row.point + _RESIDUAL))
        for row in rows.values()
        if row.point not in published.without and not row.point.endswith(_RESIDUAL)
    )


def _sent(row: Row, residual: Row | None) -> Sent:
    shown = row if residual is None else residual
    return Sent(row.point, shown.unit, _digits(shown.scale), None if residual is None else residual.point)


def _digits(scale: float) -> int:
    digits = 0
    while digits < 9 and round(scale * 10**digits, 6) != int(round(scale * 10**digits, 6)):
        digits += 1
    return digits
