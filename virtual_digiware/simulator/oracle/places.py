"""Where a point stands: names such as `m70/i35/incomer/active_power_total` looked up in a site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from virtual_digiware.simulator.points_listing import MEASURED_TABLES, circuit_of
from virtual_digiware.simulator.yaml_text import near_miss

if TYPE_CHECKING:
    from virtual_digiware.devices.block import PlacedBlock, Row
    from virtual_digiware.devices.unit import Unit

PREFERRED_TABLES = (
    "circuit.instantaneous",
    "network.instantaneous",
    "circuit.energy",
    "circuit.fundamental",
    "network.fundamental",
)
"""Which of the tables that hold a point is meant when no table is named: measured now comes first."""

_TABLES = (*MEASURED_TABLES, "sensor.", "transfer.")


class PointUnknown(ValueError):
    """No point of the site has this name; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Place:
    """One row of one block of one unit. `part` is its circuit, or its number among inputs; else empty."""

    unit: Unit
    placed: PlacedBlock
    position: int
    part: str

    @property
    def row(self) -> Row:
        return self.placed.block.rows[self.position]

    @property
    def table(self) -> str:
        return self.placed.block.table

    @property
    def register(self) -> int:
        return self.placed.base + self.row.offset

    @property
    def name(self) -> str:
        """The name that means this place and no other."""
        return "/".join(
            (self.unit.path, *([self.part] if self.part else ()), f"{self.table}.{self.row.point}")
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One reading of a name: the unit, its part and the point, with or without its table."""

    unit: str
    part: str
    point: str

    def has_unit(self, unit: Unit) -> bool:
        known = (unit.path, unit.name, str(unit.address), unit.product.name)
        return any(fnmatchcase(name, self.unit) for name in known)

    def has(self, place: Place) -> bool:
        if not fnmatchcase(place.part, self.part):
            return False
        point, table = place.row.point, place.table
        return any(
            fnmatchcase(name, self.point)
            for name in (point, f"{table}.{point}", f"{table.partition('.')[2]}.{point}")
        )

    @property
    def names_table(self) -> bool:
        return "." in self.point


def places(units: Sequence[Unit], name: str) -> list[Place]:
    """The places that a name means, in the order of units and registers.

    Args:
        name: UNIT/CIRCUIT/POINT, or UNIT/POINT for what belongs to no circuit; UNIT is a path, name, address
            or product, CIRCUIT may be the number of an input, POINT may begin with its table
            (`average.active_power_total`). Each part may be a pattern of a shell.

    Raises:
        PointUnknown: Nothing is meant; the message names what is there.
    """
    readings = _readings(name)
    found = []
    for unit in units:
        asked = [reading for reading in readings if reading.has_unit(unit)]
        if asked:
            found += _preferred(asked, list(places_of(unit)))
    if not found:
        raise PointUnknown(_hint(units, readings, name))
    return found


def places_of(unit: Unit) -> Iterator[Place]:
    """Every measured point of a unit; one that two of its blocks repeat counts in the first of them."""
    seen: set[tuple[str, str, str]] = set()
    for placed in unit.product.blocks:
        block = placed.block
        part = circuit_of(unit, placed)
        if part is None or not block.table.startswith(_TABLES) or block.access == "write":
            continue
        if block.repeat is not None and block.repeat.per != "circuit":
            part = str(placed.slot + 1)
        for position, row in enumerate(block.rows):
            key = block.table, part, row.point
            if not row.reserved and key not in seen:
                seen.add(key)
                yield Place(unit, placed, position, part)


def _readings(name: str) -> list[_Asked]:
    parts = name.split("/")
    if len(parts) < 2 or not all(parts):
        raise PointUnknown(
            f"{name!r} names no point; right would be UNIT/CIRCUIT/POINT or UNIT/POINT, such as "
            "m70/i35/incomer/active_power_total"
        )
    readings = [_Asked("/".join(parts[:-1]), "", parts[-1])]
    if len(parts) > 2:
        readings.append(_Asked("/".join(parts[:-2]), parts[-2], parts[-1]))
    return readings


def _preferred(asked: Sequence[_Asked], all_places: Sequence[Place]) -> list[Place]:
    """What is asked for; of a point in several tables the preferred one, unless a table is named."""
    kept: list[Place] = []
    best: dict[tuple[str, str], Place] = {}
    for place in all_places:
        matching = [reading for reading in asked if reading.has(place)]
        if any(reading.names_table for reading in matching):
            kept.append(place)
        elif matching:
            key = place.part, place.row.point
            known = best.get(key)
            if known is None or _rank(place) < _rank(known):
                best[key] = place
    chosen = {id(place) for place in (*kept, *best.values())}
    return [place for place in all_places if id(place) in chosen]


def _rank(place: Place) -> int:
    return PREFERRED_TABLES.index(place.table) if place.table in PREFERRED_TABLES else len(PREFERRED_TABLES)


def _hint(units: Sequence[Unit], readings: Sequence[_Asked], name: str) -> str:
    """Which part of a name is wrong, and what comes near it."""
    for reading in reversed(readings):
        for unit in (unit for unit in units if reading.has_unit(unit)):
            own = list(places_of(unit))
            parts = sorted({place.part for place in own})
            inside = [place for place in own if fnmatchcase(place.part, reading.part)]
            if not inside:
                known = ", ".join(part for part in parts if part) or "none"
                hint = near_miss(reading.part, parts)
                return f"{unit.path} measures no {reading.part!r}; it has: {known}.{hint}"
            points = sorted({place.row.point for place in inside})
            wanted = reading.point.rpartition(".")[2]
            hint = near_miss(wanted, points)
            where = f"{unit.path}/{reading.part}" if reading.part else unit.path
            if reading.part or hint or not parts[-1:] or parts == [""]:
                return f"{where} has no point {reading.point!r}.{hint}"
            listed = ", ".join(filter(None, parts))
            return f"{where} has no point {reading.point!r} outside its circuits or inputs: {listed}"
    paths = [unit.path for unit in units]
    hint = near_miss(readings[-1].unit, [*paths, *(unit.name for unit in units)])
    return f"{name!r}: no unit {readings[-1].unit!r}; there are: {', '.join(paths)}.{hint}"
