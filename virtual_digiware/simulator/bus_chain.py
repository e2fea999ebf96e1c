"""From the bus of a site file to the chain of consumers that its power budget is computed from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from virtual_digiware.buses.bus_power import Consumer, Segment, segments
from virtual_digiware.simulator.cabinet_models import supply_w

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_models import Gateway


def bus_segments(gateway: Gateway) -> tuple[Segment, ...]:
    """The length and supply segments of a gateway's bus; products that are not known draw nothing."""
    head = _consumer(gateway.name, gateway.product)
    chain = [replace(head, supply_w=supply_w(gateway.supply))]
    for module in gateway.bus:
        one = _consumer(module.name, module.product)
        supply = supply_w(module.supply) if is_repeater(module.product) else None
        chain.append(replace(one, cable_m=module.cable_m, couplers=module.rj45_couplers, supply_w=supply))
    return segments(chain)


def _consumer(name: str, product: str) -> Consumer:
    from virtual_digiware.devices.catalogue import products

    described = products().get(product)
    features = {} if described is None else described.features
    return Consumer(
        name,
        float(features.get("consumption_w", 0.0)),
        is_estimate=bool(features.get("consumption_is_estimate", True)),
    )


def is_repeater(product: str) -> bool:
    """Whether a product has no address of its own and starts a new segment of the bus."""
    from virtual_digiware.devices.catalogue import products

    described = products().get(product)
    return described is not None and described.family == "repeater"
