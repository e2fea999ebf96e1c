"""Faults of the electrical installation, as events of the truth."""

from __future__ import annotations

from virtual_digiware.devices.faults.book import Fault
from virtual_digiware.profiles.installation import PHASES, Event

EVENT_EFFECTS = {
    "dip": "dip",
    "interruption": "interruption",
    "breaker_open": "open",
    "frequency": "frequency",
    "no_start": "no_start",
}
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
        case "frequency":
            shift_hz = float(fault.parameters["shift_hz"])
            return Event(fault.start_ms, fault.end_ms, "frequency", fault.target, shift_hz=shift_hz)
        case "no_start":
            return Event(fault.start_ms, fault.end_ms, "no_start", fault.target)
    return None
