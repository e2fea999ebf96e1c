"""The wires of a site that have more than two ends: Ethernet and RS485 lines, with the clients on them."""

from __future__ import annotations

from collections.abc import Sequence

from virtual_digiware.devices.catalogue import products
from virtual_digiware.simulator.diagram.equipment import datalogger_key, gateway_key, line_settings, meter_key
from virtual_digiware.simulator.diagram.parts import CabinetParts, Client, Network
from virtual_digiware.simulator.site_models import Site


def client_key(name: str) -> str:
    return f"client {name}"


_ANYBODY = client_key("\0")


def clients_of(site: Site) -> tuple[Client, ...]:
    """Supervisors of the site file; where it names none, whoever may connect."""
    if site.supervisors:
        ranked = sorted(site.supervisors, key=lambda supervisor: supervisor.line is not None)
        return tuple(
            Client(
                client_key(one.name),
                one.title or one.name,
                "on Ethernet" if one.line is None else "RS485 client (master)",
                tuple(gateway_key(name) for name in one.gateways),
            )
            for one in ranked
        )
    found = []
    if _on_ethernet(site):
        found.append(Client(_ANYBODY, "Your client", "on Ethernet", is_implied=True))
    found += [
        Client(client_key(f"\0{name}"), "Your client", "RS485 client (master)", is_implied=True)
        for name in _open_lines(site)
    ]
    return tuple(found)


def networks_of(site: Site, cabinets: Sequence[CabinetParts]) -> tuple[Network, ...]:
    """Ethernet networks with two ends or more, then the RS485 lines; members in the order of the site.

    A network within one stack of devices is left out: links show it.
    """
    found = [
        Network("ethernet", "Ethernet", "", members)
        for members in _joined(_conversations(site), [*_on_ethernet(site), *_ethernet_clients(site)])
    ]
    for name, line in site.lines.items():
        members = [
            gateway_key(one.name) for one in site.gateways if one.rs485 is not None and one.rs485.line == name
        ]
        members += [
            meter_key(one.name) for one in site.meters if one.rs485 is not None and one.rs485.line == name
        ]
        members += [client_key(one.name) for one in site.supervisors if one.line == name]
        if not site.supervisors and name in _open_lines(site):
            members.append(client_key(f"\0{name}"))
        found.append(Network("rs485", f"RS485 {name}", line_settings(line), tuple(members)))
    stacks = [{device.key for device in stack} for cabinet in cabinets for stack in cabinet.stacks]
    return tuple(one for one in found if not any(stack.issuperset(one.members) for stack in stacks))


def _on_ethernet(site: Site) -> list[str]:
    """Everything with an Ethernet port: gateways and displays but no C-31, some meters, dataloggers."""
    return [
        *(gateway_key(one.name) for one in site.gateways if products()[one.product].family == "gateway"),
        *(meter_key(one.name) for one in site.meters if one.rs485 is None),
        *(datalogger_key(one.name) for one in site.dataloggers),
    ]


def _ethernet_clients(site: Site) -> list[str]:
    if not site.supervisors:
        return [_ANYBODY]
    return [client_key(one.name) for one in site.supervisors if one.line is None]


def _conversations(site: Site) -> list[set[str]]:
    """Who asks whom over Ethernet, each a set of those who take part."""
    everybody = _on_ethernet(site)
    found = [
        {gateway_key(one.name), *(gateway_key(name) for name in one.cascade)}
        for one in site.gateways
        if one.cascade
    ]
    found += [
        {
            datalogger_key(one.name),
            *(gateway_key(each.gateway) for each in one.collects if each.gateway is not None),
            *(meter_key(each.meter) for each in one.collects if each.meter is not None),
        }
        for one in site.dataloggers
    ]
    found += [
        {
            client_key(one.name),
            *([gateway_key(name) for name in one.gateways] if one.gateways else everybody),
        }
        for one in site.supervisors
        if one.line is None
    ]
    return found if site.supervisors else [*found, {_ANYBODY, *everybody}]


def _joined(groups: list[set[str]], order: list[str]) -> list[tuple[str, ...]]:
    """Groups that share a member become one; those of a single member are no network."""
    joined: list[set[str]] = []
    for group in groups:
        touching = [one for one in joined if one & group]
        joined = [one for one in joined if not one & group]
        joined.append(group.union(*touching))
    members = [tuple(key for key in order if key in group) for group in joined if len(group) > 1]
    return sorted(members, key=lambda keys: order.index(keys[0]))


def _open_lines(site: Site) -> list[str]:
    """Lines that wait for a client of the user's own."""
    return [name for name, line in site.lines.items() if line.pty is not None or line.serial is not None]
