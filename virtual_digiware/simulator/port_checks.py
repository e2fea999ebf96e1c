"""Rules for what a site opens to clients: TCP ports, hosts, RS485 lines."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from virtual_digiware.simulator.listening import wanted_ports
from virtual_digiware.simulator.yaml_text import KeyPath

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Site

ANY_HOSTS = ("0.0.0.0", "::")


def check_listening(site: Site, complaints: Complaints) -> None:
    """Nothing listens beyond loopback unless the file says so, and no two ports clash."""
    taken: dict[int, list[tuple[str, str]]] = {}
    for wanted in wanted_ports(site):
        path: KeyPath = ("meters" if wanted.is_meter else "gateways", wanted.gateway_index, wanted.service)
        if site.listen == "loopback" and not ip_address(wanted.host).is_loopback:
            right = "a loopback address such as 127.0.0.1, or `listen: any` at the top of the file"
            complaints.add((*path, "host"), wanted.host, right)
        holder = f"{wanted.service} of {wanted.gateway}"
        # A meter does without the standard port where a gateway has it; only its alternative must be its own.
        keys = ("alternative",) if wanted.is_meter else ("port", "alternative")
        for key in keys:
            port = int(getattr(wanted, key))
            clash = [
                other
                for host, other in taken.get(port, [])
                if _overlap(host, wanted.host) and other != holder
            ]
            if clash:
                right = (
                    f"another port, or another `host` such as 127.0.0.2; {clash[0]} has {wanted.host}:{port}"
                )
                complaints.add((*path, key), port, right)
        for key in keys:
            port = int(getattr(wanted, key))
            taken.setdefault(port, []).append((wanted.host, holder))


def _overlap(host: str, other: str) -> bool:
    return host == other or host in ANY_HOSTS or other in ANY_HOSTS
