"""The quantities that threshold alarms can watch, by name and by service id: reading `variables.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from virtual_digiware.devices.catalogue_section import load

_KEYS = frozenset({"source", "confidence", "instance_types", "variables"})
_PHASES = ("l1", "l2", "l3")
_LINES = ("l1_l2", "l2_l3", "l3_l1")
_NONE = "-"

INSTANCE_LOAD, INSTANCE_NETWORK, INSTANCE_ANALOGUE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Variable:
    """One quantity: threshold in its register x `scale` = value in `unit`; one point, or one per phase."""

    name: str
    instantaneous_id: int
    average_id: int | None
    scale: float
    unit: str
    points: tuple[str, ...]


@cache
def variables() -> Mapping[str, Variable]:
    """All quantities by name."""
    section = load(Path(__file__).parent / "variables.yaml", _KEYS)
    found: dict[str, Variable] = {}
    for line in section.text("variables").splitlines():
        name, instantaneous, average, count, scale, unit, point = line.split()
        points = tuple(
            point.format(phase=phase, line=between)
            for phase, between in zip(_PHASES[: int(count)], _LINES, strict=False)
        )
        found[name] = Variable(
            name,
            int(instantaneous),
            None if average == _NONE else int(average),
            float(scale),
            "" if unit == _NONE else unit,
            points,
        )
    return found


@cache
def services() -> Mapping[int, tuple[Variable, int, bool]]:
    """By service id: the quantity, the phase (from 0) and whether it is the average."""
    found: dict[int, tuple[Variable, int, bool]] = {}
    for variable in variables().values():
        for phase in range(len(variable.points)):
            found[variable.instantaneous_id + phase] = variable, phase, False
            if variable.average_id is not None:
                found[variable.average_id + phase] = variable, phase, True
    return found
