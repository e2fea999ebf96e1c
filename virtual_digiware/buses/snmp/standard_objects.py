"""Objects that every SNMP agent has: system and snmp groups, and the statistics of the engine.

Source: RFC 3418 (system and snmp groups, those of MIB-II that are still current), RFC 3411 (snmpEngine),
RFC 3412 (snmpMPDStats), RFC 3414 (usmStats).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from virtual_digiware.buses.snmp.ber import COUNTER32, INTEGER, TIME_TICKS, Oid
from virtual_digiware.buses.snmp.counters import Counters
from virtual_digiware.buses.snmp.settings import MAX_MESSAGE_BYTES
from virtual_digiware.buses.snmp.tree import Column
from virtual_digiware.buses.snmp.values import identifier, number, octets, text

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
SNMP: Oid = (1, 3, 6, 1, 2, 1, 11)
ENGINE: Oid = (1, 3, 6, 1, 6, 3, 10, 2, 1)
MPD: Oid = (1, 3, 6, 1, 6, 3, 11, 2, 1)
USM: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)
SYS_UP_TIME: Oid = (*SYSTEM, 3)

_SERVICES = 72
"""Transport and application layers: 2^3 + 2^6. Source: RFC 3418, sysServices."""
_AUTHEN_TRAPS_DISABLED = 2
_SCALAR: tuple[Oid, ...] = ((0,),)

_LIBRARY_COUNTERS: dict[Oid, str] = {
    (*SNMP, 3): "snmpInBadVersions",
    (*SNMP, 4): "snmpInBadCommunityNames",
    (*SNMP, 5): "snmpInBadCommunityUses",
    (*SNMP, 6): "snmpInASNParseErrs",
    (*SNMP, 31): "snmpSilentDrops",
    (*SNMP, 32): "snmpProxyDrops",
    (*MPD, 1): "snmpUnknownSecurityModels",
    (*MPD, 2): "snmpInvalidMsgs",
    (*MPD, 3): "snmpUnknownPDUHandlers",
    (*USM, 1): "usmStatsUnsupportedSecLevels",
    (*USM, 2): "usmStatsNotInTimeWindows",
    (*USM, 3): "usmStatsUnknownUserNames",
    (*USM, 4): "usmStatsUnknownEngineIDs",
    (*USM, 5): "usmStatsWrongDigests",
    (*USM, 6): "usmStatsDecryptionErrors",
}


@dataclass(frozen=True, slots=True)
class Engine:
    """Identity and clock of an SNMP engine.

    `boots` grows with every start and must never shrink, or managers refuse what the agent says; `elapsed_s`
    is real time since this start: security is about the wire, where time is not simulated.
    """

    id: bytes
    boots: int
    elapsed_s: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Description:
    """How the agent introduces itself; `up_time` in hundredths of simulated seconds."""

    text: str
    object_id: Oid
    name: str
    contact: str
    location: str
    up_time: Callable[[], int]


def standard_columns(description: Description, engine: Engine, counters: Counters) -> Iterator[Column]:
    """Columns of all standard objects. Nothing of it can be set: the manual names no such thing."""

    def scalar(oid: Oid, read: Callable[[], bytes], is_volatile: bool = False) -> Column:
        return Column(oid, _SCALAR, lambda: (read(),), is_volatile)

    def constant(oid: Oid, value: bytes) -> Column:
        return Column(oid, _SCALAR, lambda: (value,))

    yield constant((*SYSTEM, 1), text(description.text))
    yield constant((*SYSTEM, 2), identifier(description.object_id))
    yield scalar(SYS_UP_TIME, lambda: number(description.up_time(), TIME_TICKS))
    yield constant((*SYSTEM, 4), text(description.contact))
    yield constant((*SYSTEM, 5), text(description.name))
    yield constant((*SYSTEM, 6), text(description.location))
    yield constant((*SYSTEM, 7), number(_SERVICES))
    yield scalar((*SNMP, 1), lambda: number(counters.in_packets, COUNTER32), is_volatile=True)
    yield constant((*SNMP, 30), number(_AUTHEN_TRAPS_DISABLED))
    for oid, name in _LIBRARY_COUNTERS.items():
        yield scalar(oid, _counter(counters, name), is_volatile=True)
    yield constant((*ENGINE, 1), octets(engine.id))
    yield constant((*ENGINE, 2), number(engine.boots, INTEGER))
    yield scalar((*ENGINE, 3), lambda: number(engine.elapsed_s()), is_volatile=True)
    yield constant((*ENGINE, 4), number(MAX_MESSAGE_BYTES))


def _counter(counters: Counters, name: str) -> Callable[[], bytes]:
    return lambda: number(counters.library(name), COUNTER32)
