"""Ways of cables between two devices: down a column, over the channel beside it, or below all cabinets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from virtual_digiware.simulator.diagram.geometry import Point, Wire
from virtual_digiware.simulator.diagram.parts import Link
from virtual_digiware.simulator.diagram.rooms import TILE_GAP, Rooms, Seat

_FROM_LEFT = 24.0
"""Where a cable within a column leaves a tile."""
_BESIDE = 9.0
"""How far from its column a cable runs up or down."""
_FIRST_LANE, LANE = 14.0, 9.0


@dataclass(frozen=True, slots=True)
class Routed:
    """Cables with their ways, and how far below the cabinets they reach."""

    wires: tuple[Wire, ...]
    bottom: float


def route(links: Sequence[Link], rooms: Rooms) -> Routed:
    """Find a way for each cable that crosses no device. Cables below the cabinets have a lane each."""
    wires = []
    lane = rooms.bottom + _FIRST_LANE
    bottom = rooms.bottom
    for link in links:
        start, end = rooms.seats[link.start], rooms.seats[link.end]
        points = _within_column(start, end) or _to_next_column(start, end)
        if points is None:
            points = _below(start, end, lane)
            bottom = lane
            lane += LANE
        wires.append(Wire(link.medium, points))
    return Routed(tuple(wires), bottom)


def _within_column(start: Seat, end: Seat) -> tuple[Point, ...] | None:
    is_next = start.column == end.column and abs(end.box.y - start.box.bottom - TILE_GAP) < 1e-6
    if not is_next:
        return None
    x = start.box.x + _FROM_LEFT
    return (Point(x, start.box.bottom), Point(x, end.box.y))


def _to_next_column(start: Seat, end: Seat) -> tuple[Point, ...] | None:
    if end.column != start.column + 1:
        return None
    x = (start.box.right + end.box.x) / 2
    return (
        Point(start.box.right, start.box.middle.y),
        Point(x, start.box.middle.y),
        Point(x, end.box.middle.y),
        Point(end.box.x, end.box.middle.y),
    )


def _below(start: Seat, end: Seat, lane: float) -> tuple[Point, ...]:
    down, up = start.box.right + _BESIDE, end.box.x - _BESIDE
    return (
        Point(start.box.right, start.box.middle.y),
        Point(down, start.box.middle.y),
        Point(down, lane),
        Point(up, lane),
        Point(up, end.box.middle.y),
        Point(end.box.x, end.box.middle.y),
    )
