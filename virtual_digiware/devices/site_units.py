"""Building the units of a site: one for each gateway and each module on its bus, by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from virtual_digiware.devices.block import Product
from virtual_digiware.devices.connections import Slot, Tap
from virtual_digiware.devices.environmental_sensor import EnvironmentalSensor
from virtual_digiware.devices.identification import identify
from virtual_digiware.devices.initial_settings import initial_settings
from virtual_digiware.devices.io_modules import IoModule, digital_outputs_at_start
from virtual_digiware.devices.layout import GatewayLayout, ModuleLayout, SensorLayout, SiteLayout
from virtual_digiware.devices.meter_settings import meter_settings
from virtual_digiware.devices.meter_values import Meter
from virtual_digiware.devices.scale_factors import with_scale_factors
from virtual_digiware.devices.unit import Site, Unit
from virtual_digiware.devices.unit_state import UnitState
from virtual_digiware.profiles.installation import Installation

if TYPE_CHECKING:
    from virtual_digiware.devices.dc.module import DcModule
    from virtual_digiware.devices.dc.plant import DcPlant

SENSOR_PRODUCT = "environmental-sensor"


def build_units(
    site: Site,
    layout: SiteLayout,
    products: Mapping[str, Product],
    slots: Sequence[Slot],
    taps: Sequence[Tap],
    installation: Installation,
    seed: int,
    commissioned_ms: int,
    plant: DcPlant | None = None,
) -> Mapping[str, Unit]:
    """All units, gateways before their modules, then meters, in the order of the layout.

    Raises:
        DriveError: An input or output of an IO module is driven by something that does not exist.
    """
    own_slots: dict[str, list[int]] = {}
    for i, slot in enumerate(slots):
        own_slots.setdefault(slot.unit, []).append(i)
    own_taps = {tap.unit: (i,) for i, tap in enumerate(taps)}
    units: dict[str, Unit] = {}

    def add(gateway: GatewayLayout, module: ModuleLayout | None, head: Unit | None) -> Unit:
        path = gateway.name if module is None else f"{gateway.name}/{module.name}"
        product = products[gateway.product if module is None else module.product]
        state = UnitState(
            product,
            initial_settings(layout, gateway, module, product, installation.timezone),
            gateway.address if module is None else module.address,
            commissioned_ms,
            0 if module is None else digital_outputs_at_start(product, module),
        )
        is_io = module is not None and product.family == "io"
        units[path] = Unit(
            path=path,
            product=product,
            circuits=() if module is None else module.circuits,
            site=site,
            state=state,
            transfer=None if module is None else module.transfer,
            identity=identify(product, seed, layout.site, path),
            commissioned_ms=commissioned_ms,
            slots=tuple(own_slots.get(path, ())),
            taps=own_taps.get(path, ()),
            io=IoModule(path, product, module, state.settings, installation.timezone)
            if module is not None and is_io
            else None,
            head=head,
            dc=_dc_module(plant, module),
        )
        return units[path]

    def add_sensor(gateway: GatewayLayout, sensor: SensorLayout, head: Unit) -> None:
        path = f"{gateway.name}/{sensor.name}"
        product = products[SENSOR_PRODUCT]
        key = f"{seed}\0{layout.site}\0{path}"
        units[path] = Unit(
            path=path,
            product=product,
            circuits=(),
            site=site,
            state=UnitState(product, {}, sensor.address, commissioned_ms, 0),
            identity=identify(product, seed, layout.site, path),
            commissioned_ms=commissioned_ms,
            head=head,
            sensor=EnvironmentalSensor(sensor, key, installation.timezone, commissioned_ms),
        )

    for gateway in layout.gateways:
        head = add(gateway, None, None)
        for module in gateway.modules:
            add(gateway, module, head)
        for sensor in gateway.sensors:
            add_sensor(gateway, sensor, head)
        behind = [units[f"{gateway.name}/{module.name}"] for module in gateway.modules]
        voltage_unit = next((unit for unit in behind if unit.product.family == "dc_voltage"), None)
        for unit in behind:
            unit.voltage_unit = voltage_unit
    for described in layout.meters:
        module = described.module
        (place,), (tap,) = own_slots[module.name], own_taps[module.name]
        rated_a = slots[place].nominal_a
        product = with_scale_factors(products[module.product], rated_a, layout.nominal_voltage_v)
        units[module.name] = Unit(
            path=module.name,
            product=product,
            circuits=module.circuits,
            site=site,
            state=UnitState(
                product,
                meter_settings(layout, described, product, installation.timezone),
                module.address,
                commissioned_ms,
                0,
            ),
            identity=identify(product, seed, layout.site, module.name),
            commissioned_ms=commissioned_ms,
            slots=(place,),
            taps=(tap,),
            meter=Meter(place, tap),
        )

    def is_output_on(path: str, number: int) -> bool:
        unit = units[path]
        return bool(unit.io and unit.io.output_states(unit.state.outputs, site.snapshot) >> (number - 1) & 1)

    for unit in units.values():
        if unit.io is not None:
            unit.io.is_output_on = is_output_on
    return units


def _dc_module(plant: DcPlant | None, module: ModuleLayout | None) -> DcModule | None:
    if plant is None or module is None or module.dc is None:
        return None
    from virtual_digiware.devices.dc.module import DcModule

    return DcModule(plant, module.dc)


def metered_slots(slots: Sequence[Slot]) -> Mapping[str, int]:
    """The first slot that measures each circuit."""
    found: dict[str, int] = {}
    for i, slot in enumerate(slots):
        found.setdefault(slot.circuit, i)
    return found
