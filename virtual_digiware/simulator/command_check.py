"""`vdigiware check`: what the rules of the architecture say of a site, and its power budget."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from virtual_digiware.buses.bus_power import Segment
from virtual_digiware.buses.digiware import MAX_LENGTH_M
from virtual_digiware.simulator.bus_chain import bus_segments
from virtual_digiware.simulator.rules.book import Finding, findings

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_file import SiteFile


class RulesBroken(Exception):
    """A site breaks rules that are errors. `findings` are those."""

    def __init__(self, broken: Sequence[Finding]) -> None:
        self.findings = tuple(broken)
        super().__init__("\n".join(str(finding) for finding in broken))


def refuse_errors(file: SiteFile, is_forced: bool) -> list[Finding]:
    """What a start should say of the rules: warnings, and errors where they are overridden.

    Raises:
        RulesBroken: there are errors, and they are not overridden.
    """
    found = findings(file)
    errors = [finding for finding in found if finding.rule.severity == "error"]
    if errors and not is_forced:
        raise RulesBroken(errors)
    return [finding for finding in found if finding.rule.severity != "note"]


def check_text(file: SiteFile, found: Sequence[Finding], is_verbose: bool) -> Iterator[str]:
    """What `check` prints: findings, then the budget of each segment, then a summary."""
    notes = [finding for finding in found if finding.rule.severity == "note"]
    for finding in found:
        if is_verbose or finding not in notes:
            yield str(finding)
    for gateway in file.site.gateways:
        for segment in bus_segments(gateway):
            yield budget_line(gateway.name, segment)
            if is_verbose:
                yield from budget_table(segment)
    yield _summary(file, found)
    if notes and not is_verbose:
        yield f"{_counted(len(notes), 'note')} more with --verbose"


def check_json(file: SiteFile, found: Sequence[Finding]) -> str:
    """The same for machines."""
    content: dict[str, Any] = {
        "site": file.site.site,
        "file": str(file.text.file),
        "findings": [finding.as_json() for finding in found],
        "segments": [
            _segment_json(gateway.name, segment)
            for gateway in file.site.gateways
            for segment in bus_segments(gateway)
        ],
    }
    return json.dumps(content, indent=2)


def budget_line(gateway: str, segment: Segment) -> str:
    """One line: the watts and metres of a segment, and of how many."""
    name = gateway if segment.feeder.name == gateway else f"{gateway}/{segment.feeder.name}"
    sure = "about " if segment.has_estimates else ""
    return (
        f"{name}: {_counted(len(segment.modules), 'module')}, "
        f"{sure}{segment.total_w:.3f} of {segment.supply_w:g} W, "
        f"{segment.length_m:.4g} of {MAX_LENGTH_M:g} m of bus cable"
    )


def budget_table(segment: Segment) -> Iterator[str]:
    """The items of a segment's budget, one a line."""
    devices = [(segment.feeder, 0.0), *((module, module.link_w) for module in segment.modules)]
    for device, link_w in devices:
        mark = "~" if device.is_estimate else " "
        lost = "  not supplied" if device.name in segment.past_limit else ""
        yield f"    {device.name:20} {mark}{device.own_w:6.3f} W + {link_w:6.3f} W of cable{lost}"
    if segment.tail is not None:
        yield f"    {'to ' + segment.tail.name:20}               {segment.tail.link_w:6.3f} W of cable"


def _segment_json(gateway: str, segment: Segment) -> dict[str, Any]:
    return {
        "gateway": gateway,
        "feeder": segment.feeder.name,
        "supply_w": segment.supply_w,
        "total_w": round(segment.total_w, 6),
        "length_m": round(segment.length_m, 6),
        "has_estimates": segment.has_estimates,
        "modules": [module.name for module in segment.modules],
        "past_limit": list(segment.past_limit),
    }


def _summary(file: SiteFile, found: Sequence[Finding]) -> str:
    site = file.site
    modules = sum(len(gateway.bus) for gateway in site.gateways)
    circuits = [circuit for board in site.boards.values() for circuit in board.circuits.values()]
    loads = sum(len(circuit.loads or ()) for circuit in circuits)
    counts = {word: sum(finding.rule.severity == word for finding in found) for word in ("error", "warning")}
    said = " and ".join(_counted(count, word) for word, count in counts.items() if count)
    return (
        f"{file.text.file}: {said or 'no mistakes'}; {_counted(len(site.gateways), 'gateway')} with "
        f"{_counted(modules, 'module')}, {_counted(len(site.boards), 'board')} with "
        f"{_counted(len(circuits), 'circuit')}, {_counted(loads, 'load')}"
    )


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
