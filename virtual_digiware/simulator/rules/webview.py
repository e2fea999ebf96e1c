"""Rules of displays and WEBVIEW: where they are, and how much they show."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_models import Site

MAX_SHOWN = 32
"""Source: manuals RCM 551066A page 53, ISOM 546780C page 54; communication-architecture note, page 13."""


def _drawn(site: Site, what: str, feature: str, products: str) -> Iterator[Broken]:
    from virtual_digiware.devices.catalogue import products as catalogue

    having = {name for name, product in catalogue().items() if product.features.get(feature)}
    for name, cabinet in site.cabinets.items():
        inside = [gateway.product for gateway in site.gateways if gateway.cabinet == name]
        if getattr(cabinet, what) and not having.intersection(inside):
            yield Broken(
                ("cabinets", name, what),
                f"{name} has {', '.join(inside) or 'no gateway'}",
                f"{products} in {name}, or no `{what}` there",
            )


@rule("display-drawn", "error", f"{NOTE}, figures 2, 3, 5, 7 and 14 to 19")
def display_drawn(site: Site) -> Iterator[Broken]:
    """A cabinet with a display has a D-50 or D-70."""
    yield from _drawn(site, "display", "has_display", "a D-50 or D-70")


@rule("webview-drawn", "error", f"{NOTE}, figures 4 to 7 and 20 to 22")
def webview_drawn(site: Site) -> Iterator[Broken]:
    """A cabinet with WEBVIEW-M has a D-70 or M-70."""
    yield from _drawn(site, "webview", "has_web_server", "a D-70 or M-70")


RULES = (display_drawn, webview_drawn)
