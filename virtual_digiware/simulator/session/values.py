"""What a device shows for a point, as an engineering value: the right answer for a supervisor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.simulator.session.places import UnknownName
from virtual_digiware.simulator.yaml_text import near_miss

if TYPE_CHECKING:
    from virtual_digiware.devices.block import PlacedBlock
    from virtual_digiware.devices.model import SiteModel
    from virtual_digiware.devices.unit import Unit

FIRST_TABLES = ("circuit.instantaneous", "network.instantaneous", "circuit.energy")
"""Where a point of several tables is meant, when nobody says which: present values before their averages."""

Value = float | int | str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """A unit, and the slot of the circuit that is meant; None: the unit itself, or its only circuit."""

    unit: Unit
    slot: int | None


def value_of(model: SiteModel, name: str, point: str, table: str | None = None) -> Value:
    """The value of a point in the published snapshot, before any register rounds it.

    Args:
        name: a circuit that is metered, or a unit by path (`m70/i35`) or by its own name.
        point: as `vdigiware points` lists it. An energy includes its residual.
        table: where several tables have the point, as `circuit.average`; default: present values first.

    Returns:
        In the unit that `vdigiware points` lists; None while it is not available or the unit is dead.

    Raises:
        UnknownName: no such unit, circuit, point or table, or several that could be meant.
    """
    subject = _subject(model, name)
    found: dict[str, list[tuple[PlacedBlock, int]]] = {}
    known: list[str] = []
    for placed in _blocks(subject):
        for position, row in enumerate(placed.block.rows):
            if not row.reserved:
                known.append(row.point)
                if row.point == point:
                    found.setdefault(placed.block.table, []).append((placed, position))
    if not found:
        raise UnknownName(f"{name} shows no point `{point}`.{near_miss(point, sorted(set(known)))}")
    if table is None:
        table = next((first for first in FIRST_TABLES if first in found), next(iter(found)))
    elif table not in found:
        raise UnknownName(f"{name} has `{point}` in {', '.join(found)}, not in {table}")
    places = found[table]
    if len({placed.slot for placed, _ in places}) > 1:
        many = ", ".join(subject.unit.circuits) or "several inputs"
        raise UnknownName(f"{name} shows `{point}` of {many}; name one of them")
    return _value(subject.unit, *places[0])


def _subject(model: SiteModel, name: str) -> Subject:
    unit = model.units.get(name)
    named = [one for one in model.units.values() if one.name == name] if unit is None else [unit]
    if len(named) == 1:
        return Subject(named[0], None)
    if named:
        raise UnknownName(f"{len(named)} units named {name}: {', '.join(one.path for one in named)}")
    for one in model.units.values():
        if name in one.circuits:
            return Subject(one, one.circuits.index(name))
    known = [*model.units, *(circuit for one in model.units.values() for circuit in one.circuits)]
    raise UnknownName(f"no unit and no metered circuit `{name}`.{near_miss(name, known)}")


def _blocks(subject: Subject) -> Iterator[PlacedBlock]:
    for placed in subject.unit.product.blocks:
        if placed.block.access == "write":
            continue
        is_of_circuit = placed.block.repeat is not None and placed.block.repeat.per == "circuit"
        if not is_of_circuit or (
            placed.slot < len(subject.unit.circuits) and subject.slot in (None, placed.slot)
        ):
            yield placed


def _value(unit: Unit, placed: PlacedBlock, position: int) -> Value:
    if not unit.is_present:
        return None
    row, values = placed.block.rows[position], unit.read(placed)
    value = values[position]
    if value is None or isinstance(value, str):
        return value
    if ENCODINGS[row.encoding].kind == "text":
        return ""
    number = float(value)
    if unit.is_raw(placed.block):
        number *= row.scale
        return int(number) if number.is_integer() else number
    if number != number:
        return None
    rest = next(
        (at for at, other in enumerate(placed.block.rows) if other.point == f"{row.point}_residual"), None
    )
    if rest is not None:  # in Wh beside kWh, or varh beside kvarh
        number += float(values[rest] or 0) / 1000
    return number
