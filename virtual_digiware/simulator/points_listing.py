"""Every point of a site with its value at one time and the register that shows it, as a listing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from virtual_digiware.devices.encodings import ENCODINGS

if TYPE_CHECKING:
    from rich.console import Console

    from virtual_digiware.devices.block import PlacedBlock, Row
    from virtual_digiware.devices.unit import Unit
    from virtual_digiware.simulator.building import Building

ListingFormat = Literal["table", "csv", "json", "markdown"]
MEASURED_TABLES = ("circuit.", "network.", "meter.", "dc.", "io.", "unit.")
"""Kinds of tables that hold points; the others are settings, commands and words that read 0."""


@dataclass(frozen=True, slots=True)
class PointLine:
    """One point of one unit.

    `value` is in `unit`, a text or a bare number where there is no unit, None while it is not available.
    """

    gateway: str
    module: str
    address: int | None
    product: str
    circuit: str
    table: str
    point: str
    value: float | int | str | None
    unit: str
    register: int
    words: int
    type: str
    scale: float
    confidence: str
    function: int
    """That reads it: 3, or 4 for a register that is an input register only."""


COLUMNS = tuple(field.name for field in fields(PointLine))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which points are wanted; patterns are those of a shell (`voltage_*`)."""

    unit: str | None = None
    circuit: str | None = None
    point: str | None = None
    is_everything: bool = False

    def has_unit(self, unit: Unit) -> bool:
        return self.unit is None or any(
            fnmatchcase(name, self.unit)
            for name in (unit.path, unit.name, str(unit.address), unit.product.name)
        )

    def has_block(self, placed: PlacedBlock) -> bool:
        return self.is_everything or placed.block.table.startswith(MEASURED_TABLES)

    def has_point(self, circuit: str, row: Row) -> bool:
        return (
            not row.reserved
            and (self.circuit is None or fnmatchcase(circuit, self.circuit))
            and (self.point is None or fnmatchcase(row.point, self.point))
        )


def point_lines(building: Building, t_ms: int, selection: Selection) -> Iterator[PointLine]:
    """Points of the site as they are at one time, in the order of units and registers.

    Advances the model to `t_ms`, which must not be before its commissioning.
    """
    model = building.model
    model.publish(model.compute(t_ms))
    for unit in model.units.values():
        if selection.has_unit(unit):
            for placed in unit.product.blocks:
                if selection.has_block(placed) and placed.block.access != "write":
                    yield from _lines_of(unit, placed, selection)


def _lines_of(unit: Unit, placed: PlacedBlock, selection: Selection) -> Iterator[PointLine]:
    from virtual_digiware.devices.register_table import confidence_of

    circuit = circuit_of(unit, placed)
    if circuit is None:
        return
    wanted = [
        (position, row) for position, row in enumerate(placed.block.rows) if selection.has_point(circuit, row)
    ]
    if not wanted:
        return
    values = unit.read(placed)
    is_raw = unit.is_raw(placed.block)
    gateway, _, module = unit.path.partition("/")
    for position, row in wanted:
        yield PointLine(
            gateway=gateway,
            module=module,
            address=unit.address,
            product=unit.product.name,
            circuit=circuit,
            table=placed.block.table,
            point=row.point,
            value=shown_value(values[position], row, is_raw),
            unit=row.unit,
            register=placed.base + row.offset,
            words=row.words,
            type=row.encoding,
            scale=row.scale,
            confidence=confidence_of(placed, row),
            function=min(placed.block.read_functions),
        )


def circuit_of(unit: Unit, placed: PlacedBlock) -> str | None:
    """The circuit that a block shows; empty where it shows none; None where the slot has no circuit."""
    if placed.block.repeat is None or placed.block.repeat.per != "circuit":
        return ""
    return unit.circuits[placed.slot] if placed.slot < len(unit.circuits) else None


def shown_value(value: object, row: Row, is_raw: bool) -> float | int | str | None:
    """A value that a unit has read, in the unit of its row and as fine as its register."""
    if value is None or isinstance(value, str):
        return value
    if ENCODINGS[row.encoding].kind == "text" and not value:
        return ""
    number = float(value) * row.scale if is_raw else float(value)  # type: ignore[arg-type]
    if number != number:
        return None
    if ENCODINGS[row.encoding].kind == "float":
        return float(f"{number:.7g}")
    # Registers hold multiples of the scale; more digits would promise what no client can read.
    shown = round(number / row.scale) * row.scale if row.scale else number
    return int(shown) if float(shown).is_integer() else float(f"{shown:.10g}")


def format_points(lines: Iterable[PointLine], listing_format: ListingFormat) -> str:
    """The listing as text. `table` is for terminals, see `print_points`."""
    if listing_format == "json":
        return json.dumps([dict(zip(COLUMNS, astuple(line), strict=True)) for line in lines], indent=1) + "\n"
    if listing_format == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(astuple(line) for line in lines)
        return text.getvalue()
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_texts(astuple(line)) for line in lines)]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def _texts(values: Sequence[object]) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in values)


def print_points(console: Console, lines: Iterable[PointLine]) -> None:
    """The listing as a table on a terminal: what a person looks for first."""
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False)
    for column in (
        "unit",
        "circuit",
        "table",
        "point",
        "value",
        "",
        "register",
        "type",
        "scale",
        "confidence",
    ):
        table.add_column(column, justify="right" if column in ("value", "register", "scale") else "left")
    for line in lines:
        unit = f"{line.address or '-'} {line.product} {line.module or line.gateway}"
        value = "not available" if line.value is None else str(line.value)
        cells = (unit, line.circuit, line.table, line.point, value, line.unit, str(line.register), line.type)
        table.add_row(*cells, f"{line.scale:g}", line.confidence)
    console.print(table)
