"""Interventions: the records that, with site file and seed, determine everything a client can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """One intervention at one simulated time.

    kinds: `commissioned` (first record of a site), `write` (an accepted Modbus write: target is the
    unit's path, data {"address": int, "values": [int]}), `presence` (a module appears or vanishes:
    data {"present": bool}), `event` (an electrical event, data as `profiles.installation.Event`),
    `survey` (a leap of time until data {"until_ms": int}, in which extremes and alarms look at base steps),
    `clock` (the simulator's own business; devices ignore it).
    """

    time_ms: int
    kind: str
    target: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that a device does not accept: the Modbus exception code and the reason in words."""

    exception_code: int
    reason: str
