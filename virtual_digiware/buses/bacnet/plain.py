"""The short path: ReadProperty and ReadPropertyMultiple answered from bytes encoded once per version.

Whole replies are kept under the request's own bytes until something changes; below them, the encoded value of
each property; and what a request asks for is worked out once for all versions. Anything unusual (segments, a
reply that would need some, odd encodings, another service) is left to the library: None. Where both can
answer, their bytes are identical, and a property test says so. Source of all layouts: ASHRAE 135, clauses
6.2, 20.1, 21 and annex J.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from virtual_digiware.buses.bacnet.codec import context_unsigned, encode
from virtual_digiware.buses.bacnet.errors import ServiceError
from virtual_digiware.buses.bacnet.identifiers import (
    MAX_PROPERTY,
    READ_PROPERTY,
    READ_PROPERTY_MULTIPLE,
    SELECTORS,
)
from virtual_digiware.buses.bacnet.reading import Reference, expand, read_property, resolve

if TYPE_CHECKING:
    from virtual_digiware.buses.bacnet.device import Device

MAX_APDU = (50, 128, 206, 480, 1024, 1476)
"""Max APDU Length Accepted by its code. Source: ASHRAE 135, 20.1.2.5."""

_BVLL, _ORIGINAL_UNICAST, _VERSION = 0x81, 0x0A, 1
_HAS_DESTINATION, _HAS_SOURCE, _UNUSUAL = 0x20, 0x08, 0xD0
_SHORTEST = 12  # up to the service choice, with the first octet of its parameters
_MAX_REPLIES, _MAX_PLANS = 4096, 512
_MAX_PLANNED = 16_384  # values in all plans of a gateway: 4 MB of what somebody may have asked only once
_COMPLEX_ACK, _ERROR = 0x30, 0x50
_HOPS = 255


class Directory(Protocol):
    """Who is behind a gateway."""

    @property
    def version(self) -> int:
        """Grows when anything readable may have changed."""

    @property
    def network(self) -> int: ...

    @property
    def gateway(self) -> Device: ...

    def at(self, mac: int) -> Device | None: ...


class Cell(NamedTuple):
    """A property that a request asks for."""

    object_id: int
    reference: Reference


class Plan(NamedTuple):
    """What a request body asks of a device: bytes in front of each value, and bytes behind the last."""

    parts: tuple[tuple[bytes, Cell], ...]
    end: bytes


class Unusual(Exception):
    """A request body that the short path does not read."""


class DeviceReads:
    """Encoded properties of one device."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._cells: dict[Cell, bytes | ServiceError] = {}
        self._plans: dict[bytes, Plan] = {}
        self.planned = 0
        self._version: int | None = None

    def read(self, version: int, body: bytes) -> tuple[int, bytes]:
        """First octet and content of the response to a ReadProperty. Raises Unusual."""
        cell = _single(body)
        object_id = resolve(self.device, cell.object_id)
        encoded = self._cell(version, Cell(object_id, cell.reference))
        if isinstance(encoded, ServiceError):
            return _ERROR, _error(encoded)
        head = b"\x0c" + object_id.to_bytes(4, "big") + _numbered(1, cell.reference)
        return _COMPLEX_ACK, b"".join((head, b"\x3e", encoded, b"\x3f"))

    def read_multiple(self, version: int, body: bytes) -> tuple[int, bytes]:
        """First octet and content of the response to a ReadPropertyMultiple. Raises Unusual."""
        plan = self._plans.get(body)
        if plan is None:
            if len(self._plans) >= _MAX_PLANS:
                self.forget_plans()
            plan = self._plans[body] = self._planned(body)
            self.planned += len(plan.parts)
        made: list[bytes] = []
        for head, cell in plan.parts:
            encoded = self._cell(version, cell)
            if isinstance(encoded, ServiceError):
                made += (head, b"\x5e", _error(encoded), b"\x5f")
            else:
                made += (head, b"\x4e", encoded, b"\x4f")
        made.append(plan.end)
        return _COMPLEX_ACK, b"".join(made)

    def forget_plans(self) -> None:
        """Work out anew what requests ask for."""
        self._plans.clear()
        self.planned = 0

    def _cell(self, version: int, cell: Cell) -> bytes | ServiceError:
        if version != self._version:
            self._cells.clear()
            self._version = version
        encoded = self._cells.get(cell)
        if encoded is None:
            try:
                encoded = encode(read_property(self.device, cell.object_id, cell.reference))
            except ServiceError as refusal:
                encoded = refusal
            self._cells[cell] = encoded
        return encoded

    def _planned(self, body: bytes) -> Plan:
        parts: list[tuple[bytes, Cell]] = []
        end = b""
        for asked, references in _specifications(body):
            object_id = resolve(self.device, asked)
            if not self.device.has(object_id):
                raise Unusual
            end += b"\x0c" + object_id.to_bytes(4, "big") + b"\x1e"
            for reference in expand(self.device, object_id, references):
                parts.append((end + _numbered(2, reference), Cell(object_id, reference)))
                end = b""
            end += b"\x1f"
        return Plan(tuple(parts), end)


