"""What must be right of Ethernet cascades: the slaves are there and can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.simulator.listening import wanted_ports

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Site
    from virtual_digiware.simulator.yaml_text import KeyPath


def check_cascades(site: Site, complaints: Complaints) -> None:
    """A slave is another gateway with a Modbus TCP port, named once, and no master of a cascade itself."""
    reachable = {port.gateway for port in wanted_ports(site) if port.service == "modbus_tcp"}
    masters = {gateway.name for gateway in site.gateways if gateway.cascade}
    slaves = [
        gateway.name for gateway in site.gateways if gateway.name in reachable and gateway.name not in masters
    ]
    for index, gateway in enumerate(site.gateways):
        path: KeyPath = ("gateways", index, "cascade")
        for position, name in enumerate(gateway.cascade):
            if name not in slaves:
                what = "a gateway with a Modbus TCP port and no `cascade` of its own"
                complaints.unknown((*path, position), name, what, slaves)
            elif name in gateway.cascade[:position]:
                complaints.add((*path, position), name, "each gateway once")
