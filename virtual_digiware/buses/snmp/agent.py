"""The SNMP agent of a gateway on its UDP port.

The socket is read from the loop until it is empty: asyncio's own datagram transport takes one datagram
per turn and allocates 256 KiB for it. Plain requests take the short path; everything else goes to pysnmp,
whose engine is made, in a thread, when the first such datagram arrives. Nothing that a peer sends raises;
all of it is counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from virtual_digiware.buses.interfaces import WriteHandler
from virtual_digiware.buses.interference import Strikes
from virtual_digiware.buses.snmp.alarms import AlarmList, AlarmNotice
from virtual_digiware.buses.snmp.counters import Counters
from virtual_digiware.buses.snmp.messages import ShortPath
from virtual_digiware.buses.snmp.objects import AgentObjects
from virtual_digiware.buses.snmp.requests import ShortAnswers
from virtual_digiware.buses.snmp.settings import DELIVERED, Community, SnmpSettings
from virtual_digiware.buses.snmp.standard_objects import Engine
from virtual_digiware.buses.snmp.traps import TrapSender
from virtual_digiware.buses.snmp.tree import OidTree
from virtual_digiware.buses.snmp.writes import Writes
from virtual_digiware.devices.collection import GatewayCollection
from virtual_digiware.devices.snmp_binding import snmp_binding

if TYPE_CHECKING:
    from virtual_digiware.buses.snmp.endpoint import Library

Address = tuple[str, int]

_DATAGRAM_BYTES = 4096
"""Longest datagram that is looked at; a longer one is cut by the system, and dropped."""
_DATAGRAMS_PER_TURN = 64
_MAX_WAITING = 256
"""Datagrams and notifications that wait for pysnmp's engine to be made, a tenth of a second and more."""
_LIBRARY_PER_TURN = 4
"""Datagrams for pysnmp in one turn of the loop; each takes it a millisecond."""


def engine_id(enterprise: int, seed: int, site: str, gateway: str) -> bytes:
    """An engine id that is always the same for one gateway of one site: RFC 3411, section 5, format 5
    (octets)."""
    digest = hashlib.blake2b(f"{seed}\0{site}\0{gateway}".encode(), digest_size=8).digest()
    return (0x80000000 | enterprise).to_bytes(4, "big") + b"\x05" + digest


