"""The port of the control API: opened beside a running site, closed with it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from virtual_digiware.simulator.control.app import control_app
from virtual_digiware.simulator.listening import EndpointUnavailable

if TYPE_CHECKING:
    from virtual_digiware.simulator.running import RunningSite

LOOPBACK = "127.0.0.1"
BACKLOG = 64


@dataclass(frozen=True, slots=True)
class ControlOptions:
    """Where the API listens (port 0: any free one), and what its clients must show."""

    port: int
    token: str
    host: str = LOOPBACK


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the site, which closes this server when it stops."""
        yield


@asynccontextmanager
async def serving(
    site: RunningSite, options: ControlOptions, is_ready: Callable[[], bool]
) -> AsyncIterator[str]:
    """Serve while the block runs; gives the address of the API. Raises EndpointUnavailable."""
    try:
        listening = socket.create_server((options.host, options.port), backlog=BACKLOG)
    except OSError as error:
        where = f"{options.host}:{options.port}"
        raise EndpointUnavailable(
            f"control: {where}: {error.strerror}; choose another --control-port"
        ) from error
    host, port = listening.getsockname()[:2]
    closing = asyncio.Event()
    app = control_app(site, options.token, is_ready, closing)
    server = _Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    task = asyncio.create_task(server.serve(sockets=[listening]), name="control")
    try:
        yield f"http://{host}:{port}"
    finally:
        closing.set()
        server.should_exit = True
        await task
        listening.close()
