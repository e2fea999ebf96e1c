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
    "swell": "level",
    "unbalance": "level",
    "load_factor": "load",
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
        case "level":
            factors = _factors(fault)
            return Event(fault.start_ms, fault.end_ms, "level", fault.target, factors=factors)
        case "load":
            factor = float(fault.parameters["factor"])
            return Event(fault.start_ms, fault.end_ms, "load", fault.target, factor=factor)
        case "no_start":
            return Event(fault.start_ms, fault.end_ms, "no_start", fault.target)
    return None


def _factors(fault: Fault) -> tuple[float, float, float]:
    """By which the open-circuit voltage of each phase is multiplied.

    An unbalance of u is made of (1 + 2 u, 1 - u, 1 - u): the mean stays, and the negative sequence is u of
    the positive one, as (f1 + a f2 + a^2 f3) / 3 gives; the zero sequence is as much.
    """
    if fault.effect == "unbalance":
        share = float(fault.parameters["percent"]) / 100
        return 1 + 2 * share, 1 - share, 1 - share
    first, second, third = (
        float(fault.parameters["level"]) if phase in fault.parameters["phases"] else 1.0 for phase in PHASES
    )
    return first, second, third
