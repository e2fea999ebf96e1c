"""BACnet/IP of one gateway: its UDP sockets, read until they are empty.

A socket with `add_reader` instead of asyncio's datagram transport, which allocates 256 KiB for every datagram
and reads one in each turn of the loop.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from virtual_digiware.buses.bacnet.broadcasts import broadcast_address
from virtual_digiware.buses.bacnet.counters import BacnetCounters
from virtual_digiware.buses.bacnet.directory import BacnetSettings, DeviceDirectory
from virtual_digiware.buses.bacnet.router import Router

if TYPE_CHECKING:
    from virtual_digiware.buses.bacnet.alarm_states import AlarmStates
    from virtual_digiware.buses.bacnet.peers import Address
    from virtual_digiware.buses.interfaces import WriteHandler
    from virtual_digiware.buses.interference import Strikes
    from virtual_digiware.devices.collection import GatewayCollection

_DATAGRAM_BYTES = 2048  # longer than any that BACnet/IP has (1497)
_DATAGRAMS_PER_TURN = 64
_RECEIVE_BUFFER_BYTES = 1 << 20


class BacnetGateway:
    """A gateway as BACnet device and router.

    Args:
        collection: What it has collected.
        settings: Instance and network numbers, options.
        handler: Takes writes, the same as those of Modbus.
        alarms: Who knows of alarms.
    """

    def __init__(
        self,
        collection: GatewayCollection,
        settings: BacnetSettings,
        handler: WriteHandler,
        alarms: AlarmStates | None = None,
    ) -> None:
        self.settings = settings
        self.counters = BacnetCounters()
        self.directory = DeviceDirectory(collection, settings, alarms)
        self.deafness: Strikes | None = None
        """Which datagrams are not heard; None while all are."""
        self._handler = handler
        self._router: Router | None = None
        self._socket: socket.socket | None = None
        self._broadcasts: socket.socket | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen on an IPv4 address, and for broadcasts on its network; port 0 lets the system choose.

        Returns:
            The address and port that clients send to.

        Raises:
            OSError: The port is taken, or the machine has no such address.
        """
        loop = asyncio.get_running_loop()
        self._socket = _bound(host, port)
        try:
            bound: Address = self._socket.getsockname()[:2]
            broadcast = broadcast_address(host)
            if broadcast is not None:
                self._broadcasts = _bound(broadcast, bound[1], is_shared=True)
        except BaseException:
            await self.close()
            raise
        self._router = Router(
            self.directory, self.settings, self._handler, self._send, self.counters, loop.time
        )
        loop.add_reader(self._socket, self._read, self._socket, False)
        if self._broadcasts is not None:
            loop.add_reader(self._broadcasts, self._read, self._broadcasts, True)
        return bound

    def notify(self) -> None:
        """Tell subscribers of what has been published."""
        if self._router is not None:
            self._router.notify()

    async def close(self) -> None:
        """Stop listening and end all exchanges."""
        if self._router is not None:
            self._router.close()
        for one in (self._socket, self._broadcasts):
            if one is not None:
                asyncio.get_running_loop().remove_reader(one)
                one.close()
        self._router = self._socket = self._broadcasts = None

    def _read(self, source: socket.socket, is_broadcast: bool) -> None:
        router = self._router
        for _ in range(_DATAGRAMS_PER_TURN):
            try:
                datagram, address = source.recvfrom(_DATAGRAM_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an earlier answer found nobody; the system tells at the next read
                continue
            if self.deafness is not None and self.deafness.strike():
                continue
            if router is not None:
                router.receive(datagram, address, is_broadcast)

    def _send(self, datagram: bytes, address: Address) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(datagram, address)
        except OSError:  # a full buffer, an address that cannot be reached: datagrams may be lost
            self.counters.dropped += 1


def _bound(host: str, port: int, is_shared: bool = False) -> socket.socket:
    """A non-blocking UDP socket; a shared one lets all gateways of all sites hear the same broadcasts."""
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        if is_shared:
            # Both, because some clients that listen here too set the one and some the other.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with suppress(OSError):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        made.bind((host, port))
    except BaseException:
        made.close()
        raise
    return made
