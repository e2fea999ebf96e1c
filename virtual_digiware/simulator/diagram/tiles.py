"""One device as a tile: how high it is, and where its words stand."""

from __future__ import annotations

from virtual_digiware.simulator.diagram.geometry import Box, Placed, Point, Text
from virtual_digiware.simulator.diagram.parts import Client, Device, Supply
from virtual_digiware.simulator.diagram.text_fit import cut, text_width, wrap

TILE_WIDTH = 180.0
CLIENT_WIDTH, CLIENT_HEIGHT = 172.0, 40.0
CHIP_HEIGHT = 32.0
BAND = 6.0
"""Width of the patch of colour at the left."""
GLYPH_WIDTH = 26.0
_PRODUCT, _NAME, _DETAIL = 12.0, 10.5, 9.5
_LEFT, _RIGHT = 14.0, 8.0
_LEADING = 12.0


def tile_height(device: Device) -> float:
    return 37.0 + _LEADING * len(_details(device))


def tile(device: Device, x: float, y: float) -> Placed:
    """Product and address on the first line, then the name beside any glyph, then details."""
    box = Box(x, y, TILE_WIDTH, tile_height(device))
    left, right = x + _LEFT, x + TILE_WIDTH - _RIGHT
    texts = []
    space = right - left
    if device.address is not None:
        address = Text(Point(right, y + 15), f"address {device.address}", _DETAIL, anchor="end", tone="soft")
        texts.append(address)
        space -= text_width(address.text, _DETAIL) + 6
    texts.append(Text(Point(left, y + 16), cut(device.product, space, _PRODUCT, True), _PRODUCT, True))
    space = right - left - (GLYPH_WIDTH + 4) * len(device.glyphs)
    texts.append(Text(Point(left, y + 29), cut(device.name, space, _NAME), _NAME))
    for number, line in enumerate(_details(device)):
        texts.append(Text(Point(left, y + 41 + _LEADING * number), line, _DETAIL, tone="soft"))
    return Placed(device, device.family, box, tuple(texts))


def client_tile(client: Client, x: float, y: float) -> Placed:
    box = Box(x, y, CLIENT_WIDTH, CLIENT_HEIGHT)
    left, space = x + 44, CLIENT_WIDTH - 44 - _RIGHT
    texts = (
        Text(Point(left, y + 18), cut(client.title, space, 11, True), 11, True),
        Text(Point(left, y + 31), cut(client.note, space, _DETAIL), _DETAIL, tone="soft"),
    )
    return Placed(client, "client", box, texts)


def chip_width(supply: Supply) -> float:
    return 24 + max(text_width(supply.label, _NAME, True), text_width(supply.note, _DETAIL))


def chip(supply: Supply, x: float, y: float, width: float) -> Placed:
    """A source, transfer switch or board of the supply tree."""
    first = y + (14 if supply.note else 20)
    texts = [Text(Point(x + 12, first), supply.label, _NAME, True)]
    if supply.note:
        texts.append(Text(Point(x + 12, y + 26), supply.note, _DETAIL, tone="soft"))
    return Placed(supply, supply.kind, Box(x, y, width, CHIP_HEIGHT), tuple(texts))


def _details(device: Device) -> list[str]:
    space = TILE_WIDTH - _LEFT - _RIGHT
    return [line for detail in device.details for line in wrap(detail, space, _DETAIL)]
