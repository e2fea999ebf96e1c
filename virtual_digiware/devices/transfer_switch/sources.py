"""When sources are inside the limits of a controller: from their events, and from how generating sets run."""

from __future__ import annotations

from collections.abc import Sequence

from virtual_digiware.profiles.installation import PHASES, Event, Source

LOST_BELOW, BACK_ABOVE = 0.85, 0.90
"""Voltage of the lowest phase, of nominal, at which a source is lost, and good again."""
FREQUENCY_WITHIN = 0.05
"""Deviation of frequency, of nominal, that is still good. These limits are the simulator's own: the manuals
that could be read give thresholds and hysteresis, but no defaults."""


def turns_of(source: Source, events: Sequence[Event]) -> list[tuple[int, bool]]:
    """Instants at which a source leaves its limits (false) or is back inside them, by its events alone."""
    own = [event for event in events if event.target == source.name and event.kind in _KINDS]
    edges = sorted({edge for one in own for edge in (one.start_ms, one.end_ms) if edge is not None})
    turns: list[tuple[int, bool]] = []
    is_good = True
    for edge in edges:
        active = [one for one in own if one.start_ms <= edge and (one.end_ms is None or edge < one.end_ms)]
        voltage = min((_voltage(one) for one in active), default=1.0)
        shift = sum(one.shift_hz for one in active if one.kind == "frequency") / source.frequency_hz
        least = LOST_BELOW if is_good else BACK_ABOVE
        now = voltage >= least and abs(shift) <= FREQUENCY_WITHIN
        if now != is_good:
            turns.append((edge, now))
            is_good = now
    return turns


def fails_to_start(source: str, events: Sequence[Event], t_ms: int) -> bool:
    """Whether a generating set that is told to start at `t_ms` does not."""
    return any(
        one.kind == "no_start"
        and one.target == source
        and one.start_ms <= t_ms
        and (one.end_ms is None or t_ms < one.end_ms)
        for one in events
    )


def _voltage(event: Event) -> float:
    if event.kind == "interruption":
        return 0.0
    if event.kind == "level":
        return min(event.factors)
    return event.residual if event.kind == "dip" and set(event.phases) & set(PHASES) else 1.0


_KINDS = ("interruption", "dip", "frequency", "level")
