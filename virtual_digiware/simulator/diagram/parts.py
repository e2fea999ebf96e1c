"""What a picture of a site shows, before anything has a place: devices, wires, clients, supplies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Medium = Literal["digiware", "rs485", "ethernet"]
Glyph = Literal["display", "waves"]


@dataclass(frozen=True, slots=True)
class Device:
    """One device. `key` is unique in the site: names of modules are so only behind their gateway."""

    key: str
    product: str
    name: str
    family: str
    address: int | None = None
    details: tuple[str, ...] = ()
    glyphs: tuple[Glyph, ...] = ()


Stack = tuple[Device, ...]
"""Devices one below the other, whose first may have a drop to a network."""


@dataclass(frozen=True, slots=True)
class CabinetParts:
    """A cabinet and the stacks in it, from left to right."""

    name: str
    title: str
    stacks: tuple[Stack, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A cable between two devices."""

    start: str
    end: str
    medium: Medium


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks the site: everybody on its network, or `asks`. `is_implied`: the site file names nobody."""

    key: str
    title: str
    note: str
    asks: tuple[str, ...] = ()
    is_implied: bool = False


@dataclass(frozen=True, slots=True)
class Network:
    """An RS485 line or an Ethernet network, and the keys of the devices and clients on it."""

    medium: Medium
    title: str
    note: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Supply:
    """A source, transfer switch or board, and what it supplies."""

    kind: Literal["source", "transfer", "board"]
    label: str
    note: str = ""
    supplies: tuple[Supply, ...] = ()
    also_from: tuple[Supply, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn of a site."""

    title: str
    subtitle: str
    cabinets: tuple[CabinetParts, ...]
    links: tuple[Link, ...]
    networks: tuple[Network, ...]
    clients: tuple[Client, ...]
    supplies: tuple[Supply, ...]
    couplers: tuple[str, ...]
