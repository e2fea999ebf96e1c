"""Rules of direct current: a system of its own, with its own voltage module."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.simulator.bus_checks import family_of
from virtual_digiware.simulator.dc_checks import dc_circuits
from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_models import Site

_DC, _AC = ("dc_voltage", "dc_current"), ("voltage", "current")


@rule("dc-apart", "error", f"{NOTE}, figures 32 and 33")
def dc_apart(site: Site) -> Iterator[Broken]:
    """AC and DC modules never share a Digiware system: DC has a head of its own, even in the same panel."""
    for index, gateway in enumerate(site.gateways):
        families = [family_of(module.product) for module in gateway.bus]
        if any(family in _AC for family in families):
            for position, family in enumerate(families):
                if family in _DC:
                    product = gateway.bus[position].product
                    yield Broken(
                        ("gateways", index, "bus", position, "product"),
                        product,
                        f"AC modules only behind {gateway.name}; the {product} needs a C-31 of its own",
                    )


@rule("dc-voltage-module", "error", f"{NOTE}, figures 32 and 33")
def dc_voltage_module(site: Site) -> Iterator[Broken]:
    """DC current modules have one Udc module on their bus, on the board of their circuits."""
    boards = dc_circuits(site)
    for index, gateway in enumerate(site.gateways):
        families = [family_of(module.product) for module in gateway.bus]
        voltage = [place for place, family in enumerate(families) if family == "dc_voltage"]
        if "dc_current" in families and not voltage:
            yield Broken(
                ("gateways", index, "bus"),
                f"no DC voltage module behind {gateway.name}",
                "a U-31dc or U-32dc on this bus: without it there are currents but no power",
            )
        for place in voltage[1:]:
            first = gateway.bus[voltage[0]].name
            right = f"one DC voltage module on a bus; {first} is already there"
            yield Broken(("gateways", index, "bus", place, "product"), gateway.bus[place].product, right)
        if not voltage:
            continue
        tapped = gateway.bus[voltage[0]].board or next(iter(site.dc), "")
        for position, module in enumerate(gateway.bus):
            for slot, wiring in enumerate(module.circuits if families[position] == "dc_current" else ()):
                if boards.get(wiring.circuit, tapped) != tapped:
                    yield Broken(
                        ("gateways", index, "bus", position, "circuits", slot, "circuit"),
                        f"{wiring.circuit}, on {boards[wiring.circuit]}",
                        f"circuits of {tapped}, whose voltage is tapped on this bus",
                    )


RULES = (dc_apart, dc_voltage_module)
