"""Rules of Ethernet cascades: who collects whom."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_models import Site

MASTERS = ("M-70", "D-70")
SLAVES = ("M-50", "D-50")
"""Source of both: communication-architecture note, figures 21, 27 and 29."""


@rule("cascade-master", "error", f"{NOTE}, figures 21, 27 and 29")
def cascade_master(site: Site) -> Iterator[Broken]:
    """Gateways are collected over Ethernet by an M-70 or D-70."""
    for index, gateway in enumerate(site.gateways):
        if gateway.cascade and gateway.product not in MASTERS:
            yield Broken(
                ("gateways", index, "cascade"),
                f"a {gateway.product} with a cascade",
                f"no `cascade`: only {' and '.join(MASTERS)} collect other gateways over Ethernet",
            )


@rule("cascade-slave", "warning", f"{NOTE}, figures 21, 27 and 29")
def cascade_slave(site: Site) -> Iterator[Broken]:
    """What an M-70 or D-70 collects over Ethernet are M-50 and D-50, which show no WEBVIEW of their own."""
    products = {gateway.name: gateway.product for gateway in site.gateways}
    for index, gateway in enumerate(site.gateways):
        for position, name in enumerate(gateway.cascade):
            if products[name] not in SLAVES:
                yield Broken(
                    ("gateways", index, "cascade", position),
                    f"{name}, a {products[name]}",
                    f"one of {' and '.join(SLAVES)} there",
                )


RULES = (cascade_master, cascade_slave)
