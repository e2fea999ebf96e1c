"""Objects of the vendor's branch: what a gateway has collected, as tables with a row for each product and
load."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from virtual_digiware.buses.identification import identification
from virtual_digiware.buses.snmp.alarms import STATE_NUMBERS, AlarmList, AlarmNotice
from virtual_digiware.buses.snmp.ber import COUNTER64, GAUGE32, Oid
from virtual_digiware.buses.snmp.tree import Column
from virtual_digiware.buses.snmp.values import TAGS, date_and_time, number, register_numbers, text
from virtual_digiware.devices.collection import GatewayCollection
from virtual_digiware.devices.points import FloatArray
from virtual_digiware.devices.snmp_binding import Service, ServiceTable, SnmpBinding
from virtual_digiware.devices.unit import Unit

_COMMUNICATING, _LOST = 1, 2
_NONE = 0
"""What a service answers that a product or load does not measure. Source: manual 548088C p. 57."""
_IDLE = number(0)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one unit in a measurement table: its loads, or (`count` 0) the unit itself."""

    unit: Unit
    address: int
    count: int

    @property
    def instances(self) -> Iterator[Oid]:
        loads = range(1, self.count + 1) if self.count else (0,)
        return ((self.address, load) for load in loads)


class ProductObjects:
    """The vendor's branch of one gateway's agent."""

    def __init__(self, collection: GatewayCollection, binding: SnmpBinding, alarms: AlarmList) -> None:
        self._collection = collection
        self._binding = binding
        self._alarms = alarms

    @property
    def version(self) -> int:
        return self._collection.version + self._alarms.version

    @property
    def topology(self) -> Hashable:
        """Rows follow addresses and alarms; loads of a unit do not change while it runs."""
        units = tuple((unit.path, self._number(unit)) for unit in self.units())
        return units, tuple(notice.id for notice in self._alarms.notices())

    def units(self) -> list[Unit]:
        """Units with an address of their own, by address; of units that share one, those that are
        understood."""
        collection = self._collection
        return [
            unit
            for unit in collection.units
            if (index := collection.number_of(unit)) is not None and collection.unit_at(index) is unit
        ]

    def _number(self, unit: Unit) -> int:
        """First index of a unit's rows."""
        return self._collection.number_of(unit) or 0

    def _instances(self, units: Sequence[Unit], table: str) -> list[Oid]:
        return [(self._number(unit), slot + 1) for unit in units for slot in range(_slots(unit, table))]

    def columns(self) -> Iterator[Column]:
        for table in self._binding.tables.values():
            yield from self._measurements(table)
        yield from self._products()
        yield from self._loads()
        yield from self._inputs_and_outputs()
        yield from self._alarm_columns()

    def _measurements(self, table: ServiceTable) -> Iterator[Column]:
        for is_dc in (False, True):
            services = [service for service in table.services if service.is_dc == is_dc]
            has_unit_rows = any(service.unit_table for service in services)
            rows = [
                _Rows(unit, self._number(unit), len(unit.circuits))
                for unit in self.units()
                if (unit.dc is not None) == is_dc
                and (unit.circuits or ((unit.taps or unit.dc is not None) and has_unit_rows))
            ]
            instances = [instance for row in rows for instance in row.instances]
            for service in services:
                yield Column(table.column(service), instances, self._reader(service, rows))

    def _reader(self, service: Service, rows: Sequence[_Rows]) -> Callable[[], list[bytes]]:
        tag = TAGS[service.syntax]
        read = self._energies if service.syntax == "Counter64" else self._numbers

        def values() -> list[bytes]:
            return [number(value, tag) for row in rows for value in read(service, row)]

        return values

    def _numbers(self, service: Service, rows: _Rows, point: str = "") -> list[int]:
        table = service.load_table if rows.count else service.unit_table
        name = point or service.point
        row = None if table is None else self._collection.row(rows.unit, table, name)
        if table is None or row is None:
            return [_NONE] * (rows.count or 1)
        shown = register_numbers(self._collection.column(rows.unit, table, (name,))[0], row)
        return shown[: rows.count or 1]

    def _energies(self, service: Service, rows: _Rows) -> list[int]:
        """Whole Wh (varh, VAh) from the whole kilo-units and the tenths of what remains."""
        kilos = self._numbers(service, rows)
        tenths = self._numbers(service, rows, f"{service.point}_residual")
        return [kilo * 1000 + tenth // 10 for kilo, tenth in zip(kilos, tenths, strict=True)]

    def _products(self) -> Iterator[Column]:
        table = self._binding.objects["product"]
        units = self.units()

        def column(name: str, value: Callable[[Unit], bytes], own: Sequence[Unit] = units) -> Column:
            instances = [(self._number(unit),) for unit in own]
            return Column(table.column(name), instances, lambda: [value(unit) for unit in own])

        yield column("productDeviceName", lambda unit: text(unit.name))
        yield column("productName", lambda unit: text(unit.product.name))
        yield column("productSerialNumber", lambda unit: text(serial_number(unit)))
        yield column("productModbusAddress", lambda unit: number(unit.address or 0, GAUGE32))
        yield column("productCommunicationState", self._communication)
        yield column("productLoadCount", lambda unit: number(len(unit.circuits), GAUGE32))
        yield column("productResetExtremes", lambda _: _IDLE, _having(units, "network_reset_extremes"))
        yield column("productAcknowledgeAlarm", lambda _: number(0, GAUGE32), _having(units, "alarm_ack"))

    def _communication(self, unit: Unit) -> bytes:
        return number(_LOST if self._collection.is_lost(unit) else _COMMUNICATING)

    def _loads(self) -> Iterator[Column]:
        table = self._binding.objects["load"]
        units = [unit for unit in self.units() if unit.circuits]

        def column(name: str, value: Callable[[str], bytes], own: Sequence[Unit] = units) -> Column:
            instances = [(self._number(unit), load + 1) for unit in own for load in range(len(unit.circuits))]
            return Column(
                table.column(name), instances, lambda: [value(name) for unit in own for name in unit.circuits]
            )

        yield column("loadName", text)
        for name, block in (
            ("loadResetPartialEnergies", "load_reset_partial_energy"),
            ("loadResetExtremes", "load_reset_extremes"),
            ("loadResetAverageExtremes", "load_reset_extremes"),
        ):
            yield column(name, lambda _: _IDLE, _having(units, block))

    def _inputs_and_outputs(self) -> Iterator[Column]:
        yield from self._bits("digital_input", "inputState", "io.digital_inputs", "digital_inputs")
        yield from self._functions()
        yield from self._bits("digital_output", "outputState", "io.digital_outputs", "digital_outputs")
        for name, table, points in INPUT_TABLES:
            own = self._binding.objects[name]
            units = [unit for unit in self.units() if _slots(unit, table)]
            for column, point, tag in points:
                yield self._slot_column(own.column(column), units, table, point, tag)
        meters = [unit for unit in self.units() if _slots(unit, "io.meters") and _has(unit, "pulse_reset")]
        instances = self._instances(meters, "io.meters")
        idle = [_IDLE] * len(instances)
        yield Column(self._binding.objects["meter"].column("meterReset"), instances, lambda: idle)

    def _bits(self, objects: str, column: str, table: str, feature: str) -> Iterator[Column]:
        """States of digital inputs or outputs, one bit of the active mask each; bit 0 is number 1."""
        units = [unit for unit in self.units() if _slots(unit, table)]
        counts = [int(unit.product.features.get(feature, 0)) for unit in units]
        instances = [
            (self._number(unit), at + 1)
            for unit, count in zip(units, counts, strict=True)
            for at in range(count)
        ]

        def values() -> list[bytes]:
            found = []
            for unit, count in zip(units, counts, strict=True):
                mask = _whole(self._collection.column(unit, table, ("active_mask",)))[0]
                found += [number(mask >> at & 1) for at in range(count)]
            return found

        yield Column(self._binding.objects[objects].column(column), instances, values)

    def _functions(self) -> Iterator[Column]:
        table, feature = "io.digital_inputs", "digital_inputs"
        units = [unit for unit in self.units() if _slots(unit, table)]
        counts = [int(unit.product.features.get(feature, 0)) for unit in units]
        instances = [
            (self._number(unit), at + 1)
            for unit, count in zip(units, counts, strict=True)
            for at in range(count)
        ]

        def values() -> list[bytes]:
            found: list[int] = []
            for unit, count in zip(units, counts, strict=True):
                points = [f"input_{at + 1}_function" for at in range(count)]
                found += _whole(self._collection.column(unit, table, points)[:, 0])
            return [number(value, GAUGE32) for value in found]

        yield Column(self._binding.objects["digital_input"].column("inputFunction"), instances, values)

    def _slot_column(self, oid: Oid, units: Sequence[Unit], table: str, point: str, tag: int) -> Column:
        def values() -> list[bytes]:
            found: list[int] = []
            for unit in units:
                row = self._collection.row(unit, table, point)
                count = _slots(unit, table)
                if row is None:
                    found += [_NONE] * count
                else:
                    found += register_numbers(self._collection.column(unit, table, (point,))[0], row)
            return [number(value, tag) for value in found]

        return Column(oid, self._instances(units, table), values)

    def _alarm_columns(self) -> Iterator[Column]:
        alarms = self._alarms
        yield Column(self._binding.alarms_active, ((0,),), lambda: (number(len(alarms.active()), GAUGE32),))
        notices = alarms.notices()
        instances = [(notice.id,) for notice in notices]
        table = self._binding.objects["alarm"]
        for name, encode in ALARM_VALUES.items():
            yield Column(
                table.column(name),
                instances,
                lambda encode=encode: [encode(notice) for notice in alarms.notices()],  # type: ignore[misc]
            )


ALARM_VALUES: dict[str, Callable[[AlarmNotice], bytes]] = {
    "alarmModbusAddress": lambda notice: number(notice.address, GAUGE32),
    "alarmLoadNumber": lambda notice: number(notice.load, GAUGE32),
    "alarmType": lambda notice: text(notice.type),
    "alarmNumber": lambda notice: number(notice.number, GAUGE32),
    "alarmState": lambda notice: number(STATE_NUMBERS[notice.state]),
    "alarmTime": lambda notice: date_and_time(notice.time_ms),
    "alarmText": lambda notice: text(notice.text),
}
"""Objects of an alarm, in the table and in traps."""

INPUT_TABLES: tuple[tuple[str, str, tuple[tuple[str, str, int], ...]], ...] = (
    (
        "analogue_input",
        "io.analogue_inputs",
        (
            ("analogueInputValue", "analogue_input_value", 0x02),
            ("analogueInputAverage", "analogue_input_average", 0x02),
        ),
    ),
    ("temperature", "io.temperatures", (("temperatureValue", "temperature", 0x02),)),
    (
        "sensor",
        "sensor.environment",
        (
            ("sensorState", "sensor_state", 0x02),
            ("sensorTemperature", "temperature", 0x02),
            ("sensorHumidity", "humidity", GAUGE32),
            ("sensorBattery", "battery", GAUGE32),
            ("sensorSignalStrength", "signal_strength", 0x02),
        ),
    ),
    (
        "meter",
        "io.meters",
        (
            ("meterTotal", "meter_total", COUNTER64),
            ("meterPartial", "meter_partial", COUNTER64),
            ("meterUnit", "meter_unit", GAUGE32),
        ),
    ),
)


def serial_number(unit: Unit) -> str:
    """The serial words of the identification block as one text, digits as they are printed in the words."""
    rows = identification(unit)
    head = "".join(f"{int(rows.get(name) or 0):04X}" for name in ("serial_aa_ss", "serial_sst_l"))
    return f"{head}{int(rows.get('serial_order') or 0):04d}"


def _whole(values: FloatArray) -> list[int]:
    numbers: list[int] = np.nan_to_num(values).astype(np.int64).ravel().tolist()
    return numbers


def _slots(unit: Unit, table: str) -> int:
    return len({placed.slot for placed in unit.product.blocks if placed.block.table == table})


def _has(unit: Unit, block: str) -> bool:
    return any(placed.block.name == block for placed in unit.product.blocks)


def _having(units: Sequence[Unit], block: str) -> list[Unit]:
    return [unit for unit in units if _has(unit, block)]
