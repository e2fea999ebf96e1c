"""A page as SVG text: the same page gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from virtual_digiware.simulator.diagram.geometry import Box, Frame, Page, Placed, Point, Sample, Text, Wire
from virtual_digiware.simulator.diagram.page import (
    SHEET_HEIGHT,
    SHEET_WIDTH,
    page_of,
    picture_of,
    scale_on_sheet,
)
from virtual_digiware.simulator.diagram.parts import Client, Device
from virtual_digiware.simulator.diagram.tiles import BAND, GLYPH_WIDTH
from virtual_digiware.simulator.site_file import SiteFile
from virtual_digiware.simulator.site_listing import equipment_of

_STYLE = """
text{font-family:Helvetica,Arial,"DejaVu Sans",sans-serif;fill:#1b2530}
.b{font-weight:bold}.soft{fill:#55616d}
text.digiware{fill:#0b7a3b}text.rs485{fill:#b4540a}text.ethernet{fill:#1c56a8}
.wire{fill:none;stroke-linejoin:round;stroke-linecap:round}
.wire.digiware{stroke:#0b8a43;stroke-width:3.4}
.wire.rs485{stroke:#d2660f;stroke-width:2.2;stroke-dasharray:7 4}
.wire.ethernet{stroke:#1f63c0;stroke-width:2}
.wire.supply{stroke:#3a4652;stroke-width:1.2}
circle.digiware{fill:#0b8a43}circle.rs485{fill:#d2660f}circle.ethernet{fill:#1f63c0}
.cabinet{fill:#f4f6f8;stroke:#7c8894;stroke-width:1.2}
.panel{fill:none;stroke:#c5ccd3}
.tile{fill:#fff;stroke:#46525e}
.sensor .tile,.implied .tile{stroke-dasharray:4 3}
.glyph{fill:none;stroke:#46525e;stroke-width:1.2;stroke-linecap:round}
.band.head{fill:#1b2530}.band.voltage{fill:#b3261e}.band.current{fill:#2f6fb7}.band.io{fill:#8a5fb5}
.band.dc_voltage{fill:#e07a5f}.band.dc_current{fill:#5b8c3a}
.band.sensor{fill:#27a3b5}.band.meter{fill:#c98a00}.band.transfer,.band.transfer_switch{fill:#c2185b}.band.repeater{fill:#6b7781}
.band.datalogger{fill:#3f4c8c}.band.client{fill:#46525e}
.band.source{fill:#1b2530}.band.board{fill:#9aa5b0}
"""


def site_svg(file: SiteFile) -> str:
    """The picture of a site as an SVG document."""
    data = file.text.data
    return svg_of(page_of(picture_of(file.site, f"{file.site.site}: {equipment_of(data)}")))


def svg_of(page: Page) -> str:
    """An SVG document of the size of a sheet of A4 across, black on white where colours are missing."""
    scale = scale_on_sheet(page)
    width, height = SHEET_WIDTH / scale, SHEET_HEIGHT / scale
    left, top = (width - page.width) / 2, (height - page.height) / 2
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" width="297mm" height="210mm" '
            f'viewBox="{_n(-left)} {_n(-top)} {_n(width)} {_n(height)}">',
            f"<title>{escape(page.title)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect x="{_n(-left)}" y="{_n(-top)}" width="{_n(width)}" height="{_n(height)}" fill="#fff"/>',
            *(line for frame in page.frames for line in _frame(frame)),
            *map(_wire, page.wires),
            *(line for placed in page.placed for line in _placed(placed)),
            *(line for sample in page.samples for line in _sample(sample)),
            *map(_text, page.texts),
            "</svg>\n",
        ]
    )


def _n(value: float) -> str:
    """A number in as few characters as a tenth of a px needs."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _text(text: Text) -> str:
    classes = " ".join([*(["b"] if text.is_bold else []), *([text.tone] if text.tone != "ink" else [])])
    return (
        f'<text x="{_n(text.at.x)}" y="{_n(text.at.y)}" font-size="{_n(text.size)}"'
        + (f' class="{classes}"' if classes else "")
        + (' text-anchor="end"' if text.anchor == "end" else "")
        + f">{escape(text.text, quote=False)}</text>"
    )


def _rect(box: Box, classes: str, radius: float = 0.0) -> str:
    corner = f' rx="{_n(radius)}"' if radius else ""
    return (
        f'<rect class="{classes}" x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" '
        f'height="{_n(box.height)}"{corner}/>'
    )


def _frame(frame: Frame) -> Iterator[str]:
    yield _rect(frame.box, frame.kind, 5)
    yield from map(_text, frame.texts)


def _path(points: tuple[Point, ...]) -> str:
    steps = [f"M{_n(points[0].x)} {_n(points[0].y)}"]
    for before, after in pairwise(points):
        if after.x != before.x:
            steps.append(f"H{_n(after.x)}")
        if after.y != before.y:
            steps.append(f"V{_n(after.y)}")
    return "".join(steps)


def _wire(wire: Wire) -> str:
    dots = "".join(
        f'<circle class="{wire.medium}" cx="{_n(joint.x)}" cy="{_n(joint.y)}" r="3.6"/>'
        for joint in wire.joints
    )
    return f'<path class="wire {wire.medium}" d="{_path(wire.points)}"/>{dots}'


def _placed(placed: Placed) -> Iterator[str]:
    box = placed.box
    implied = " implied" if isinstance(placed.what, Client) and placed.what.is_implied else ""
    yield f'<g class="{placed.kind}{implied}">'
    yield _rect(box, "tile", 3)
    if placed.kind == "client":
        yield _screen(box.x + 14, box.y + 10)
    else:
        yield _band(placed.kind, box)
    if isinstance(placed.what, Device):
        right = box.right - 8
        for glyph in placed.what.glyphs:
            right -= GLYPH_WIDTH
            yield _display(right, box.y + 18.5) if glyph == "display" else _waves(right, box.y + 18.5)
            right -= 4
    yield from map(_text, placed.texts)
    yield "</g>"


def _band(kind: str, box: Box) -> str:
    return _rect(Box(box.x + 0.5, box.y + 3, BAND - 0.5, box.height - 6), f"band {kind}")


def _screen(x: float, y: float) -> str:
    """A monitor on its foot."""
    return f'<path class="glyph" d="M{_n(x)} {_n(y)}h22v14h-22zM{_n(x + 11)} {_n(y + 14)}v5m-6 0h12"/>'


def _display(x: float, y: float) -> str:
    """The front of a display, with its lines of text."""
    return (
        f'<path class="glyph" d="M{_n(x + 4)} {_n(y)}h22v13h-22zM{_n(x + 8)} {_n(y + 4.5)}h14'
        f'M{_n(x + 8)} {_n(y + 8.5)}h9"/>'
    )


def _waves(x: float, y: float) -> str:
    """Waves of a radio."""
    arcs = "".join(
        f"M{_n(x + 8 + 4 * size)} {_n(y + 6.5 - 2 * size)}q{_n(size * 1.6)} {_n(2 * size)} 0 {_n(4 * size)}"
        for size in (1.0, 2.0, 3.0)
    )
    return f'<path class="glyph" d="{arcs}M{_n(x + 8)} {_n(y + 6.5)}h.1"/>'


def _sample(sample: Sample) -> Iterator[str]:
    box = sample.box
    if sample.medium is not None:
        yield _wire(Wire(sample.medium, (Point(box.x, box.middle.y), Point(box.right, box.middle.y))))
    else:
        yield f'<g class="{sample.family}">{_rect(box, "tile", 2)}{_band(sample.family, box)}</g>'
    yield _text(sample.text)
