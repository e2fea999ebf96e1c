"""The one door to pysnmp: its engine decodes, authenticates, counts and reports whatever is not a plain read.

Handed the agent's tree, never a device; knows no socket. Import it late: it brings all of pysnmp, and an
engine takes a tenth of a second to make. What is ours in here are the answers: pysnmp's own responders
know no limit of size, and give a wrong error index.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pysnmp.carrier.asyncio.dgram.udp import SNMP_UDP_DOMAIN, UdpTransportAddress
from pysnmp.carrier.base import AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.cmdrsp import CommandResponderBase
from pysnmp.entity.rfc3413.context import SnmpContext
from pysnmp.entity.rfc3413.ntforg import NotificationOriginator
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.proto.acmod import void
from pysnmp.proto.api import v2c

from virtual_digiware.buses.snmp.ber import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
    Oid,
    oid_content,
    read_oid,
    read_tlv,
    tlv,
)
from virtual_digiware.buses.snmp.settings import (
    MAX_MESSAGE_BYTES,
    MAX_VARBIND_BYTES,
    Community,
    Destination,
    User,
)
from virtual_digiware.buses.snmp.standard_objects import Engine
from virtual_digiware.buses.snmp.tree import OidTree, Place
from virtual_digiware.buses.snmp.writes import Assignment, SetRefused, Status, Writes

Address = tuple[str, int]
Send = Callable[[bytes, Address], None]
Rights = Mapping[tuple[int, str], bool]
"""Whether a security model (1 v1, 2 v2c, 3 USM) and security name may write; absent: nothing at all."""

_END_OF_MIB_VIEW_BYTES = 2
_INFORM_TIMEOUT_CS, _INFORM_RETRIES = 150, 2
_HEADER_BYTES = 72
_MODULES: Mapping[str, str] = {"snmp": "__SNMPv2-MIB", "usm": "__SNMP-USER-BASED-SM-MIB"}
_MPD = ("snmpUnknownSecurityModels", "snmpInvalidMsgs", "snmpUnknownPDUHandlers")
_AUTH = {
    "MD5": config.USM_AUTH_HMAC96_MD5,
    "SHA1": config.USM_AUTH_HMAC96_SHA,
    "SHA224": config.USM_AUTH_HMAC128_SHA224,
    "SHA256": config.USM_AUTH_HMAC192_SHA256,
    "SHA384": config.USM_AUTH_HMAC256_SHA384,
    "SHA512": config.USM_AUTH_HMAC384_SHA512,
    None: config.USM_AUTH_NONE,
}
_PRIV = {
    "DES": config.USM_PRIV_CBC56_DES,
    "AES128": config.USM_PRIV_CFB128_AES,
    "AES256": config.USM_PRIV_CFB256_AES,
    None: config.USM_PRIV_NONE,
}
_NUMBERS = {
    INTEGER: rfc1902.Integer32,
    COUNTER32: rfc1902.Counter32,
    GAUGE32: rfc1902.Gauge32,
    TIME_TICKS: rfc1902.TimeTicks,
    COUNTER64: rfc1902.Counter64,
}
_LEVELS = {1: "noAuthNoPriv", 2: "authNoPriv", 3: "authPriv"}
_MODELS = {"v1": 0, "v2c": 1, "v3": 3}

# Peers' mistakes are counted and answered; no line for each of them.
logging.getLogger("pysnmp").setLevel(logging.CRITICAL)


class Heard(Protocol):
    """Is told how an inform went."""

    def __call__(self, is_answered: bool) -> None: ...


class Library:
    """pysnmp's engine for one agent.

    Args:
        tree: What is read.
        writes: What is written.
        engine: Identity and clock, those of the short path.
        communities: Who may use v1 and v2c.
        users: Who may use v3.
        destinations: Where notifications go.
        send: Takes datagrams.
    """

    def __init__(
        self,
        tree: OidTree,
        writes: Writes,
        engine: Engine,
        communities: Sequence[Community],
        users: Sequence[User],
        destinations: Sequence[Destination],
        send: Send,
    ) -> None:
        self._send = send
        self._engine = _configured(engine)
        self._dispatcher = _Dispatcher(send)
        self._engine.register_transport_dispatcher(self._dispatcher)
        rights = self._admit(communities, users)
        self._responder = _Responder(self._engine, tree, writes, rights)
        self._originator = NotificationOriginator()
        self._users = {user.name: user for user in users}
        for number, destination in enumerate(destinations):
            self._add_destination(number, destination)

    def handle(self, message: bytes, peer: Address, now_s: float) -> None:
        """Take one datagram; whatever is to be said about it is sent before this returns.

        Raises:
            Exception: pysnmp stumbled over the datagram.
        """
        self._dispatcher.handle_timer_tick(now_s)
        self._engine.message_dispatcher.receive_message(self._engine, SNMP_UDP_DOMAIN, peer, message)

    def statistic(self, name: str) -> int:
        """A counter of the engine by its name in the MIBs."""
        module = "__SNMP-MPD-MIB" if name in _MPD else _MODULES["usm" if name.startswith("usm") else "snmp"]
        (instance,) = self._engine.get_mib_builder().import_symbols(module, name)
        return int(instance.syntax)

    def notify(self, number: int, bindings: Sequence[tuple[Oid, bytes]], heard: Heard | None) -> None:
        """Send a notification to one destination; `bindings` begin with sysUpTime.0 and snmpTrapOID.0.

        `heard` is called once with what became of an inform, from `handle` or `tick`.
        """

        def answered(engine: Any, handle: Any, indication: Any, *rest: Any) -> None:
            if heard is not None:
                heard(indication is None)

        variables = [(rfc1902.ObjectIdentifier(oid), _value(encoded)) for oid, encoded in bindings]
        self._originator.send_varbinds(
            self._engine, _notify_name(number), None, "", variables, None if heard is None else answered
        )

    def tick(self, now_s: float) -> None:
        """Let time pass for informs that wait to be answered; at least every 0.1 s while there are some."""
        self._dispatcher.handle_timer_tick(now_s)

    def _admit(self, communities: Sequence[Community], users: Sequence[User]) -> Rights:
        rights: dict[tuple[int, str], bool] = {}
        for name in dict.fromkeys(one.name for one in communities):
            config.add_v1_system(self._engine, name, name)
        for one in communities:
            rights[1 if one.version == "v1" else 2, one.name] = one.access == "write"
        for user in users:
            config.add_v3_user(
                self._engine,
                user.name,
                _AUTH[user.auth],
                user.auth_password or None,
                _PRIV[user.priv],
                user.priv_password or None,
            )
            rights[3, user.name] = user.access == "write"
        return rights

    def _add_destination(self, number: int, destination: Destination) -> None:
        engine, name = self._engine, destination.name
        params, tag = f"params{number}", f"tag{number}"
        level = 1
        if destination.version == "v3":
            level = self._users[name].level
        else:
            # Tied to the destination's address: from elsewhere this community opens nothing.
            config.add_v1_system(engine, params, name, transportTag=tag)
            name = params
        config.add_target_parameters(engine, params, name, _LEVELS[level], _MODELS[destination.version])
        config.add_target_address(
            *(engine, f"address{number}", SNMP_UDP_DOMAIN, (destination.host, destination.port), params),
            *(_INFORM_TIMEOUT_CS, _INFORM_RETRIES, tag),
        )
        kind = "inform" if destination.is_inform else "trap"
        config.add_notification_target(engine, _notify_name(number), params, tag, kind)


def _notify_name(number: int) -> str:
    return f"notify{number}"


def _configured(engine: Engine) -> SnmpEngine:
    """An engine with our identity and clock. Its own way of remembering boots, a file in /tmp, is left
    alone."""
    made = SnmpEngine(maxMessageSize=MAX_MESSAGE_BYTES)
    own_id, boots, time = made.get_mib_builder().import_symbols(
        "__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots", "snmpEngineTime"
    )
    own_id.syntax = own_id.syntax.clone(engine.id)
    made.snmpEngineID = own_id.syntax
    boots.syntax = boots.syntax.clone(engine.boots)
    time.syntax = _EngineTime(engine)
    # Who may read and write is decided by the responder, from the settings alone.
    made.access_control_model[CommandResponderBase.ACM_ID] = void.Vacm()
    return made


class _EngineTime:
    """Stands where pysnmp keeps its start time, which it reads by cloning, and tells our time instead."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def clone(self) -> rfc1902.Integer32:
        return rfc1902.Integer32(self._engine.elapsed_s())


