"""An agent over the demo site, with writes that take effect at once, and a manager's messages."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from virtual_digiware.buses.interfaces import Unit
from virtual_digiware.buses.snmp.agent import SnmpAgent, engine_id
from virtual_digiware.buses.snmp.ber import Oid, integer, oid_content, read_tlv, tlv
from virtual_digiware.buses.snmp.mib import mib_path
from virtual_digiware.buses.snmp.settings import DELIVERED, SnmpSettings, User
from virtual_digiware.buses.snmp.usm import LocalUser
from virtual_digiware.devices.collection import GatewayCollection
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.records import Refusal
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import load_site

NOON_MS = 1_767_265_200_000
"""2026-01-01 11:00 UTC."""
CYCLE_MS = 275
MIBS = Path(__file__).parent / "mibs"

USERS = (
    User("open"),
    User("md5", "read", "MD5", "md5password"),
    User("sha", "write", "SHA1", "sha1password"),
    User("sha256", "read", "SHA256", "sha256password"),
    User("sha512", "read", "SHA512", "sha512password"),
    User("des", "read", "MD5", "md5password", "DES", "despassword"),
    User("aes", "write", "SHA1", "sha1password", "AES128", "aespassword"),
    User("aes256", "read", "SHA256", "sha256password", "AES256", "aes256password"),
    User("aes256short", "read", "SHA1", "sha1password", "AES256", "aes256password"),
)


@dataclass
class Handler:
    """Takes writes as a running site does, without a journal."""

    model: SiteModel
    writes: list[tuple[str, int, int, tuple[int, ...]]] = field(default_factory=list)
    refusal: Refusal | None = None

    def write(self, unit: Unit, function: int, address: int, values: Sequence[int]) -> Refusal | None:
        if self.refusal is not None:
            return self.refusal
        now_ms = self.model.snapshot.time_ms
        record = self.model.check_write(unit.path, function, address, values, now_ms)
        if isinstance(record, Refusal):
            return record
        self.model.apply(record)
        self.model.publish(self.model.compute(record.time_ms))
        self.writes.append((unit.path, function, address, tuple(values)))
        return None


@dataclass
class Bench:
    """One agent with everything around it."""

    model: SiteModel
    collection: GatewayCollection
    handler: Handler
    agent: SnmpAgent
    host: str = "127.0.0.1"
    port: int = 0

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


def bench(settings: SnmpSettings | None = None, *, boots: int = 3) -> Bench:
    """An agent that has not started to listen, one minute after noon."""
    model = Building(load_site("demo"), NOON_MS).model
    model.publish(model.compute(NOON_MS + 60_000))
    collection = GatewayCollection(model, "m70", CYCLE_MS)
    handler = Handler(model)
    agent = SnmpAgent(
        collection,
        settings or SnmpSettings(communities=DELIVERED, users=USERS, location="cabinet 1"),
        handler,
        identity=engine_id(4555, 1, "demo", "m70"),
        engine_boots=boots,
        started_ms=NOON_MS,
        monotonic_s=lambda: 1000.0,
    )
    return Bench(model, collection, handler, agent)


def environment() -> dict[str, str]:
    """Environment in which net-snmp's programs find the shipped MIB, and nothing of this machine's own."""
    places = os.pathsep.join((str(mib_path().parent), str(MIBS)))
    return {**os.environ, "MIBDIRS": places, "MIBS": mib_path().stem, "SNMPCONFPATH": os.devnull}


async def run(program: str, *arguments: str) -> tuple[int, str, str]:
    """Run one of net-snmp's programs; exit status, output and errors."""
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def varbinds(oids: Sequence[Oid], value: bytes = b"\x05\x00") -> bytes:
    return tlv(0x30, b"".join(tlv(0x30, tlv(0x06, oid_content(oid)) + value) for oid in oids))


def pdu(kind: int, oids: Sequence[Oid], request_id: int = 7, first: int = 0, second: int = 0) -> bytes:
    return tlv(kind, integer(request_id) + integer(first) + integer(second) + varbinds(oids))


def message(version: int, community: str, content: bytes) -> bytes:
    return tlv(0x30, integer(version) + tlv(0x04, community.encode()) + content)


