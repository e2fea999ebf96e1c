"""A listening TCP port with a bounded number of well-behaved connections; what they say is somebody else's.

Takes care of what no protocol wants to repeat: connection limit, idle time-out, a bounded receive buffer, and
no further reading from a client that does not take its answers.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from virtual_digiware.buses.modbus.counters import Counters

_BUFFER_BYTES = 1024  # read at once: 85 requests, for which the loop needs a millisecond at the worst
_BACKLOG = 512  # connections that may wait to be taken in; beyond, a client retries after a second
_IDLE_STEPS = 4  # an idle connection is closed after 1 to 1.25 times its allowance


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many clients at once, and how long one may stay silent.

    The limits of the real gateways are not published. 8 clients and 60 s stand in for those of port 502
    (2 clients on 503).
    """

    connections: int = 8
    idle_s: float = 60.0

    def __post_init__(self) -> None:
        if self.connections < 1 or self.idle_s <= 0:
            raise ValueError("a port needs room for one connection and some patience with it")


class Listener(ABC):
    """One listening port. Subclasses make its connections.

    Errors of a peer, and peers that vanish, end in `counters`, never in an exception.
    """

    def __init__(self, limits: ConnectionLimits, counters: Counters) -> None:
        self.limits = limits
        self.counters = counters
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._is_closed = False
        self._all_gone = asyncio.Event()

    @abstractmethod
    def make_connection(self) -> Connection:
        """A protocol for one new connection."""

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; port 0 lets the system choose.

        Returns:
            The address and port that clients connect to.

        Raises:
            OSError: The port is taken, or not permitted to this user.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self.make_connection, host, port, backlog=_BACKLOG)
        bound: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        return bound

    async def close(self) -> None:
        """Stop listening, drop all connections, and return when they are gone."""
        if self._server is None:
            return
        server, self._server = self._server, None
        self._is_closed = True  # for connections accepted but not yet handed over
        server.close()
        if self.connections:
            for connection in tuple(self.connections):
                connection.abort()
            await self._all_gone.wait()
        await server.wait_closed()

    def admit(self, connection: Connection) -> bool:
        """Take a new connection in, unless the port is full or closed."""
        if self._is_closed or len(self.connections) >= self.limits.connections:
            self.counters.refused_connections += 1
            return False
        self.counters.connections += 1
        self.connections.add(connection)
        return True

    def dismiss(self, connection: Connection) -> None:
        """Forget a connection that ended."""
        self.connections.discard(connection)
        if self._is_closed and not self.connections:
            self._all_gone.set()


def send_nowhere(data: bytes) -> None:
    """What sending means while there is no connection."""


class Connection(asyncio.BufferedProtocol):
    """One client. Subclasses take `view[: filled + nbytes]` in `buffer_updated` and `keep` what is left.

    A fixed buffer instead of `Protocol.data_received`: asyncio would allocate 256 KiB for every read, and
    uvloop would hand over as much in one go.
    """

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.view = memoryview(bytearray(_BUFFER_BYTES))
        self.filled = 0
        self.is_active = True
        self.send: Callable[[bytes], None] = send_nowhere
        self._transport: asyncio.Transport | None = None
        self._quiet_steps = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self.listener.admit(self):
            self._transport.abort()
            return
        # No backlog before reading pauses; and uvloop then sends at once instead of a turn of the loop later.
        self._transport.set_write_buffer_limits(0)
        self.send = self._transport.write
        self._watch()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.view[self.filled :] if self.filled else self.view

    def keep(self, rest: bytes) -> None:
        """Leave `rest`, the beginning of a frame, in the buffer for the next time."""
        self.filled = len(rest)
        self.view[: self.filled] = rest

    def pause_writing(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self.send = send_nowhere
        self.listener.dismiss(self)

    def hang_up(self) -> None:
        """Close after what has been written is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once; a peer that reads nothing would keep `hang_up` waiting for ever."""
        if self._transport is not None:
            self._transport.abort()

    def _watch(self) -> None:
        """Count silent steps; a flag, set by what counts as activity, is all that this costs a request."""
        self._quiet_steps = 0 if self.is_active else self._quiet_steps + 1
        self.is_active = False
        if self._quiet_steps > _IDLE_STEPS:
            self.listener.counters.idle_connections += 1
            self.abort()
            return
        step_s = self.listener.limits.idle_s / _IDLE_STEPS
        self._timer = asyncio.get_running_loop().call_later(step_s, self._watch)
