"""Cabinets beside each other: columns of tiles with channels between them, in which wires find their way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from virtual_digiware.simulator.diagram.geometry import Box, Frame, Placed, Point, Text
from virtual_digiware.simulator.diagram.parts import CabinetParts, Stack
from virtual_digiware.simulator.diagram.text_fit import wrap
from virtual_digiware.simulator.diagram.tiles import TILE_WIDTH, tile, tile_height

PADDING = 16.0
HEADER = 44.0
COLUMN_GAP = 32.0
CABINET_GAP = 22.0
TILE_GAP = 12.0
PORT_OFFSETS: Mapping[str, float] = {"ethernet": 40.0, "rs485": 20.0}
"""Where drops meet the top of a tile, from its right edge."""
_TITLE = 12.0


@dataclass(frozen=True, slots=True)
class Room:
    """A cabinet whose stacks are cut into columns of so many tiles at most."""

    cabinet: CabinetParts
    columns: tuple[Stack, ...]

    @classmethod
    def of(cls, cabinet: CabinetParts, rows: int) -> Room:
        columns = []
        for stack in cabinet.stacks:
            count = -(-len(stack) // rows)
            size = -(-len(stack) // count)
            columns += [stack[at : at + size] for at in range(0, len(stack), size)]
        return cls(cabinet, tuple(columns))

    @property
    def width(self) -> float:
        count = len(self.columns)
        return 2 * PADDING + count * TILE_WIDTH + (count - 1) * COLUMN_GAP

    @property
    def height(self) -> float:
        return HEADER + max(map(_column_height, self.columns)) + PADDING


@dataclass(frozen=True, slots=True)
class Seat:
    """A device with its place and the number of its column, counted over all cabinets."""

    tile: Placed
    column: int

    @property
    def box(self) -> Box:
        return self.tile.box


@dataclass(frozen=True, slots=True)
class Rooms:
    """All cabinets, placed."""

    frames: tuple[Frame, ...]
    seats: Mapping[str, Seat]
    tops: frozenset[str]
    """Keys of devices that nothing stands above, in their cabinet's order: those may have a drop."""
    bottom: float


def rooms_width(rooms: Sequence[Room]) -> float:
    return sum(room.width for room in rooms) + CABINET_GAP * (len(rooms) - 1)


def place_rooms(rooms: Sequence[Room], x: float, y: float, with_drops: frozenset[str]) -> Rooms:
    """Place cabinets from left to right, all of the same height.

    Args:
        with_drops: keys of devices from whose top a wire goes up; titles keep clear of them.
    """
    height = max(room.height for room in rooms)
    frames, seats = [], {}
    column = 0
    for room in rooms:
        box = Box(x, y, room.width, height)
        clear = box.right - PADDING
        left = x + PADDING
        for devices in room.columns:
            if devices[0].key in with_drops:
                clear = min(clear, left + TILE_WIDTH - max(PORT_OFFSETS.values()) - 10)
            top = y + HEADER
            for device in devices:
                seats[device.key] = Seat(tile(device, left, top), column)
                top += tile_height(device) + TILE_GAP
            left += TILE_WIDTH + COLUMN_GAP
            column += 1
        frames.append(Frame("cabinet", box, _title(room.cabinet.title, box, clear)))
        x = box.right + CABINET_GAP
    tops = frozenset(stack[0].key for room in rooms for stack in room.cabinet.stacks)
    return Rooms(tuple(frames), seats, tops, y + height)


def _title(title: str, box: Box, clear: float) -> tuple[Text, ...]:
    """In one line or two, as far as the first drop."""
    left = box.x + PADDING
    lines = wrap(title, clear - left, _TITLE, True)
    first = box.y + (24 if len(lines) == 1 else 17)
    return tuple(
        Text(Point(left, first + 15 * number), line, _TITLE, True) for number, line in enumerate(lines)
    )


def _column_height(devices: Stack) -> float:
    return sum(tile_height(device) + TILE_GAP for device in devices) - TILE_GAP
