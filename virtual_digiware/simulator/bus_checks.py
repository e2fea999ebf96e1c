"""What must be right of gateways and their buses before they can be built: names, products, wiring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.simulator.alarm_checks import check_alarms
from virtual_digiware.simulator.dc_building import DC_FAMILIES
from virtual_digiware.simulator.dc_checks import check_dc_module
from virtual_digiware.simulator.io_checks import check_drives, check_sensor_drives
from virtual_digiware.simulator.site_checks import Complaints, all_circuits, circuit_named
from virtual_digiware.simulator.site_models import Gateway, Module, Site
from virtual_digiware.simulator.wiring import wire
from virtual_digiware.simulator.yaml_text import KeyPath

if TYPE_CHECKING:
    from virtual_digiware.devices.block import Product

HEAD_FAMILIES = ("gateway", "interface")


def check_gateways(site: Site, complaints: Complaints) -> None:
    """Every rule that concerns gateways and what hangs on their buses."""
    names: dict[str, int] = {}
    for index, gateway in enumerate(site.gateways):
        path: KeyPath = ("gateways", index)
        if gateway.name in names:
            line = complaints.line_of(("gateways", names[gateway.name], "name"))
            complaints.add(
                (*path, "name"), gateway.name, f"a name of its own; line {line} has a gateway of that name"
            )
        names.setdefault(gateway.name, index)
        _check_head(gateway, path, complaints)
        _check_names(site, gateway, path, complaints)
        _check_bus(site, gateway, path, complaints)


def known_product(name: str) -> Product | None:
    """The product of that name, None when the catalogue has none."""
    from virtual_digiware.devices.catalogue import products

    catalogue = products()
    return catalogue.get(name)


def family_of(name: str) -> str:
    """The family of a product, nothing when the catalogue has no such product."""
    product = known_product(name)
    return "" if product is None else product.family


def _names_of(families: tuple[str, ...], wanted: bool) -> list[str]:
    from virtual_digiware.devices.catalogue import products

    return [name for name, product in products().items() if (product.family in families) is wanted]


def _check_head(gateway: Gateway, path: KeyPath, complaints: Complaints) -> None:
    product = known_product(gateway.product)
    if product is None or product.family not in HEAD_FAMILIES:
        heads = _names_of(HEAD_FAMILIES, wanted=True)
        complaints.unknown((*path, "product"), gateway.product, "a head of a Digiware bus", heads)
    elif product.family == "interface":
        for key in ("address", "modbus_tcp", "rtu_over_tcp", "bacnet", "snmp", "mqtt"):
            value = getattr(gateway, key)
            if value is not None:
                right = f"no `{key}`: a {product.name} has no address and no Ethernet port, only `rs485`"
                complaints.add((*path, key), value if key == "address" else f"`{key}`", right)
        if gateway.rs485 is None:
            right = f"`rs485: {{line: ...}}`: it is the only way to reach a {product.name}"
            complaints.add((*path, "rs485"), "the key is missing", right)


def _check_names(site: Site, gateway: Gateway, path: KeyPath, complaints: Complaints) -> None:
    names = {gateway.name}
    for position, module in enumerate(gateway.bus):
        if module.name in names:
            right = f"a name of its own behind {gateway.name}"
            complaints.add((*path, "bus", position, "name"), module.name, right)
        names.add(module.name)
    for position, sensor in enumerate(gateway.sensors):
        if sensor.name in names:
            right = f"a name of its own behind {gateway.name}"
            complaints.add((*path, "sensors", position, "name"), sensor.name, right)
        names.add(sensor.name)
        check_sensor_drives(site, sensor, (*path, "sensors", position), complaints)


def _check_bus(site: Site, gateway: Gateway, path: KeyPath, complaints: Complaints) -> None:
    for position, module in enumerate(gateway.bus):
        module_path: KeyPath = (*path, "bus", position)
        product = known_product(module.product)
        if product is None or product.family in HEAD_FAMILIES:
            complaints.unknown(
                (*module_path, "product"), module.product, "a module", _names_of(HEAD_FAMILIES, wanted=False)
            )
            continue
        _check_keys_of_family(module, product, module_path, complaints)
        if product.family == "voltage":
            _check_board(site, module, module_path, complaints)
        elif product.family == "current":
            _check_wiring(site, module, product, module_path, complaints)
        elif product.family == "transfer_switch":
            _check_controller(site, module, module_path, complaints)
        elif product.family in DC_FAMILIES:
            check_dc_module(site, module, product, module_path, complaints)
        elif product.family == "io":
            check_drives(site, module, product, module_path, complaints)
        check_alarms(module, product, module_path, complaints)


def _check_keys_of_family(module: Module, product: Product, path: KeyPath, complaints: Complaints) -> None:
    """A U module has no circuits, an I module no board: a key in the wrong place is a misunderstanding."""
    misplaced = {
        "voltage": ("circuits", "inputs", "outputs", "probes"),
        "current": ("board", "inputs", "outputs", "probes"),
        "dc_voltage": ("circuits", "inputs", "outputs", "probes", "network", "measurement", "alarms"),
        "dc_current": ("board", "inputs", "outputs", "probes", "network", "measurement", "alarms"),
        "io": ("board", "circuits", "measurement"),
        "transfer_switch": ("board", "network", "circuits", "measurement", "inputs", "outputs", "probes"),
        "repeater": (
            "address",
            "board",
            "network",
            "circuits",
            "measurement",
            "inputs",
            "outputs",
            "probes",
            "alarms",
        ),
    }
    keys = misplaced.get(product.family, ())
    if product.family != "transfer_switch":
        keys = (*keys, "transfer")
    for key in keys if product.family == "repeater" else (*keys, "supply"):
        if key in module.model_fields_set:
            complaints.add(
                (*path, key),
                f"`{key}`",
                f"no such key: a {product.name} is a module of the {product.family} family",
            )


def _check_controller(site: Site, module: Module, path: KeyPath, complaints: Complaints) -> None:
    if module.transfer is None:
        known = ", ".join(site.transfers) or "there is none in this site"
        complaints.add((*path, "transfer"), "the key is missing", f"the transfer switch it drives: {known}")
    elif module.transfer not in site.transfers:
        complaints.unknown((*path, "transfer"), module.transfer, "a transfer of this site", site.transfers)


def _check_board(site: Site, module: Module, path: KeyPath, complaints: Complaints) -> None:
    if module.board is None:
        if len(site.boards) > 1:
            complaints.add(
                (*path, "board"), "the key is missing", f"the board it taps: {', '.join(site.boards)}"
            )
    elif module.board not in site.boards:
        complaints.unknown((*path, "board"), module.board, "a board of this site", site.boards)


def _check_wiring(
    site: Site, module: Module, product: Product, path: KeyPath, complaints: Complaints
) -> None:
    for slot, wiring in enumerate(module.circuits):
        if circuit_named(site, wiring.circuit) is None:
            key = (*path, "circuits", slot, "circuit")
            complaints.unknown(key, wiring.circuit, "a circuit of this site", all_circuits(site))
    for mistake in wire(site, module, product.inputs, product.name).mistakes:
        complaints.add((*path, *mistake.path), mistake.found, mistake.right)


def source_of(site: Site, board: str) -> str | None:
    """The source, or transfer switch, at the root of a board's supply; None when the tree is broken."""
    seen: set[str] = set()
    while board in site.boards and board not in seen:
        seen.add(board)
        supply = site.boards[board].source or site.boards[board].transfer
        if supply is not None:
            return supply
        board = next((above for above, circuit in all_circuits(site).values() if circuit.feeds == board), "")
    return None
