"""Reading a unit the way that a figure draws: over Ethernet, or as the client of an RS485 line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from tests.buses.wire import PATIENCE_S, Client, connected, crc, read_pdu, rtu, tcp


class Way(Protocol):
    """A connection over which units are read."""

    @property
    def mbpoll(self) -> tuple[str, ...]:
        """Mode and options of mbpoll that lead the same way, the place last."""
        ...

    async def read(self, unit: int, address: int, words: int, function: int = 3) -> bytes: ...


class Ethernet:
    """Modbus TCP."""

    def __init__(self, client: Client, host: str, port: int) -> None:
        self._client = client
        self.mbpoll = ("tcp", "-p", str(port), host)

    async def read(self, unit: int, address: int, words: int, function: int = 3) -> bytes:
        reply = await self._client.ask(tcp(read_pdu(address, words, function), unit))
        assert reply[6] == unit
        assert reply[7] == function, f"unit {unit} register {address}: exception {reply[8]}"
        return reply[9:]


class Line:
    """The terminal of an RS485 line."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self._handle = os.open(entry["pty"], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.mbpoll = ("rtu", "-b", str(entry["baudrate"]), "-P", entry["parity"], entry["pty"])

    def close(self) -> None:
        os.close(self._handle)

    async def read(self, unit: int, address: int, words: int, function: int = 3) -> bytes:
        os.write(self._handle, rtu(read_pdu(address, words, function), unit))
        reply = await self._take(5)
        assert reply[1] == function, f"unit {unit} register {address}: exception {reply[2]}"
        reply += await self._take(reply[2])
        assert crc(reply[:-2]) == reply[-2:]
        return reply[3:-2]

    async def _take(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        taken = b""
        while len(taken) < size:
            readable = asyncio.Event()
            loop.add_reader(self._handle, readable.set)
            try:
                await asyncio.wait_for(readable.wait(), PATIENCE_S)
            finally:
                loop.remove_reader(self._handle)
            taken += os.read(self._handle, size - len(taken))
        return taken


@asynccontextmanager
async def ethernet(entry: dict[str, Any]) -> AsyncIterator[Ethernet]:
    """To the Modbus TCP port of a gateway or meter in the ready file."""
    port = entry["modbus_tcp"]
    async with connected((port["host"], port["port"])) as client:
        yield Ethernet(client, port["host"], port["port"])


@asynccontextmanager
async def terminal(entry: dict[str, Any]) -> AsyncIterator[Line]:
    """To a line in the ready file."""
    line = Line(entry)
    try:
        yield line
    finally:
        line.close()
