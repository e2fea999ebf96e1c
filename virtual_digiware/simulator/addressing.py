"""Modbus addresses of gateways and modules, where the site file leaves them open.

Automatic addresses are consecutive from 2 upward in bus order, skipping those that are given. A choice: the
vendor's order is not published; its example is consecutive in bus order (M-70 manual 548751 C, page 46).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count
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
    taken = {*modules, gateway_address(gateway) or 0}
    given = [sensor.address for sensor in gateway.sensors]
    addresses = _filled(given, taken, max([1, *modules]) + 1)
    return [
        AddressedSensor(position, sensor, address)
        for position, (sensor, address) in enumerate(zip(gateway.sensors, addresses, strict=True))
    ]


class Addressed(NamedTuple):
    """A module with its address and its place in the `bus` of the site file."""

    position: int
    module: Module
    address: int


def addressed_modules(gateway: Gateway) -> list[Addressed]:
    """The modules of a bus with their addresses, in bus order; repeaters have none and are left out."""
    modules = [
        (position, module) for position, module in enumerate(gateway.bus) if not is_repeater(module.product)
    ]
    given = [module.address for _, module in modules]
    addresses = _filled(given, {gateway_address(gateway) or 0}, 2)
    return [
        Addressed(position, module, address)
        for (position, module), address in zip(modules, addresses, strict=True)
    ]


def _filled(given: Sequence[int | None], taken: Collection[int], first: int) -> list[int]:
    """Addresses as given, and the free ones from `first` upward where none is."""
    used = {*taken, *(address for address in given if address is not None)}
    free = (address for address in count(first) if address not in used)
    return [next(free) if address is None else address for address in given]
