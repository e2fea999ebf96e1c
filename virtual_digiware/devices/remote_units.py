"""Units beyond a gateway's own bus, as it has collected them: polled in cycles of simulated time.

A unit is shown with the values of its latest poll. Cycles are aligned to the epoch, and so are the polls of a
unit that is lost, which come less often; so what is shown depends on nothing but time and on who answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from virtual_digiware.devices.snapshot import Snapshot
from virtual_digiware.devices.unit import Unit

SLOW_CYCLES = 10
"""A lost unit is polled in every so-manieth cycle, lest its time-outs slow down the others: a choice."""


class Poller(Protocol):
    """Whoever asks units for their values."""

    @property
    def units(self) -> Sequence[Unit]:
        """All that are asked, in the order of polling."""

    @property
    def cycle_ms(self) -> int:
        """Simulated time in which each of them is polled once."""

    @property
    def lost_after(self) -> int:
        """Polls without answer from which on a unit counts as lost."""

    def answers(self, unit: Unit, t_ms: int) -> bool | None:
        """Whether a unit answers now, or did in the cycle that runs; None while that is not known yet."""


@dataclass(slots=True)
class _Polled:
    """The snapshot of the latest poll that was answered; since when nobody answers, and answers again."""

    snapshot: Snapshot | None = None
    silent_since_ms: int | None = None
    back_ms: int | None = None


class RemoteUnits:
    """What one poller has collected."""

    def __init__(self, poller: Poller) -> None:
        self.poller = poller
        self._polled = {unit.path: _Polled() for unit in poller.units}
        self._place = {unit.path: place for place, unit in enumerate(poller.units)}

    def __contains__(self, unit: Unit) -> bool:
        return unit.path in self._polled

    @property
    def units(self) -> Sequence[Unit]:
        return self.poller.units

    def snapshot_of(self, unit: Unit) -> Snapshot | None:
        """The published state that a unit is shown in; None before its first answer."""
        return self._polled[unit.path].snapshot

    def is_lost(self, unit: Unit, t_ms: int) -> bool:
        """Whether a unit was silent in as many polls as it takes to give up on it."""
        polled = self._polled[unit.path]
        return polled.silent_since_ms is not None and t_ms >= self._given_up_ms(polled.silent_since_ms)

    def last_poll_ms(self, unit: Unit, t_ms: int, *, is_lost: bool) -> int:
        """The latest poll of a unit at `t_ms`."""
        cycle = t_ms // self.poller.cycle_ms
        if is_lost:
            cycle -= (cycle - self._place[unit.path]) % SLOW_CYCLES
        return cycle * self.poller.cycle_ms

    def collect(self, snapshot: Snapshot) -> None:
        """Take over a published snapshot for every unit that was polled since, and note who is silent."""
        for unit in self.poller.units:
            self._collect(unit, self._polled[unit.path], snapshot)

    def _collect(self, unit: Unit, polled: _Polled, snapshot: Snapshot) -> None:
        t_ms = snapshot.time_ms
        answers = self.poller.answers(unit, t_ms)
        if answers is None:
            return
        if not answers:
            polled.back_ms = None
            if polled.silent_since_ms is None:
                polled.silent_since_ms = t_ms
            return
        if polled.silent_since_ms is not None:
            if polled.back_ms is None:
                polled.back_ms = t_ms
            was_lost = polled.back_ms >= self._given_up_ms(polled.silent_since_ms)
            # A unit that nobody has given up on, or ever heard, is noticed at the next poll of all.
            if self.last_poll_ms(unit, t_ms, is_lost=was_lost) < polled.back_ms:
                return
            polled.silent_since_ms = polled.back_ms = None
        shown = polled.snapshot
        if shown is None or shown.time_ms < self.last_poll_ms(unit, t_ms, is_lost=False):
            polled.snapshot = snapshot

    def _given_up_ms(self, silent_since_ms: int) -> int:
        """The poll that makes a unit lost; the first of the failing ones comes with the next cycle."""
        cycle_ms = self.poller.cycle_ms
        return (silent_since_ms // cycle_ms + self.poller.lost_after) * cycle_ms
