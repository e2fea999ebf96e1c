"""What a device answers to each service, in neutral terms: no datagram, no encoding, nobody's address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from virtual_digiware.buses.bacnet.analog import PER_SLOT
from virtual_digiware.buses.bacnet.device import PRIORITIES, Device
from virtual_digiware.buses.bacnet.errors import Reject, ServiceError, bad_property
from virtual_digiware.buses.bacnet.identifiers import (
    ARRAYS,
    MAX_INSTANCE,
    ErrorClass,
    ErrorCode,
    ObjectType,
    Property,
    parts,
)
from virtual_digiware.buses.bacnet.reading import (
    Reference,
    Result,
    read_object,
    read_property,
    refuse_if_all_unknown,
    resolve,
)
from virtual_digiware.buses.bacnet.values import UNSPECIFIED, Octets, Tag, Value, Values
from virtual_digiware.buses.bacnet.writes import FUNCTION, clock_write, output_write

if TYPE_CHECKING:
    from virtual_digiware.buses.bacnet.cov import Subscriptions
    from virtual_digiware.buses.bacnet.device import EventSummary
    from virtual_digiware.buses.bacnet.peers import Peer
    from virtual_digiware.buses.bacnet.writes import RegisterWrite
    from virtual_digiware.buses.interfaces import WriteHandler
    from virtual_digiware.devices.unit import Unit

_REFUSALS = {3: ErrorCode.VALUE_OUT_OF_RANGE}
"""Error codes by the exception code that the same write gets on Modbus; otherwise write access is denied."""
_DEVICE_FAILURE = 4

MAX_EVENTS = 25
"""Events in one answer: about a kilobyte, so that it fits into one APDU."""


class Found(NamedTuple):
    """What I-Have says."""

    object_id: int
    name: str


class Services:
    """Services of one device.

    Args:
        device: Whose.
        handler: Takes the writes, the same as those of Modbus.
        subscriptions: To changes of value; None where nobody may subscribe.
    """

    def __init__(
        self, device: Device, handler: WriteHandler, subscriptions: Subscriptions | None = None
    ) -> None:
        self.device = device
        self._subscriptions = subscriptions
        self._handler = handler

    def read(self, object_id: int, reference: Reference) -> tuple[int, Values]:
        """The object that was read and the value. Raises ServiceError."""
        object_id = resolve(self.device, object_id)
        return object_id, read_property(self.device, object_id, reference)

    def read_multiple(
        self, wanted: Sequence[tuple[int, Sequence[Reference]]]
    ) -> list[tuple[int, list[Result]]]:
        """Results by object, in the order asked for. Raises ServiceError when none of the objects exists."""
        resolved = [(resolve(self.device, object_id), references) for object_id, references in wanted]
        refuse_if_all_unknown(self.device, [object_id for object_id, _ in resolved])
        return [
            (object_id, read_object(self.device, object_id, references)) for object_id, references in resolved
        ]

    def write(
        self, object_id: int, reference: Reference, content: Sequence[Value | None], priority: int | None
    ) -> None:
        """Take a value, or say why not. Raises ServiceError or Reject.

        Only the present value of a Binary Output is writable. Commands of every priority act alike, on the
        output's one state; relinquishing (Null) switches it off.
        """
        if priority is not None and not 1 <= priority <= PRIORITIES:
            raise Reject(Reject.PARAMETER_OUT_OF_RANGE)
        object_id = resolve(self.device, object_id)
        self.device.read(object_id, reference.property_id)
        object_type, instance = parts(object_id)
        if reference.element is not None and reference.property_id not in ARRAYS:
            raise bad_property(ErrorCode.PROPERTY_IS_NOT_AN_ARRAY)
        if (object_type, reference.property_id) != (ObjectType.BINARY_OUTPUT, Property.PRESENT_VALUE):
            raise bad_property(ErrorCode.WRITE_ACCESS_DENIED)
        write = output_write(self.device.unit, instance // PER_SLOT - 1, _is_active(content))
        if write is None:
            raise bad_property(ErrorCode.WRITE_ACCESS_DENIED)
        if self.device.is_lost:
            raise ServiceError(ErrorClass.DEVICE, ErrorCode.OPERATIONAL_PROBLEM)
        self._write(self.device.unit, write)

    def is_asked_for(self, low: int | None, high: int | None) -> bool:
        """Whether Who-Is or Who-Has with these limits means this device; wrong limits mean nobody.

        Source: ASHRAE 135, 16.10.1.1.1 (both limits or none).
        """
        if low is None or high is None:
            return low is None and high is None
        return 0 <= low <= self.device.instance <= high <= MAX_INSTANCE

    def find(self, object_id: int | None, name: str | None) -> Found | None:
        """The object of a Who-Has, by identifier or by name."""
        if object_id is None and name is not None:
            object_id = self.device.find(name)
        if object_id is None or not self.device.has(object_id):
            return None
        return Found(object_id, self.device.object_name(object_id))

    @property
    def has_cov(self) -> bool:
        """Whether clients may subscribe to changes."""
        return self._subscriptions is not None

    def events(self, last: int | None) -> tuple[list[EventSummary], bool]:
        """Objects with events behind the last one that the client has, and whether there are more."""
        known = self.device.events()
        if last is not None:
            places = [place for place, one in enumerate(known) if one.object_id == last]
            known = known[places[0] + 1 :] if places else known
        return known[:MAX_EVENTS], len(known) > MAX_EVENTS

    def subscribe(
        self, peer: Peer, process_id: int, object_id: int, is_confirmed: bool | None, lifetime_s: int | None
    ) -> None:
        """Take a subscription; neither kind of notification nor lifetime: cancel it. Raises ServiceError."""
        assert self._subscriptions is not None  # or the service is not recognised
        object_id = resolve(self.device, object_id)
        if is_confirmed is None and lifetime_s is None:
            self._subscriptions.cancel(self.device, peer, process_id, object_id)
        else:
            self._subscriptions.subscribe(
                self.device, peer, process_id, object_id, bool(is_confirmed), lifetime_s or 0
            )

    def synchronise(self, date: Octets, time: Octets) -> None:
        """Set the clock of the unit; a gateway sets those of its modules too. What is no time is ignored."""
        when = _moment(date, time)
        if when is None:
            return
        device = self.device
        units = device.collection.units if device.is_gateway else (device.unit,)
        for unit in units:
            write = None if device.collection.is_lost(unit) else clock_write(unit, when)
            if write is not None:
                self._handler.write(unit, FUNCTION, write.address, write.values)

    def _write(self, unit: Unit, write: RegisterWrite) -> None:
        refusal = self._handler.write(unit, FUNCTION, write.address, write.values)
        if refusal is None:
            return
        if refusal.exception_code == _DEVICE_FAILURE:
            raise ServiceError(ErrorClass.DEVICE, ErrorCode.OPERATIONAL_PROBLEM)
        raise bad_property(_REFUSALS.get(refusal.exception_code, ErrorCode.WRITE_ACCESS_DENIED))


def _is_active(content: Sequence[Value | None]) -> bool:
    """The state that a written BACnetBinaryPV or Null asks for. Raises ServiceError."""
    value = content[0] if len(content) == 1 else None
    if value is None or value.tag not in (Tag.ENUMERATED, Tag.NULL):
        raise bad_property(ErrorCode.INVALID_DATA_TYPE)
    if value.tag == Tag.NULL:
        return False
    if value.content not in (0, 1):
        raise bad_property(ErrorCode.VALUE_OUT_OF_RANGE)
    return bool(value.content)


def _moment(date: Octets, time: Octets) -> datetime | None:
    year, month, day, _ = date
    hour, minute, second, hundredth = time
    try:
        return datetime(
            1900 + year,
            month,
            day,
            hour,
            minute,
            second,
            10_000 * (0 if hundredth == UNSPECIFIED else hundredth),
            tzinfo=UTC,
        )
    except ValueError:
        return None