class PlainReads:
    """Answers to plain reads of everything behind one gateway.

    Args:
        directory: The gateway and its devices.
        max_apdu: The longest response that the devices send.
    """

    def __init__(self, directory: Directory, max_apdu: int) -> None:
        self._directory = directory
        self._max_apdu = max_apdu
        self._replies: dict[bytes, tuple[bytes, bytes]] = {}
        self._version: int | None = None
        self._reads: dict[Device, DeviceReads] = {}

    def reply(self, datagram: bytes) -> bytes | None:
        """The reply to a whole datagram, or None when the library has to look at it."""
        version = self._directory.version
        if version != self._version:
            self._forget(version)
        if len(datagram) < _SHORTEST:
            return None
        at = 8 if datagram[5] == 4 else _invoke_at(datagram)
        if not at:
            return None
        key = datagram[:at] + datagram[at + 1 :]
        kept = self._replies.get(key)
        if kept is None:
            try:
                kept = self._made(version, datagram, at)
            except (Unusual, IndexError):
                return None
            if len(self._replies) >= _MAX_REPLIES:
                self._replies.clear()
            self._replies[key] = kept
        return kept[0] + datagram[at : at + 1] + kept[1]

    def _forget(self, version: int) -> None:
        self._replies.clear()
        self._version = version
        if len(self._reads) > 2 * MAX_DEVICES:
            self._reads.clear()
        if sum(reads.planned for reads in self._reads.values()) > _MAX_PLANNED:
            for reads in self._reads.values():
                reads.forget_plans()

    def _made(self, version: int, datagram: bytes, at: int) -> tuple[bytes, bytes]:
        """The reply in front of and behind its invoke id. Raises Unusual or IndexError."""
        size = datagram[2] << 8 | datagram[3]
        header = datagram[0], datagram[1], datagram[4]
        if header != (_BVLL, _ORIGINAL_UNICAST, _VERSION) or size != len(datagram):
            raise Unusual
        if datagram[at - 2] & 0xFD or datagram[at - 1] & 0x80:
            raise Unusual
        device, npdu = self._route(datagram)
        reads = self._reads.get(device)
        if reads is None:
            reads = self._reads[device] = DeviceReads(device)
        service, body = datagram[at + 1], datagram[at + 2 :]
        if service == READ_PROPERTY_MULTIPLE:
            kind, content = reads.read_multiple(version, body)
        elif service == READ_PROPERTY:
            kind, content = reads.read(version, body)
        else:
            raise Unusual
        if 3 + len(content) > min(MAX_APDU[datagram[at - 1] & 0x0F], self._max_apdu):
            raise Unusual
        length = 4 + len(npdu) + 3 + len(content)
        head = bytes((_BVLL, _ORIGINAL_UNICAST)) + length.to_bytes(2, "big") + npdu + bytes((kind,))
        return head, bytes((service,)) + content

    def _route(self, datagram: bytes) -> tuple[Device, bytes]:
        """The device that is asked and the network header of its reply. Raises Unusual or IndexError."""
        control = datagram[5]
        directory = self._directory
        device: Device | None = directory.gateway
        at, flags = 6, control & 3
        back = own = hops = b""
        if control & _HAS_DESTINATION:
            if datagram[6] << 8 | datagram[7] != directory.network or datagram[8] != 1:
                raise Unusual
            device = directory.at(datagram[9])
            own = datagram[6:10]
            flags |= _HAS_SOURCE
            at = 10
        if control & _HAS_SOURCE:
            size = datagram[at + 2]
            network = datagram[at] << 8 | datagram[at + 1]
            if not size or network in (0, 0xFFFF, directory.network):
                raise Unusual
            back = datagram[at : at + 3 + size]
            at += 3 + size
            flags |= _HAS_DESTINATION
            hops = bytes((_HOPS,))
        if device is None or (control & _HAS_DESTINATION and not datagram[at]):
            raise Unusual
        return device, bytes((_VERSION, flags)) + back + own + hops


