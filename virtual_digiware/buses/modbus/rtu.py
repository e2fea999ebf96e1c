"""Modbus RTU: answers to frames, on a line (`rtu_line`) and over TCP as on port 503.

A wrong CRC, a unit that is not there and a broadcast are met with silence. A broadcast (unit 0) changes
nothing: no Digiware document mentions one. Nor is a function code above 0x7F answered: on a shared line
it is another device's exception, or the echo of one of ours.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from virtual_digiware.buses.interfaces import Directory, Versioned, WriteHandler
from virtual_digiware.buses.modbus.answers import Answers
from virtual_digiware.buses.modbus.counters import Counters
from virtual_digiware.buses.modbus.forwarding import Forwarder
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.buses.modbus.listener import Connection, ConnectionLimits, Listener
from virtual_digiware.buses.modbus.rtu_frames import FrameCutter

BROADCAST = 0

_EXCEPTIONS = 0x80
_READ_REQUEST = 8  # bytes of a plain read
_MAX_KEPT_REPLIES = 4096
_MAX_WAITING_ANSWERS = 16

SEGMENT_PAUSE_S = 0.1
"""Silence that ends a partial frame over TCP, where segments of one frame may come apart."""


class RtuResponder:
    """Replies to RTU frames. Those to plain reads are kept until the site's version changes."""

    def __init__(
        self,
        directory: Directory,
        site: Versioned,
        images: Images,
        handler: WriteHandler,
        counters: Counters,
    ) -> None:
        self.counters = counters
        self._site = site
        self._kept: dict[bytes, bytes] = {}
        self._kept_version = site.version
        self.answers = Answers(directory, images, handler, counters)

    def is_absent(self, unit_id: int) -> bool:
        """Whether nobody here answers for a unit."""
        return self.answers.is_absent(unit_id)

    def kept_reply(self, frame: bytes) -> bytes | None:
        """The reply to a plain read that was asked, byte for byte, since the site last changed."""
        if self._site.version != self._kept_version:
            self._forget()
        reply = self._kept.get(frame)
        if reply is not None:
            self.counters.by_function[frame[1]] += 1
        return reply

    def reply(self, frame: bytes) -> bytes:
        """The reply to one frame whose CRC is right; empty where the answer is silence."""
        kept = self.kept_reply(frame)
        if kept is not None:
            return kept
        if frame[1] >= _EXCEPTIONS:
            self.counters.bad_frames += 1
            return b""
        self.counters.by_function[frame[1]] += 1
        if frame[0] == BROADCAST:
            self.counters.broadcasts += 1
            return b""
        if len(frame) == _READ_REQUEST:
            address = frame[2] << 8 | frame[3]
            pdu = self.answers.short(frame[0], frame[1], address, frame[4] << 8 | frame[5])
            if pdu is not None:
                return self._keep(frame, pdu)
        return self.full_reply(frame)

    def full_reply(self, frame: bytes) -> bytes:
        """The reply as pymodbus makes it, whatever the request; empty when nobody answers."""
        from virtual_digiware.buses.modbus import endpoint

        response = self.answers.full(frame[0], frame[1:-2])
        if self._site.version != self._kept_version:  # the request was a write: later ones see what it did
            self._forget()
        if response is None:
            return b""
        return endpoint.rtu_frame(response, frame[0])

    def _keep(self, frame: bytes, pdu: bytes) -> bytes:
        from virtual_digiware.buses.modbus import endpoint

        if len(self._kept) >= _MAX_KEPT_REPLIES:
            self._kept.clear()
        reply = self._kept[frame] = endpoint.rtu_frame(pdu, frame[0])
        return reply

    def _forget(self) -> None:
        self._kept.clear()
        self._kept_version = self._site.version


