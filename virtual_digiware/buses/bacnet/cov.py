"""Subscriptions to changes of value: who wants to hear of which object, and when there is something to say.

Neutral terms only: `endpoint` makes the notifications. Subscriptions belong to the network, not to the site:
a restart forgets them, as it does on any device, and lifetimes run in real time. Source: ASHRAE 135, 13.1
and 13.14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from virtual_digiware.buses.bacnet.errors import ServiceError
from virtual_digiware.buses.bacnet.identifiers import ErrorClass, ErrorCode, ObjectType, Property, parts
from virtual_digiware.buses.bacnet.values import Values

if TYPE_CHECKING:
    from virtual_digiware.buses.bacnet.device import Device
    from virtual_digiware.buses.bacnet.peers import Peer

MAX_SUBSCRIPTIONS = 256
"""Of one gateway and everything behind it."""
MAX_WAITING = 64
"""Confirmed notifications that wait for their acknowledgement at once."""
MAX_LIFETIME_S = 2**32 - 1

_REPORTING = (ObjectType.ANALOG_INPUT, ObjectType.BINARY_INPUT, ObjectType.BINARY_OUTPUT)


class Key(NamedTuple):
    """What makes a subscription the same one. Source: ASHRAE 135, 13.14.1."""

    peer: Peer
    process_id: int
    device_path: str
    object_id: int


@dataclass(slots=True)
class Subscription:
    """One client's interest in one object; `ends_s` None: until cancelled."""

    key: Key
    device: Device
    is_confirmed: bool
    ends_s: float | None
    told: tuple[Values, Values] | None = field(default=None)
    """Present value and status flags of the last notification."""


class Notification(NamedTuple):
    """What a subscriber is to be told."""

    subscription: Subscription
    remaining_s: int
    present_value: Values
    status_flags: Values


class Subscriptions:
    """All subscriptions at one gateway.

    Args:
        increment: by how much an Analog Input must change, in its unit.
        time_s: seconds of a clock that runs with the network.
    """

    def __init__(self, increment: float, time_s: Callable[[], float]) -> None:
        self._increment = increment
        self._time_s = time_s
        self._known: dict[Key, Subscription] = {}

    @property
    def has_new(self) -> bool:
        """Whether somebody has subscribed who has not been told anything."""
        return any(one.told is None for one in self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def subscribe(
        self, device: Device, peer: Peer, process_id: int, object_id: int, is_confirmed: bool, lifetime_s: int
    ) -> None:
        """Take a subscription, or renew one; a lifetime of 0 never ends. Raises ServiceError."""
        if not device.has(object_id):
            raise ServiceError(ErrorClass.OBJECT, ErrorCode.UNKNOWN_OBJECT)
        if parts(object_id)[0] not in _REPORTING:
            raise ServiceError(ErrorClass.OBJECT, ErrorCode.OPTIONAL_FUNCTIONALITY_NOT_SUPPORTED)
        key = Key(peer, process_id, device.unit.path, object_id)
        self._expire()
        if key not in self._known and len(self._known) >= MAX_SUBSCRIPTIONS:
            raise ServiceError(ErrorClass.RESOURCES, ErrorCode.NO_SPACE_TO_ADD_LIST_ELEMENT)
        ends_s = self._time_s() + lifetime_s if lifetime_s else None
        self._known[key] = Subscription(key, device, is_confirmed, ends_s)

    def cancel(self, device: Device, peer: Peer, process_id: int, object_id: int) -> None:
        """Forget a subscription; one that is not there is as good as forgotten."""
        self._known.pop(Key(peer, process_id, device.unit.path, object_id), None)

    def due(self) -> Iterator[Notification]:
        """What has changed enough since the subscriber was told last; for a new one, the values of now."""
        self._expire()
        for subscription in tuple(self._known.values()):
            device, object_id = subscription.device, subscription.key.object_id
            try:
                value = device.read(object_id, Property.PRESENT_VALUE)
                flags = device.read(object_id, Property.STATUS_FLAGS)
            except ServiceError:  # the object went with its module's address
                continue
            if self._is_news(subscription, value, flags):
                subscription.told = value, flags
                yield Notification(subscription, self._remaining_s(subscription), value, flags)

    def _is_news(self, subscription: Subscription, value: Values, flags: Values) -> bool:
        if subscription.told is None:
            return True
        told_value, told_flags = subscription.told
        if flags != told_flags:
            return True
        if parts(subscription.key.object_id)[0] != ObjectType.ANALOG_INPUT:
            return value != told_value
        change = abs(float(value[0].content) - float(told_value[0].content))  # type: ignore[arg-type]
        return change >= self._increment if self._increment else change > 0

    def _remaining_s(self, subscription: Subscription) -> int:
        """Whole seconds, at least 1: 0 would mean for ever."""
        if subscription.ends_s is None:
            return 0
        return max(1, round(subscription.ends_s - self._time_s()))

    def _expire(self) -> None:
        now_s = self._time_s()
        over = [key for key, one in self._known.items() if one.ends_s is not None and one.ends_s <= now_s]
        for key in over:
            del self._known[key]
