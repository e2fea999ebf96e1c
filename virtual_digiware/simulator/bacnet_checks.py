"""Rules for BACnet/IP over all gateways of a site: network numbers and device instances are unique."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.simulator.yaml_text import KeyPath

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Site

INSTANCES = 248
"""Device instances of one gateway: its own, and one for each Modbus address."""


def check_bacnet(site: Site, complaints: Complaints) -> None:
    """Clients see all gateways of a site as one internetwork, where numbers stand for one thing each."""
    networks: dict[int, str] = {}
    instances: dict[int, str] = {}
    for index, gateway in enumerate(site.gateways):
        settings = gateway.bacnet
        if settings is None or not settings.enabled:
            continue
        path: KeyPath = ("gateways", index, "bacnet")
        other = networks.get(settings.network)
        if other is not None:
            right = f"`network:` with a number of its own; {other} has {settings.network}"
            complaints.add((*path, "network"), settings.network, right)
        near = [first for first in instances if abs(first - settings.main_instance) < INSTANCES]
        if near:
            right = (
                f"`main_instance:` at least {INSTANCES} from that of {instances[near[0]]}, "
                f"which has {near[0]} and one instance for each Modbus address after it"
            )
            complaints.add((*path, "main_instance"), settings.main_instance, right)
        networks.setdefault(settings.network, gateway.name)
        instances.setdefault(settings.main_instance, gateway.name)
