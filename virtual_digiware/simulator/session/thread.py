"""A site that runs in a thread of its own, with its own event loop: whatever its user blocks, it answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from virtual_digiware.simulator.opening import TimeOptions, open_site
from virtual_digiware.simulator.running import Options, RunningSite

if TYPE_CHECKING:
    from virtual_digiware.simulator.listening import OpenPort
    from virtual_digiware.simulator.site_file import SiteFile

T = TypeVar("T")


class SiteStopped(RuntimeError):
    """The site does not run, or runs no more; its cause is what ended it, where it was not its user."""


class SiteThread:
    """One run of a site, from `start` to `stop`.

    Args:
        port_base: as `Options` has it; 0: free ports.
        journal: file of the journal; continued where it exists.
    """

    def __init__(self, file: SiteFile, time: TimeOptions, journal: Path, port_base: int | None = 0) -> None:
        self.ready: Future[dict[str, Any]] = Future()
        """The content of the ready file, from the moment everything accepts connections."""
        self.ended: Future[None] = Future()
        self.ports: tuple[OpenPort, ...] = ()
        self._file, self._time, self._journal, self._port_base = file, time, journal, port_base
        self._pending: set[Future[Any]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = threading.Lock()
        self._running: tuple[asyncio.AbstractEventLoop, RunningSite] | None = None
        self._failure: BaseException | None = None
        self._is_wanted = True
        self._has_been_ready = False
        self._thread = threading.Thread(target=self._run, name=f"site {file.site.site}", daemon=True)

    @property
    def site(self) -> RunningSite:
        """What runs; to be touched in its own thread only, by `call`.

        Raises:
            SiteStopped: nothing does.
        """
        running = self._running
        if running is None:
            raise SiteStopped("the site is not running") from self._failure
        return running[1]

    def start(self) -> None:
        for future in (self.ready, self.ended):
            future.set_running_or_notify_cancel()  # whoever waits may give up, and changes nothing by that
        self._thread.start()

    def call(self, work: Callable[[RunningSite], T | Awaitable[T]]) -> Future[T]:
        """Do something with the site in its own thread, between two answers to clients.

        Raises:
            SiteStopped: it does not run; in the future when it ends meanwhile.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._running is None:
                raise SiteStopped("the site is not running") from self._failure
            loop, site = self._running
            self._pending.add(future)
            loop.call_soon_threadsafe(self._begin, loop, site, work, future)
        return future

    def tell_to_stop(self) -> None:
        """Let the run end; `ended` tells when it has."""
        with self._lock:
            self._is_wanted = False
            if self._running is not None:
                loop, site = self._running
                loop.call_soon_threadsafe(site.stop)

    def stop(self) -> None:
        """End the run and wait until nothing of it is left.

        Raises:
            Exception: what has ended it already.
        """
        self.tell_to_stop()
        self._thread.join()
        if self._failure is not None and self._has_been_ready:
            raise SiteStopped("the site had failed before it was stopped") from self._failure

    def _begin(
        self,
        loop: asyncio.AbstractEventLoop,
        site: RunningSite,
        work: Callable[[RunningSite], T | Awaitable[T]],
        future: Future[T],
    ) -> None:
        task = loop.create_task(self._perform(site, work, future), name="call")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _perform(
        self, site: RunningSite, work: Callable[[RunningSite], T | Awaitable[T]], future: Future[T]
    ) -> None:
        if not future.set_running_or_notify_cancel():
            self._pending.discard(future)
            return  # nobody wants it any more
        try:
            result = work(site)
            future.set_result(await result if isinstance(result, Awaitable) else result)
        except Exception as error:
            future.set_exception(error)
        finally:
            self._pending.discard(future)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # whatever it is, the user is told at the next call
            self._failure = error
        with self._lock:
            self._running = None
            waiting = [self.ready, *self._pending]
        for future in waiting:
            with suppress(InvalidStateError):
                future.set_exception(self._failure or SiteStopped("the site was stopped"))
        self.ended.set_result(None)

    async def _serve(self) -> None:
        opened = open_site(self._file, self._time, self._journal)
        try:
            site = RunningSite(
                opened.building,
                opened.clock,
                opened.journal,
                Options(self._port_base, owns_process=False),
                self._announce,
            )
            with self._lock:
                self._running = asyncio.get_running_loop(), site
                if not self._is_wanted:
                    site.stop()
            await site.run()
        finally:
            opened.journal.close()

    def _announce(self, content: dict[str, Any], endpoints: Any) -> None:
        self.ports = tuple(endpoints.ports)
        self._has_been_ready = True
        self.ready.set_result(content)
