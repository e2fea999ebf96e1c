"""Modbus addresses of gateways and modules, where the site file leaves them open.

Automatic addresses are consecutive from 2 upward in bus order, skipping those that are given. A choice: the
vendor's order is not published; its example is consecutive in bus order (M-70 manual 548751 C, page 46).
"""

from __future__ import annotations

from typing import NamedTuple

from virtual_digiware.simulator.bus_chain import is_repeater
from virtual_digiware.simulator.site_models import Gateway, Module, Sensor

DEFAULT_GATEWAY_ADDRESS = 1


def gateway_address(gateway: Gateway) -> int | None:
    """The gateway's own address; None for a C-31, which has none."""
    if gateway.product == "C-31":
        return None
    return DEFAULT_GATEWAY_ADDRESS if gateway.address is None else gateway.address


class AddressedSensor(NamedTuple):
    """A sensor with its address and its place in the `sensors` of the site file."""

    position: int
    sensor: Sensor
    address: int


def addressed_sensors(gateway: Gateway) -> list[AddressedSensor]:
    """The sensors of a gateway with their addresses, after those of its modules. A C-31 hears none.

    That sensors have addresses of their own is a choice: their place in the registers is not published.
    """
    if gateway.product == "C-31":
        return []
    modules = [one.address for one in addressed_modules(gateway)]
    given = [sensor.address for sensor in gateway.sensors if sensor.address is not None]
    taken = {*modules, *given, gateway_address(gateway) or 0}
    candidate = max([1, *modules]) + 1
    found = []
    for position, sensor in enumerate(gateway.sensors):
        address = sensor.address
        if address is None:
            while candidate in taken:
                candidate += 1
            taken.add(candidate)
            address = candidate
        found.append(AddressedSensor(position, sensor, address))
    return found


class Addressed(NamedTuple):
    """A module with its address and its place in the `bus` of the site file."""

    position: int
    module: Module
    address: int


def addressed_modules(gateway: Gateway) -> list[Addressed]:
    """The modules of a bus with their addresses, in bus order; repeaters have none and are left out."""
    taken = {module.address for module in gateway.bus if module.address is not None}
    taken.add(gateway_address(gateway) or 0)
    found: list[Addressed] = []
    candidate = 2
    for position, module in enumerate(gateway.bus):
        if is_repeater(module.product):
            continue
        address = module.address
        if address is None:
            while candidate in taken:
                candidate += 1
            taken.add(candidate)
            address = candidate
        found.append(Addressed(position, module, address))
    return found
