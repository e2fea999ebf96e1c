"""Rules of the 24 V supply of a Digiware bus."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.buses.bus_power import Segment
from virtual_digiware.simulator.bus_chain import bus_segments, is_repeater
from virtual_digiware.simulator.cabinet_models import Supply, supply_name, supply_w
from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_models import Site
from virtual_digiware.simulator.yaml_text import KeyPath

MAX_SUPPLY_W = 20.0
"""Source: DIRIS Digiware instruction manual 542875G, page 52."""

MARGIN = 0.9
"""Share of a supply above which estimates could hide an overload (a choice)."""

_MANUAL = "DIRIS Digiware instruction manual 542875G, page 52"


def _supplies(site: Site) -> Iterator[tuple[KeyPath, Segment, Supply | None]]:
    """Each segment with the place of its feeder in the file and its supply."""
    for index, gateway in enumerate(site.gateways):
        places: list[tuple[KeyPath, Supply | None]] = [(("gateways", index), gateway.supply)]
        places += [
            (("gateways", index, "bus", position), module.supply)
            for position, module in enumerate(gateway.bus)
            if is_repeater(module.product)
        ]
        for (path, supply), segment in zip(places, bus_segments(gateway), strict=True):
            yield path, segment, supply


@rule("power-budget", "error", f"{_MANUAL}; {NOTE}, figure 11")
def power_budget(site: Site) -> Iterator[Broken]:
    """Head, modules, cable and couplers of a segment draw no more than its 24 V supply gives."""
    for path, segment, supply in _supplies(site):
        if segment.is_overloaded:
            first = segment.past_limit[:1]
            where = f" before {first[0]}" if first else ""
            yield Broken(
                (*path, "supply"),
                f"{segment.total_w:.3f} W drawn from {segment.supply_w:g} W ({supply_name(supply)})",
                f"a C-32 repeater with its own supply{where}, or a stronger supply up to {MAX_SUPPLY_W:g} W",
            )


@rule("power-supply", "warning", _MANUAL)
def power_supply(site: Site) -> Iterator[Broken]:
    """The supply of a segment gives at most 20 W."""
    for path, _, supply in _supplies(site):
        if supply_w(supply) > MAX_SUPPLY_W:
            yield Broken(
                (*path, "supply"),
                f"a supply of {supply_name(supply)}",
                f"at most {MAX_SUPPLY_W:g} W, and a C-32 repeater where that is not enough",
            )


@rule("power-margin", "note", f"{_MANUAL}; figures of other products are estimates")
def power_margin(site: Site) -> Iterator[Broken]:
    """A budget that contains estimates leaves a tenth of the supply free."""
    for path, segment, supply in _supplies(site):
        if segment.has_estimates and MARGIN * segment.supply_w < segment.total_w <= segment.supply_w:
            given = f"{segment.supply_w:g} W ({supply_name(supply)})"
            yield Broken(
                (*path, "supply"),
                f"{segment.total_w:.3f} W, partly estimated, of {given}",
                "more margin: a C-32 repeater with a supply of its own, or a stronger supply",
            )


RULES = (power_budget, power_supply, power_margin)
