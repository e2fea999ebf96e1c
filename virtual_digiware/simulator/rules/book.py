"""All rules of the architecture, and what a site is told by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from virtual_digiware.simulator.rules import (
    bluetooth,
    bus,
    cabinets,
    dataloggers,
    direct_current,
    ethernet,
    power,
    rs485,
    voltage_sources,
    webview,
)
from virtual_digiware.simulator.rules.rule import Rule

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_file import SiteFile

RULES: tuple[Rule, ...] = (
    *bus.RULES,
    *power.RULES,
    *voltage_sources.RULES,
    *direct_current.RULES,
    *rs485.RULES,
    *ethernet.RULES,
    *webview.RULES,
    *bluetooth.RULES,
    *dataloggers.RULES,
    *cabinets.RULES,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule at its place in the site file."""

    rule: Rule
    file: str
    line: int
    key: str
    found: str
    change: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: {self.key}\n    {self.rule.severity} {self.rule.id}: {self.found}\n"
            f"    change: {self.change}\n    see: {self.rule.basis}"
        )

    def as_json(self) -> dict[str, str | int]:
        return {
            "rule": self.rule.id,
            "severity": self.rule.severity,
            "basis": self.rule.basis,
            "file": self.file,
            "line": self.line,
            "key": self.key,
            "found": self.found,
            "change": self.change,
        }


def findings(file: SiteFile) -> list[Finding]:
    """Every rule that a site breaks: errors first, then warnings, then notes, each by line."""
    found = []
    for rule in RULES:
        for broken in rule.broken(file.site):
            fault = file.text.fault(broken.path, broken.found, broken.change)
            found.append(Finding(rule, str(fault.file), fault.line, fault.key, fault.found, fault.right))
    severities = ("error", "warning", "note")
    return sorted(
        found, key=lambda one: (severities.index(one.rule.severity), one.file, one.line, one.rule.id)
    )


def rules_table() -> str:
    """The rules as a Markdown table."""
    lines = [("rule", "severity", "says", "rests on"), ("---",) * 4]
    lines += [(f"`{rule.id}`", rule.severity, rule.says, rule.basis) for rule in RULES]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
