"""Numbers of the BACnet standard that this server needs: object types, properties, errors, units. No
behaviour.

Source: ANSI/ASHRAE 135-2012, clause 21 (the productions named below).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

WILDCARD_INSTANCE = 4194303
MAX_INSTANCE = 4194303
MAX_PROPERTY = 4194303
INSTANCE_BITS = 22


class ObjectType(IntEnum):
    """BACnetObjectType, those that exist here."""

    ANALOG_INPUT = 0
    BINARY_INPUT = 3
    BINARY_OUTPUT = 4
    DEVICE = 8


class Property(IntEnum):
    """BACnetPropertyIdentifier. Member names are the standard's, in capitals."""

    ACTIVE_COV_SUBSCRIPTIONS = 152
    ALL = 8
    APDU_SEGMENT_TIMEOUT = 10
    APDU_TIMEOUT = 11
    APPLICATION_SOFTWARE_VERSION = 12
    AVERAGE_VALUE = 125
    COV_INCREMENT = 22
    DATABASE_REVISION = 155
    DAYLIGHT_SAVINGS_STATUS = 24
    DESCRIPTION = 28
    DEVICE_ADDRESS_BINDING = 30
    EVENT_STATE = 36
    FIRMWARE_REVISION = 44
    LOCAL_DATE = 56
    LOCAL_TIME = 57
    LOCATION = 58
    MAX_APDU_LENGTH_ACCEPTED = 62
    MAX_PRES_VALUE = 65
    MAX_SEGMENTS_ACCEPTED = 167
    MAXIMUM_VALUE_TIMESTAMP = 149
    MIN_PRES_VALUE = 69
    MINIMUM_VALUE_TIMESTAMP = 150
    MODEL_NAME = 70
    NUMBER_OF_APDU_RETRIES = 73
    OBJECT_IDENTIFIER = 75
    OBJECT_LIST = 76
    OBJECT_NAME = 77
    OBJECT_TYPE = 79
    OPTIONAL = 80
    OUT_OF_SERVICE = 81
    POLARITY = 84
    PRESENT_VALUE = 85
    PRIORITY_ARRAY = 87
    PROPERTY_LIST = 371
    PROTOCOL_CONFORMANCE_CLASS = 95
    PROTOCOL_OBJECT_TYPES_SUPPORTED = 96
    PROTOCOL_REVISION = 139
    PROTOCOL_SERVICES_SUPPORTED = 97
    PROTOCOL_VERSION = 98
    RELIABILITY = 103
    RELINQUISH_DEFAULT = 104
    REQUIRED = 105
    SEGMENTATION_SUPPORTED = 107
    SERIAL_NUMBER = 372
    STATUS_FLAGS = 111
    SYSTEM_STATUS = 112
    UNITS = 117
    UTC_OFFSET = 119
    VENDOR_IDENTIFIER = 120
    VENDOR_NAME = 121


ARRAYS = frozenset({Property.OBJECT_LIST, Property.PROPERTY_LIST, Property.PRIORITY_ARRAY})
"""Properties of type BACnetARRAY here; element 0 is their size."""

SELECTORS = frozenset({Property.ALL, Property.REQUIRED, Property.OPTIONAL})
"""What ReadPropertyMultiple takes in place of a property."""


class ErrorClass(IntEnum):
    """Error class of an Error-PDU."""

    DEVICE = 0
    OBJECT = 1
    PROPERTY = 2
    RESOURCES = 3


class ErrorCode(IntEnum):
    """Error code of an Error-PDU."""

    INVALID_ARRAY_INDEX = 42
    INVALID_DATA_TYPE = 9
    NO_SPACE_TO_ADD_LIST_ELEMENT = 19
    OPTIONAL_FUNCTIONALITY_NOT_SUPPORTED = 45
    OPERATIONAL_PROBLEM = 25
    PROPERTY_IS_NOT_AN_ARRAY = 50
    UNKNOWN_OBJECT = 31
    UNKNOWN_PROPERTY = 32
    VALUE_OUT_OF_RANGE = 37
    WRITE_ACCESS_DENIED = 40


class Reliability(IntEnum):
    """BACnetReliability, those that occur here."""

    NO_FAULT_DETECTED = 0
    COMMUNICATION_FAILURE = 12


class SystemStatus(IntEnum):
    """BACnetDeviceStatus, those that occur here."""

    OPERATIONAL = 0
    NON_OPERATIONAL = 4


NORMAL_EVENT_STATE = 0
SEGMENTED_BOTH = 0
NORMAL_POLARITY = 0

UNITS: Mapping[str, int] = {
    "amperes": 3,
    "degrees-celsius": 62,
    "hertz": 27,
    "kilovolt-ampere-hours": 240,
    "kilovolt-ampere-hours-reactive": 243,
    "kilowatt-hours": 19,
    "no-units": 95,
    "percent": 98,
    "percent-relative-humidity": 29,
    "volt-amperes": 8,
    "volt-amperes-reactive": 11,
    "volts": 5,
    "watts": 47,
}
"""BACnetEngineeringUnits that measurements have."""

GET_EVENT_INFORMATION = 39
SUBSCRIBE_COV, READ_PROPERTY, READ_PROPERTY_MULTIPLE, WRITE_PROPERTY = 5, 12, 14, 15
TIME_SYNCHRONIZATION, WHO_HAS, WHO_IS = 32, 33, 34
I_AM, I_HAVE = 26, 27
EXECUTED_SERVICES = (
    READ_PROPERTY,
    READ_PROPERTY_MULTIPLE,
    WRITE_PROPERTY,
    TIME_SYNCHRONIZATION,
    WHO_HAS,
    WHO_IS,
    GET_EVENT_INFORMATION,
)
"""Bits of BACnetServicesSupported. Source of the list: DIRIS Digiware D-50/D-70 manual 548088C, page 65;
GetEventInformation is not in it, it is how this simulator tells the times of alarms."""
SERVICES_SUPPORTED_BITS = 40
"""Up to getEventInformation (39)."""
OBJECT_TYPES_SUPPORTED_BITS = 51
"""Up to time-value (50), the last one that protocol revision 12 knows."""


def identifier(object_type: int, instance: int) -> int:
    """An object identifier as the 32 bits that go over the wire."""
    return object_type << INSTANCE_BITS | instance


def parts(object_id: int) -> tuple[int, int]:
    """Object type and instance of an object identifier."""
    return object_id >> INSTANCE_BITS, object_id & MAX_INSTANCE
