"""Rules for IO modules: what drives their inputs, and what their outputs do at start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.devices.io_drives import CircuitPoint, DriveError, Pulse, analogue_drive, digital_drive
from virtual_digiware.devices.layout import ModuleLayout

if TYPE_CHECKING:
    from virtual_digiware.devices.block import Product
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Module, Sensor, Site
    from virtual_digiware.simulator.yaml_text import KeyPath


def check_drives(site: Site, module: Module, product: Product, path: KeyPath, complaints: Complaints) -> None:
    """Every input and output of an IO module."""
    is_digital = "digital_inputs" in product.features
    count = int(product.features.get("digital_inputs" if is_digital else "analogue_inputs", 0))
    metered = {wiring.circuit for gateway in site.gateways for one in gateway.bus for wiring in one.circuits}
    for position, text in enumerate(module.inputs):
        input_path: KeyPath = (*path, "inputs", position)
        if position >= count:
            complaints.add(input_path, text, f"no more than the {count} inputs of a {product.name}")
            continue
        try:
            drive = digital_drive(text, site.timezone) if is_digital else analogue_drive(text, site.timezone)
        except DriveError as error:
            complaints.add(input_path, error.text, error.right)
            continue
        if isinstance(drive, Pulse | CircuitPoint) and drive.circuit not in metered:
            complaints.unknown(input_path, drive.circuit, "a circuit that a module measures", sorted(metered))
    _check_outputs(module, product, is_digital, path, complaints)


def check_sensor_drives(site: Site, sensor: Sensor, path: KeyPath, complaints: Complaints) -> None:
    """What drives the temperature and the humidity of a Bluetooth sensor."""
    from virtual_digiware.devices.environmental_sensor import sensor_drive

    for key, text in (("temperature", sensor.temperature), ("humidity", sensor.humidity)):
        try:
            if text is not None:
                sensor_drive(text, site.timezone)
        except DriveError as error:
            complaints.add((*path, key), error.text, error.right)


def _check_outputs(
    module: Module, product: Product, is_digital: bool, path: KeyPath, complaints: Complaints
) -> None:
    from virtual_digiware.devices.io_modules import analogue_outputs_at_start, digital_outputs_at_start

    at_start = digital_outputs_at_start if is_digital else analogue_outputs_at_start
    for position in range(len(module.outputs)):
        layout = ModuleLayout(module.name, module.product, 1, outputs=tuple(module.outputs[: position + 1]))
        try:
            at_start(product, layout)
        except DriveError as error:
            complaints.add((*path, "outputs", position), error.text, error.right)
            return
