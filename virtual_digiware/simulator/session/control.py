"""A site in the hands of a program: its start and restart, and everything that is asked of its thread."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, TypeVar

from virtual_digiware.simulator.durations import Duration, NotATime, Time, duration_ms, instant_ms, moment
from virtual_digiware.simulator.opening import TimeOptions
from virtual_digiware.simulator.session.places import BacnetEndpoint, Endpoint, LineEnd, Places, UnknownName
from virtual_digiware.simulator.session.temporary import read_site, with_own_lines, with_same_ports
from virtual_digiware.simulator.session.thread import SiteStopped, SiteThread
from virtual_digiware.simulator.session.values import Value, value_of

if TYPE_CHECKING:
    from virtual_digiware.devices.faults.book import Fault
    from virtual_digiware.devices.records import Record
    from virtual_digiware.simulator.clock import Mode
    from virtual_digiware.simulator.running import RunningSite
    from virtual_digiware.simulator.site_models import Site as SiteDescription

T = TypeVar("T")

DEFAULT_AT = "2026-03-02T10:00:00Z"
"""Where time stands when nobody says otherwise: a Monday morning in spring, at work, in winter time."""


class SiteControl:
    """A site, not running at first, and what its two faces (`Site`, `AsyncSite`) have in common.

    Args:
        site: path of a site file, name of a shipped site, or the text of a site file.
        at: simulated time of the start; default 2026-03-02T10:00:00Z, or the commissioning if that is later.
        clock: `manual` stands until somebody advances it, `real` passes by itself, at `rate`.
        seed: replaces the seed of the site.
        folder: for the journal and the links to lines; default one of its own, gone when the site stops.

    Raises:
        FileFaults: all mistakes of the site file.
        NotATime: `at` is none.
    """

    def __init__(
        self,
        site: str | Path = "demo",
        *,
        at: Time | None = None,
        clock: Mode = "manual",
        rate: float = 1.0,
        seed: int | None = None,
        folder: Path | None = None,
    ) -> None:
        self._file = read_site(site, seed)
        commissioned_ms = self._file.site.commissioned
        begin_ms = instant_ms(DEFAULT_AT if at is None else at)
        if at is None and commissioned_ms is not None:
            begin_ms = max(begin_ms, commissioned_ms)
        self._time = TimeOptions(clock, rate, begin_ms)
        self._wanted_folder = folder
        self._folder: Path | None = None
        self._thread: SiteThread | None = None
        self._places: Places | None = None

    @property
    def description(self) -> SiteDescription:
        """The site as its file describes it."""
        return self._file.site

    @property
    def ready(self) -> Mapping[str, Any]:
        """The content of the ready file: what is reached where."""
        return self._running.ready.result()

    @property
    def journal_file(self) -> Path:
        """Where the journal is kept while the site runs."""
        if self._folder is None:
            raise SiteStopped("the site is not running")
        return self._folder / "journal"

    @property
    def now(self) -> datetime:
        """Simulated time, in UTC."""
        return moment(self._running.site.now_ms())

    def modbus(self, device: str | None = None) -> Endpoint:
        """Host and port of Modbus TCP, of a gateway or meter (`m70`, or `M-70` where there is one only).

        Raises:
            UnknownName: it has none, or it is not clear which device is meant.
        """
        return self._port("modbus_tcp", device)

    def rtu_over_tcp(self, device: str | None = None) -> Endpoint:
        """Host and port of Modbus RTU over TCP; as `modbus`."""
        return self._port("rtu_over_tcp", device)

    def snmp(self, device: str | None = None) -> Endpoint:
        """Host and port of the SNMP agent; as `modbus`."""
        return self._port("snmp", device)

    def bacnet(self, device: str | None = None) -> BacnetEndpoint:
        """Host, port, device instance and network of BACnet/IP; as `modbus`."""
        return BacnetEndpoint(**self._found.port("bacnet", device))

    def line(self, name: str | None = None) -> LineEnd:
        """Path and settings of the supervisor's end of an RS485 line.

        Raises:
            UnknownName: no such line, or one whose client is a gateway of the site.
        """
        return self._found.line(name)

    def unit_id(self, unit: str) -> int:
        """Modbus address of a unit, by path (`m70/i35`) or by its own name, as the site file gives it.

        Raises:
            UnknownName: no such unit, several of that name, or one without an address.
        """
        found = {
            path: address
            for path, address in _addresses(self.ready)
            if unit in (path, path.rpartition("/")[2])
        }
        if len(found) == 1:
            return next(iter(found.values()))
        known = ", ".join(found) or ", ".join(path for path, _ in _addresses(self.ready))
        raise UnknownName(f"{len(found)} units named {unit} have an address; known are {known}")

    @property
    def _running(self) -> SiteThread:
        if self._thread is None:
            raise SiteStopped("the site is not running; start it with `with`")
        return self._thread

    @property
    def _found(self) -> Places:
        if self._places is None:
            self._places = Places(self.ready)
        return self._places

    def _port(self, service: str, device: str | None) -> Endpoint:
        entry = self._found.port(service, device)
        return Endpoint(entry["host"], entry["port"])

    def _begin(self) -> Future[dict[str, Any]]:
        """Start the thread; the future tells when everything accepts connections."""
        if self._thread is not None:
            raise RuntimeError("the site runs already")
        if self._wanted_folder is None:
            self._folder = Path(mkdtemp(prefix="vdigiware-"))
        else:
            self._folder = self._wanted_folder
            self._folder.mkdir(parents=True, exist_ok=True)
        atexit.register(self._end)  # for a program that forgets
        return self._go(SiteThread(with_own_lines(self._file, self._folder), self._time, self.journal_file))

    def _begin_again(self, before: SiteThread) -> Future[dict[str, Any]]:
        """After the end of a run: another one with its journal, on its ports."""
        assert self._folder is not None  # it was made by the run before
        file = with_same_ports(with_own_lines(self._file, self._folder), before.ports)
        time = TimeOptions(self._time.mode, self._time.rate)
        return self._go(SiteThread(file, time, self.journal_file, port_base=None))

    def _go(self, thread: SiteThread) -> Future[dict[str, Any]]:
        self._thread, self._places = thread, None
        thread.start()
        return thread.ready

    def _end(self) -> None:
        """Wait for the end of the thread, and leave nothing behind."""
        atexit.unregister(self._end)
        thread, self._thread, self._places = self._thread, None, None
        try:
            if thread is not None:
                thread.stop()
        finally:
            if self._folder is not None and self._wanted_folder is None:
                shutil.rmtree(self._folder)
            self._folder = None

    def _do(self, work: Callable[[RunningSite], T | Awaitable[T]]) -> Future[T]:
        return self._running.call(work)

    def _advance(self, duration: Duration | None, to: Time | None, exact: bool | None) -> Future[datetime]:
        if (duration is None) == (to is None):
            raise NotATime(duration, 'either a duration such as "15 min" or `to` with a time')
        step_ms = None if duration is None else duration_ms(duration)
        to_ms = None if to is None else instant_ms(to)

        async def advance(site: RunningSite) -> datetime:
            until_ms = site.now_ms() + (step_ms or 0) if to_ms is None else to_ms
            return moment((await site.time.jump(until_ms, exact)).time_ms)

        return self._do(advance)

    def _pass_at(self, rate: float) -> Future[None]:
        async def pass_at(site: RunningSite) -> None:
            await site.time.pass_at(rate)

        return self._do(pass_at)

    def _inject(
        self,
        kind: str,
        target: str,
        start: Time | None,
        duration: Duration | None,
        parameters: dict[str, Any],
    ) -> Future[tuple[Fault, ...]]:
        start_ms = None if start is None else instant_ms(start)
        span_ms = None if duration is None else duration_ms(duration)
        return self._do(
            lambda site: site.faults.inject(
                kind, target, start_ms=start_ms, duration_ms=span_ms, **parameters
            )
        )

    def _truth(self, name: str, point: str, table: str | None) -> Future[Value]:
        return self._do(lambda site: value_of(site.building.model, name, point, table))

    def _journal(self) -> Future[tuple[Record, ...]]:
        return self._do(lambda site: tuple(site.journal.records))


def clear(faults: tuple[Fault, ...]) -> Callable[[RunningSite], None]:
    """Work for the thread of a site: end these faults, where they have not ended by themselves."""

    def work(site: RunningSite) -> None:
        for fault in faults:
            site.faults.clear(fault.number)

    return work


def _addresses(ready: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Paths of everything that has a Modbus address, in the order of the site file."""
    found = []
    for device in (*ready["gateways"], *ready["meters"]):
        units = [(str(device["name"]), device.get("address"))]
        units += [(f"{device['name']}/{unit['name']}", unit["address"]) for unit in device.get("units", ())]
        found += [(path, int(address)) for path, address in units if address is not None]
    return found
