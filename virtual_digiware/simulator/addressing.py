"""Modbus addresses of gateways and modules, where the site file leaves them open.

Automatic addresses are consecutive from 2 upward in bus order, skipping those that are given. A choice: the
vendor's order is not published; its example is consecutive in bus order (M-70 manual 548751 C, page 46).
"""

from __future__ import annotations

from virtual_digiware.simulator.site_models import Gateway

DEFAULT_GATEWAY_ADDRESS = 1


def gateway_address(gateway: Gateway) -> int | None:
    """The gateway's own address; None for a C-31, which has none."""
    if gateway.product == "C-31":
        return None
    return DEFAULT_GATEWAY_ADDRESS if gateway.address is None else gateway.address


def module_addresses(gateway: Gateway) -> list[int]:
    """The address of every module of the bus, in bus order."""
    taken = {module.address for module in gateway.bus if module.address is not None}
    taken.add(gateway_address(gateway) or 0)
    addresses: list[int] = []
    candidate = 2
    for module in gateway.bus:
        if module.address is not None:
            addresses.append(module.address)
            continue
        while candidate in taken:
            candidate += 1
        taken.add(candidate)
        addresses.append(candidate)
    return addresses
