"""A real serial port as an RS485 line; the one door to serialx.

Carries bytes; what they mean is the business of the session that it opens.
"""

from __future__ import annotations

import asyncio
from typing import cast

import serialx

from virtual_digiware.buses.modbus.rtu_line import LineSession, RtuLine

_PARITIES = {"none": serialx.Parity.NONE, "even": serialx.Parity.EVEN, "odd": serialx.Parity.ODD}
_STOP_BITS = {1: serialx.StopBits.ONE, 2: serialx.StopBits.TWO}


class SerialPortUnavailable(OSError):
    """The port does not exist, is taken, or does not know the line's settings."""

    def __init__(self, device: str, reason: str) -> None:
        super().__init__(f"serial port {device}: {reason}")
        self.device = device
        self.reason = reason


class SerialLine:
    """A line on a serial port of this machine, or on one that serialx reaches by URL.

    `is_open` turns false when the port goes away, say with its USB adapter; `lost` then tells why.

    Args:
        line: Answers what is read, and has the settings.
        device: `/dev/ttyUSB0`, `/dev/serial/by-id/...`, or a URL such as `rfc2217://host:port`.
    """

    def __init__(self, line: RtuLine, device: str) -> None:
        self.line = line
        self.device = device
        self.lost: Exception | None = None
        self._protocol: _SerialProtocol | None = None

    @property
    def is_open(self) -> bool:
        return self._protocol is not None and not self._protocol.gone.is_set()

    async def start(self) -> str:
        """Open the port and return its name.

        Raises:
            SerialPortUnavailable: It cannot be opened with the line's settings.
        """
        timing = self.line.timing
        try:
            _, protocol = await serialx.create_serial_connection(
                asyncio.get_running_loop(),
                lambda: _SerialProtocol(self),
                self.device,
                baudrate=timing.baudrate,
                parity=_PARITIES[timing.parity],
                stopbits=_STOP_BITS[timing.stop_bits],
            )
        except (OSError, ValueError, serialx.SerialException) as problem:
            raise SerialPortUnavailable(self.device, str(problem)) from problem
        self._protocol = cast(_SerialProtocol, protocol)
        return self.device

    async def close(self) -> None:
        """Close the port and return when it is closed."""
        if self._protocol is not None:
            self._protocol.hang_up()
            await self._protocol.gone.wait()


class _SerialProtocol(asyncio.Protocol):
    """The bytes of one open port."""

    def __init__(self, port: SerialLine) -> None:
        self.gone = asyncio.Event()
        self._port = port
        self._session: LineSession | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._session = self._port.line.open_session(self._transport.write, is_timed_by_wire=True)

    def data_received(self, data: bytes) -> None:
        if self._session is not None:
            self._session.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._session is not None:
            self._session.close()
        self._transport = None
        self._port.lost = exc
        self.gone.set()
        if exc is not None:
            import structlog

            log = structlog.get_logger("virtual_digiware.buses.serial_port")
            log.error("a serial port went away", device=self._port.device, reason=str(exc))

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()
