"""What the read services mean on a device, the same for the short path and for the library's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from virtual_digiware.buses.bacnet import values
from virtual_digiware.buses.bacnet.device import Device
from virtual_digiware.buses.bacnet.errors import ServiceError, bad_property, unknown_object
from virtual_digiware.buses.bacnet.identifiers import (
    ARRAYS,
    SELECTORS,
    WILDCARD_INSTANCE,
    ErrorCode,
    ObjectType,
    identifier,
)
from virtual_digiware.buses.bacnet.values import Values

_WILDCARD = identifier(ObjectType.DEVICE, WILDCARD_INSTANCE)


class Reference(NamedTuple):
    """A property, or one of the selectors, with the element of an array if the request has one."""

    property_id: int
    element: int | None = None


class Result(NamedTuple):
    """What one property reads: a value or a refusal."""

    reference: Reference
    outcome: Values | ServiceError


def resolve(device: Device, object_id: int) -> int:
    """The object that is meant: instance 4194303 stands for the device itself. Source: ASHRAE 135, 15.5.2."""
    return device.object_id if object_id == _WILDCARD else object_id


def read_property(device: Device, object_id: int, reference: Reference) -> Values:
    """The value of a property or of one of its elements. Raises ServiceError."""
    property_id, index = reference
    whole = device.read(object_id, property_id)
    if index is None:
        return whole
    if property_id not in ARRAYS:
        raise bad_property(ErrorCode.PROPERTY_IS_NOT_AN_ARRAY)
    if index == 0:
        return values.unsigned(len(whole))
    if index > len(whole):
        raise bad_property(ErrorCode.INVALID_ARRAY_INDEX)
    return whole[index - 1 : index]


def expand(device: Device, object_id: int, references: Iterable[Reference]) -> list[Reference]:
    """References with `all`, `required` and `optional` replaced by what they stand for."""
    expanded: list[Reference] = []
    for reference in references:
        if reference.property_id in SELECTORS and device.has(object_id):
            selected = device.properties(object_id).select(reference.property_id)
            expanded += [Reference(number) for number in selected]
        else:
            expanded.append(reference)
    return expanded


def read_object(device: Device, object_id: int, references: Iterable[Reference]) -> list[Result]:
    """Values and refusals of one object, in the order asked for."""
    results = []
    for reference in expand(device, object_id, references):
        try:
            outcome: Values | ServiceError = read_property(device, object_id, reference)
        except ServiceError as refusal:
            outcome = refusal
        results.append(Result(reference, outcome))
    return results


def refuse_if_all_unknown(device: Device, object_ids: Sequence[int]) -> None:
    """A request none of whose objects exists fails as a whole, as bacpypes3 has it. Raises ServiceError."""
    if not any(device.has(object_id) for object_id in object_ids):
        raise unknown_object()