MAX_DEVICES = 256
"""More addresses than Modbus has."""


def _invoke_at(datagram: bytes) -> int:
    """Where the invoke id of a confirmed request stands; 0 when the network header is unusual."""
    control = datagram[5]
    if control & _UNUSUAL:
        return 0
    at = 6
    size = len(datagram)
    if control & _HAS_DESTINATION:
        at += 3 + datagram[8]
    if control & _HAS_SOURCE:
        if at + 2 >= size:
            return 0
        at += 3 + datagram[at + 2]
    if control & _HAS_DESTINATION:
        at += 1
    return at + 2 if at + 3 < size else 0


def _single(body: bytes) -> Cell:
    """The parameters of a ReadProperty. Raises Unusual or IndexError."""
    if body[0] != 0x0C:
        raise Unusual
    reference, at = _reference(body, 5, 1)
    if at != len(body):
        raise Unusual
    return Cell(int.from_bytes(body[1:5], "big"), reference)


def _specifications(body: bytes) -> Iterator[tuple[int, list[Reference]]]:
    """Objects and references of a ReadPropertyMultiple. Raises Unusual or IndexError."""
    at = 0
    if not body:
        raise Unusual
    while at < len(body):
        if body[at] != 0x0C or body[at + 5] != 0x1E:
            raise Unusual
        object_id = int.from_bytes(body[at + 1 : at + 5], "big")
        at += 6
        references = []
        while body[at] != 0x1F:
            reference, at = _reference(body, at, 0)
            if reference.property_id in SELECTORS and reference.element is not None:
                raise Unusual
            references.append(reference)
        if not references:
            raise Unusual
        at += 1
        yield object_id, references


def _reference(body: bytes, at: int, tag: int) -> tuple[Reference, int]:
    """A property identifier under a context tag, perhaps an index under the next, and where that ends."""
    property_id, at = _number(body, at, tag)
    if property_id > MAX_PROPERTY:
        raise Unusual
    if at < len(body) and body[at] >> 3 == (tag + 1) << 1 | 1 and body[at] & 7 < 5:
        index, at = _number(body, at, tag + 1)
        return Reference(property_id, index), at
    return Reference(property_id), at


def _number(body: bytes, at: int, tag: int) -> tuple[int, int]:
    """An unsigned value of one to four octets in its shortest form under a context tag."""
    head = body[at]
    size = head & 7
    if head & 0xF8 != tag << 4 | 0x08 or not 1 <= size <= 4 or at + 1 + size > len(body):
        raise Unusual
    octets = body[at + 1 : at + 1 + size]
    if size > 1 and not octets[0]:
        raise Unusual
    return int.from_bytes(octets, "big"), at + 1 + size


def _numbered(tag: int, reference: Reference) -> bytes:
    """A reference as responses carry it, under `tag` and the next one."""
    head = context_unsigned(tag, reference.property_id)
    return head if reference.element is None else head + context_unsigned(tag + 1, reference.element)


def _error(refusal: ServiceError) -> bytes:
    return bytes((0x91, refusal.error_class, 0x91, refusal.code))
