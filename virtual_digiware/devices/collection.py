"""What one gateway has collected from its bus: values with their age, as all services but Modbus show them.

A module that answers is shown as the published snapshot has it, so that every protocol tells the same of the
same refresh. One that does not keeps what it showed last, until it is back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np

from virtual_digiware.devices.block import PlacedBlock, Product, Row
from virtual_digiware.devices.catalogue import product as known_product
from virtual_digiware.devices.io_modules import IoModule, Values
from virtual_digiware.devices.points import FloatArray
from virtual_digiware.devices.remote_units import RemoteUnits
from virtual_digiware.devices.snapshot import Snapshot
from virtual_digiware.devices.unit import MEASURED, Unit

Quality = Literal["good", "not_available", "lost"]

_NOT_AVAILABLE_MS = 0


class Reading(NamedTuple):
    """One collected value in the unit of its point, NaN while it is not available.

    `time_ms` is the simulated time that the value belongs to; 0 when nothing was ever collected.
    """

    value: float
    quality: Quality
    time_ms: int


class Site(Protocol):
    """What a collection asks of the site model."""

    @property
    def units(self) -> Mapping[str, Unit]: ...

    @property
    def version(self) -> int: ...

    @property
    def snapshot(self) -> Snapshot: ...


@dataclass(slots=True)
class _Kept:
    """The last snapshot in which a unit answered, and when it was first found silent."""

    snapshot: Snapshot | None = None
    silent_since_ms: int | None = None


class GatewayCollection:
    """Values of one gateway, of the modules on its bus, and of the units beyond it that it polls.

    Whoever publishes snapshots calls `collect` after each; then what is kept of a lost module does not depend
    on who reads when. Without it a read collects, which is the same as long as somebody reads.

    Args:
        model: The site.
        gateway_path: Path of the gateway; its modules are the units below it.
        cycle_ms: Time in which the gateway polls its bus once; cycles are aligned to the epoch.
        lost_after_cycles: A silent module counts as lost at the end of the so-manieth cycle.

    Raises:
        KeyError: The site has no such gateway.
    """

    def __init__(self, model: Site, gateway_path: str, cycle_ms: int, lost_after_cycles: int = 1) -> None:
        self.gateway = model.units[gateway_path]
        self._model = model
        self._cycle_ms = cycle_ms
        self._lost_after = lost_after_cycles
        self._members = tuple(
            unit
            for path, unit in model.units.items()
            if path == gateway_path or path.startswith(f"{gateway_path}/")
        )
        self._kept = {unit.path: _Kept() for unit in self._members}
        self._remote: list[RemoteUnits] = []
        self._numbers: dict[str, int] = {}
        self._points: dict[tuple[str, str], Mapping[str, Row]] = {}
        self._version: int | None = None
        self._units: tuple[Unit, ...] = ()
        self._by_address: dict[int, Unit] = {}
        self.collect()

    def add_remote(self, remote: RemoteUnits, numbers: Mapping[str, int] | None = None) -> None:
        """Show further units, which the gateway polls over a line or a network.

        Args:
            numbers: What stands for the address of those, by path, whose address may be another's here too.
        """
        self._remote.append(remote)
        self._numbers.update(numbers or {})
        self.collect()

    def number_of(self, unit: Unit) -> int | None:
        """What a unit has here for an address: its own, but for units of other gateways' address spaces."""
        return self._numbers.get(unit.path, unit.address)

    def label_of(self, unit: Unit) -> str:
        """A name that no other unit here has: its own on the gateway's bus, with that of its head beyond."""
        return unit.name if unit.path in self._kept else unit.path.replace("/", ".")

    @property
    def version(self) -> int:
        """Grows when anything shown may have changed: values, addresses, presence."""
        if self._version != self._model.version:
            self.collect()
        return self._model.version

    @property
    def time_ms(self) -> int:
        """Simulated time of the newest values."""
        return self._model.snapshot.time_ms

    @property
    def units(self) -> tuple[Unit, ...]:
        """The gateway, its modules and what it polls, by address; a unit without one first."""
        self._see()
        return self._units

    def unit_at(self, address: int) -> Unit | None:
        """The unit of an address, or of the number that stands for it.

        The gateway wins over a module, a module over what is polled beyond. Of two modules with one address
        neither is understood.
        """
        self._see()
        return self._by_address.get(address)

    def is_lost(self, unit: Unit) -> bool:
        """Whether the gateway has given up on a unit: it is silent since before the running cycle began."""
        self._see()
        for remote in self._remote:
            if unit in remote:
                return remote.is_lost(unit, self._model.snapshot.time_ms)
        since_ms = self._kept[unit.path].silent_since_ms
        if since_ms is None:
            return False
        given_up_ms = (since_ms // self._cycle_ms + self._lost_after) * self._cycle_ms
        return self._model.snapshot.time_ms >= given_up_ms

    def collected_ms(self, unit: Unit) -> int | None:
        """Simulated time of what is shown of a unit; None when nothing was ever collected."""
        self._see()
        snapshot = self._snapshot_of(unit)
        return None if snapshot is None else snapshot.time_ms

    def reading(self, unit: Unit, table: str, point: str, slot: int) -> Reading:
        """One value; `slot` counts from 0 over the unit's circuits, inputs and so on."""
        self._see()
        snapshot = self._snapshot_of(unit)
        if snapshot is None:
            quality: Quality = "lost" if self.is_lost(unit) else "not_available"
            return Reading(math.nan, quality, _NOT_AVAILABLE_MS)
        column = self.column(unit, table, (point,))
        value = float(column[0, slot]) if 0 <= slot < column.shape[1] else math.nan
        if self.is_lost(unit):
            return Reading(value, "lost", snapshot.time_ms)
        return Reading(value, "not_available" if math.isnan(value) else "good", snapshot.time_ms)

    def column(self, unit: Unit, table: str, points: Sequence[str]) -> FloatArray:
        """Values (points, slots) in engineering units; NaN where the unit does not measure a point.

        Tables other than `circuit.*` and `network.*` give register values of numeric points, scaled.
        """
        self._see()
        snapshot = self._snapshot_of(unit)
        if not table.startswith(MEASURED):
            places = _places(unit.product, table)
            slots_shown = {placed.slot for placed in places}
            values = np.full((len(points), len(slots_shown)), np.nan)
            for placed in () if snapshot is None else places:
                assert snapshot is not None
                shown = _shown(unit, placed, snapshot)
                for index, point in enumerate(points):
                    if point in shown:
                        values[index, placed.slot] = shown[point]
            return values
        slots = unit.slots if table.startswith("circuit.") else unit.taps
        values = np.full((len(points), len(slots)), np.nan)
        rows = self._rows(unit.product, table)
        if snapshot is None or not slots or not rows:
            return values
        made = snapshot.table(table, slots)
        offset_s = unit.state.clock_offset_ms // 1000
        for index, point in enumerate(points):
            row = rows.get(point)
            if row is not None and point in made.index:
                # Dates are shown on the unit's own clock, as in its registers.
                values[index] = made[point] + (offset_s if row.encoding == "DATETIME" else 0)
        return values

    def ask(self, tables: Iterable[str]) -> None:
        """Say that tables of all units will be read, see `Snapshot.ask`."""
        self._see()
        measured = [table for table in tables if table.startswith(MEASURED)]
        for unit in self.units:
            snapshot = self._snapshot_of(unit)
            for table in measured:
                slots = unit.slots if table.startswith("circuit.") else unit.taps
                if snapshot is not None and slots and self._rows(unit.product, table):
                    snapshot.ask(table, slots)

    def row(self, unit: Unit, table: str, point: str) -> Row | None:
        """The register row of a point; None when the product lacks it, which reads 0 on every protocol."""
        return self._rows(unit.product, table).get(point)

    def measures(self, unit: Unit, table: str, point: str) -> bool:
        """Whether the product has a register for this point."""
        return self.row(unit, table, point) is not None

    def collect(self) -> None:
        """Take over the published snapshot for every unit that answers, and note who does not."""
        self._version = self._model.version
        snapshot = self._model.snapshot
        own = self.gateway
        for remote in self._remote:
            remote.collect(snapshot)
        beyond = [unit for remote in self._remote for unit in remote.units]
        self._units = tuple(sorted((*self._members, *beyond), key=lambda unit: self.number_of(unit) or 0))
        self._by_address = {}
        answering = {own.path} if own.is_present else set()
        for address, units in self._claims(self._members).items():
            live = [unit for unit in units if unit.is_present]
            # What is asked of the gateway's own address never gets to the bus; two modules garble each other.
            owner = own if own in units else live[0] if len(live) == 1 else None
            if owner is not None and owner.is_present:
                answering.add(owner.path)
            if owner is not None or len(units) == 1:
                self._by_address[address] = owner or units[0]
        for address, units in self._claims(beyond).items():
            if len(units) == 1:
                self._by_address.setdefault(address, units[0])
        for unit in self._members:
            kept = self._kept[unit.path]
            if unit.path in answering:
                kept.snapshot, kept.silent_since_ms = snapshot.seen_by(unit.path), None
            elif kept.silent_since_ms is None:
                kept.silent_since_ms = snapshot.time_ms

    def _snapshot_of(self, unit: Unit) -> Snapshot | None:
        for remote in self._remote:
            if unit in remote:
                return remote.snapshot_of(unit)
        return self._kept[unit.path].snapshot

    def _claims(self, units: Sequence[Unit]) -> Mapping[int, list[Unit]]:
        claims: dict[int, list[Unit]] = {}
        for unit in units:
            number = self.number_of(unit)
            if number is not None:
                claims.setdefault(number, []).append(unit)
        return claims

    def _see(self) -> None:
        if self._version != self._model.version:
            self.collect()

    def _rows(self, product: Product, table: str) -> Mapping[str, Row]:
        """Rows of a product's blocks with this table by point, reserved ones left out."""
        key = product.name, table
        rows = self._points.get(key)
        if rows is None:
            rows = self._points[key] = _rows_of(product, table)
        return rows


_SHOWN_AS = {"circuit.": "I-35", "network.": "U-30"}
"""Products by whose registers all services but Modbus show a meter: scales of its own would mislead them."""


def _rows_of(product: Product, table: str) -> dict[str, Row]:
    """Rows of a product's blocks with this table by point; of a meter, those that show what it measures."""
    kind = next((kind for kind in _SHOWN_AS if table.startswith(kind)), None)
    measured = _rows_of(product, "meter.measured") if kind is not None else {}
    if measured and kind is not None:
        shown = _rows_of(known_product(_SHOWN_AS[kind]), table)
        return {point: row for point, row in shown.items() if point in measured}
    return {
        row.point: row
        for placed in product.blocks
        if placed.block.table == table and placed.slot == 0
        for row in placed.block.rows
        if not row.reserved
    }


def _places(product: Product, table: str) -> list[PlacedBlock]:
    return [placed for placed in product.blocks if placed.block.table == table]


def _shown(unit: Unit, placed: PlacedBlock, snapshot: Snapshot) -> Mapping[str, float]:
    """Numbers of a table that is not measured by circuit or voltage, by point, in engineering units."""
    block = placed.block
    if unit.io is not None and block.table in _IO_VALUES:
        values = dict(_IO_VALUES[block.table](unit, placed.slot, snapshot))
    elif unit.dc is not None and block.table.startswith("dc."):
        values = dict(unit.direct_current(block.table, placed.slot, snapshot.time_ms))
    elif unit.sensor is not None and block.table == "sensor.environment":
        values = dict(unit.environment(snapshot.time_ms))
    else:
        values = {
            row.point: value
            for row, value in zip(block.rows, unit.read(placed), strict=True)
            if isinstance(value, int | float)
        }
    is_raw = unit.is_raw(block)
    return {
        row.point: float(values.get(row.point, row.initial)) * (row.scale if is_raw else 1.0)
        for row in block.rows
        if not row.reserved and isinstance(values.get(row.point, row.initial), int | float)
    }


def _digital_inputs(unit: Unit, slot: int, snapshot: Snapshot) -> Values:
    return _io(unit).digital_inputs(snapshot)


def _digital_outputs(unit: Unit, slot: int, snapshot: Snapshot) -> Values:
    return _io(unit).digital_outputs(unit.state.outputs, snapshot)


def _analogue_input(unit: Unit, slot: int, snapshot: Snapshot) -> Values:
    return _io(unit).analogue_input(slot, snapshot)


def _temperature(unit: Unit, slot: int, snapshot: Snapshot) -> Values:
    return _io(unit).temperature(slot, snapshot)


def _meter(unit: Unit, slot: int, snapshot: Snapshot) -> Values:
    return _io(unit).meter(slot, snapshot)


def _io(unit: Unit) -> IoModule:
    assert unit.io is not None  # asked by `_shown`
    return unit.io


_IO_VALUES: Mapping[str, Callable[[Unit, int, Snapshot], Values]] = {
    "io.digital_inputs": _digital_inputs,
    "io.digital_outputs": _digital_outputs,
    "io.analogue_inputs": _analogue_input,
    "io.temperatures": _temperature,
    "io.meters": _meter,
}
"""Tables of IO modules, made from the snapshot that is shown rather than from the newest."""
