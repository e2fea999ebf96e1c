"""The Device object of a gateway or of a product behind it: identity, capabilities, clock, object list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from virtual_digiware.buses.bacnet import values
from virtual_digiware.buses.bacnet.analog import PropertySets
from virtual_digiware.buses.bacnet.columns import CLOCK, Columns
from virtual_digiware.buses.bacnet.identifiers import (
    EXECUTED_SERVICES,
    OBJECT_TYPES_SUPPORTED_BITS,
    SEGMENTED_BOTH,
    SERVICES_SUPPORTED_BITS,
    SUBSCRIBE_COV,
    ObjectType,
    Property,
    SystemStatus,
)
from virtual_digiware.buses.bacnet.values import Values
from virtual_digiware.buses.identification import identification
from virtual_digiware.devices.bacnet_binding import binding

if TYPE_CHECKING:
    from virtual_digiware.buses.bacnet.device import Device
    from virtual_digiware.buses.interfaces import RawValue

_SECONDS_PER_HOUR = 3600
_IDENTIFIERS = binding().device_properties

_REQUIRED = (
    Property.OBJECT_IDENTIFIER,
    Property.OBJECT_NAME,
    Property.OBJECT_TYPE,
    Property.SYSTEM_STATUS,
    Property.VENDOR_NAME,
    Property.VENDOR_IDENTIFIER,
    Property.MODEL_NAME,
    Property.FIRMWARE_REVISION,
    Property.APPLICATION_SOFTWARE_VERSION,
    Property.PROTOCOL_VERSION,
    Property.PROTOCOL_CONFORMANCE_CLASS,
    Property.PROTOCOL_REVISION,
    Property.PROTOCOL_SERVICES_SUPPORTED,
    Property.PROTOCOL_OBJECT_TYPES_SUPPORTED,
    Property.OBJECT_LIST,
    Property.MAX_APDU_LENGTH_ACCEPTED,
    Property.SEGMENTATION_SUPPORTED,
    Property.MAX_SEGMENTS_ACCEPTED,
    Property.APDU_SEGMENT_TIMEOUT,
    Property.APDU_TIMEOUT,
    Property.NUMBER_OF_APDU_RETRIES,
    Property.DEVICE_ADDRESS_BINDING,
    Property.DATABASE_REVISION,
)
_OPTIONAL = (
    Property.DESCRIPTION,
    Property.LOCAL_TIME,
    Property.UTC_OFFSET,
    Property.LOCAL_DATE,
    Property.DAYLIGHT_SAVINGS_STATUS,
    Property.LOCATION,
    Property.ACTIVE_COV_SUBSCRIPTIONS,
    Property.SERIAL_NUMBER,
)
VERSION_BUILD_DATE = _IDENTIFIERS["Version_Build_Date"]
OPERATING_HOURS = _IDENTIFIERS["Operating_Hour_Counter"]

DEVICE_PROPERTIES = PropertySets(
    tuple(map(int, _REQUIRED)), tuple(map(int, _OPTIONAL)), (VERSION_BUILD_DATE, OPERATING_HOURS)
)


class DeviceObject:
    """Properties of one Device object other than identifier, name and type."""

    def __init__(self, device: Device, columns: Columns) -> None:
        self._device = device
        self._columns = columns

    def read(self, property_id: int) -> Values:
        """The value of one of `DEVICE_PROPERTIES`."""
        if property_id == Property.PROTOCOL_SERVICES_SUPPORTED and self._device.cov_increment is not None:
            return _SERVICES_WITH_COV
        constant = _CONSTANTS.get(property_id)
        return _READERS[property_id](self) if constant is None else constant

    @cached_property
    def _identity(self) -> Mapping[str, RawValue]:
        return identification(self._device.unit)

    def _system_status(self) -> Values:
        lost = self._device.is_lost
        return values.enumerated(SystemStatus.NON_OPERATIONAL if lost else SystemStatus.OPERATIONAL)

    def _model_name(self) -> Values:
        rows = self._identity
        name = rows.get("extended_name") or rows.get("product_name") or self._device.unit.product.name
        return values.text(str(name))

    def _firmware_revision(self) -> Values:
        return values.text(binding().firmware if self._device.is_gateway else self._version())

    def _software_version(self) -> Values:
        is_gateway = self._device.is_gateway
        return values.text(binding().application_software if is_gateway else self._version())

    def _version(self) -> str:
        names = ("version_major", "version_minor", "version_revision")
        return ".".join(str(self._identity.get(name) or 0) for name in names)

    def _object_list(self) -> Values:
        return tuple(value for number in self._device.object_ids() for value in values.object_id(number))

    def _description(self) -> Values:
        return values.text(self._device.unit.product.label)

    def _location(self) -> Values:
        return values.text(self._device.collection.gateway.path)

    def _clock(self) -> Values:
        unit = self._device.unit
        read = [self._columns.value(unit, "unit.clock", point, 0) for point in CLOCK]
        if any(part != part for part in read):
            return (values.NO_DATE, values.NO_TIME)
        return values.moment(datetime(*(int(part) for part in read), tzinfo=UTC))  # type: ignore[misc,arg-type]

    def _serial_number(self) -> Values:
        """Year and week, site and maker, running number, as the identification registers have them."""
        rows = self._identity
        first, second = (int(rows.get(name) or 0) for name in ("serial_aa_ss", "serial_sst_l"))
        return values.text(f"{first:04X}{second:04X}{int(rows.get('serial_order') or 0):05}")

    def _build_date(self) -> Values:
        return values.text(str(self._identity.get("build_date") or ""))

    def _operating_hours(self) -> Values:
        seconds = self._columns.value(self._device.unit, "unit.operating_hours", "operating_time_total", 0)
        return values.unsigned(0 if seconds != seconds else int(seconds) // _SECONDS_PER_HOUR)


_READERS: Mapping[int, Callable[[DeviceObject], Values]] = {
    Property.SYSTEM_STATUS: DeviceObject._system_status,
    Property.MODEL_NAME: DeviceObject._model_name,
    Property.FIRMWARE_REVISION: DeviceObject._firmware_revision,
    Property.APPLICATION_SOFTWARE_VERSION: DeviceObject._software_version,
    Property.OBJECT_LIST: DeviceObject._object_list,
    Property.DESCRIPTION: DeviceObject._description,
    Property.LOCATION: DeviceObject._location,
    Property.LOCAL_DATE: lambda self: self._clock()[:1],
    Property.LOCAL_TIME: lambda self: self._clock()[1:],
    Property.SERIAL_NUMBER: DeviceObject._serial_number,
    VERSION_BUILD_DATE: DeviceObject._build_date,
    OPERATING_HOURS: DeviceObject._operating_hours,
}

_LIMITS = binding().device
_SERVICES_WITH_COV = values.numbered_bits((*EXECUTED_SERVICES, SUBSCRIBE_COV), SERVICES_SUPPORTED_BITS)
_CONSTANTS: Mapping[int, Values] = {
    Property.VENDOR_NAME: values.text(binding().vendor_name),
    Property.VENDOR_IDENTIFIER: values.unsigned(binding().vendor_identifier),
    Property.PROTOCOL_VERSION: values.unsigned(_LIMITS["protocol_version"]),
    Property.PROTOCOL_CONFORMANCE_CLASS: values.unsigned(_LIMITS["protocol_conformance_class"]),
    Property.PROTOCOL_REVISION: values.unsigned(_LIMITS["protocol_revision"]),
    Property.PROTOCOL_SERVICES_SUPPORTED: values.numbered_bits(EXECUTED_SERVICES, SERVICES_SUPPORTED_BITS),
    Property.PROTOCOL_OBJECT_TYPES_SUPPORTED: values.numbered_bits(ObjectType, OBJECT_TYPES_SUPPORTED_BITS),
    Property.MAX_APDU_LENGTH_ACCEPTED: values.unsigned(_LIMITS["max_apdu"]),
    Property.SEGMENTATION_SUPPORTED: values.enumerated(SEGMENTED_BOTH),
    Property.MAX_SEGMENTS_ACCEPTED: values.unsigned(_LIMITS["max_segments"]),
    Property.APDU_SEGMENT_TIMEOUT: values.unsigned(_LIMITS["segment_timeout_ms"]),
    Property.APDU_TIMEOUT: values.unsigned(_LIMITS["apdu_timeout_ms"]),
    Property.NUMBER_OF_APDU_RETRIES: values.unsigned(_LIMITS["apdu_retries"]),
    Property.DEVICE_ADDRESS_BINDING: (),
    Property.DATABASE_REVISION: values.unsigned(1),
    Property.ACTIVE_COV_SUBSCRIPTIONS: (),
    # A unit's clock shows UTC until a client sets it; it knows no daylight saving.
    Property.UTC_OFFSET: values.signed(0),
    Property.DAYLIGHT_SAVINGS_STATUS: values.boolean(False),
}
