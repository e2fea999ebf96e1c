"""What faults can be laid on: the names of a site's parts by kind, and patterns over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from virtual_digiware.simulator.bus_chain import is_repeater
from virtual_digiware.simulator.faults.kinds import TargetKind
from virtual_digiware.simulator.listening import wanted_ports

if TYPE_CHECKING:
    from virtual_digiware.simulator.building import Building

_FAMILY: Mapping[TargetKind, tuple[str, ...]] = {
    "voltage module": ("voltage", "dc_voltage"),
    "current module": ("current", "dc_current"),
    "io module": ("io",),
    "gateway": ("gateway", "interface"),
    "meter": ("meter",),
    "transfer switch": ("transfer_switch",),
    "sensor": ("sensor",),
}


def targets_of(building: Building, kind: TargetKind) -> tuple[str, ...]:
    """Everything of one kind in a site, in the order of the site file."""
    site = building.file.site
    match kind:
        case "source":
            return tuple(site.sources)
        case "board":
            return tuple(site.boards)
        case "circuit":
            return tuple(name for board in site.boards.values() for name in board.circuits)
        case "line":
            return tuple(site.lines)
        case "port" | "modbus port":
            services = ("modbus_tcp", "rtu_over_tcp") if kind == "modbus port" else ("",)
            ports = (f"{port.gateway}/{port.service}" for port in wanted_ports(site))
            return tuple(port for port in ports if port.endswith(services))
        case "repeater":
            return tuple(
                f"{gateway.name}/{module.name}"
                for gateway in site.gateways
                for module in gateway.bus
                if is_repeater(module.product)
            )
        case "site":
            return (site.site,)
    return tuple(_units(building, kind))


def matching(building: Building, kind: TargetKind, pattern: str) -> tuple[str, ...]:
    """Names that a pattern such as `m70/i*` matches. A unit's own name will do where it is the only one."""
    known = targets_of(building, kind)
    found = tuple(name for name in known if fnmatchcase(name, pattern))
    return found or tuple(name for name in known if fnmatchcase(name.rpartition("/")[2], pattern))


def _units(building: Building, kind: TargetKind) -> Iterator[str]:
    families = _FAMILY.get(kind, ())
    for path, unit in building.model.units.items():
        if kind == "unit" or (kind == "module" and "/" in path) or unit.product.family in families:
            yield path
