"""Foreign devices: clients beyond the broadcast's reach that register for a time. Off unless a setting adds
it.

Source: ASHRAE 135, annex J.2 (messages), J.5.2 (registration, 30 s of grace) and J.4.5 (refusals).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from typing import NamedTuple

from virtual_digiware.buses.bacnet.peers import Address

RESULT = 0x00
WRITE_TABLE, READ_TABLE = 0x01, 0x02
REGISTER, READ_REGISTRATIONS, READ_REGISTRATIONS_ACK, DELETE_REGISTRATION = 0x05, 0x06, 0x07, 0x08
DISTRIBUTE_BROADCAST = 0x09

_REFUSED = {
    WRITE_TABLE: 0x0010,
    READ_TABLE: 0x0020,
    REGISTER: 0x0030,
    READ_REGISTRATIONS: 0x0040,
    DELETE_REGISTRATION: 0x0050,
    DISTRIBUTE_BROADCAST: 0x0060,
}
_DONE = 0
_GRACE_S = 30
_MAX_REGISTRATIONS = 128


class Taken(NamedTuple):
    """What a message of the link layer comes to: answers, and a broadcast to be distributed."""

    answers: tuple[tuple[int, bytes], ...] = ()
    broadcast: bytes | None = None
    is_known: bool = True


class ForeignDevices:
    """Registrations. `time_s` is a clock that runs with the network."""

    is_open = True

    def __init__(self, time_s: Callable[[], float]) -> None:
        self._time_s = time_s
        self._entries: dict[Address, tuple[int, float]] = {}

    def receive(self, function: int, content: bytes, source: Address) -> Taken:
        """Take one message of the link layer."""
        if function == RESULT:
            return Taken()
        if function not in _REFUSED:
            return Taken(is_known=False)
        self._expire()
        if self.is_open:
            if function == REGISTER and len(content) == 2:
                return self._register(int.from_bytes(content, "big"), source)
            if function == READ_REGISTRATIONS:
                return Taken(((READ_REGISTRATIONS_ACK, self._table()),))
            if function == DELETE_REGISTRATION and len(content) == 6:
                known = self._entries.pop(_address(content), None)
                return _result(_REFUSED[function] if known is None else _DONE)
            if function == DISTRIBUTE_BROADCAST and source in self._entries:
                return Taken(broadcast=content)
        return _result(_REFUSED[function])

    def others(self, origin: Address) -> Iterator[Address]:
        """Everybody registered but the one whom a broadcast comes from."""
        self._expire()
        return (address for address in tuple(self._entries) if address != origin)

    def forwarded(self, content: bytes, origin: Address) -> bytes:
        """Content of a Forwarded-NPDU."""
        return _octets(origin) + content

    def _register(self, seconds: int, source: Address) -> Taken:
        if source not in self._entries and len(self._entries) >= _MAX_REGISTRATIONS:
            return _result(_REFUSED[REGISTER])
        self._entries[source] = seconds, self._time_s() + seconds + _GRACE_S
        return _result(_DONE)

    def _expire(self) -> None:
        now_s = self._time_s()
        for address in [address for address, (_, end_s) in self._entries.items() if end_s <= now_s]:
            del self._entries[address]

    def _table(self) -> bytes:
        now_s = self._time_s()
        return b"".join(
            _octets(address) + seconds.to_bytes(2, "big") + min(65535, int(end_s - now_s)).to_bytes(2, "big")
            for address, (seconds, end_s) in self._entries.items()
        )


def _result(code: int) -> Taken:
    return Taken(((RESULT, code.to_bytes(2, "big")),))


def _octets(address: Address) -> bytes:
    return IPv4Address(address[0]).packed + address[1].to_bytes(2, "big")


def _address(octets: bytes) -> Address:
    return str(IPv4Address(octets[:4])), int.from_bytes(octets[4:6], "big")
