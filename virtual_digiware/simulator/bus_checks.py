"""Rules for gateways and their Digiware buses: products, addresses, voltage reference, inputs and sensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.simulator.addressing import addressed_modules, gateway_address
from virtual_digiware.simulator.alarm_checks import check_alarms
from virtual_digiware.simulator.bus_chain import bus_segments
from virtual_digiware.simulator.io_checks import check_drives
from virtual_digiware.simulator.site_checks import Complaints, all_circuits
from virtual_digiware.simulator.site_models import Gateway, Module, Site
from virtual_digiware.simulator.wiring import wire
from virtual_digiware.simulator.yaml_text import KeyPath

if TYPE_CHECKING:
    from virtual_digiware.devices.block import Product

HEAD_FAMILIES = ("gateway", "interface")
MAX_BUS_M = 100.0
"""Longest bus without a repeater. Source: Socomec note on communication architectures, figures 8 and 11."""


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
        _check_addresses(gateway, path, complaints)
        _check_bus(site, gateway, path, complaints)
    _check_shared_lines(site, complaints)


def known_product(name: str) -> Product | None:
    """The product of that name, None when the catalogue has none."""
    from virtual_digiware.devices.catalogue import products

    catalogue = products()
    return catalogue.get(name)


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


def _check_addresses(gateway: Gateway, path: KeyPath, complaints: Complaints) -> None:
    taken: dict[int, str] = {}
    own = gateway_address(gateway)
    if own is not None:
        taken[own] = f"the gateway {gateway.name} itself"
    names: set[str] = set()
    for position, module, address in addressed_modules(gateway):
        module_path: KeyPath = (*path, "bus", position)
        if module.name in names or module.name == gateway.name:
            complaints.add((*module_path, "name"), module.name, f"a name of its own behind {gateway.name}")
        names.add(module.name)
        if address in taken:
            right = f"an address of its own; {taken[address]} already has {address}"
            complaints.add((*module_path, "address"), address, right)
        taken.setdefault(address, f"{module.name}")


def _check_shared_lines(site: Site, complaints: Complaints) -> None:
    """Devices that answer on one RS485 line share one address space."""
    taken: dict[tuple[str, int], str] = {}
    for index, gateway in enumerate(site.gateways):
        if gateway.rs485 is None:
            continue
        line = gateway.rs485.line
        here: dict[tuple[str, int], str] = {}
        own = gateway_address(gateway)
        if own is not None:
            here[line, own] = gateway.name
        for _, module, address in addressed_modules(gateway):
            here[line, address] = f"{gateway.name}/{module.name}"
        for key, holder in here.items():
            if key in taken:
                path: KeyPath = ("gateways", index, "rs485", "line")
                right = f"addresses that differ on one line; {holder} and {taken[key]} both have {key[1]}"
                complaints.add(path, line, right)
            taken.setdefault(key, holder)


def _check_bus(site: Site, gateway: Gateway, path: KeyPath, complaints: Complaints) -> None:
    voltage: list[tuple[Module, KeyPath]] = []
    measured: dict[str, KeyPath] = {}
    needs_voltage = False
    is_known = True
    for position, module in enumerate(gateway.bus):
        module_path: KeyPath = (*path, "bus", position)
        product = known_product(module.product)
        if product is None or product.family in HEAD_FAMILIES:
            is_known = False
            complaints.unknown(
                (*module_path, "product"), module.product, "a module", _names_of(HEAD_FAMILIES, wanted=False)
            )
            continue
        _check_keys_of_family(module, product, module_path, complaints)
        if product.family == "voltage":
            voltage.append((module, module_path))
            _check_board(site, module, module_path, complaints)
        elif product.family == "current":
            needs_voltage = True
            _check_wiring(site, module, product, module_path, measured, complaints)
        elif product.family == "io":
            check_drives(site, module, product, module_path, complaints)
        check_alarms(module, product, module_path, complaints)
    for module, module_path in voltage[1:]:
        right = f"one voltage module on a bus; {voltage[0][0].name} is already there"
        complaints.add((*module_path, "product"), module.product, right)
    if needs_voltage and not voltage and is_known:
        complaints.add((*path, "bus"), "no voltage module", "one U module for the current modules of the bus")
    for segment in bus_segments(gateway):
        if segment.length_m > MAX_BUS_M:
            right = f"at most {MAX_BUS_M:g} m behind {segment.feeder.name}, then a C-32 repeater"
            complaints.add((*path, "bus"), f"{segment.length_m:g} m of bus cable", right)
    if voltage:
        _check_one_source(site, voltage[0][0], measured, complaints)


def _check_keys_of_family(module: Module, product: Product, path: KeyPath, complaints: Complaints) -> None:
    """A U module has no circuits, an I module no board: a key in the wrong place is a misunderstanding."""
    misplaced = {
        "voltage": ("circuits", "inputs", "outputs"),
        "current": ("board", "inputs", "outputs"),
        "io": ("board", "circuits", "measurement"),
        "repeater": ("address", "board", "network", "circuits", "measurement", "inputs", "outputs", "alarms"),
    }
    keys = misplaced.get(product.family, ())
    for key in keys if product.family == "repeater" else (*keys, "supply"):
        if key in module.model_fields_set:
            complaints.add(
                (*path, key),
                f"`{key}`",
                f"no such key: a {product.name} is a module of the {product.family} family",
            )


def _check_board(site: Site, module: Module, path: KeyPath, complaints: Complaints) -> None:
    if module.board is None:
        if len(site.boards) > 1:
            complaints.add(
                (*path, "board"), "the key is missing", f"the board it taps: {', '.join(site.boards)}"
            )
    elif module.board not in site.boards:
        complaints.unknown((*path, "board"), module.board, "a board of this site", site.boards)


def _check_wiring(
    site: Site,
    module: Module,
    product: Product,
    path: KeyPath,
    measured: dict[str, KeyPath],
    complaints: Complaints,
) -> None:
    circuits = all_circuits(site)
    for slot, wiring in enumerate(module.circuits):
        wiring_path: KeyPath = (*path, "circuits", slot)
        if wiring.circuit not in circuits:
            complaints.unknown((*wiring_path, "circuit"), wiring.circuit, "a circuit of this site", circuits)
        measured.setdefault(wiring.circuit, (*wiring_path, "circuit"))
    for mistake in wire(site, module, product.inputs, product.name).mistakes:
        complaints.add((*path, *mistake.path), mistake.found, mistake.right)


def _check_one_source(
    site: Site, u_module: Module, measured: dict[str, KeyPath], complaints: Complaints
) -> None:
    """A circuit fed by another source has no phase relation to the voltage of this bus.

    Source: Socomec note on DIRIS Digiware communication architectures, figures 14, 30 and 31.
    """
    board = u_module.board or next(iter(site.boards))
    circuits = all_circuits(site)
    reference = source_of(site, board)
    for name, path in measured.items():
        if name not in circuits or reference is None:
            continue
        source = source_of(site, circuits[name][0])
        if source is not None and source != reference:
            right = f"circuits of {reference}, whose voltage {u_module.name} taps; {name} belongs to {source}"
            complaints.add(path, name, right)


def source_of(site: Site, board: str) -> str | None:
    """The source at the root of a board's supply; None when the tree is broken."""
    seen: set[str] = set()
    while board in site.boards and board not in seen:
        seen.add(board)
        if site.boards[board].source is not None:
            return site.boards[board].source
        board = next((above for above, circuit in all_circuits(site).values() if circuit.feeds == board), "")
    return None
