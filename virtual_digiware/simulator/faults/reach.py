"""What a fault reaches besides its target, found out when it is injected: the record then says it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from virtual_digiware.simulator.bus_chain import is_repeater
from virtual_digiware.simulator.faults.parameters import FaultRefused

if TYPE_CHECKING:
    from virtual_digiware.simulator.building import Building


def reached(building: Building, effect: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Further parameters of a fault on `name`; nothing for faults that stay with their target.

    Raises:
        FaultRefused: nobody is there whom it could reach.
    """
    match effect:
        case "cable_cut":
            units = [unit.path for unit in building.stations[name].bus.cut_at(float(given["position_m"]))]
            if not units:
                length_m = building.stations[name].bus.length_m
                raise FaultRefused("position_m", given["position_m"], f"less than {length_m:g} m, the last")
            return {"units": units}
        case "supply_weak":
            return {"units": _past_limit(building, name, float(given["watts"]))}
        case "repeater_dead":
            return {"units": _behind(building, name)}
        case "addresses_swapped":
            _partner(building, name, str(given["partner"]))
        case "load_factor":
            circuits = {
                one: circuit
                for board in building.file.site.boards.values()
                for one, circuit in board.circuits.items()
            }
            if not circuits[name].loads:
                raise FaultRefused("target", name, "a circuit with loads of its own")
    return {}


def _past_limit(building: Building, gateway: str, watts: float) -> list[str]:
    """Modules of the head's own segment that a supply of so many watts does not reach."""
    first = building.stations[gateway].bus.segments[0]
    weak = replace(first, feeder=replace(first.feeder, supply_w=watts))
    if not weak.past_limit:
        raise FaultRefused("watts", watts, f"less than {first.total_w:.2f} W, which the segment draws")
    return [f"{gateway}/{module}" for module in weak.past_limit]


def _behind(building: Building, repeater: str) -> list[str]:
    gateway, _, name = repeater.partition("/")
    described = next(one for one in building.file.site.gateways if one.name == gateway)
    names = [module.name for module in described.bus]
    behind = described.bus[names.index(name) + 1 :]
    return [f"{gateway}/{module.name}" for module in behind if not is_repeater(module.product)]


def _partner(building: Building, name: str, partner: str) -> None:
    gateway = name.partition("/")[0]
    known = [path for path in building.model.units if path.startswith(f"{gateway}/") and path != name]
    if partner not in known:
        raise FaultRefused("partner", partner, f"another module of the bus: {', '.join(known)}")
