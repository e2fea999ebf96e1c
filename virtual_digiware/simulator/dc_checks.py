"""Rules for direct-current boards and modules: what can be built, and what measures what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.profiles.dc.loads import dc_load_classes
from virtual_digiware.simulator.yaml_text import KeyPath

if TYPE_CHECKING:
    from virtual_digiware.devices.block import Product
    from virtual_digiware.simulator.dc_models import DcBoard
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Module, Site

MAX_FEEDER_DROP = 1 / 48
"""A volt at 48 V: what a feeder of an exchange may lose at nominal load (a choice)."""

RECTIFIER_MARGIN = 1.15
"""Rated power over that of the loads: classes peak at 1.02, with noise and droop on top (a choice)."""


def check_dc(site: Site, complaints: Complaints) -> None:
    """Every rule of the `dc` section."""
    taken = {name: "`boards`" for board in site.boards.values() for name in board.circuits}
    for board_name, board in site.dc.items():
        path: KeyPath = ("dc", board_name)
        if board_name in site.boards:
            complaints.add(path, board_name, "a name of its own; `boards` has one of that name")
        mains = None if board.rectifier is None else board.rectifier.mains
        if mains is not None and mains not in site.sources:
            complaints.unknown((*path, "rectifier", "mains"), mains, "a source of this site", site.sources)
        for name in board.circuits:
            if name in taken:
                right = f"a name of its own; {taken[name]} has a circuit of that name"
                complaints.add((*path, "circuits", name), name, right)
            taken.setdefault(name, board_name)
        _check_rectifier(board, path, complaints)
        _check_circuits(board, path, complaints)


def check_dc_module(
    site: Site, module: Module, product: Product, path: KeyPath, complaints: Complaints
) -> None:
    """A voltage module taps a direct-current board, a current module has circuits of one."""
    if product.family == "dc_voltage":
        if module.board is None:
            if len(site.dc) != 1:
                known = ", ".join(site.dc) or "the site has no `dc`"
                complaints.add((*path, "board"), "the key is missing", f"the board it taps: {known}")
        elif module.board not in site.dc:
            complaints.unknown((*path, "board"), module.board, "a direct-current board", site.dc)
        return
    circuits = dc_circuits(site)
    if len(module.circuits) > product.inputs:
        right = f"at most {product.inputs}, the inputs of a {product.name}"
        complaints.add((*path, "circuits"), f"{len(module.circuits)} circuits", right)
    for slot, wiring in enumerate(module.circuits):
        where = (*path, "circuits", slot)
        if wiring.circuit not in circuits:
            complaints.unknown((*where, "circuit"), wiring.circuit, "a direct-current circuit", circuits)
        for key in ("network", "phases", "inputs", "sensor"):
            if key in wiring.model_fields_set:
                complaints.add((*where, key), f"`{key}`", f"no such key: {wiring.circuit} is direct current")


def dc_circuits(site: Site) -> dict[str, str]:
    """The board of every direct-current circuit."""
    return {name: board_name for board_name, board in site.dc.items() for name in board.circuits}


def _check_rectifier(board: DcBoard, path: KeyPath, complaints: Complaints) -> None:
    """It carries all loads at once, in their busiest hour, with something left to recharge a battery."""
    if board.rectifier is None:
        return
    least_kw = RECTIFIER_MARGIN * sum(circuit.power_kw or 0 for circuit in board.circuits.values())
    if board.rectifier.rated_kw < least_kw:
        right = f"at least {least_kw:g} kW, {RECTIFIER_MARGIN} times what its loads draw"
        complaints.add((*path, "rectifier", "rated_kw"), board.rectifier.rated_kw, right)


def _check_circuits(board: DcBoard, path: KeyPath, complaints: Complaints) -> None:
    for kind in ("incomer", "battery"):
        named = [name for name, circuit in board.circuits.items() if getattr(circuit, kind)]
        for name in named[1:]:
            complaints.add((*path, "circuits", name, kind), "true", f"one {kind}; {named[0]} already is it")
    for name, circuit in board.circuits.items():
        where = (*path, "circuits", name)
        if circuit.battery and board.battery is None:
            complaints.add((*where, "battery"), "true", "a `battery` on the board, or no such circuit")
        if circuit.class_ is not None and board.strings is not None:
            complaints.add((*where, "class"), circuit.class_, "`string_a` or `incomer` on a board of strings")
        if circuit.string_a is not None and board.strings is None:
            complaints.add((*where, "string_a"), circuit.string_a, "`strings` on the board, or a `class`")
        if circuit.class_ is not None and circuit.class_ not in dc_load_classes():
            known = dc_load_classes()
            complaints.unknown((*where, "class"), circuit.class_, "a direct-current load class", known)
        drop = circuit.resistance_ohm * (circuit.power_kw or 0) * 1000 / board.voltage_v**2
        if drop > MAX_FEEDER_DROP:
            right = f"a feeder that loses at most {MAX_FEEDER_DROP:.1%} at nominal load, not {drop:.1%}"
            complaints.add((*where, "section_mm2"), circuit.section_mm2, right)
