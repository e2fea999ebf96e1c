"""What a rule of the architecture is: an id, what it rests on, how grave it is, where it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from virtual_digiware.simulator.yaml_text import KeyPath

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_models import Site

Severity = Literal["error", "warning", "note"]
"""An error keeps a site from running unless forced; a warning is said at every start; a note when asked."""

NOTE = "communication-architecture note"
"""The maker's technical note "DIRIS Digiware communication architectures"."""


@dataclass(frozen=True, slots=True)
class Broken:
    """One place where a rule does not hold: the key, what was found there, and what to change."""

    path: KeyPath
    found: str
    change: str


Search = Callable[["Site"], Iterator[Broken]]


@dataclass(frozen=True, slots=True)
class Rule:
    """`basis` names the figure or page; `says` is the rule in one sentence."""

    id: str
    severity: Severity
    basis: str
    says: str
    broken: Search


def rule(id: str, severity: Severity, basis: str) -> Callable[[Search], Rule]:
    """Make a rule of a function that searches a site; the function's docstring is what the rule says."""

    def make(search: Search) -> Rule:
        return Rule(id, severity, basis, " ".join((search.__doc__ or "").split()), search)

    return make
