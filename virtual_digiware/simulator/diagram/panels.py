"""Below the cabinets: where the power comes from, and what the colours and lines mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from virtual_digiware.simulator.diagram.geometry import Box, Frame, Placed, Point, Sample, Text, Wire
from virtual_digiware.simulator.diagram.parts import Medium, Picture, Supply
from virtual_digiware.simulator.diagram.text_fit import text_width
from virtual_digiware.simulator.diagram.tiles import CHIP_HEIGHT, chip, chip_width

_HEADING, _TEXT = 11.0, 9.5
_PADDING = 14.0
_TOP = 32.0
_ROW, _DEPTH_GAP = 8.0, 32.0
_LEGEND_ROWS = 4
_LEGEND_ROW = 19.0
_SAMPLE_WIDTH = 30.0

MEDIA: Mapping[Medium, str] = {"digiware": "Digiware bus", "rs485": "RS485 line", "ethernet": "Ethernet"}
FAMILIES = {
    "head": "Gateway, display or interface",
    "voltage": "Voltage module",
    "current": "Current module",
    "dc_voltage": "DC voltage module",
    "dc_current": "DC current module",
    "io": "Input/output module",
    "repeater": "Repeater",
    "transfer_switch": "Transfer controller",
    "sensor": "Bluetooth sensor",
    "meter": "Meter",
    "datalogger": "Datalogger",
}


@dataclass(slots=True)
class Panels:
    """Both panels at the origin; `width` and `height` are those of each."""

    frames: list[Frame] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


def panels_size(picture: Picture) -> tuple[float, float, float]:
    """Widths of the supply panel and of the legend, and the height of both."""
    tree = _Tree.of(picture.supplies)
    entries = list(_entries(picture))
    notes = [text_width(line, _TEXT) for line in picture.couplers]
    supply = 2 * _PADDING + max([tree.width, *notes, 60.0])
    legend = 2 * _PADDING + sum(_legend_widths(entries))
    high = _TOP + tree.height + 16 * len(picture.couplers) + _PADDING
    return supply, legend, max(high, _TOP + _LEGEND_ROW * _LEGEND_ROWS + _PADDING - 6)


def place_panels(picture: Picture, y: float, width: float) -> Panels:
    """The supply panel at the left, the legend at the right, over the whole width."""
    _, legend_width, height = panels_size(picture)
    split = width - legend_width
    found = Panels()
    supply_box = Box(0, y, split - 20, height)
    tree = _Tree.of(picture.supplies)
    tree.place(found, _PADDING, y + _TOP)
    notes = [
        Text(Point(_PADDING, y + _TOP + tree.height + 16 * (number + 1)), line, _TEXT)
        for number, line in enumerate(picture.couplers)
    ]
    heading = Text(Point(_PADDING, y + 20), "Supply", _HEADING, True)
    found.frames.append(Frame("panel", supply_box, (heading, *notes)))
    heading = Text(Point(split + _PADDING, y + 20), "Legend", _HEADING, True)
    found.frames.append(Frame("panel", Box(split, y, legend_width, height), (heading,)))
    _place_legend(found, list(_entries(picture)), split + _PADDING, y + _TOP)
    return found


_Entry = tuple[Medium | None, str, str]
"""Of the legend: a medium, or else a family; and its words."""


def _entries(picture: Picture) -> Iterator[_Entry]:
    media = {link.medium for link in picture.links} | {network.medium for network in picture.networks}
    yield from ((medium, "", text) for medium, text in MEDIA.items() if medium in media)
    families = {device.family for cabinet in picture.cabinets for stack in cabinet.stacks for device in stack}
    yield from ((None, family, text) for family, text in FAMILIES.items() if family in families)


def _legend_widths(entries: Sequence[_Entry]) -> list[float]:
    return [
        _SAMPLE_WIDTH + 8 + max(text_width(text, _TEXT) for _, _, text in column) + 18
        for column in _legend_columns(entries)
    ]


def _legend_columns(entries: Sequence[_Entry]) -> list[Sequence[_Entry]]:
    count = -(-len(entries) // _LEGEND_ROWS)
    rows = -(-len(entries) // count)
    return [entries[at : at + rows] for at in range(0, len(entries), rows)]


def _place_legend(found: Panels, entries: Sequence[_Entry], x: float, y: float) -> None:
    for column, width in zip(_legend_columns(entries), _legend_widths(entries), strict=True):
        for row, (medium, family, text) in enumerate(column):
            top = y + row * _LEGEND_ROW
            label = Text(Point(x + _SAMPLE_WIDTH + 8, top + 10), text, _TEXT)
            found.samples.append(Sample(medium, family, Box(x, top, _SAMPLE_WIDTH, 13), label))
        x += width


@dataclass(slots=True)
class _Tree:
    """Supplies by row and depth: what supplies stands at the left of what is supplied."""

    cells: list[tuple[Supply, int, int]] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, supplies: Sequence[Supply]) -> _Tree:
        tree = cls()
        row = 0
        for supply in supplies:
            row = tree._add(supply, row, 0, None)
        return tree

    def _add(self, supply: Supply, row: int, depth: int, parent: int | None) -> int:
        """Returns the row below everything that hangs on this."""
        index = len(self.cells)
        self.cells.append((supply, row, depth))
        if parent is not None:
            self.edges.append((parent, index))
        below = row
        for child in supply.supplies:
            child_index = len(self.cells)
            below = self._add(child, below, depth + 1, index)
            for other_row, other in enumerate(supply.also_from, start=row + 1):
                self.edges.append((len(self.cells), child_index))
                self.cells.append((other, other_row, depth))
        return max(below, row + 1 + len(supply.also_from))

    @property
    def _widths(self) -> list[float]:
        deepest = max((depth for _, _, depth in self.cells), default=-1)
        return [
            max(chip_width(supply) for supply, _, depth in self.cells if depth == level)
            for level in range(deepest + 1)
        ]

    @property
    def width(self) -> float:
        return sum(self._widths) + _DEPTH_GAP * (len(self._widths) - 1)

    @property
    def height(self) -> float:
        rows = 1 + max((row for _, row, _ in self.cells), default=-1)
        return rows * (CHIP_HEIGHT + _ROW) - _ROW

    def place(self, found: Panels, x: float, y: float) -> None:
        widths = self._widths
        lefts = [x + sum(widths[:depth]) + _DEPTH_GAP * depth for depth in range(len(widths))]
        chips = [
            chip(supply, lefts[depth], y + row * (CHIP_HEIGHT + _ROW), widths[depth])
            for supply, row, depth in self.cells
        ]
        found.placed += chips
        for above, below in self.edges:
            start, end = chips[above].box, chips[below].box
            middle = end.x - _DEPTH_GAP / 2
            points = (
                Point(start.right, start.middle.y),
                Point(middle, start.middle.y),
                Point(middle, end.middle.y),
                Point(end.x, end.middle.y),
            )
            found.wires.append(Wire("supply", points))