class RtuSession:
    """One stream of RTU bytes with its answers: a line's, or a TCP connection's.

    Args:
        responder: Makes the answers.
        send: Takes their bytes.
        patience_s: Silence after which a partial frame is given up.
        delay_s: From the sizes of request and response to the time until the response is sent; None: at once.
        forwarder: Takes requests to units behind another line.
    """

    def __init__(
        self,
        responder: RtuResponder,
        send: Callable[[bytes], None],
        patience_s: float,
        delay_s: Callable[[int, int], float] | None = None,
        forwarder: Forwarder | None = None,
    ) -> None:
        self._responder = responder
        self._forwarder = forwarder
        self._send = send
        self._patience_s = patience_s
        self._delay_s = delay_s
        self._cutter = FrameCutter(responder.counters)
        self._silence: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[asyncio.TimerHandle, bytes]] = deque()
        self._free_at = 0.0
        self._is_closed = False
        self._loop = asyncio.get_running_loop()

    def receive(self, data: bytes) -> None:
        """Take bytes as they come and send what they call for."""
        if not self._cutter.is_waiting:
            kept = self._responder.kept_reply(data)
            if kept is not None:
                self._answer(data, kept)
                return
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        self._answer_all(self._cutter.feed(data))
        if self._cutter.is_waiting:
            self._silence = self._loop.call_later(self._patience_s, self._fall_silent)

    def close(self) -> None:
        """Forget what is waited for and what was still to be sent."""
        self._is_closed = True
        if self._silence is not None:
            self._silence.cancel()
        for timer, _ in self._waiting:
            timer.cancel()
        self._waiting.clear()

    def _fall_silent(self) -> None:
        self._silence = None
        self._answer_all(self._cutter.silence())

    def _answer_all(self, frames: Sequence[bytes]) -> None:
        """Answer in order; without a delay, all with one write."""
        if self._delay_s is None:
            replies = b"".join([self._reply(frame) for frame in frames])
            if replies:
                self._send(replies)
            return
        for frame in frames:
            if not self._is_postponed(frame):
                self._answer(frame, self._responder.reply(frame))

    def _reply(self, frame: bytes) -> bytes:
        """The reply that is there at once; what another line has to give follows when it comes."""
        forwarder = self._forwarder
        unit_id = frame[0]
        if self._is_postponed(frame):
            return b""
        if forwarder is None or frame[1] >= _EXCEPTIONS or not forwarder.claims(unit_id):
            return self._responder.reply(frame)
        if not self._responder.is_absent(unit_id):
            return self._responder.reply(frame)
        self._responder.counters.by_function[frame[1]] += 1

        def answer(pdu: bytes | None) -> None:
            from virtual_digiware.buses.modbus import endpoint

            if pdu is None:
                self._responder.counters.unanswered += 1
            elif not self._is_closed:
                self._send(endpoint.rtu_frame(pdu, unit_id))

        forwarder.forward(unit_id, frame[1:-2], answer)
        return b""

    def _is_postponed(self, frame: bytes) -> bool:
        """Whether the unit is slow, and answers later; nobody else waits for it."""
        delay_s = self._responder.answers.delay_s(frame[0])
        if delay_s:
            self._loop.call_later(delay_s, self._answer_late, frame)
        return delay_s > 0

    def _answer_late(self, frame: bytes) -> None:
        if not self._is_closed:
            self._answer(frame, self._responder.reply(frame))

    def _answer(self, frame: bytes, reply: bytes) -> None:
        if not reply:
            return
        if self._delay_s is None:
            self._send(reply)
        elif len(self._waiting) >= _MAX_WAITING_ANSWERS:  # a client that talks without listening
            self._responder.counters.dropped += 1
        else:
            start = max(self._loop.time(), self._free_at)
            self._free_at = start + self._delay_s(len(frame), len(reply))
            self._waiting.append((self._loop.call_at(self._free_at, self._send_next), reply))

    def _send_next(self) -> None:
        self._send(self._waiting.popleft()[1])


class RtuOverTcpServer(Listener):
    """RTU frames over TCP, CRC and all, without MBAP header: port 503 of the real gateways.

    Source: advisories CVE-2025-54850 and CVE-2025-55222 on the DIRIS Digiware M-70.
    """

    def __init__(
        self,
        directory: Directory,
        site: Versioned,
        images: Images,
        handler: WriteHandler,
        limits: ConnectionLimits | None = None,
        patience_s: float = SEGMENT_PAUSE_S,
        forwarder: Forwarder | None = None,
    ) -> None:
        super().__init__(limits or ConnectionLimits(connections=2), Counters())
        self.patience_s = patience_s
        self.forwarder = forwarder
        self.responder = RtuResponder(directory, site, images, handler, self.counters)
        self.answers = self.responder.answers

    def make_connection(self) -> Connection:
        return _RtuConnection(self)


class _RtuConnection(Connection):
    """One client of an RTU over TCP port."""

    def __init__(self, server: RtuOverTcpServer) -> None:
        super().__init__(server)
        self._session = RtuSession(
            server.responder, self._send, server.patience_s, forwarder=server.forwarder
        )

    def buffer_updated(self, nbytes: int) -> None:
        self.is_active = True
        self._session.receive(bytes(self.view[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:
        self._session.close()
        super().connection_lost(exc)

    def _send(self, data: bytes) -> None:
        self.send(data)
