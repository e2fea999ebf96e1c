"""Rules of the voltage reference: one U module for a Digiware system, and one source."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.simulator.bus_checks import family_of, source_of
from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_checks import all_circuits
from virtual_digiware.simulator.site_models import Gateway, Module, Site


def _of_family(gateway: Gateway, family: str) -> list[tuple[int, Module]]:
    return [
        (position, module)
        for position, module in enumerate(gateway.bus)
        if family_of(module.product) == family
    ]


@rule("voltage-module", "error", f"{NOTE}, figures 8, 9 and 12")
def voltage_module(site: Site) -> Iterator[Broken]:
    """Current modules have a U module on their bus."""
    for index, gateway in enumerate(site.gateways):
        current = _of_family(gateway, "current")
        if current and not _of_family(gateway, "voltage"):
            yield Broken(
                ("gateways", index, "bus"),
                f"no voltage module behind {gateway.name}",
                f"a U module on this bus: without it {current[0][1].name} measures currents but no power",
            )


@rule("voltage-once", "error", f"{NOTE}, glossary and figures 8, 10, 14 and 19")
def voltage_once(site: Site) -> Iterator[Broken]:
    """One voltage module serves all modules of a Digiware bus."""
    for index, gateway in enumerate(site.gateways):
        voltage = _of_family(gateway, "voltage")
        for position, module in voltage[1:]:
            yield Broken(
                ("gateways", index, "bus", position, "product"),
                module.product,
                f"one voltage module on a bus; {voltage[0][1].name} is already there",
            )


@rule("voltage-source", "error", f"{NOTE}, figures 14, 30 and 31")
def voltage_source(site: Site) -> Iterator[Broken]:
    """Circuits of another voltage source have a head and a U module of their own."""
    circuits = all_circuits(site)
    for index, gateway in enumerate(site.gateways):
        voltage = _of_family(gateway, "voltage")
        if not voltage:
            continue
        tapped = voltage[0][1]
        reference = source_of(site, tapped.board or next(iter(site.boards)))
        for position, module in enumerate(gateway.bus):
            for slot, wiring in enumerate(module.circuits):
                if wiring.circuit not in circuits:
                    continue  # direct current, which has rules of its own
                source = source_of(site, circuits[wiring.circuit][0])
                if None not in (source, reference) and source != reference:
                    yield Broken(
                        ("gateways", index, "bus", position, "circuits", slot, "circuit"),
                        f"{wiring.circuit}, fed by {source}",
                        f"circuits of {reference}, whose voltage {tapped.name} taps; "
                        f"for {source} a head of its own (a C-31, say) with a U module",
                    )


RULES = (voltage_module, voltage_once, voltage_source)
