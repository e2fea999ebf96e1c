"""One BACnet device as clients see it: a gateway, or a product behind it. Objects are views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from virtual_digiware.buses.bacnet import values
from virtual_digiware.buses.bacnet.alarm_states import DIGITAL_INPUT, AlarmStates, state_of
from virtual_digiware.buses.bacnet.analog import (
    ALARM_IDENTIFIER,
    ALARM_TIMESTAMP,
    PER_SLOT,
    AnalogClass,
    PropertySets,
    analog_class,
    indices,
)
from virtual_digiware.buses.bacnet.columns import Columns
from virtual_digiware.buses.bacnet.device_object import DEVICE_PROPERTIES, DeviceObject
from virtual_digiware.buses.bacnet.errors import unknown_object, unknown_property
from virtual_digiware.buses.bacnet.identifiers import (
    NORMAL_EVENT_STATE,
    NORMAL_POLARITY,
    UNITS,
    ObjectType,
    Property,
    Reliability,
    identifier,
    parts,
)
from virtual_digiware.buses.bacnet.values import Values
from virtual_digiware.devices.bacnet_binding import Shown, binding

if TYPE_CHECKING:
    from virtual_digiware.devices.alarms.events import AlarmEvent
    from virtual_digiware.devices.collection import GatewayCollection
    from virtual_digiware.devices.unit import Unit

PRIORITIES = 16
_SECONDS_PER_HOUR = 3600
_BINARY_REQUIRED = (
    Property.OBJECT_IDENTIFIER,
    Property.OBJECT_NAME,
    Property.OBJECT_TYPE,
    Property.PRESENT_VALUE,
    Property.STATUS_FLAGS,
    Property.EVENT_STATE,
    Property.OUT_OF_SERVICE,
    Property.POLARITY,
)
_OUTPUT_REQUIRED = (*_BINARY_REQUIRED, Property.PRIORITY_ARRAY, Property.RELINQUISH_DEFAULT)
_INPUT = PropertySets(tuple(map(int, _BINARY_REQUIRED)), (int(Property.DESCRIPTION),))
_OUTPUT = PropertySets(tuple(map(int, _OUTPUT_REQUIRED)), (int(Property.DESCRIPTION),))


class EventSummary(NamedTuple):
    """One object with an event, as GetEventInformation lists it."""

    object_id: int
    state: int
    event: AlarmEvent


class Binary(NamedTuple):
    """What the binary objects of one type are called, and where their states come from."""

    name: str
    description: str
    feature: str
    table: str
    properties: PropertySets


BINARIES: Mapping[int, Binary] = {
    ObjectType.BINARY_INPUT: Binary("DigIn", "digital input", "digital_inputs", "io.digital_inputs", _INPUT),
    ObjectType.BINARY_OUTPUT: Binary(
        "DigOut", "digital output", "digital_outputs", "io.digital_outputs", _OUTPUT
    ),
}


class Device:
    """A BACnet device. Reading never changes anything; writing is not its business (see `services`).

    Args:
        collection: What the gateway has collected.
        columns: Its numbers.
        unit: Which unit this device stands for.
        instance: Its device instance.
        alarms: Who knows of alarms; nobody: everything is normal.
        cov_increment: By how much an Analog Input changes before subscribers hear of it; None: nobody can
            subscribe.
    """

    def __init__(
        self,
        collection: GatewayCollection,
        columns: Columns,
        unit: Unit,
        instance: int,
        alarms: AlarmStates | None = None,
        cov_increment: float | None = None,
    ) -> None:
        self.unit = unit
        self.collection = collection
        self.instance = instance
        self.object_id = identifier(ObjectType.DEVICE, instance)
        self._columns = columns
        self._alarms = alarms
        self.cov_increment = cov_increment
        self._slots = binding().slots(unit.product, len(unit.circuits))
        self._device_object = DeviceObject(self, columns)

    @property
    def is_gateway(self) -> bool:
        """Whether this is the gateway itself."""
        return self.unit is self.collection.gateway

    @property
    def is_lost(self) -> bool:
        return self.collection.is_lost(self.unit)

    def object_ids(self) -> Iterator[int]:
        """All objects: the device, Analog Inputs by instance, Binary Inputs, Binary Outputs."""
        yield self.object_id
        for slot in range(max(self._slots.values(), default=0)):
            yield from sorted(
                analog_class(index, kind).identifier(slot)
                for kind, count in self._slots.items()
                if slot < count
                for index in indices(kind)
            )
        for object_type, binary in BINARIES.items():
            for slot in range(self._count(binary)):
                yield identifier(object_type, PER_SLOT * (slot + 1))

    def find(self, name: str) -> int | None:
        """The object with a name, exactly as written."""
        return next((number for number in self.object_ids() if self.object_name(number) == name), None)

    def has(self, object_id: int) -> bool:
        if object_id == self.object_id:
            return True
        object_type, instance = parts(object_id)
        if object_type == ObjectType.ANALOG_INPUT:
            return self._analog(instance) is not None
        return self._binary(object_type, instance) is not None

    def object_name(self, object_id: int) -> str:
        """Unique within the device. Raises ServiceError for an object that does not exist."""
        object_type, instance = parts(object_id)
        if object_id == self.object_id:
            return self.unit.path
        found = self._analog(instance) if object_type == ObjectType.ANALOG_INPUT else None
        if found is not None:
            return found.name(instance // PER_SLOT - 1)
        binary = self._binary(object_type, instance)
        if binary is None:
            raise unknown_object()
        return f"L{instance // PER_SLOT}.{binary.name}"

    def properties(self, object_id: int) -> PropertySets:
        """Raises ServiceError for an object that does not exist."""
        object_type, instance = parts(object_id)
        if object_id == self.object_id:
            return DEVICE_PROPERTIES
        if object_type == ObjectType.ANALOG_INPUT:
            analog = self._analog(instance)
            if analog is not None:
                return analog.properties if self.cov_increment is None else analog.reporting_properties
        binary = self._binary(object_type, instance)
        if binary is None:
            raise unknown_object()
        return binary.properties

    def read(self, object_id: int, property_id: int) -> Values:
        """The whole value of a property. Raises ServiceError for an unknown object or property."""
        properties = self.properties(object_id)
        if property_id == Property.PROPERTY_LIST:
            return tuple(value for number in properties.listed for value in values.enumerated(number))
        if property_id not in properties.all:
            raise unknown_property()
        if property_id == Property.OBJECT_IDENTIFIER:
            return values.object_id(object_id)
        if property_id == Property.OBJECT_NAME:
            return values.text(self.object_name(object_id))
        object_type, instance = parts(object_id)
        if property_id == Property.OBJECT_TYPE:
            return values.enumerated(object_type)
        if object_id == self.object_id:
            return self._device_object.read(property_id)
        slot = instance // PER_SLOT - 1
        if object_type == ObjectType.ANALOG_INPUT:
            return self._read_analog(
                analog_class(instance % PER_SLOT, self._kind(instance)), slot, property_id
            )
        return self._read_binary(BINARIES[object_type], slot, property_id)

    def _kind(self, instance: int) -> str:
        """The kind of slot that an existing Analog Input belongs to."""
        slot, index = instance // PER_SLOT - 1, instance % PER_SLOT
        return next(
            kind for kind, count in self._slots.items() if 0 <= slot < count and index in indices(kind)
        )

    def _analog(self, instance: int) -> AnalogClass | None:
        slot, index = instance // PER_SLOT - 1, instance % PER_SLOT
        for kind, count in self._slots.items():
            if 0 <= slot < count and index in indices(kind):
                return analog_class(index, kind)
        return None

    def _binary(self, object_type: int, instance: int) -> Binary | None:
        binary = BINARIES.get(object_type)
        if binary is None or instance % PER_SLOT or not 0 < instance // PER_SLOT <= self._count(binary):
            return None
        return binary

    def _count(self, binary: Binary) -> int:
        return int(self.unit.product.features.get(binary.feature, 0))

    def _read_analog(self, analog: AnalogClass, slot: int, property_id: int) -> Values:
        shown = analog.shown.get(property_id)
        if shown is not None:
            return self._shown(shown, slot)
        if property_id == Property.UNITS:
            return values.enumerated(UNITS[analog.measurement.unit])
        if property_id == Property.DESCRIPTION:
            return values.text(self._described(analog.measurement.description, analog.kind, slot))
        if property_id == Property.RELIABILITY:
            lost = self.is_lost
            return values.enumerated(
                Reliability.COMMUNICATION_FAILURE if lost else Reliability.NO_FAULT_DETECTED
            )
        if property_id in (ALARM_IDENTIFIER, ALARM_TIMESTAMP):
            return self._alarm(property_id, analog.measurement.point, slot)
        if property_id == Property.COV_INCREMENT:
            return values.real(self.cov_increment or 0.0)
        return self._common(property_id, self._event_state(analog.measurement.point, slot))

    def _alarm(self, property_id: int, point: str, slot: int) -> Values:
        event = None if self._alarms is None else self._alarms.event(self.unit, point, slot)
        if property_id == ALARM_IDENTIFIER:
            return values.unsigned(0 if event is None else event.id)
        return values.moment_of(None if event is None else event.start_ms)

    def _shown(self, shown: Shown, slot: int) -> Values:
        if shown.table.startswith("unit."):
            slot = 0
        number = self._columns.value(self.unit, shown.table, shown.point, slot)
        if shown.form == "date":
            return values.date_and_time(number)
        return values.real(number / _SECONDS_PER_HOUR if shown.form == "hours" else number)

    def _described(self, description: str, kind: str, slot: int) -> str:
        if kind == "circuit":
            return f"{self.unit.circuits[slot]}: {description}"
        return description if kind == "network" else f"{description} {slot + 1}"

    def _event_state(self, point: str, slot: int) -> int:
        return (
            NORMAL_EVENT_STATE if self._alarms is None else self._alarms.event_state(self.unit, point, slot)
        )

    def _common(self, property_id: int, event_state: int) -> Values:
        if property_id == Property.EVENT_STATE:
            return values.enumerated(event_state)
        if property_id == Property.OUT_OF_SERVICE:
            return values.boolean(False)
        if property_id == Property.STATUS_FLAGS:
            # in alarm, fault, overridden, out of service; ASHRAE 135, 12.2.7
            return values.bits((event_state != NORMAL_EVENT_STATE, self.is_lost, False, False))
        raise unknown_property()

    def _read_binary(self, binary: Binary, slot: int, property_id: int) -> Values:
        if property_id == Property.PRESENT_VALUE:
            return values.enumerated(self._is_active(binary, slot))
        if property_id == Property.POLARITY:
            return values.enumerated(NORMAL_POLARITY)
        if property_id == Property.RELINQUISH_DEFAULT:
            return values.enumerated(False)
        if property_id == Property.PRIORITY_ARRAY:
            # An output has one state, whoever wrote it at whichever priority: it stands at the lowest.
            lowest = values.enumerated(True) if self._is_active(binary, slot) else (values.NULL,)
            return (values.NULL,) * (PRIORITIES - 1) + lowest
        if property_id == Property.DESCRIPTION:
            return values.text(f"{binary.description} {slot + 1}")
        is_input = binary is BINARIES[ObjectType.BINARY_INPUT]
        state = self._event_state(DIGITAL_INPUT, slot) if is_input else NORMAL_EVENT_STATE
        return self._common(property_id, state)

    def events(self) -> list[EventSummary]:
        """Objects that are not normal, or whose alarm nobody has acknowledged, by object identifier."""
        if self._alarms is None:
            return []
        found: dict[int, EventSummary] = {}
        for event, concern in self._alarms.open_events(self.unit):
            for object_id in self._concerned(concern.points, concern.slot):
                shown = self._alarms.event(self.unit, self._point(object_id), concern.slot)
                if shown is event:
                    found[object_id] = EventSummary(object_id, state_of(event), event)
        return [found[object_id] for object_id in sorted(found)]

    def _concerned(self, points: Sequence[str], slot: int) -> Iterator[int]:
        """Objects of a slot that show one of these points."""
        if DIGITAL_INPUT in points:
            yield identifier(ObjectType.BINARY_INPUT, PER_SLOT * (slot + 1))
        for kind, count in self._slots.items():
            for index in indices(kind) if slot < count else ():
                if binding().measurements[index].point in points:
                    yield analog_class(index, kind).identifier(slot)

    def _point(self, object_id: int) -> str:
        object_type, instance = parts(object_id)
        if object_type == ObjectType.BINARY_INPUT:
            return DIGITAL_INPUT
        return binding().measurements[instance % PER_SLOT].point

    def _is_active(self, binary: Binary, slot: int) -> bool:
        mask = self._columns.value(self.unit, binary.table, "active_mask", 0)
        return mask == mask and bool(int(mask) >> slot & 1)
