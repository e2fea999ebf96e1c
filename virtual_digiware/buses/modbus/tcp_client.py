"""A Modbus TCP client for devices that poll others: one connection to one port, many requests under way.

Whoever asks gets the response PDU or None; a connection that is refused or lost is tried anew with the next
request. Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 4.2 (transaction ids).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

_HEADER = 6
_MIN_LENGTH, _MAX_LENGTH = 2, 254

UNDER_WAY = 32
"""Requests at once on one connection: half of what a gateway queues for its line. A choice."""


class ModbusTcpClient:
    """One target.

    Args:
        host, port: Where it listens.
        patience_s: Real time after which a request counts as unanswered.
    """

    def __init__(self, host: str, port: int, patience_s: float = 5.0) -> None:
        self.host, self.port, self.patience_s = host, port, patience_s
        self.requests = 0
        self.time_outs = 0
        self.failed_connections = 0
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._pending: dict[int, asyncio.Future[bytes | None]] = {}
        self._transaction_id = 0
        self._connecting = asyncio.Lock()
        self._places = asyncio.Semaphore(UNDER_WAY)

    async def ask(self, unit_id: int, pdu: bytes) -> bytes | None:
        """The response PDU, an exception's included; None when there is no connection or no answer."""
        async with self._places:
            return await self._ask(unit_id, pdu)

    async def _ask(self, unit_id: int, pdu: bytes) -> bytes | None:
        from virtual_digiware.buses.modbus import endpoint

        try:
            async with asyncio.timeout(self.patience_s):
                writer = await self._connected()
                if writer is None:
                    return None
                self._transaction_id = self._transaction_id % 0xFFFF + 1
                number = self._transaction_id
                answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
                self._pending[number] = answer
                self.requests += 1
                try:
                    writer.write(endpoint.tcp_frame(pdu, unit_id, number))
                    return await answer
                finally:
                    self._pending.pop(number, None)
        except TimeoutError:
            self.time_outs += 1
            return None

    async def close(self) -> None:
        """Hang up; whoever still waits is not answered."""
        self._lose()
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
            self._reading = None

    async def _connected(self) -> asyncio.StreamWriter | None:
        async with self._connecting:
            if self._writer is None:
                if self._reading is not None:
                    await self._reading  # of the connection before, which is at its end
                try:
                    reader, self._writer = await asyncio.open_connection(self.host, self.port)
                except OSError:
                    self.failed_connections += 1
                    return None
                self._reading = asyncio.create_task(
                    self._read(reader), name=f"answers of {self.host}:{self.port}"
                )
            return self._writer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        from virtual_digiware.buses.modbus import endpoint

        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                header = await reader.readexactly(_HEADER)
                length = int.from_bytes(header[4:], "big")
                if not _MIN_LENGTH <= length <= _MAX_LENGTH or header[2:4] != b"\0\0":
                    break
                number, _, pdu = endpoint.tcp_parts(header + await reader.readexactly(length))
                answer = self._pending.get(number)
                if answer is not None and not answer.done():
                    answer.set_result(pdu)
        self._lose()

    def _lose(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for answer in self._pending.values():
            if not answer.done():
                answer.set_result(None)
