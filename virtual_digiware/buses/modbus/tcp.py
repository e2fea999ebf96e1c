"""Modbus TCP: the MBAP server of a gateway, as on port 502 of the real one.

Every request of a connection is answered in order, however many arrive in one segment; only those to units
behind an RS485 line of the gateway follow when that line has answered, under their transaction id. Replies to
plain reads are kept whole, under the request's own bytes, until the site's version changes: a repeated poll
costs one look-up. A peer's mistake ends at worst its own connection:

- another protocol id: the frame is discarded and counted, the connection goes on. Source: MODBUS Messaging
  on TCP/IP Implementation Guide V1.0b, section 4.4.2.2 (an ADU with an incorrect header is discarded);
- a length below 2 or above 254: nobody can tell where the next frame begins, so the connection is closed;
- a unit that does not answer: exception 0x0B, as from the real gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from virtual_digiware.buses.interfaces import Directory, Versioned, WriteHandler
from virtual_digiware.buses.modbus.answers import Answers
from virtual_digiware.buses.modbus.counters import Counters
from virtual_digiware.buses.modbus.forwarding import Forwarder
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.buses.modbus.listener import Connection, ConnectionLimits, Listener, send_nowhere

_HEADER = 6  # bytes in front of what the length field counts
_READ_REQUEST = 12  # bytes of a plain read, header included
_MIN_LENGTH, _MAX_LENGTH = 2, 254  # unit id with a function code; unit id with a PDU of 253 bytes
_MAX_KEPT_REPLIES = 4096


class ModbusTcpServer(Listener):
    """Modbus TCP port of one gateway.

    Args:
        directory: Who answers for which unit id.
        site: Its version tells when kept replies are out of date.
        images: Register images of the site's units.
        handler: Takes the writes.
        limits: Of connections.
        forwarder: Reaches the units of a line of which the gateway is the client.
    """

    def __init__(
        self,
        directory: Directory,
        site: Versioned,
        images: Images,
        handler: WriteHandler,
        limits: ConnectionLimits | None = None,
        forwarder: Forwarder | None = None,
    ) -> None:
        super().__init__(limits or ConnectionLimits(), Counters())
        self._forwarder = forwarder
        self.site = site
        self.kept: dict[bytes, bytes] = {}
        self.kept_version = site.version
        self.by_function = self.counters.by_function
        self.answers = Answers(directory, images, handler, self.counters)

    def make_connection(self) -> Connection:
        return _TcpConnection(self)

    def forget(self) -> None:
        """Drop kept replies: the site shows something else by now."""
        self.kept.clear()
        self.kept_version = self.site.version

    def reply(self, frame: bytes, send: Callable[[bytes], None] = send_nowhere) -> bytes:
        """The reply to one whole frame of at least 8 bytes.

        Empty when the frame is not Modbus, or when another line has to be asked first: `send` then gets the
        reply when it is there.
        """
        key = frame[2:]
        kept = self.kept.get(key)
        if kept is not None:
            self.by_function[frame[7]] += 1
            return frame[:2] + kept
        if frame[2] or frame[3]:
            self.counters.bad_frames += 1
            return b""
        self.by_function[frame[7]] += 1
        if len(frame) == _READ_REQUEST:
            address = frame[8] << 8 | frame[9]
            pdu = self.answers.short(frame[6], frame[7], address, frame[10] << 8 | frame[11])
            if pdu is not None:
                if len(self.kept) >= _MAX_KEPT_REPLIES:
                    self.kept.clear()
                kept = self.kept[key] = b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + frame[6:7] + pdu
                return frame[:2] + kept
        forwarder = self._forwarder
        if forwarder is not None and forwarder.claims(frame[6]) and self.answers.is_absent(frame[6]):
            self._forward(frame, forwarder, send)
            return b""
        delay_s = self.answers.delay_s(frame[6])
        if delay_s:
            loop = asyncio.get_running_loop()
            loop.call_later(delay_s, lambda: send(self.full_reply(frame)))
            return b""
        return self.full_reply(frame)

    def _forward(self, frame: bytes, forwarder: Forwarder, send: Callable[[bytes], None]) -> None:
        from virtual_digiware.buses.modbus import endpoint

        transaction_id, unit_id, pdu = endpoint.tcp_parts(frame)

        def answer(response: bytes | None) -> None:
            if response is None:
                self.counters.unanswered += 1
                response = self.answers.target_failed(pdu[0])
            send(endpoint.tcp_frame(response, unit_id, transaction_id))

        forwarder.forward(unit_id, pdu, answer)

    def full_reply(self, frame: bytes) -> bytes:
        """The reply as pymodbus makes it, whatever the request."""
        from virtual_digiware.buses.modbus import endpoint

        transaction_id, unit_id, pdu = endpoint.tcp_parts(frame)
        response = self.answers.full(unit_id, pdu)
        if response is None:
            response = self.answers.target_failed(pdu[0])
        if self.site.version != self.kept_version:  # the request was a write: later ones see what it did
            self.forget()
        return endpoint.tcp_frame(response, unit_id, transaction_id)


class _TcpConnection(Connection):
    """One client of a Modbus TCP port."""

    def __init__(self, server: ModbusTcpServer) -> None:
        super().__init__(server)
        self._server = server
        self._kept = server.kept
        self._by_function = server.by_function
        self._transaction_id = self.view[:2]
        self._key = self.view[2:_READ_REQUEST]

    def _send_late(self, data: bytes) -> None:
        self.send(data)  # by now perhaps nowhere

    def buffer_updated(self, nbytes: int) -> None:
        server = self._server
        if server.site.version != server.kept_version:
            server.forget()
        if nbytes == _READ_REQUEST and not self.filled:
            key = self._key.tobytes()
            kept = self._kept.get(key)
            if kept is not None:
                self.is_active = True
                self._by_function[key[5]] += 1
                self.send(self._transaction_id.tobytes() + kept)
                return
        self._serve(bytes(self.view[: self.filled + nbytes]))

    def _serve(self, data: bytes) -> None:
        """Answer every whole frame, with one write for all of them."""
        replies = []
        start = 0
        is_lost = False
        while len(data) - start >= _HEADER:
            length = data[start + 4] << 8 | data[start + 5]
            is_lost = not _MIN_LENGTH <= length <= _MAX_LENGTH
            end = start + _HEADER + length
            if is_lost or end > len(data):
                break
            replies.append(self._server.reply(data[start:end], self._send_late))
            start = end
        if replies:
            self.is_active = True  # whole frames count, not single bytes dripping in
            self.send(b"".join(replies))
        if is_lost:
            self._server.counters.bad_frames += 1
            self.hang_up()
            return
        self.keep(data[start:])
