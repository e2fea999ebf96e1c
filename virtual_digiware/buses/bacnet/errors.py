"""Refusals of a BACnet service, as they go to the client, and what is wrong with a datagram."""

from __future__ import annotations

from virtual_digiware.buses.bacnet.identifiers import ErrorClass, ErrorCode


class ServiceError(Exception):
    """A request that is well formed but cannot be fulfilled: an Error-PDU with this class and code."""

    def __init__(self, error_class: ErrorClass, code: ErrorCode) -> None:
        super().__init__(f"{error_class.name}: {code.name}")
        self.error_class = error_class
        self.code = code


class Malformed(Exception):
    """A datagram that is no BACnet; nobody answers it."""


def unknown_object() -> ServiceError:
    return ServiceError(ErrorClass.OBJECT, ErrorCode.UNKNOWN_OBJECT)


def unknown_property() -> ServiceError:
    return ServiceError(ErrorClass.PROPERTY, ErrorCode.UNKNOWN_PROPERTY)


def bad_property(code: ErrorCode) -> ServiceError:
    return ServiceError(ErrorClass.PROPERTY, code)


class Reject(Exception):
    """A request whose parameters are wrong in themselves: a Reject-PDU. Reasons: ASHRAE 135, 18.9."""

    PARAMETER_OUT_OF_RANGE = 6

    def __init__(self, reason: int) -> None:
        super().__init__(f"reject reason {reason}")
        self.reason = reason
