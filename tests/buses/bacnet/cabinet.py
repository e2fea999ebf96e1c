"""The demo cabinet with a BACnet router in front of it, and requests written byte by byte."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from struct import pack

from virtual_digiware.buses.bacnet.counters import BacnetCounters
from virtual_digiware.buses.bacnet.directory import BacnetSettings, DeviceDirectory
from virtual_digiware.buses.bacnet.errors import Malformed
from virtual_digiware.buses.bacnet.peers import Address
from virtual_digiware.buses.bacnet.router import Router
from virtual_digiware.buses.interfaces import Unit
from virtual_digiware.devices.collection import GatewayCollection
from virtual_digiware.devices.records import Record, Refusal
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import load_site

NOON_MS = 1_767_265_200_000
CYCLE_MS = 275
CLIENT: Address = ("127.0.0.9", 47808)
NETWORK = 2001
U30, I35, I60, I31, S135, IO10, IO20 = range(2, 9)

DEVICE, ANALOG_INPUT, BINARY_INPUT, BINARY_OUTPUT = 8, 0, 3, 4
PRESENT_VALUE, STATUS_FLAGS, RELIABILITY, OBJECT_LIST, OBJECT_NAME = 85, 111, 103, 76, 77


class Writes:
    """Applies what the model takes, as a running site does, without a journal."""

    def __init__(self, building: Building) -> None:
        self._model = building.model
        self.taken: list[tuple[str, int, int, tuple[int, ...]]] = []
        self.refusal: Refusal | None = None

    def write(self, unit: Unit, function: int, address: int, values: Sequence[int]) -> Refusal | None:
        model = self._model
        now_ms = model.snapshot.time_ms
        checked = model.check_write(unit.path, function, address, values, now_ms)
        if self.refusal is not None or isinstance(checked, Refusal):
            return self.refusal or checked
        self.taken.append((unit.path, function, address, tuple(values)))
        model.apply(checked)
        model.publish(model.compute(now_ms))
        return None


class Cabinet:
    """The demo site a minute after noon."""

    def __init__(self, settings: BacnetSettings | None = None) -> None:
        building = Building(load_site("demo"), NOON_MS)
        self.model = building.model
        self.model.publish(self.model.compute(NOON_MS + 60_000))
        self.writes = Writes(building)
        self.settings = settings or BacnetSettings()
        self.collection = GatewayCollection(self.model, "m70", CYCLE_MS)
        self.directory = DeviceDirectory(self.collection, self.settings)
        self.counters = BacnetCounters()
        self.sent: list[tuple[bytes, Address]] = []
        self.now_s = 0.0
        self.router = Router(
            self.directory,
            self.settings,
            self.writes,
            lambda datagram, address: self.sent.append((datagram, address)),
            self.counters,
            lambda: self.now_s,
        )

    def ask(self, datagram: bytes, source: Address = CLIENT) -> list[bytes]:
        """What comes back for one datagram."""
        self.sent.clear()
        self.router.receive(datagram, source)
        return [sent for sent, _ in self.sent]

    def ask_library(self, datagram: bytes, source: Address = CLIENT) -> list[bytes]:
        """The same without the short path."""
        self.sent.clear()
        with suppress(Malformed):
            self.router.full(datagram, source)
        return [sent for sent, _ in self.sent]

    def unplug(self, path: str) -> None:
        """Pull a module off the bus, and let a collection cycle pass."""
        now_ms = self.model.snapshot.time_ms
        self.model.apply(Record(now_ms, "presence", path, {"present": False}))
        for t_ms in (now_ms, now_ms + 1000):
            self.model.publish(self.model.compute(t_ms))
            self.collection.collect()


def unicast(npdu: bytes) -> bytes:
    return b"\x81\x0a" + (4 + len(npdu)).to_bytes(2, "big") + npdu


def broadcast(npdu: bytes) -> bytes:
    return b"\x81\x0b" + (4 + len(npdu)).to_bytes(2, "big") + npdu


def to_gateway(apdu: bytes) -> bytes:
    return unicast(b"\x01\x04" + apdu)


def to_module(mac: int, apdu: bytes) -> bytes:
    return unicast(b"\x01\x24" + pack(">HBBB", NETWORK, 1, mac, 255) + apdu)


def routed(mac: int | None, apdu: bytes) -> bytes:
    """A request as it comes to the gateway: to itself, or to a module behind it."""
    return to_gateway(apdu) if mac is None else to_module(mac, apdu)


def confirmed(service: int, body: bytes, *, invoke: int = 1, limits: int = 0x75, flags: int = 2) -> bytes:
    """A confirmed request; limits 0x75: above 64 segments of 1476 octets, flags 2: answers in segments."""
    return bytes((flags, limits, invoke, service)) + body


def object_id(object_type: int, instance: int) -> bytes:
    return (object_type << 22 | instance).to_bytes(4, "big")


def context(tag: int, number: int) -> bytes:
    octets = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
    return bytes((tag << 4 | 8 | len(octets),)) + octets


def read_property(object_type: int, instance: int, prop: int, index: int | None = None, **more: int) -> bytes:
    body = b"\x0c" + object_id(object_type, instance) + context(1, prop)
    return confirmed(12, body + (b"" if index is None else context(2, index)), **more)


def read_multiple(*wanted: tuple[int, int, Sequence[int]], **more: int) -> bytes:
    body = b"".join(
        b"\x0c"
        + object_id(object_type, instance)
        + b"\x1e"
        + b"".join(context(0, prop) for prop in props)
        + b"\x1f"
        for object_type, instance, props in wanted
    )
    return confirmed(14, body, **more)


def write_property(
    object_type: int,
    instance: int,
    prop: int,
    value: bytes,
    priority: int | None = None,
    index: int | None = None,
) -> bytes:
    body = b"\x0c" + object_id(object_type, instance) + context(1, prop)
    body += b"" if index is None else context(2, index)
    body += b"\x3e" + value + b"\x3f"
    return confirmed(15, body + (b"" if priority is None else context(4, priority)))


def apdu_of(datagram: bytes) -> bytes:
    """The APDU of an answer, with or without a source in front of it."""
    return datagram[10:] if datagram[5] & 8 else datagram[6:]


def apdu_from(answers: list[bytes]) -> bytes:
    """The APDU of the only answer."""
    assert len(answers) == 1
    return apdu_of(answers[0])


def value_of(apdu: bytes) -> bytes:
    """The encoded value in a ReadProperty-ACK."""
    assert apdu[0] == 0x30, apdu.hex(" ")
    return apdu[apdu.index(b"\x3e", 8) + 1 : -1]
