"""Rules of displays and WEBVIEW: where they are, and how much they show."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.simulator.addressing import addressed_modules
from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_models import Gateway, Site

MAX_SHOWN = 32
"""Source: manuals RCM 551066A page 53, ISOM 546780C page 54; communication-architecture note, page 13."""


def shown_devices(site: Site, gateway: Gateway) -> int:
    """Devices that a gateway shows: modules of its bus, and what it polls on its line and over Ethernet.

    Sensors are not counted, nor are heads: whether they count is not published.
    """
    slaves = [other for other in site.gateways if other.name in gateway.cascade]
    return sum(_bus_and_line(site, one) for one in (gateway, *slaves))


def _bus_and_line(site: Site, gateway: Gateway) -> int:
    port = gateway.rs485
    count = len(addressed_modules(gateway))
    if port is None or port.role != "client":
        return count
    polled = [
        other
        for other in site.gateways
        if other.rs485 is not None and other.rs485.line == port.line and other.rs485.role == "server"
    ]
    meters = [meter for meter in site.meters if meter.rs485 is not None and meter.rs485.line == port.line]
    return count + sum(len(addressed_modules(other)) for other in polled) + len(meters)


@rule("shown-devices", "error", f"{NOTE}, page 13 and figures 20 to 22; manuals 551066A p. 53, 546780C p. 54")
def shown_devices_limit(site: Site) -> Iterator[Broken]:
    """A display and WEBVIEW-M show at most 32 devices, of bus, line and Ethernet together."""
    from virtual_digiware.devices.catalogue import product

    for index, gateway in enumerate(site.gateways):
        features = product(gateway.product).features
        count = shown_devices(site, gateway)
        if count > MAX_SHOWN and (features.get("has_display") or features.get("has_web_server")):
            yield Broken(
                ("gateways", index),
                f"{count} devices on {gateway.name}",
                f"at most {MAX_SHOWN}; above that a DATALOG H80 with WEBVIEW-L, or several {gateway.product}",
            )


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


RULES = (shown_devices_limit, display_drawn, webview_drawn)
