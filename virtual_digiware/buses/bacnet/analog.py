"""Analog Inputs: which properties a measurement's object has and what they show; none is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from virtual_digiware.buses.bacnet.identifiers import ObjectType, Property, identifier
from virtual_digiware.devices.bacnet_binding import PRESENT_VALUE, Measurement, Shown, binding

PER_SLOT = 100
"""Instances of one load (LL) in LLMM, and of one binary object in LL00."""

_REQUIRED = (
    Property.OBJECT_IDENTIFIER,
    Property.OBJECT_NAME,
    Property.OBJECT_TYPE,
    Property.PRESENT_VALUE,
    Property.STATUS_FLAGS,
    Property.EVENT_STATE,
    Property.OUT_OF_SERVICE,
    Property.UNITS,
)


class PropertySets(NamedTuple):
    """Properties of an object as ReadPropertyMultiple selects them; Property_List itself is in none."""

    required: tuple[int, ...]
    optional: tuple[int, ...]
    proprietary: tuple[int, ...] = ()

    @property
    def all(self) -> tuple[int, ...]:
        return self.required + self.optional + self.proprietary

    def select(self, selector: int) -> tuple[int, ...]:
        """Source: ASHRAE 135, 15.7.3.1.2."""
        if selector == Property.REQUIRED:
            return self.required
        return self.optional if selector == Property.OPTIONAL else self.all

    @property
    def listed(self) -> tuple[int, ...]:
        """What Property_List holds. Source: ASHRAE 135, 12.1.1.4.1."""
        hidden = (Property.OBJECT_IDENTIFIER, Property.OBJECT_NAME, Property.OBJECT_TYPE)
        return tuple(number for number in self.all if number not in hidden)


ALARM_IDENTIFIER = binding().analog_properties["Alarm_Identifier"]
ALARM_TIMESTAMP = binding().analog_properties["Alarm_Timestamp"]


@dataclass(frozen=True, slots=True)
class AnalogClass:
    """One measurement on one kind of slot; shared by all objects that show it."""

    measurement: Measurement
    kind: str
    shown: Mapping[int, Shown]
    properties: PropertySets
    reporting_properties: PropertySets
    """The same of a device that reports changes."""

    def name(self, slot: int) -> str:
        return f"L{slot + 1}.{self.measurement.name}"

    def identifier(self, slot: int) -> int:
        return identifier(ObjectType.ANALOG_INPUT, PER_SLOT * (slot + 1) + self.measurement.index)


@cache
def analog_class(index: int, kind: str) -> AnalogClass:
    """The class of measurement `index` on a kind of slot that has it."""
    measurement = binding().measurements[index]
    proprietary = binding().analog_properties
    standard: dict[int, Shown] = {}
    own: dict[int, Shown] = {}
    for name, shown in measurement.shown[kind].items():
        if name in proprietary:
            own[proprietary[name]] = shown
        elif name != PRESENT_VALUE:
            standard[Property[name.upper()]] = shown
    optional = (int(Property.DESCRIPTION), int(Property.RELIABILITY), *map(int, standard))
    properties = PropertySets(tuple(map(int, _REQUIRED)), optional, (*own, ALARM_IDENTIFIER, ALARM_TIMESTAMP))
    return AnalogClass(
        measurement,
        kind,
        {Property.PRESENT_VALUE: measurement.shown[kind][PRESENT_VALUE], **standard, **own},
        properties,
        properties._replace(optional=(*optional, int(Property.COV_INCREMENT))),
    )


@cache
def indices(kind: str) -> tuple[int, ...]:
    """Measurement indices that a kind of slot has, ascending."""
    rows = binding().measurements.values()
    return tuple(sorted(row.index for row in rows if kind in row.shown))
