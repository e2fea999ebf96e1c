"""What a reader of a picture sees: how much place things take, and what the drawn wires join."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.simulator.diagram.geometry import Box, Page, Point, Wire
from virtual_digiware.simulator.diagram.parts import Client, Device


def word_boxes(page: Page) -> list[Box]:
    """Every line of text."""
    texts = [*page.texts, *(text for owner in (*page.frames, *page.placed) for text in owner.texts)]
    return [text.box for text in (*texts, *(sample.text for sample in page.samples))]


def wire_boxes(page: Page) -> Iterator[tuple[Wire, Box]]:
    """Every straight piece of wire, its ends left out: there it meets what it joins."""
    for wire in page.wires:
        for (x1, y1), (x2, y2) in wire.pieces:
            assert x1 == x2 or y1 == y2, "wires run across or down"
            left, top, width, height = min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1)
            if width > 2:
                yield wire, Box(left + 1, top - 0.5, width - 2, 1)
            if height > 2:
                yield wire, Box(left - 0.5, top + 1, 1, height - 2)


def joined_keys(page: Page, medium: str) -> list[set[str]]:
    """Keys of devices and clients that the wires of a medium join, found by following the lines."""
    groups: list[tuple[set[Point], set[str]]] = []
    for wire in page.wires:
        if wire.medium != medium:
            continue
        points = {wire.points[0], wire.points[-1], *wire.joints}
        keys = {
            placed.what.key
            for placed in page.placed
            if isinstance(placed.what, Device | Client)
            and any(_on_edge(point, placed.box) for point in points)
        }
        touching = [group for group in groups if group[0] & points or group[1] & keys]
        groups = [group for group in groups if group not in touching]
        groups.append(
            (points.union(*(one for one, _ in touching)), keys.union(*(one for _, one in touching)))
        )
    return sorted((keys for _, keys in groups), key=sorted)


def _on_edge(point: Point, box: Box) -> bool:
    inside = box.x <= point.x <= box.right and box.y <= point.y <= box.bottom
    return inside and (point.x in (box.x, box.right) or point.y in (box.y, box.bottom))
