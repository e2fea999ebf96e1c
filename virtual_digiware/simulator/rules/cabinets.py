"""Rules of cabinets: which of them one Digiware bus can reach."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.buses.digiware import MAX_LENGTH_M
from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_models import Site

SHORTEST_BETWEEN_M = 1.0
"""Cable below which two cabinets would be one (a choice)."""


@rule("cabinet-remote", "error", f"{NOTE}, figures 9, 12 and 15")
def cabinet_remote(site: Site) -> Iterator[Broken]:
    """A cabinet that no bus cable of 100 m reaches has a head of its own, a C-31 on the RS485 line."""
    for index, gateway in enumerate(site.gateways):
        for position, module in enumerate(gateway.bus):
            if module.cable_m > MAX_LENGTH_M:
                far = module.cabinet or module.name
                yield Broken(
                    ("gateways", index, "bus", position, "cable_m"),
                    f"{module.cable_m:g} m in one cable",
                    f"at most {MAX_LENGTH_M:g} m; a C-31 with a U module for {far}, on RS485",
                )


@rule("cabinet-cable", "warning", f"{NOTE}, figures 8 and 10")
def cabinet_cable(site: Site) -> Iterator[Broken]:
    """The bus cable from one cabinet to the next is as long as the way between them."""
    for index, gateway in enumerate(site.gateways):
        here = gateway.cabinet
        for position, module in enumerate(gateway.bus):
            there = module.cabinet or gateway.cabinet
            if there != here and module.cable_m < SHORTEST_BETWEEN_M:
                yield Broken(
                    ("gateways", index, "bus", position),
                    f"{module.cable_m:g} m of cable from {here or 'no cabinet'} to {there}",
                    f"`cable_m` of {module.name}: the length between the two cabinets",
                )
            here = there


RULES = (cabinet_remote, cabinet_cable)
