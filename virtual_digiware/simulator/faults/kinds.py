"""Kinds of faults as their data files describe them: target, parameters, what it does, what a client sees."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from virtual_digiware.profiles import yaml_data

TargetKind = Literal[
    "source", "circuit", "board", "voltage module", "current module", "io module", "module", "gateway",
    "unit", "line", "port", "sensor", "meter", "transfer switch", "site", "repeater", "modbus port",
]  # fmt: skip
"""What a fault is laid on. `module` is any on a Digiware bus, `unit` any addressed device, `port` a service
of a gateway or meter such as m70/modbus_tcp."""

ParameterType = Literal["number", "integer", "text", "phases", "numbers", "circuit", "duration"]

_FILES = Path(__file__).parent / "catalogue"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameter(_Model):
    """One parameter; without a `default` it must be given. `low` and `high` belong to the range."""

    type: ParameterType
    help: str
    unit: str = ""
    default: Any = None
    required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


class FaultKind(_Model):
    """What can go wrong. `effect` is what the simulator does, `fixed` the parameters that make this kind."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    label: str
    target: TargetKind
    effect: str
    parameters: dict[str, Parameter] = {}
    fixed: dict[str, Any] = {}
    does: str
    shows: str
    needs_duration: bool = False
    """Meaningless without an end, as a dip is."""
    source: str = ""


class KindFile(_Model):
    """The faults of one theme."""

    theme: str
    about: str
    faults: tuple[FaultKind, ...]


@cache
def theme_files() -> tuple[KindFile, ...]:
    """All themes, by the names of their files."""
    return tuple(
        KindFile.model_validate(yaml_data.read(path.read_text(encoding="utf-8")))
        for path in sorted(_FILES.glob("*.yaml"))
    )


def themes() -> Mapping[str, tuple[FaultKind, ...]]:
    """Kinds of faults by theme, in the order of the files and of each file."""
    return {file.theme: file.faults for file in theme_files()}


@cache
def fault_kinds() -> Mapping[str, FaultKind]:
    """All kinds of faults by id.

    Raises:
        ValueError: two kinds with one id.
    """
    kinds: dict[str, FaultKind] = {}
    for theme in themes().values():
        for kind in theme:
            if kind.id in kinds:
                raise ValueError(f"two faults named {kind.id}")
            kinds[kind.id] = kind
    return kinds
