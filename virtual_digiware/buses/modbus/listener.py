"""A listening TCP port with a bounded number of well-behaved connections; what they say is somebody else's.

Takes care of what no protocol wants to repeat: connection limit, idle time-out, a bounded receive buffer, and
no further reading from a client that does not take its answers.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from virtual_digiware.buses.interference import PortTrouble
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
        self.interference: PortTrouble | None = None
        """What happens to answers; None while nothing does. Set by `disturb`."""
        self._own_limits = limits
        self._bound: tuple[str, int] | None = None
        self._is_refusing = False
        self._opening: asyncio.Task[None] | None = None
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
        self._bound = bound
        return bound

    def disturb(self, interference: PortTrouble | None) -> None:
        """Let something happen to all answers from now on, or nothing any more."""
        self.interference = interference
        for connection in self.connections:
            connection.choose_sender()

    def limit(self, connections: int | None) -> None:
        """Take in no more than so many clients; None: as many as ever. Those that are there may stay."""
        own = self._own_limits
        self.limits = own if connections is None else replace(own, connections=connections)

    def refuse(self, is_refusing: bool) -> None:
        """Do not listen, so that clients are refused, or listen again. Connections that are there go on."""
        if is_refusing == self._is_refusing or self._server is None or self._bound is None:
            return
        self._is_refusing = is_refusing
        if is_refusing:
            self._server.close()
        else:
            # Bound and listening when this returns; the loop takes in whoever connects from then on.
            listening = socket.create_server(
                self._bound,
                family=socket.AF_INET6 if ":" in self._bound[0] else socket.AF_INET,
                backlog=_BACKLOG,
            )
            listening.setblocking(False)
            self._opening = asyncio.get_running_loop().create_task(self._listen(listening), name="listen")

    async def _listen(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self.make_connection, sock=listening, backlog=_BACKLOG)

    async def close(self) -> None:
        """Stop listening, drop all connections, and return when they are gone."""
        if self._opening is not None:
            await self._opening
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
        self.busy_until_s = 0.0
        """Until when, on the loop's clock, bytes are still to be sent one after the other."""
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
        self.choose_sender()
        self._watch()

    def choose_sender(self) -> None:
        """Send straight to the transport, unless something happens to what is sent."""
        if self._transport is not None:
            trouble = self.listener.interference
            self.send = self._transport.write if trouble is None else partial(trouble.write, self)

    def write(self, data: bytes) -> None:
        """Send, whatever happens to other answers; nowhere when the connection has ended."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def reset(self) -> None:
        """End with a RST instead of a FIN."""
        if self._transport is not None:
            own = self._transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

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
