"""What an agent has seen: datagrams by what became of them, and the statistics that SNMP itself defines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _none_yet(name: str) -> int:
    return 0


@dataclass(slots=True)
class Counters:
    """Counts since the agent was started; every one only grows.

    `short` are requests answered from pre-encoded objects, `full` those left to pysnmp; `dropped` are answers
    that the socket did not take, `oversized` datagrams longer than the agent reads, `failures` mistakes
    of ours.
    """

    in_packets: int = 0
    out_packets: int = 0
    short: int = 0
    full: int = 0
    dropped: int = 0
    oversized: int = 0
    failures: int = 0
    traps: int = 0
    informs: int = 0
    informs_unanswered: int = 0
    library: Callable[[str], int] = _none_yet
    """Statistics kept by pysnmp's engine, by their name in the MIBs; 0 while it was not needed."""
