"""Rules for SNMP: no traps from where they cannot leave."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from virtual_digiware.simulator.listening import wanted_ports
from virtual_digiware.simulator.yaml_text import KeyPath

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Site


def check_snmp(site: Site, complaints: Complaints) -> None:
    """What an agent may do where it listens."""
    for wanted in wanted_ports(site):
        if wanted.service != "snmp":
            continue
        settings = site.gateways[wanted.gateway_index].snmp
        assert settings is not None  # or nobody would want this port
        path: KeyPath = ("gateways", wanted.gateway_index, "snmp")
        is_local = ip_address(wanted.host).is_loopback
        for index, receiver in enumerate(settings.traps):
            if is_local and not ip_address(receiver.host).is_loopback:
                right = f"a loopback address, or a `host:` beyond loopback for the agent (now {wanted.host})"
                complaints.add((*path, "traps", index, "host"), receiver.host, right)
