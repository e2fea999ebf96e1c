"""One addressable device as the buses see it: a module or a gateway, and everything to be read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from virtual_digiware.devices.alarms.registers import alarm_values
from virtual_digiware.devices.asked_tables import Slots
from virtual_digiware.devices.block import Block, PlacedBlock, Product
from virtual_digiware.devices.environmental_sensor import EnvironmentalSensor
from virtual_digiware.devices.io_modules import IoModule, Values
from virtual_digiware.devices.meter_values import Meter
from virtual_digiware.devices.points import FloatArray, IntArray
from virtual_digiware.devices.setting_codes import NETWORK_CODES
from virtual_digiware.devices.settings import Settings
from virtual_digiware.devices.snapshot import Snapshot
from virtual_digiware.devices.transfer_switch.registers import transfer_values
from virtual_digiware.devices.unit_state import UnitState

if TYPE_CHECKING:
    from virtual_digiware.devices.dc.module import DcModule

Raw = tuple[int | float | str | None, ...]

MEASURED = ("circuit.", "network.", "meter.")
"""Kinds of tables that come as arrays of engineering values."""
RECORDED = ("alarms.", "events.")
"""Kinds of tables that show what has happened."""
ENGINEERING = (
    "io.analogue_inputs",
    "io.temperatures",
    "io.meters",
    "sensor.environment",
    "dc.network",
    "dc.circuit",
)
"""Further tables in engineering values; all others are register values and texts."""


class Site(Protocol):
    """What a unit asks of the site it belongs to."""

    @property
    def snapshot(self) -> Snapshot: ...


class Unit:
    """A module or a gateway. `path` is "<gateway>/<module>", or "<gateway>" for the gateway itself."""

    def __init__(
        self,
        path: str,
        product: Product,
        circuits: tuple[str, ...],
        site: Site,
        state: UnitState,
        identity: Mapping[str, int | str],
        commissioned_ms: int,
        slots: Slots = (),
        taps: Slots = (),
        io: IoModule | None = None,
        transfer: str | None = None,
        head: Unit | None = None,
        sensor: EnvironmentalSensor | None = None,
        meter: Meter | None = None,
        dc: DcModule | None = None,
    ) -> None:
        """`slots` and `taps`: places of its circuits and voltages in the site; `head` feeds its bus."""
        self.path = path
        self.name = path.rpartition("/")[2]
        self.product = product
        self.circuits = circuits
        self.slots, self.taps = slots, taps
        self.is_plugged = True
        self.is_dead = False
        self.silent_since_ms: int | None = None
        self.state = state
        self.io = io
        self.transfer = transfer
        self.sensor = sensor
        self.silenced_ms: int | None = None
        """Since when it is absent or dead; None while it is neither."""
        self.meter = meter
        self.dc = dc
        self.other_address: int | None = None
        """The address that it answers at instead of its own, because of a fault."""
        self.mistaken_identity: Mapping[str, int | str] = {}
        """What it says of itself that is not so."""
        self._off: list[tuple[int, int]] = []
        self.voltage_unit: Unit | None = None
        """Of a direct-current module: the voltage module of its bus."""
        self._site = site
        self._identity = identity
        self._commissioned_ms = commissioned_ms
        self._head = head
        self._rows: dict[tuple[str, tuple[str, ...]], tuple[IntArray, FloatArray]] = {}

    @property
    def address(self) -> int | None:
        """Modbus address as last saved, or as a fault has it; None for a C-31."""
        return self.state.address if self.other_address is None else self.other_address

    @property
    def is_present(self) -> bool:
        """Whether the unit is there and powered; a bus without its head is dead, a sensor with it unheard."""
        if self.sensor is not None:
            is_alive = not self.sensor.is_lost(self._site.snapshot.time_ms, self.silenced_ms)
        else:
            is_alive = self.is_plugged and not self.is_dead
        return is_alive and (self._head is None or self._head.is_present)

    def note_presence(self, t_ms: int) -> None:
        """Remember when it fell silent; called after `is_plugged` and `is_dead` have changed."""
        if self.is_plugged and not self.is_dead:
            if self.silenced_ms is not None:
                self._off.append((self.silenced_ms, t_ms))
            self.silenced_ms = None
        elif self.silenced_ms is None:
            self.silenced_ms = t_ms

    def environment(self, t_ms: int) -> Values:
        """What a sensor has told by `t_ms`; nothing for all other units."""
        return {} if self.sensor is None else self.sensor.values(t_ms, self.silenced_ms)

    def direct_current(self, table: str, slot: int, t_ms: int) -> Values:
        """What a direct-current module measures at `t_ms`; nothing for all other units."""
        if self.dc is None:
            return {}
        if table == "dc.network":
            return self.dc.network(t_ms)
        has_voltage = self.voltage_unit is not None and self.voltage_unit.is_present
        return self.dc.circuit(slot, t_ms, has_voltage)

    @property
    def settings(self) -> Settings:
        """The unit's stored registers."""
        return self.state.settings

    def is_identifying(self, t_ms: int) -> bool:
        """Whether its ON LED is lit so that somebody finds it."""
        return self.state.is_identifying(t_ms)

    def is_raw(self, block: Block) -> bool:
        """Whether `read` gives register values and texts rather than engineering values."""
        return not block.table.startswith(MEASURED) and block.table not in ENGINEERING

    def read(self, placed: PlacedBlock) -> FloatArray | Raw:
        """Values of the block's rows in row order, as of the published snapshot and the writes since.

        An array (rows,) of engineering values for measured tables, NaN where not available; a tuple for all
        others, of register values and texts where `is_raw` says so.
        """
        block = placed.block
        snapshot = self._site.snapshot.seen_by(self.path)
        if block.table == "meter.measured":
            assert self.meter is not None  # only meters have such blocks
            return self.meter.values(block, snapshot, self.state.hours_since_ms)
        if block.table.startswith(MEASURED):
            return self._measured(placed)
        match block.table:
            case "settings" | "io.analogue_outputs":
                return tuple(self.state.settings.shown(placed, row) for row in block.rows)
            case "unit.identification":
                return _picked(block, {**self._identity, **self.mistaken_identity})
            case "unit.clock":
                return _picked(block, self.state.clock(self._site.snapshot.time_ms))
            case "unit.operating_hours":
                return _picked(block, self._hours(self._site.snapshot.time_ms))
        if block.table == "transfer.status":
            shown = snapshot.transfers.get(self.transfer or "")
            return _picked(block, {} if shown is None else transfer_values(shown, snapshot.time_ms))
        if self.dc is not None and block.table.startswith("dc."):
            return _picked(block, self.direct_current(block.table, placed.slot, snapshot.time_ms))
        if block.table == "sensor.environment":
            return _picked(block, self.environment(snapshot.time_ms))
        if block.table.startswith(RECORDED):
            return _picked(block, self._recorded(placed, snapshot))
        if self.io is not None and block.table.startswith("io."):
            return _picked(block, _io_values(self.io, placed, snapshot, self.state.outputs))
        return (0,) * len(block.rows)

    def _recorded(self, placed: PlacedBlock, snapshot: Snapshot) -> Mapping[str, int]:
        code = self.settings.number("electrical_network", 0, "network_type")
        return alarm_values(
            placed,
            snapshot.alarms.of(self.path),
            self.state.selected,
            snapshot.time_ms,
            self.state.clock_offset_ms,
            next((name for name, one in NETWORK_CODES.items() if one == code), "3P+N"),
        )

    def _hours(self, t_ms: int) -> Mapping[str, int]:
        return {
            "operating_time_total": self._powered_ms(self._commissioned_ms, t_ms) // 1000,
            "operating_time_partial": self._powered_ms(self.state.hours_since_ms, t_ms) // 1000,
        }

    def _powered_ms(self, since_ms: int, t_ms: int) -> int:
        """How long it has had power from `since_ms` until `t_ms`."""
        off_ms = sum(max(0, min(end, t_ms) - max(start, since_ms)) for start, end in self._off)
        return t_ms - since_ms - off_ms

    def _measured(self, placed: PlacedBlock) -> FloatArray:
        block = placed.block
        places = self.slots if block.table.startswith("circuit.") else self.taps
        if placed.slot >= len(places):
            return self._unused(placed)
        table = self._site.snapshot.seen_by(self.path).table(block.table, places)
        key = block.name, table.names
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = _plan(block, table.index)
        rows, missing = found
        # `missing` is NaN for points that are not measured, else 0.
        values: FloatArray = table.values[rows, placed.slot] + missing
        if self.state.clock_offset_ms:
            _shift_dates(block, values, self.state.clock_offset_ms)
        return values

    def _unused(self, placed: PlacedBlock) -> FloatArray:
        """A slot without a circuit: nothing available, and disabled unless a client has enabled it."""
        status = float(self.settings.number("load_settings", placed.slot, "enabled") or 0)
        return np.array([status if row.point == "load_status" else np.nan for row in placed.block.rows])


def _plan(block: Block, index: Mapping[str, int]) -> tuple[IntArray, FloatArray]:
    rows = np.array([index.get(row.point, 0) for row in block.rows], np.int64)
    missing = np.array([0.0 if row.point in index else np.nan for row in block.rows])
    return rows, missing


def _shift_dates(block: Block, values: FloatArray, offset_ms: int) -> None:
    """Dates are shown on the unit's own clock."""
    for i, row in enumerate(block.rows):
        if row.encoding == "DATETIME":
            values[i] += offset_ms // 1000


def _picked(block: Block, values: Mapping[str, int | float | str]) -> Raw:
    return tuple(values.get(row.point, row.initial) for row in block.rows)


def _io_values(io: IoModule, placed: PlacedBlock, snapshot: Snapshot, outputs: int) -> Values:
    match placed.block.table:
        case "io.digital_inputs":
            return io.digital_inputs(snapshot)
        case "io.digital_outputs":
            return io.digital_outputs(outputs, snapshot)
        case "io.analogue_inputs":
            return io.analogue_input(placed.slot, snapshot)
        case "io.temperatures":
            return io.temperature(placed.slot, snapshot)
        case "io.meters":
            return io.meter(placed.slot, snapshot)
    return {}
