"""`vdigiware run`: a site from its file to its stop, with what the user sees of it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from virtual_digiware.simulator.endpoints import Endpoints
from virtual_digiware.simulator.instants import format_instant
from virtual_digiware.simulator.listening import EndpointUnavailable
from virtual_digiware.simulator.logs import LogFormat, choose_format
from virtual_digiware.simulator.opening import TimeOptions, open_site
from virtual_digiware.simulator.running import Options, RunningSite
from virtual_digiware.simulator.site_file import SiteFile


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """The control API that the command line asks for."""

    port: int
    token_file: Path | None = None


def run_site(
    file: SiteFile,
    time: TimeOptions,
    journal_path: Path | None,
    port_base: int | None,
    ready_file: Path | None,
    log_format: LogFormat,
    collected_file: Path | None = None,
    control: ControlRequest | None = None,
) -> None:
    """Run until told to stop.

    Raises:
        JournalRefused, StartRefused, PortUnavailable, LineUnavailable, OSError: why it cannot run here.
    """
    choose_format(log_format)
    opened = open_site(file, time, journal_path)
    for notice in opened.notices:
        sys.stderr.write(notice + "\n")

    ready = threading.Event()

    def announce(content: dict[str, Any], endpoints: Endpoints) -> None:
        from virtual_digiware.simulator.run_report import Report, print_report

        ready.set()
        print_report(Report(), opened.building, content, endpoints)

    async def serve() -> None:
        options = Options(port_base, ready_file, collected_file)
        site = RunningSite(opened.building, opened.clock, opened.journal, options, announce, _progress)
        if control is None:
            await site.run()
            return
        try:
            from virtual_digiware.simulator.control.server import ControlOptions, serving
        except ImportError as error:
            missing = f"the control API needs {error.name}: pip install 'virtual-digiware[control]'"
            raise EndpointUnavailable(missing) from error

        wanted = ControlOptions(control.port, control_token(control.token_file))
        async with serving(site, wanted, ready.is_set) as address:
            sys.stderr.write(f"control API: {address}/docs\n")
            await site.run()

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(serve())
    finally:
        opened.journal.close()


def control_token(file: Path | None) -> str:
    """The token of the control API: the one that is there, else a new one in its file. Raises OSError."""
    from virtual_digiware.simulator.control.token import known_token, make_token

    return known_token(file) or make_token(file)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop where it is installed (it is not made for Windows), else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _progress(share: float, t_ms: int) -> None:
    sys.stderr.write(f"computing what happened until {format_instant(t_ms)}: {share:.0%}\n")
