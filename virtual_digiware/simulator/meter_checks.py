"""Rules for meters outside any Digiware bus: names, products, wiring, register lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.devices.meter_values import METER_POINTS, POINT_SUFFIXES, is_meter_point
from virtual_digiware.devices.register_list import GENERIC
from virtual_digiware.simulator.bus_checks import known_product
from virtual_digiware.simulator.meter_building import listed_register
from virtual_digiware.simulator.site_checks import Complaints, all_circuits
from virtual_digiware.simulator.wiring import wire
from virtual_digiware.simulator.yaml_text import KeyPath, near_miss

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_models import Meter, Site

_LAST_ADDRESS = 65535


def check_meters(site: Site, complaints: Complaints) -> None:
    """Every rule that concerns meters alone; addresses on a line have a rule of their own."""
    circuits = all_circuits(site)
    taken: dict[str, KeyPath] = {
        gateway.name: ("gateways", index, "name") for index, gateway in enumerate(site.gateways)
    }
    for index, meter in enumerate(site.meters):
        path: KeyPath = ("meters", index)
        if meter.name in taken:
            line = complaints.line_of(taken[meter.name])
            complaints.add((*path, "name"), meter.name, f"a name of its own; line {line} has it already")
        taken.setdefault(meter.name, (*path, "name"))
        _check_reach(site, meter, path, complaints)
        circuit = meter.circuits[0].circuit
        if circuit not in circuits:
            complaints.unknown((*path, "circuits", 0, "circuit"), circuit, "a circuit of this site", circuits)
        inputs = _inputs(meter, path, complaints)
        if inputs is not None:
            for mistake in wire(site, meter, inputs, meter.product).mistakes:
                complaints.add((*path, *mistake.path), mistake.found, mistake.right)


def _check_reach(site: Site, meter: Meter, path: KeyPath, complaints: Complaints) -> None:
    if (meter.rs485 is None) == (meter.modbus_tcp is None):
        found = "neither" if meter.rs485 is None else "both"
        complaints.add(path, found, "exactly one of `rs485: {line: ...}` and `modbus_tcp: {}`")
    if meter.rs485 is not None and meter.rs485.line not in site.lines:
        complaints.unknown((*path, "rs485", "line"), meter.rs485.line, "a line of this site", site.lines)


def _inputs(meter: Meter, path: KeyPath, complaints: Complaints) -> int | None:
    """Current inputs of the meter; None when its product is not known."""
    if meter.product == GENERIC:
        if meter.registers is None:
            complaints.add((*path, "registers"), "the key is missing", "a list of registers")
        else:
            _check_registers(meter, (*path, "registers"), complaints)
        return 4
    if meter.registers is not None:
        right = f"no `registers`: those of a {meter.product} are known; `product: {GENERIC}` has its own"
        complaints.add((*path, "registers"), "`registers`", right)
    product = known_product(meter.product)
    if product is None or product.family != "meter":
        from virtual_digiware.devices.catalogue import products

        known = [name for name, one in products().items() if one.family == "meter"]
        complaints.unknown((*path, "product"), meter.product, "a meter", [*known, GENERIC])
        return None
    return product.inputs


def _check_registers(meter: Meter, path: KeyPath, complaints: Complaints) -> None:
    taken: dict[tuple[int, int], str] = {}
    for index, described in enumerate(meter.registers or ()):
        register = listed_register(described)
        if not is_meter_point(register.point):
            right = (
                "a point such as voltage_l1_n, active_power_total or active_energy_import, or one with "
                f"{', '.join(POINT_SUFFIXES)} behind it.{near_miss(register.point, list(METER_POINTS))}"
            )
            complaints.add((*path, index, "point"), register.point, right)
        place: KeyPath = (*path, index, "address" if described.address is not None else "register_number")
        if register.end - 1 > _LAST_ADDRESS:
            right = f"a register whose {register.words} words end at {_LAST_ADDRESS}"
            complaints.add(place, register.address, right)
        words = [
            (function, word)
            for function in register.functions
            for word in range(register.address, register.end)
        ]
        clash = next((taken[word] for word in words if word in taken), None)
        if clash is not None:
            right = (
                f"a place of its own; {clash} takes some of the {register.words} words at {register.address}"
            )
            complaints.add(place, register.address, right)
        for word in words:
            taken.setdefault(word, register.point)
