"""A site for programs that wait: `with Site("demo") as site: ...`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from virtual_digiware.simulator.durations import Duration, Time
from virtual_digiware.simulator.session.control import SiteControl, clear
from virtual_digiware.simulator.session.values import Value

if TYPE_CHECKING:
    from virtual_digiware.devices.faults.book import Fault
    from virtual_digiware.devices.records import Record


@dataclass(frozen=True, slots=True)
class InjectedFaults:
    """Faults that `inject` has laid, one for each target; as a context manager they end with its block."""

    faults: tuple[Fault, ...]
    _site: Site

    def clear(self) -> None:
        """End them now; those that are over already stay so."""
        self._site._do(clear(self.faults)).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()


class Site(SiteControl):
    """A site in a thread of its own. All methods return when what they say has been done.

    For its arguments see `SiteControl`. Every method raises `SiteStopped` when the site does not run.
    """

    def start(self) -> Self:
        """Run, and return when everything accepts connections.

        Raises:
            JournalRefused, StartRefused, PortUnavailable, LineUnavailable, OSError: why it cannot run here.
        """
        ready = self._begin()
        try:
            ready.result()
        except BaseException:
            self._end()
            raise
        return self

    def stop(self) -> None:
        """End the run, and wait until its thread, sockets and links are gone. Twice does no harm.

        Raises:
            SiteStopped: the site had failed by itself; the cause says why.
        """
        self._end()

    def restart(self) -> None:
        """Stop and start again with the same journal on the same ports: counters go on, clients return."""
        before = self._running
        before.stop()
        self._begin_again(before).result()

    def advance(
        self, duration: Duration | None = None, *, to: Time | None = None, exact: bool | None = None
    ) -> datetime:
        """Let simulated time pass, by a duration ("15 min", timedelta) or to a time; returns the time then.

        Energies, demand, load curves, events and faults on the way are what they would have been. In a leap
        of more than two hours extremes and alarms look at means of 10 s, not at each refresh, unless `exact`.

        Raises:
            NotATime: neither a duration nor a time, or both.
            TimeRefused: a time in the past.
        """
        return self._advance(duration, to, exact).result()

    def pass_at(self, rate: float) -> None:
        """Let time pass by itself, in simulated seconds per second; 0 freezes it.

        Raises:
            TimeRefused: a rate below 0 or beyond a million.
        """
        self._pass_at(rate).result()

    def inject(
        self,
        kind: str,
        target: str,
        *,
        start: Time | None = None,
        duration: Duration | None = None,
        **parameters: Any,
    ) -> InjectedFaults:
        """Lay a fault on every target that a pattern matches; `vdigiware faults` lists kinds and parameters.

        Args:
            start: in simulated time; default now.
            duration: in simulated time; default until it is cleared.

        Raises:
            FaultRefused: no such kind, target or parameter; the message names what would be right.
        """
        return InjectedFaults(self._inject(kind, target, start, duration, parameters).result(), self)

    def truth(self, name: str, point: str, *, table: str | None = None) -> Value:
        """What a unit, or the module that measures a circuit, shows for a point now, before registers round.

        For arguments, unit and errors see `value_of`. A fault of wiring shows here as it does on the wire.
        """
        return self._truth(name, point, table).result()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Faults that hold now."""
        return self._do(lambda site: site.faults.active).result()

    @property
    def journal(self) -> tuple[Record, ...]:
        """All interventions so far, oldest first: writes of clients, faults, changes of time."""
        return self._journal().result()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
