"""Rules for dataloggers: names, and what they collect is there and has an Ethernet port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.simulator.listening import wanted_ports

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Site
    from virtual_digiware.simulator.yaml_text import KeyPath


def check_dataloggers(site: Site, complaints: Complaints) -> None:
    """Every rule that concerns dataloggers."""
    gateways = {gateway.name: gateway for gateway in site.gateways}
    reachable = {port.gateway for port in wanted_ports(site) if port.service == "modbus_tcp"}
    names = set(gateways)
    for index, logger in enumerate(site.dataloggers):
        path: KeyPath = ("dataloggers", index)
        if logger.name in names:
            complaints.add((*path, "name"), logger.name, "a name of its own among gateways and dataloggers")
        names.add(logger.name)
        for position, one in enumerate(logger.collects):
            key = "gateway" if one.gateway is not None else "meter"
            name = one.gateway or one.meter or ""
            one_path: KeyPath = (*path, "collects", position, key)
            known = sorted(reachable & set(gateways) if key == "gateway" else reachable - set(gateways))
            if name not in known:
                complaints.unknown(one_path, name, f"a {key} with a Modbus TCP port", known)
