"""Rules for IO modules: what drives their inputs, and what their outputs do at start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from virtual_digiware.devices.io_drives import (
    Breaker,
    CircuitPoint,
    DriveError,
    Output,
    Pulse,
    Warmed,
    analogue_drive,
    digital_drive,
    probe_drive,
)
from virtual_digiware.devices.layout import ModuleLayout
from virtual_digiware.simulator.site_checks import all_circuits

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
        drive = _read(digital_drive if is_digital else analogue_drive, site, text, input_path, complaints)
        if isinstance(drive, Pulse | CircuitPoint) and drive.circuit not in metered:
            complaints.unknown(input_path, drive.circuit, "a circuit that a module measures", sorted(metered))
        if isinstance(drive, Breaker) and drive.circuit not in all_circuits(site):
            complaints.unknown(input_path, drive.circuit, "a circuit of this site", all_circuits(site))
        if isinstance(drive, Output):
            outputs = _outputs(site)
            if f"{drive.path} {drive.number}" not in outputs:
                found = f"{drive.path} {drive.number}"
                complaints.unknown(input_path, found, "an output of this site", sorted(outputs))
    _check_outputs(module, product, is_digital, metered, path, complaints)
    _check_probes(site, module, product, metered, path, complaints)


def wired_input(site: Site, text: str) -> str:
    """What drives a digital input, with a wire from a pulse output replaced by the pulses themselves."""
    match text.split():
        case ["output", path, number]:
            source = _outputs(site).get(f"{path} {number}", "")
            return source if source.startswith("pulse ") else text
    return text


def _outputs(site: Site) -> dict[str, str]:
    """What each digital output does at start, by `<gateway>/<module> <number>`."""
    from virtual_digiware.devices.catalogue import product

    return {
        f"{gateway.name}/{module.name} {number}": dict(enumerate(module.outputs, 1)).get(number, "off")
        for gateway in site.gateways
        for module in gateway.bus
        if module.product == "IO-10"
        for number in range(1, int(product(module.product).features["digital_outputs"]) + 1)
    }


def _check_probes(
    site: Site,
    module: Module,
    product: Product,
    metered: set[str],
    path: KeyPath,
    complaints: Complaints,
) -> None:
    count = int(product.features.get("temperature_probes", 0))
    for position, text in enumerate(module.probes):
        probe_path: KeyPath = (*path, "probes", position)
        if position >= count:
            complaints.add(probe_path, text, f"no more than {count} probes on a {product.name}")
            continue
        drive = _read(probe_drive, site, text, probe_path, complaints)
        if isinstance(drive, Warmed) and drive.circuit not in metered:
            complaints.unknown(probe_path, drive.circuit, "a circuit that a module measures", sorted(metered))


def check_sensor_drives(site: Site, sensor: Sensor, path: KeyPath, complaints: Complaints) -> None:
    """What drives the temperature and the humidity of a Bluetooth sensor."""
    from virtual_digiware.devices.environmental_sensor import sensor_drive

    for key, text in (("temperature", sensor.temperature), ("humidity", sensor.humidity)):
        if text is not None:
            _read(sensor_drive, site, text, (*path, key), complaints)


def _read(
    drive: Callable[[str, str], object], site: Site, text: str, path: KeyPath, complaints: Complaints
) -> object:
    """What a text says, by one of the readers of `io_drives`; None after a complaint."""
    try:
        return drive(text, site.timezone)
    except DriveError as error:
        complaints.add(path, error.text, error.right)
        return None


def _check_outputs(
    module: Module,
    product: Product,
    is_digital: bool,
    metered: set[str],
    path: KeyPath,
    complaints: Complaints,
) -> None:
    from virtual_digiware.devices.io_modules import (
        analogue_outputs_at_start,
        digital_outputs_at_start,
        pulse_outputs,
    )

    at_start = digital_outputs_at_start if is_digital else analogue_outputs_at_start
    for position in range(len(module.outputs)):
        layout = ModuleLayout(module.name, module.product, 1, outputs=tuple(module.outputs[: position + 1]))
        try:
            at_start(product, layout)
            pulses = pulse_outputs(product, layout)
        except DriveError as error:
            complaints.add((*path, "outputs", position), error.text, error.right)
            return
        if position in pulses and pulses[position].circuit not in metered:
            circuit = pulses[position].circuit
            known = sorted(metered)
            complaints.unknown(
                (*path, "outputs", position), circuit, "a circuit that a module measures", known
            )