class _Transport:
    """What pysnmp asks of a transport: how addresses are written."""

    ADDRESS_TYPE = UdpTransportAddress


class _Dispatcher(AbstractTransportDispatcher):  # type: ignore[misc]
    """What pysnmp takes for the transport: hands datagrams on."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._hand_on = send

    def get_transport(self, transportDomain: Any) -> _Transport:
        return _Transport()

    def send_message(self, outgoingMessage: bytes, transportDomain: Any, transportAddress: Any) -> None:
        host, port = transportAddress[:2]
        self._hand_on(bytes(outgoingMessage), (str(host), int(port)))


class _Responder(CommandResponderBase):  # type: ignore[misc]
    """Answers GET, GETNEXT, GETBULK and SET from the tree, as the short path would."""

    SUPPORTED_PDU_TYPES = (
        rfc1905.GetRequestPDU.tagSet,
        rfc1905.GetNextRequestPDU.tagSet,
        rfc1905.GetBulkRequestPDU.tagSet,
        rfc1905.SetRequestPDU.tagSet,
    )

    def __init__(self, engine: SnmpEngine, tree: OidTree, writes: Writes, rights: Rights) -> None:
        super().__init__(engine, SnmpContext(engine))
        self._tree = tree
        self._writes = writes
        self._rights = rights
        self._is_v1 = False
        self._may_write = False
        self._budget = MAX_VARBIND_BYTES

    def process_pdu(  # type: ignore[no-untyped-def]
        self, snmpEngine, messageProcessingModel, securityModel, securityName, *rest
    ) -> None:
        may_write = self._rights.get((int(securityModel), str(securityName)))
        if may_write is None:  # a community of another version, or one for traps: as if it did not exist
            _counted(snmpEngine, "__SNMPv2-MIB", "snmpInBadCommunityNames")
            return
        level, context_engine, context, version, request, max_size, state = rest
        if bytes(context):
            unknown = _counted(snmpEngine, "__SNMP-TARGET-MIB", "snmpUnknownContexts")
            # Not by the base class, which reports on the response that it had begun, and is silenced for it.
            snmpEngine.message_dispatcher.return_response_pdu(
                *(snmpEngine, messageProcessingModel, securityModel, securityName, level),
                *(context_engine, context, version, request, max_size, state),
                {"oid": unknown.name, "val": unknown.syntax, "securityLevel": level},
            )
            return
        self._may_write = may_write
        self._is_v1 = messageProcessingModel == 0
        self._budget = MAX_VARBIND_BYTES
        if messageProcessingModel == 3:
            self._budget = min(int(max_size) - _HEADER_BYTES, MAX_VARBIND_BYTES)
        super().process_pdu(snmpEngine, messageProcessingModel, securityModel, securityName, *rest)

    def handle_management_operation(  # type: ignore[no-untyped-def]
        self, snmpEngine, stateReference, contextName, PDU, acCtx=None
    ) -> None:
        asked = v2c.apiPDU.get_varbinds(PDU)
        kind = PDU.tagSet
        status, index = Status.NO_ERROR, 0
        if kind == rfc1905.SetRequestPDU.tagSet:
            status, index = self._set(asked)
            answer = asked
        elif kind == rfc1905.GetBulkRequestPDU.tagSet:
            once, repetitions = (
                int(read(PDU))
                for read in (v2c.apiBulkPDU.get_non_repeaters, v2c.apiBulkPDU.get_max_repetitions)
            )
            answer = self._bulk([tuple(name) for name, _ in asked], once, repetitions)
        else:
            is_next = kind == rfc1905.GetNextRequestPDU.tagSet
            read = self._next if is_next else self._get
            answer = []
            size = 0
            for name, _ in asked:
                binding, length = read(tuple(name))
                answer.append(binding)
                size += length
            if size > self._budget:
                status, answer = Status.TOO_BIG, []
        self.send_varbinds(snmpEngine, stateReference, int(status), index, answer)

    def _get(self, oid: Oid) -> tuple[tuple[Any, Any], int]:
        place = self._tree.place_of(oid)
        if place is not None:
            return self._binding(place)
        missing = rfc1905.noSuchInstance if self._tree.has_object(oid) else rfc1905.noSuchObject
        return self._exception(oid, missing)

    def _next(self, oid: Oid) -> tuple[tuple[Any, Any], int]:
        place = self._tree.after(oid)
        while place is not None:
            binding, size = self._binding(place)
            # RFC 3584, section 4.2.2.1: a v1 manager never sees a Counter64.
            if not (self._is_v1 and isinstance(binding[1], rfc1902.Counter64)):
                return binding, size
            place = self._tree.next(place)
        return self._exception(oid, rfc1905.endOfMibView)

    def _bulk(self, oids: list[Oid], once: int, repetitions: int) -> list[tuple[Any, Any]]:
        """As far as there is room; a row of nothing but ends is the last. Source: RFC 3416, section 4.2.3."""
        answer: list[tuple[Any, Any]] = []
        left = self._budget
        for oid in oids[:once]:
            binding, size = self._next(oid)
            left -= size
            if left < 0:
                return answer
            answer.append(binding)
        repeated = oids[once:]
        for _ in range(repetitions if repeated else 0):
            row: list[tuple[Any, Any]] = []
            for oid in repeated:
                binding, size = self._next(oid)
                left -= size
                if left < 0:
                    return answer + row
                row.append(binding)
            answer += row
            if all(value.isSameTypeWith(rfc1905.endOfMibView) for _, value in row):
                break
            repeated = [tuple(name) for name, _ in row]
        return answer

    def _set(self, asked: Sequence[tuple[Any, Any]]) -> tuple[Status, int]:
        if not self._may_write:
            return Status.NO_ACCESS, 1
        try:
            self._writes.set([_assignment(tuple(name), value) for name, value in asked])
        except SetRefused as refused:
            return refused.status, refused.index + 1
        return Status.NO_ERROR, 0

    def _binding(self, place: Place) -> tuple[tuple[Any, Any], int]:
        tree = self._tree
        name = rfc1902.ObjectIdentifier(tree.oid(place))
        return (name, _value(tree.value(place))), len(tree.cell(place))

    @staticmethod
    def _exception(oid: Oid, value: Any) -> tuple[tuple[Any, Any], int]:
        size = len(tlv(OBJECT_IDENTIFIER, oid_content(oid))) + _END_OF_MIB_VIEW_BYTES
        return (rfc1902.ObjectIdentifier(oid), value), len(tlv(0x30, bytes(size)))


def _counted(engine: SnmpEngine, module: str, name: str) -> Any:
    """A statistic of the engine, one more than before."""
    (instance,) = engine.get_mib_builder().import_symbols(module, name)
    instance.syntax += 1
    return instance


def _assignment(oid: Oid, value: Any) -> Assignment:
    for tag, kind in _NUMBERS.items():
        if value.tagSet == kind.tagSet:
            return Assignment(oid, tag, int(value))
    return Assignment(oid, OCTET_STRING, None)


def _value(encoded: bytes) -> Any:
    """pysnmp's object for an encoded value of ours."""
    tag = encoded[0]
    begin, end = read_tlv(encoded, 0, tag)
    content = encoded[begin:end]
    if tag == OBJECT_IDENTIFIER:
        return rfc1902.ObjectIdentifier(read_oid(content))
    if tag == OCTET_STRING:
        return rfc1902.OctetString(content)
    return _NUMBERS[tag](int.from_bytes(content, "big", signed=True))
