"""Changing how time passes while a site runs: frozen, stepped, at another rate, or in one leap.

Every change is a record of the journal. Clients stay connected, and whatever concerns their wire (time-outs,
frame gaps, baud rates) stays in real time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from virtual_digiware.devices.records import Record
from virtual_digiware.simulator.clock import Anchor, wall_ms
from virtual_digiware.simulator.instants import format_instant
from virtual_digiware.simulator.opening import clock_record

if TYPE_CHECKING:
    from virtual_digiware.devices.model import SiteModel
    from virtual_digiware.simulator.clock import Clock
    from virtual_digiware.simulator.journal import Journal
    from virtual_digiware.simulator.refreshing import Refresher

EXACT_UP_TO_MS = 2 * 3_600_000
"""A longer leap looks at the means of base steps (10 s) for extremes and alarms, unless told to be exact."""

HIGHEST_RATE = 1_000_000.0


class TimeRefused(ValueError):
    """A change of time that a site cannot make; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class TimeStatus:
    """How time passes now: simulated time that clients see, and simulated seconds per second (0: frozen)."""

    time_ms: int
    rate: float

    def as_data(self) -> dict[str, object]:
        return {"time": format_instant(self.time_ms), "rate": self.rate, "frozen": self.rate == 0}


class TimeControl:
    """The clock of a running site in the hands of its user.

    Args:
        now_ms: simulated time for the next record; never before what clients have seen.
    """

    def __init__(
        self,
        clock: Clock,
        refresher: Refresher,
        model: SiteModel,
        journal: Journal,
        now_ms: Callable[[], int],
    ) -> None:
        self._clock, self._refresher = clock, refresher
        self._model, self._journal = model, journal
        self._now_ms = now_ms

    @property
    def status(self) -> TimeStatus:
        return TimeStatus(self._now_ms(), self._clock.anchor.rate)

    async def freeze(self) -> TimeStatus:
        """Stop time where it is."""
        return await self.pass_at(0.0)

    async def pass_at(self, rate: float) -> TimeStatus:
        """Let time pass at a rate, in simulated seconds per second; 0 freezes it.

        Raises:
            TimeRefused: a rate below 0 or beyond a million.
            OSError: the journal does not take the change; nothing has changed.
        """
        if not 0 <= rate <= HIGHEST_RATE:
            raise TimeRefused(f"a rate of {rate:g}; right would be 0 (frozen) to {HIGHEST_RATE:g}")
        await self._go_on(self._now_ms(), rate)
        return self.status

    async def step(self, duration_ms: int, exact: bool | None = None) -> TimeStatus:
        """Move time forward by a duration; see `jump`."""
        return await self.jump(self._now_ms() + duration_ms, exact)

    async def jump(self, t_ms: int, exact: bool | None = None) -> TimeStatus:
        """Move time forward and show the site as it is then, with all that happened on the way.

        Energies, demand, load curves and events are those of every base step on the way. Extremes and alarms
        look at every refresh in a leap of up to two hours, at the means of base steps in a longer one;
        `exact` decides otherwise.

        Raises:
            TimeRefused: a time that lies in the past.
            OSError: the journal does not take the change; nothing has changed.
        """
        now_ms = self._now_ms()
        if t_ms < now_ms:
            now = format_instant(now_ms)
            raise TimeRefused(f"{format_instant(t_ms)} is in the past; it is {now}, and time goes forward")
        if not (t_ms - now_ms <= EXACT_UP_TO_MS if exact is None else exact):
            survey = Record(now_ms, "survey", "", {"until_ms": t_ms})
            self._journal.append(survey)
            self._model.apply(survey)
        await self._go_on(t_ms, self._clock.anchor.rate)
        return self.status

    async def _go_on(self, t_ms: int, rate: float) -> None:
        """Keep the change first: what the journal does not take has not happened."""
        self._journal.append(clock_record(Anchor(t_ms, wall_ms(), rate)))
        self._clock.go_on(t_ms, rate)
        self._refresher.wake()
        await self._refresher.advance(max(t_ms, self._refresher.computed_ms))
