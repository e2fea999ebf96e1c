"""The whole picture with every place, arranged for a sheet of A4 across."""

from __future__ import annotations

from virtual_digiware.simulator.diagram.equipment import equipment_of
from virtual_digiware.simulator.diagram.geometry import Page, Point, Text
from virtual_digiware.simulator.diagram.networks import clients_of, networks_of
from virtual_digiware.simulator.diagram.panels import panels_size, place_panels
from virtual_digiware.simulator.diagram.parts import Picture
from virtual_digiware.simulator.diagram.rails import (
    clients_width,
    gutter_width,
    place_rails,
    rails_height,
    with_drops,
)
from virtual_digiware.simulator.diagram.rooms import Room, place_rooms, rooms_width
from virtual_digiware.simulator.diagram.routes import route
from virtual_digiware.simulator.diagram.supplies import couplers_of, supplies_of
from virtual_digiware.simulator.diagram.text_fit import wrap
from virtual_digiware.simulator.site_models import Site

SHEET_WIDTH, SHEET_HEIGHT = 1122.5, 793.7
"""A4 across, 297 mm x 210 mm at 96 px per inch."""
MARGIN = 38.0
_SHEET_SHAPE = (SHEET_WIDTH - 2 * MARGIN) / (SHEET_HEIGHT - 2 * MARGIN)
_LEAST_WIDTH = 640.0
_FEWEST_ROWS, _MOST_ROWS = 4, 40
_LARGEST_SCALE = 1.35
_AS_GOOD = 0.9
_TITLE, _SUBTITLE = 19.0, 10.0
_GAP = 24.0


def picture_of(site: Site, subtitle: str) -> Picture:
    """What is drawn of a site."""
    cabinets, links = equipment_of(site)
    return Picture(
        site.title or site.site,
        subtitle,
        cabinets,
        links,
        networks_of(site, cabinets),
        clients_of(site),
        supplies_of(site),
        couplers_of(site),
    )


def page_of(picture: Picture) -> Page:
    """Columns of the height that a sheet shows largest, or higher ones where the difference is small."""
    longest = max(len(stack) for cabinet in picture.cabinets for stack in cabinet.stacks)
    most = min(longest, _MOST_ROWS)
    pages = [_arranged(picture, rows) for rows in range(min(_FEWEST_ROWS, most), most + 1)]
    best = max(map(scale_on_sheet, pages))
    page = next(page for page in reversed(pages) if scale_on_sheet(page) >= _AS_GOOD * best)
    return _arranged(picture, page.rows, page.height * _SHEET_SHAPE)


def scale_on_sheet(page: Page) -> float:
    """By how much a page is enlarged to fill a sheet; a small one does not, as its type would shout."""
    return min(
        (SHEET_WIDTH - 2 * MARGIN) / page.width,
        (SHEET_HEIGHT - 2 * MARGIN) / page.height,
        _LARGEST_SCALE,
    )


def _arranged(picture: Picture, rows: int, least_width: float = _LEAST_WIDTH) -> Page:
    cabinets = [Room.of(cabinet, rows) for cabinet in picture.cabinets]
    gutter = gutter_width(picture.networks)
    supply_width, legend_width, panel_height = panels_size(picture)
    inner = max(rooms_width(cabinets), clients_width(picture.clients))
    width = max(gutter + inner, supply_width + 20 + legend_width, least_width)

    texts, y = _heading(picture, width)
    left = gutter + (width - gutter - rooms_width(cabinets)) / 2
    top = y + rails_height(picture.clients, picture.networks)
    rooms = place_rooms(cabinets, left, top, with_drops(picture.networks))
    rails = place_rails(picture.clients, picture.networks, rooms, y, gutter, width)
    cables = route(picture.links, rooms)
    panels = place_panels(picture, cables.bottom + _GAP, width)
    return Page(
        width,
        cables.bottom + _GAP + panel_height,
        picture.title,
        (*texts, *rails.texts),
        (*rooms.frames, *panels.frames),
        (*(seat.tile for seat in rooms.seats.values()), *rails.clients, *panels.placed),
        (*rails.wires, *cables.wires, *panels.wires),
        tuple(panels.samples),
        rows,
    )


def _heading(picture: Picture, width: float) -> tuple[list[Text], float]:
    """Title and subtitle in the upper left corner, and where the rest begins."""
    texts, y = [], 18.0
    for line in wrap(picture.title, width, _TITLE, True):
        texts.append(Text(Point(0, y), line, _TITLE, True))
        y += 24
    y -= 6
    for line in wrap(picture.subtitle, width, _SUBTITLE):
        texts.append(Text(Point(0, y), line, _SUBTITLE, tone="soft"))
        y += 14
    return texts, y + 12
