"""Places of things on a page: boxes, ways of wires, lines of text. In px at 96 per inch; y grows downward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from virtual_digiware.simulator.diagram.parts import Client, Device, Medium, Supply
from virtual_digiware.simulator.diagram.text_fit import text_width

Anchor = Literal["start", "end"]


class Point(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> Point:
        return Point(self.x + self.width / 2, self.y + self.height / 2)

    def meets(self, other: Box) -> bool:
        """Whether some area belongs to both."""
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )

    def holds(self, other: Box) -> bool:
        return (
            self.x <= other.x
            and other.right <= self.right
            and self.y <= other.y
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; `at` is on its base line."""

    at: Point
    text: str
    size: float
    is_bold: bool = False
    anchor: Anchor = "start"
    tone: Literal["ink", "soft", "digiware", "rs485", "ethernet"] = "ink"

    @property
    def box(self) -> Box:
        width = text_width(self.text, self.size, self.is_bold)
        left = self.at.x if self.anchor == "start" else self.at.x - width
        return Box(left, self.at.y - 0.78 * self.size, width, self.size)


@dataclass(frozen=True, slots=True)
class Wire:
    """A path of straight pieces; `joints` are where it is connected to another wire."""

    medium: Medium | Literal["supply"]
    points: tuple[Point, ...]
    joints: tuple[Point, ...] = ()

    @property
    def pieces(self) -> Iterator[tuple[Point, Point]]:
        return pairwise(self.points)


@dataclass(frozen=True, slots=True)
class Placed:
    """A device, client or supply in its box, with its texts; `kind` is its family."""

    what: Device | Client | Supply
    kind: str
    box: Box
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A cabinet or a panel around other things."""

    kind: Literal["cabinet", "panel"]
    box: Box
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """An entry of the legend: a piece of wire, or else a tile of that family."""

    medium: Medium | None
    family: str
    box: Box
    text: Text


@dataclass(frozen=True, slots=True)
class Page:
    """Everything with its place; `width` and `height` are those of the content.

    `rows`: most tiles in a column.
    """

    width: float
    height: float
    title: str
    texts: tuple[Text, ...]
    frames: tuple[Frame, ...]
    placed: tuple[Placed, ...]
    wires: tuple[Wire, ...]
    samples: tuple[Sample, ...]
    rows: int
