"""Rules for supervisors: they are where they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.simulator.lines_checks import clients_of

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Site
    from virtual_digiware.simulator.yaml_text import KeyPath


def check_supervisors(site: Site, complaints: Complaints) -> None:
    """A supervisor on a line is its only client; one on Ethernet asks gateways of this site."""
    gateways = [gateway.name for gateway in site.gateways]
    asking: dict[str, str] = {}
    for index, supervisor in enumerate(site.supervisors):
        path: KeyPath = ("supervisors", index)
        for place, name in enumerate(supervisor.gateways):
            if name not in gateways:
                complaints.unknown((*path, "gateways", place), name, "a gateway of this site", gateways)
        line = supervisor.line
        if line is None:
            continue
        if line not in site.lines:
            complaints.unknown((*path, "line"), line, "a line of this site", site.lines)
        elif clients := clients_of(site, line):
            right = f"another line; {site.gateways[clients[0]].name} is the client of {line}"
            complaints.add((*path, "line"), line, right)
        elif line in asking:
            complaints.add((*path, "line"), line, f"another line; {asking[line]} is the client of {line}")
        asking.setdefault(line, supervisor.name)
