"""From the site file's meters to their layout, products and stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.devices.catalogue import product
from virtual_digiware.devices.layout import MeterLayout, ModuleLayout, SiteLayout
from virtual_digiware.devices.register_list import GENERIC, ListedRegister, listed_product
from virtual_digiware.simulator.site_checks import all_circuits
from virtual_digiware.simulator.wiring import wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from virtual_digiware.buses.modbus.station import Station
    from virtual_digiware.devices.block import Product
    from virtual_digiware.devices.model import SiteModel
    from virtual_digiware.simulator import meter_models
    from virtual_digiware.simulator.site_models import Meter, Site

_ENCODINGS = {
    "u16": "U16",
    "s16": "S16",
    "u32": "U32",
    "s32": "S32",
    "u64": "U64",
    "s64": "S64",
    "float32": "F32",
}


def listed_register(register: meter_models.ListedRegister) -> ListedRegister:
    """A register of a site file as the devices take it."""
    encoding = _ENCODINGS[register.type]
    if register.word_order == "low_first" and not encoding.endswith("16"):
        encoding += "_LOW_FIRST"
    functions = (3, 4) if register.function is None else (register.function,)
    return ListedRegister(register.point, register.first, encoding, register.scale, functions)


def meter_product(meter: Meter) -> Product:
    """The product of a meter: of the catalogue, or made of its own register list."""
    if meter.product == GENERIC:
        return listed_product(meter.name, [listed_register(one) for one in meter.registers or ()])
    return product(meter.product)


def meter_products(site: Site) -> Mapping[str, Product]:
    """Products by the keys that `meter_layouts` uses."""
    return {_key(meter): meter_product(meter) for meter in site.meters}


def _key(meter: Meter) -> str:
    return f"{GENERIC} {meter.name}" if meter.product == GENERIC else meter.product


def meter_layouts(site: Site) -> tuple[MeterLayout, ...]:
    """Meters in the order of the file, with every default filled in."""
    boards = {name: board for name, (board, _) in all_circuits(site).items()}
    layouts = []
    for meter in site.meters:
        described = meter_product(meter)
        allocations = tuple(wire(site, meter, described.inputs, described.name).allocations)
        module = ModuleLayout(
            name=meter.name,
            product=_key(meter),
            address=meter.address,
            board=boards[meter.circuits[0].circuit],
            allocations=allocations,
            measurement=meter.measurement or site.measurement,
        )
        layouts.append(MeterLayout(module, None if meter.rs485 is None else meter.rs485.line))
    return tuple(layouts)


def meter_stations(model: SiteModel, layout: SiteLayout) -> Mapping[str, Station]:
    """Each meter as the only device of its station.

    On TCP it answers unit ids 0 and 255 too, which mean the device at this address. Source: MODBUS Messaging
    on TCP/IP Implementation Guide V1.0b, section 4.4.1.2. On a line both are nobody's.
    """
    from virtual_digiware.buses.digiware import DigiwareBus
    from virtual_digiware.buses.modbus.station import Station

    return {
        meter.module.name: Station(
            model.units[meter.module.name], DigiwareBus(None, ()), answers_any_unit=meter.line is None
        )
        for meter in layout.meters
    }
