"""The client's side of the wire in the tests, written without any Modbus library."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PATIENCE_S = 5.0


def crc(data: bytes) -> bytes:
    """CRC-16 of RTU, low byte first, bit by bit as the specification draws it (serial line V1.02, 6.2.2)."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xA001 if register & 1 else 0)
    return struct.pack("<H", register)


def tcp(pdu: bytes | str, unit_id: int = 4, transaction_id: int = 7) -> bytes:
    pdu = bytes.fromhex(pdu) if isinstance(pdu, str) else pdu
    return struct.pack(">HHHB", transaction_id, 0, len(pdu) + 1, unit_id) + pdu


def rtu(pdu: bytes | str, unit_id: int = 4) -> bytes:
    pdu = bytes.fromhex(pdu) if isinstance(pdu, str) else pdu
    frame = bytes((unit_id,)) + pdu
    return frame + crc(frame)


def read_pdu(address: int, count: int, function: int = 3) -> bytes:
    return struct.pack(">BHH", function, address, count)


class Client:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), PATIENCE_S)

    async def take(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), PATIENCE_S)

    async def take_tcp(self) -> bytes:
        """One reply with its header."""
        header = await self.take(6)
        return header + await self.take(int.from_bytes(header[4:], "big"))

    async def ask(self, request: bytes) -> bytes:
        await self.send(request)
        return await self.take_tcp()

    async def is_closed(self) -> bool:
        """Whether the server hangs up, having nothing more to say."""
        try:
            return await asyncio.wait_for(self.reader.read(1), PATIENCE_S) == b""
        except ConnectionResetError:
            return True


@asynccontextmanager
async def connected(address: tuple[str, int]) -> AsyncIterator[Client]:
    reader, writer = await asyncio.wait_for(asyncio.open_connection(*address), PATIENCE_S)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError, BrokenPipeError):
            await asyncio.wait_for(writer.wait_closed(), PATIENCE_S)