class SnmpAgent:
    """Answers v1, v2c and v3 on one UDP port and sends the notifications of one gateway.

    Args:
        collection: What is shown.
        settings: Who may do what.
        handler: Takes the writes.
        identity: The engine id, as `engine_id` makes it.
        engine_boots: How often this agent was started, from 1; must grow with every start.
        started_ms: Simulated time of this start, from which sysUpTime counts.
        monotonic_s: Real time, for the time window of v3; None: that of the running loop.
    """

    def __init__(
        self,
        collection: GatewayCollection,
        settings: SnmpSettings,
        handler: WriteHandler,
        *,
        identity: bytes,
        engine_boots: int,
        started_ms: int,
        monotonic_s: Callable[[], float] | None = None,
    ) -> None:
        self.settings = settings
        self.counters = Counters()
        self.alarms = AlarmList()
        self.deafness: Strikes | None = None
        """Which datagrams are not heard; None while all are."""
        self._clock = monotonic_s
        self._began_s: float | None = None
        self.engine = Engine(identity, engine_boots, self._elapsed_s)
        binding = snmp_binding()
        self.objects = AgentObjects(
            collection, binding, self.alarms, settings, self.engine, self.counters, started_ms
        )
        self._writes = Writes(collection, binding, handler)
        self.communities: tuple[Community, ...] = ()
        self._tree: OidTree | None = None
        self._answers: ShortAnswers | None = None
        self._short: ShortPath | None = None
        self._library: Library | None = None
        self._making: asyncio.Task[None] | None = None
        self._waiting: list[Callable[[Library], None]] = []
        self._socket: socket.socket | None = None
        self.traps = TrapSender(self, binding.notifications, settings)

    async def start(self, host: str, port: int) -> Address:
        """Listen; port 0 lets the system choose.

        Returns:
            The address and port that managers talk to.

        Raises:
            OSError: The port is taken, or not permitted to this user.
        """
        address = ip_address(host)
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        own = socket.socket(family, socket.SOCK_DGRAM)
        try:
            own.setblocking(False)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # for traps to everybody
            own.bind((host, port))
        except OSError:
            own.close()
            raise
        loop = asyncio.get_running_loop()
        if self._clock is None:
            self._clock = loop.time
        self._began_s = self._clock()
        delivered = DELIVERED if address.is_loopback else ()
        self.communities = delivered if self.settings.communities is None else self.settings.communities
        self._socket = own
        loop.add_reader(own, self._read)
        bound: Address = own.getsockname()[:2]
        return bound

    async def close(self) -> None:
        """Stop listening and sending."""
        self.traps.close()
        self._waiting.clear()
        own, self._socket = self._socket, None
        if own is not None:
            asyncio.get_running_loop().remove_reader(own)
            own.close()
        if self._making is not None:
            await self._making

    def alarm(self, notice: AlarmNotice) -> None:
        """Show an alarm's change in the table and tell the destinations of traps."""
        self.alarms.note(notice)
        self.traps.alarm(notice)

    def recall(self, notice: AlarmNotice) -> None:
        """Show an alarm's change in the table; nobody is told, but what is active is repeated in its time."""
        self.alarms.note(notice)
        self.traps.recall(notice)

    @property
    def tree(self) -> OidTree:
        """All objects, made when first asked for."""
        if self._tree is None:
            self._tree = OidTree(self.objects)
        return self._tree

    @property
    def library(self) -> Library:
        """pysnmp's engine, made when first needed."""
        if self._library is None:
            self._library = self._new_library()
            self.counters.library = self._library.statistic
        return self._library

    def with_library(self, use: Callable[[Library], None]) -> None:
        """Let `use` have pysnmp's engine, now or as soon as it is made: in a thread, as it takes so long."""
        if self._library is not None:
            use(self._library)
        elif len(self._waiting) < _MAX_WAITING:
            self._waiting.append(use)
            if self._making is None:
                self._making = asyncio.create_task(self._make_library(), name="pysnmp's engine")
        else:
            self.counters.dropped += 1

    async def _make_library(self) -> None:
        try:
            library = await asyncio.to_thread(self._new_library)
        except Exception:
            self._waiting.clear()
            self._report_failure(b"")
            return
        finally:
            self._making = None
        self._library = library
        self.counters.library = library.statistic
        waiting, self._waiting = self._waiting, []
        for use in waiting:
            use(library)

    def _new_library(self) -> Library:
        from virtual_digiware.buses.snmp.endpoint import Library

        return Library(
            self.tree,
            self._writes,
            self.engine,
            self.communities,
            self.settings.users,
            self.settings.destinations,
            self.send,
        )

    @property
    def now_s(self) -> float:
        """Real time on the clock of the agent."""
        return 0.0 if self._clock is None else self._clock()

    def short_reply(self, message: bytes) -> bytes | None:
        """The reply of the short path, or None when pysnmp has to look."""
        if self._short is None or self._answers is None:
            self._answers = ShortAnswers(self.tree)
            self._short = ShortPath(self._answers, self.communities, self.settings.users, self.engine)
        self._answers.refresh()
        return self._short.reply(message)

    def full_reply(self, message: bytes, peer: Address) -> None:
        """Let pysnmp look at a message, and send what it says."""
        self.counters.full += 1

        def handle(library: Library) -> None:
            try:
                self.tree.refresh()
                library.handle(message, peer, self.now_s)
            except Exception:
                self._report_failure(message)

        self.with_library(handle)

    def send(self, message: bytes, peer: Address) -> None:
        """Send a datagram; one that the system does not take is dropped, as the network might have done."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(message, peer)
        except OSError:
            self.counters.dropped += 1
        else:
            self.counters.out_packets += 1

    def _elapsed_s(self) -> int:
        return 0 if self._began_s is None else int(self.now_s - self._began_s)

    def _read(self) -> None:
        """Take what has arrived, up to the work of one turn; the loop comes back when something is left."""
        own, counters = self._socket, self.counters
        if own is None:
            return
        receive, transmit, reply_to = own.recvfrom, own.sendto, self.short_reply
        left = _LIBRARY_PER_TURN
        for _ in range(_DATAGRAMS_PER_TURN):
            try:
                message, peer = receive(_DATAGRAM_BYTES)
            except OSError:  # nothing left, or an ICMP error about something sent before
                return
            if self.deafness is not None and self.deafness.strike():
                continue
            counters.in_packets += 1
            reply = reply_to(message)
            if reply is not None:
                counters.short += 1
                try:
                    transmit(reply, peer)
                except OSError:
                    counters.dropped += 1
                else:
                    counters.out_packets += 1
                continue
            if len(message) == _DATAGRAM_BYTES:
                counters.oversized += 1
                continue
            self.full_reply(message, peer)
            left -= 1
            if not left or self._socket is None:
                return

    def _report_failure(self, message: bytes) -> None:
        """Something raised, in pysnmp or in ours. The manager hears nothing, the log more."""
        import structlog  # costs as much as half the package to import, and a good day never needs it

        self.counters.failures += 1
        log = structlog.get_logger("virtual_digiware.buses.snmp")
        log.debug("a datagram could not be answered", datagram=message.hex(" "), exc_info=True)
