"""A site for programs with an event loop: `async with AsyncSite("demo") as site: ...`."""

from __future__ import annotations

import asyncio
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
class AsyncInjectedFaults:
    """As `InjectedFaults`: `async with await site.inject(...)` ends them with its block."""

    faults: tuple[Fault, ...]
    _site: AsyncSite

    async def clear(self) -> None:
        """End them now; those that are over already stay so."""
        await asyncio.wrap_future(self._site._do(clear(self.faults)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.clear()


class AsyncSite(SiteControl):
    """As `Site`, with methods to be awaited. The site has a thread of its own all the same: it answers
    while the program's loop is busy.
    """

    async def start(self) -> Self:
        """See `Site.start`."""
        ready = self._begin()
        try:
            await asyncio.wrap_future(ready)
        except BaseException:
            await self.stop()
            raise
        return self

    async def stop(self) -> None:
        """See `Site.stop`."""
        if self._thread is not None:
            self._thread.tell_to_stop()
            await asyncio.wrap_future(self._thread.ended)
        self._end()

    async def restart(self) -> None:
        """See `Site.restart`."""
        before = self._running
        before.tell_to_stop()
        await asyncio.wrap_future(before.ended)
        before.stop()
        await asyncio.wrap_future(self._begin_again(before))

    async def advance(
        self, duration: Duration | None = None, *, to: Time | None = None, exact: bool | None = None
    ) -> datetime:
        """See `Site.advance`."""
        return await asyncio.wrap_future(self._advance(duration, to, exact))

    async def pass_at(self, rate: float) -> None:
        """See `Site.pass_at`."""
        await asyncio.wrap_future(self._pass_at(rate))

    async def inject(
        self,
        kind: str,
        target: str,
        *,
        start: Time | None = None,
        duration: Duration | None = None,
        **parameters: Any,
    ) -> AsyncInjectedFaults:
        """See `Site.inject`."""
        faults = await asyncio.wrap_future(self._inject(kind, target, start, duration, parameters))
        return AsyncInjectedFaults(faults, self)

    async def truth(self, name: str, point: str, *, table: str | None = None) -> Value:
        """See `Site.truth`."""
        return await asyncio.wrap_future(self._truth(name, point, table))

    async def faults(self) -> tuple[Fault, ...]:
        """Faults that hold now."""
        return await asyncio.wrap_future(self._do(lambda site: site.faults.active))

    async def journal(self) -> tuple[Record, ...]:
        """All interventions so far, oldest first."""
        return await asyncio.wrap_future(self._journal())

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
