"""Faults of the electrical installation, as events of the truth."""

from __future__ import annotations

from virtual_digiware.devices.faults.book import Fault
from virtual_digiware.profiles.installation import PHASES, Event

EVENT_EFFECTS = {"dip": "dip", "interruption": "interruption", "breaker_open": "open"}
"""Effects and the kind of event that each of them is."""


def event_of(fault: Fault) -> Event | None:
    """The event that a fault is; None for a fault of something else."""
    match EVENT_EFFECTS.get(fault.effect):
        case "dip":
            residual = float(fault.parameters["residual"])
            phases = tuple(phase for phase in PHASES if phase in fault.parameters.get("phases", PHASES))
            return Event(fault.start_ms, fault.end_ms, "dip", fault.target, residual, phases)
        case "interruption":
            return Event(fault.start_ms, fault.end_ms, "interruption", fault.target)
        case "open":
            return Event(fault.start_ms, fault.end_ms, "open", fault.target)
    return None
