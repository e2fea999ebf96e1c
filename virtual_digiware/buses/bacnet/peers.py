"""Who asks, and what goes through the network layer, in neutral terms."""

from __future__ import annotations

from typing import NamedTuple

GLOBAL = 0xFFFF
"""Network number of a global broadcast."""

Address = tuple[str, int]
"""Host and UDP port."""


class Station(NamedTuple):
    """A device on a numbered network; an empty `mac` means all of them."""

    network: int
    mac: bytes


class Peer(NamedTuple):
    """A client: where its datagrams come from and, when it is behind a router, which station it is."""

    address: Address
    station: Station | None = None


class Npdu(NamedTuple):
    """A network layer message. `message` is None for an application layer one."""

    content: bytes
    destination: Station | None = None
    source: Station | None = None
    hops: int = 255
    is_expecting_reply: bool = False
    priority: int = 0
    message: int | None = None


class Bvll(NamedTuple):
    """A message of BACnet/IP's link layer; `origin` is whom a forwarded one comes from."""

    function: int
    content: bytes
    origin: Address | None = None
