"""Where broadcasts of an IPv4 address's network arrive."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from ipaddress import IPv4Address, ip_address

LOOPBACK_BROADCAST = "127.255.255.255"
_GET_ADDRESS, _GET_BROADCAST = 0x8915, 0x8919  # SIOCGIFADDR, SIOCGIFBRDADDR of Linux


def broadcast_address(host: str) -> str | None:
    """Where to listen for broadcasts; None where `host` itself hears them, or where none is known."""
    address = ip_address(host)
    if not isinstance(address, IPv4Address) or address.is_unspecified:
        return None
    if address.is_loopback:
        return LOOPBACK_BROADCAST
    return _broadcast_of_interface(address)


def _broadcast_of_interface(address: IPv4Address) -> str | None:
    """The broadcast address of the interface that has an address, as Linux tells it."""
    with suppress(ImportError, OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            if _ask(asking, name, _GET_ADDRESS) == address:
                found = _ask(asking, name, _GET_BROADCAST)
                return None if found is None or found.is_unspecified else str(found)
    return None


def _ask(asking: socket.socket, interface: str, what: int) -> IPv4Address | None:
    from fcntl import ioctl

    try:
        answer = ioctl(asking, what, struct.pack("256s", interface.encode()[:15]))
    except OSError:
        return None
    return IPv4Address(answer[20:24])
