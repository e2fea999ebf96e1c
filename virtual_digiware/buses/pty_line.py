"""An RS485 line as a pseudo-terminal under a stable name, for clients that expect a serial device.

Carries bytes; what they mean is the business of the session that it opens.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import os
import termios
import tty
from contextlib import suppress
from pathlib import Path

from virtual_digiware.buses.modbus.rtu_line import LineSession, RtuLine

_READ_BYTES = 512  # at once: two of the longest frames, or 64 reads with their 16 KiB of answers
_MAX_UNSENT_BYTES = 4096  # from there on, a client that reads nothing loses what comes later, as on a wire
_STALE_AFTER_S = 1.0


class LinkTaken(OSError):
    """The name wanted for a line belongs to something that is not a stale link of ours."""

    def __init__(self, link: Path) -> None:
        super().__init__(f"{link} exists and is not a link to a terminal; it is left alone")
        self.link = link


class PtyLine:
    """The server's end of a pseudo-terminal, and a link that leads clients to the other end.

    Clients come and go as they like: our own handle on their end keeps the line alive, in raw mode, between
    them. Bytes that a client never read are dropped once a later one speaks after a second's pause, for a
    wire does not keep them either.

    Args:
        line: Answers what is read.
        link: Name that clients open; None for the system's own (`/dev/pts/...`). A stale link is replaced.
    """

    def __init__(self, line: RtuLine, link: Path | None = None) -> None:
        self.line = line
        self.link = link
        self.device = ""
        self._server_end = -1
        self._client_end = -1
        self._session: LineSession | None = None
        self._unsent = bytearray()
        self._last_sent = 0.0

    async def start(self) -> str:
        """Open the line.

        Returns:
            The name that clients open: the link, or the device where there is none.

        Raises:
            LinkTaken: The name belongs to something else.
            OSError: No pseudo-terminal is left, or the link's directory does not take it.
        """
        self._server_end, self._client_end = os.openpty()
        self.device = os.ttyname(self._client_end)
        try:
            tty.setraw(self._client_end)
            if self.link is not None:
                _place(self.link, self.device)
        except BaseException:
            self._close_ends()
            raise
        os.set_blocking(self._server_end, False)
        self._session = self.line.open_session(self._send)
        asyncio.get_running_loop().add_reader(self._server_end, self._read)
        return str(self.link or self.device)

    async def close(self) -> None:
        """Take the link away, unless it has become somebody else's, and close the line."""
        if self._session is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._server_end)
        loop.remove_writer(self._server_end)
        self._session.close()
        self._session = None
        if self.link is not None and _target(self.link) == self.device:
            self.link.unlink()
        self._close_ends()

    def _close_ends(self) -> None:
        os.close(self._server_end)
        os.close(self._client_end)

    def _read(self) -> None:
        try:
            data = os.read(self._server_end, _READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        if data and self._session is not None:
            self._flush_stale()
            self._session.receive(data)

    def _flush_stale(self) -> None:
        """Drop an old answer that nobody read, lest the next client takes it for the answer to its own."""
        if asyncio.get_running_loop().time() - self._last_sent < _STALE_AFTER_S:
            return
        unread = array.array("i", [0])
        fcntl.ioctl(self._client_end, termios.FIONREAD, unread)
        if unread[0] or self._unsent:
            self.line.counters.dropped += 1
            self._unsent.clear()
            termios.tcflush(self._client_end, termios.TCIFLUSH)

    def _send(self, data: bytes) -> None:
        self._last_sent = asyncio.get_running_loop().time()
        if len(self._unsent) >= _MAX_UNSENT_BYTES:
            self.line.counters.dropped += 1
            return
        is_first = not self._unsent
        self._unsent += data
        if is_first:
            self._write()

    def _write(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(BlockingIOError, InterruptedError):
            del self._unsent[: os.write(self._server_end, self._unsent)]
        if self._unsent:
            loop.add_writer(self._server_end, self._write)
        else:
            loop.remove_writer(self._server_end)


def _target(link: Path) -> str | None:
    """Where a symbolic link points; None when the path is not one."""
    return str(link.readlink()) if link.is_symlink() else None


def _place(link: Path, device: str) -> None:
    """Point the link at the device, in one step for whoever looks it up meanwhile.

    A dangling link, or one to some terminal, is what an earlier run left behind: terminals are numbered anew
    each time, so where such a link leads says nothing.
    """
    target = _target(link)
    if target is None and link.exists():
        raise LinkTaken(link)
    if target is not None and link.exists() and not target.startswith("/dev/pts/"):
        raise LinkTaken(link)
    # A name that nobody could take beforehand, and that no killed run has left.
    fresh = link.with_name(f"{link.name}.{os.urandom(8).hex()}")
    fresh.symlink_to(device)
    try:
        fresh.replace(link)
    except OSError:
        fresh.unlink()
        raise