async def ask(address: tuple[str, int], data: bytes) -> bytes:
    """Send one datagram and wait for the answer."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as manager:
        manager.setblocking(False)
        manager.connect(address)
        await loop.sock_sendall(manager, data)
        return await asyncio.wait_for(loop.sock_recv(manager, 65536), 5)


def v3_message(
    local: LocalUser,
    content: bytes,
    *,
    boots: int,
    time: int,
    message_id: int = 99,
    max_size: int = 65507,
    flags: int | None = None,
    context: bytes = b"",
    context_engine: bytes | None = None,
    salt: bytes = b"saltsalt",
) -> bytes:
    """A v3 request of a user, protected as the user's algorithms say."""
    level = {1: 4, 2: 5, 3: 7}[local.user.level] if flags is None else flags
    header = tlv(0x30, integer(message_id) + integer(max_size) + bytes((4, 1, level)) + integer(3))
    engine = local.engine_id if context_engine is None else context_engine
    scoped = tlv(0x30, tlv(0x04, engine) + tlv(0x04, context) + content)
    cipher, digest = local.cipher if level & 2 else None, local.digest if level & 1 else None
    private = b""
    if cipher is not None:
        private = salt
        scoped = tlv(0x04, cipher.encrypt(boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt, scoped))
    blank = b"" if digest is None else bytes(digest.size)
    front = tlv(0x04, local.engine_id) + integer(boots) + integer(time) + tlv(0x04, local.user.name.encode())

    def whole(authentication: bytes) -> bytes:
        fields = tlv(0x30, front + tlv(0x04, authentication) + tlv(0x04, private))
        return tlv(0x30, integer(3) + header + tlv(0x04, fields) + scoped)

    return whole(blank) if digest is None else whole(digest.of(whole(blank)))


@dataclass(frozen=True)
class V3Reply:
    """A v3 message taken apart; `scoped` in clear."""

    header: bytes
    boots: int
    time: int
    scoped: bytes


def read_v3(local: LocalUser, data: bytes) -> V3Reply:
    """Take a reply apart, checking its digest."""
    begin, _ = read_tlv(data, 0, 0x30)
    header, header_end = read_tlv(data, begin + 3, 0x30)
    security, rest = read_tlv(data, header_end, 0x04)
    at, _ = read_tlv(data, security, 0x30)
    _, at = read_tlv(data, at, 0x04)
    boots, at = read_tlv(data, at, 0x02)
    boots_number = int.from_bytes(data[boots:at], "big")
    time, at = read_tlv(data, at, 0x02)
    time_number = int.from_bytes(data[time:at], "big")
    _, at = read_tlv(data, at, 0x04)
    auth, auth_end = read_tlv(data, at, 0x04)
    salt, salt_end = read_tlv(data, auth_end, 0x04)
    digest = local.digest
    if digest is not None and auth_end > auth:
        assert data[auth:auth_end] == digest.of(data[:auth] + bytes(auth_end - auth) + data[auth_end:])
    scoped = data[rest:]
    if salt_end > salt and local.cipher is not None:
        encrypted, end = read_tlv(data, rest, 0x04)
        iv = boots_number.to_bytes(4, "big") + time_number.to_bytes(4, "big") + data[salt:salt_end]
        scoped = local.cipher.decrypt(iv, data[encrypted:end])
    return V3Reply(data[header:header_end], boots_number, time_number, scoped)


@dataclass
class BothPaths:
    """An agent whose two paths are asked side by side, without a socket."""

    own: Bench = field(default_factory=bench)
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        agent = self.own.agent
        agent.communities = DELIVERED
        agent.send = lambda message, peer: self.sent.append(message)  # type: ignore[method-assign]
        self.users = {user.name: LocalUser(user, agent.engine.id) for user in agent.settings.users}

    def full(self, data: bytes) -> bytes | None:
        """What pysnmp says."""
        self.sent.clear()
        self.own.agent.library.handle(data, ("127.0.0.1", 40000), 0.0)
        return self.sent[0] if self.sent else None

    def short(self, data: bytes) -> bytes | None:
        return self.own.agent.short_reply(data)
