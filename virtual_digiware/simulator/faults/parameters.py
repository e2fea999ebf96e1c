"""Checking the parameters of a fault against what its kind says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from virtual_digiware.profiles.installation import PHASES
from virtual_digiware.simulator.dc_checks import dc_circuits
from virtual_digiware.simulator.faults.kinds import FaultKind, Parameter
from virtual_digiware.simulator.faults.targets import targets_of
from virtual_digiware.simulator.yaml_text import near_miss

if TYPE_CHECKING:
    from virtual_digiware.simulator.building import Building


class FaultRefused(ValueError):
    """A fault that cannot be injected: `key` is wrong, `found` stands there, `right` would be right."""

    def __init__(self, key: str, found: object, right: str) -> None:
        super().__init__(f"{key}: found {found!r}; right would be {right}")
        self.key = key
        self.found = found
        self.right = right


def checked_parameters(building: Building, kind: FaultKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """Given parameters with defaults filled in.

    Raises:
        FaultRefused: one is unknown, missing, of another type or out of its range.
    """
    for name in given:
        if name not in kind.parameters:
            known = ", ".join(kind.parameters) or "no parameters"
            raise FaultRefused(name, given[name], f"{known}.{near_miss(name, list(kind.parameters))}")
    checked: dict[str, Any] = {}
    for name, parameter in kind.parameters.items():
        value = given.get(name, parameter.default)
        if value is None and parameter.required:
            raise FaultRefused(name, None, parameter.help)
        if value is not None:
            checked[name] = _checked(building, name, parameter, value)
    return checked


def _checked(building: Building, name: str, parameter: Parameter, value: Any) -> Any:
    match parameter.type:
        case "number" | "duration":
            return _number(name, parameter, value)
        case "integer":
            number = _number(name, parameter, value)
            if number != int(number):
                raise FaultRefused(name, value, "a whole number")
            return int(number)
        case "phases":
            phases = [value] if isinstance(value, str) else list(value)
            if not phases or any(phase not in PHASES for phase in phases):
                raise FaultRefused(name, value, f"some of {', '.join(PHASES)}")
            return phases
        case "numbers":
            numbers = [value] if isinstance(value, int) else list(value)
            return [int(_number(name, parameter, one)) for one in numbers]
        case "circuit":
            known = (*targets_of(building, "circuit"), *dc_circuits(building.file.site))
            if value not in known:
                raise FaultRefused(name, value, f"a circuit.{near_miss(str(value), list(known))}")
            return str(value)
    if parameter.choices and value not in parameter.choices:
        raise FaultRefused(name, value, f"one of {', '.join(parameter.choices)}")
    return str(value)


def _number(name: str, parameter: Parameter, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise FaultRefused(name, value, "a number") from None
    low, high = parameter.low, parameter.high
    if (low is not None and number < low) or (high is not None and number > high) or number != number:
        span = f"{'any' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'}"
        raise FaultRefused(name, value, f"{span} {parameter.unit}".strip())
    return number
