"""What a supervisor has stored held against what was true: right, or with which likely mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from virtual_digiware.simulator.instants import format_instant
from virtual_digiware.simulator.oracle.mistakes import Evidence, Mistake, Suspect, rounding, suspects
from virtual_digiware.simulator.oracle.registers import block_words
from virtual_digiware.simulator.oracle.report import with_unit
from virtual_digiware.simulator.oracle.units import factor

if TYPE_CHECKING:
    from virtual_digiware.simulator.oracle.oracle import SiteOracle, SnapshotOracle
    from virtual_digiware.simulator.oracle.places import Place
    from virtual_digiware.simulator.oracle.truth import Truth

Finding = Literal["right", "ambiguous", "unknown", "not_available", "missing"] | Mistake
"""`not_available`: a number stored while nothing was measured; `missing`: none although there was one."""

EARLIER_REFRESHES = 10
"""So many refreshes back a value counts as stale rather than unknown, unless told otherwise."""


class NoNumber(ValueError):
    """A point that is a text, or that no register shows, cannot be judged."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a value. `suspects` are all mistakes that lead to it, the likely ones first."""

    finding: Finding
    message: str
    truth: Truth
    stored: float | None
    suspects: tuple[Suspect, ...] = ()

    @property
    def is_right(self) -> bool:
        return self.finding == "right"


def judge(
    oracle: SiteOracle,
    name: str,
    stored: float | None,
    t_ms: int,
    unit: str | None = None,
    earlier_ms: Sequence[int] | None = None,
) -> Verdict:
    """Hold a stored value against the truth of a site file.

    Args:
        name: The point, see `places`.
        stored: What the supervisor has, None for nothing.
        t_ms: The simulated time that it claims for it.
        unit: In which it is stored; None: that of the point.
        earlier_ms: Times whose values count as stale; None: the ten refreshes before. A site file that does
            not say when it was commissioned begins at `t_ms`, and nothing was before.

    Raises:
        PointUnknown, StartRefused, NoNumber, UnitUnknown: The question itself is wrong.
    """
    if earlier_ms is None:
        earlier_ms = [t_ms - number * oracle.refresh_ms for number in range(1, EARLIER_REFRESHES + 1)]
    begin_ms = oracle.commissioned_ms
    times = [] if begin_ms is None else [one for one in earlier_ms if begin_ms <= one < t_ms]
    earlier = {truth.time_ms: _number(truth) for truth in oracle.over_time(name, times)}
    return judge_now(oracle.at(t_ms), name, stored, unit, earlier)


def judge_now(
    oracle: SnapshotOracle,
    name: str,
    stored: float | None,
    unit: str | None = None,
    earlier: dict[int, float] | None = None,
) -> Verdict:
    """As `judge`, of a site as its clients see it now; `earlier` are values by time that count as stale."""
    place = oracle.place(name)
    truth = oracle.truth_of(place)
    evidence = _evidence(oracle, place, _number(truth), earlier or {})
    given = None if stored is None else stored * factor(unit or truth.unit, truth.unit)
    return weigh(truth, evidence, given)


def assert_stored(verdict: Verdict, accept: Sequence[Finding] = ()) -> None:
    """Raises AssertionError with the verdict's message for what is neither right nor accepted."""
    if not verdict.is_right and verdict.finding not in accept:
        raise AssertionError(verdict.message)


def weigh(truth: Truth, evidence: Evidence, stored: float | None) -> Verdict:
    """The verdict on a value in the unit of the point. Several mistakes that fit are all named."""
    if truth.value is None:
        if stored is None:
            return Verdict("right", _said(truth, stored, "right"), truth, stored)
        likely = "nothing is measured now, which reads 0 on the wire; no value should be stored"
        return Verdict("not_available", _said(truth, stored, likely), truth, stored)
    if stored is None:
        return Verdict(
            "missing", _said(truth, stored, "the point is measured, a value should be there"), truth, stored
        )
    if abs(stored - evidence.value) <= evidence.tolerance:
        return Verdict("right", _said(truth, stored, "right"), truth, stored)
    found = [suspect for suspect in suspects(evidence) if suspect.explains(stored)]
    found = [suspect for suspect in found if suspect.explains_exactly(stored)] or found
    rounded = rounding(evidence, stored)
    if rounded is not None:
        found.append(rounded)
    first = tuple({suspect.mistake: suspect for suspect in reversed(found)}.values())[::-1]
    if not first:
        return Verdict("unknown", _said(truth, stored, "no known mistake leads there"), truth, stored)
    likely = "; or ".join(suspect.likely for suspect in first)
    finding: Finding = first[0].mistake if len(first) == 1 else "ambiguous"
    return Verdict(finding, _said(truth, stored, f"likely {likely}"), truth, stored, first)


def _said(truth: Truth, stored: float | None, likely: str) -> str:
    modbus = truth.modbus
    words = "" if modbus is None or modbus.words is None else " ".join(f"{word:04X}" for word in modbus.words)
    registers = f" (registers {words} at {modbus.address})" if modbus is not None and words else ""
    right = "not available" if truth.value is None else with_unit(_shown(truth), truth.unit)
    kept = "nothing" if stored is None else with_unit(f"{stored:.10g}", truth.unit)
    where = f"{truth.name} at {format_instant(truth.time_ms)}"
    return f"{where}: {kept} stored, right is {right}{registers}: {likely}"


def _shown(truth: Truth) -> str:
    value = truth.value if truth.modbus is None or truth.modbus.value is None else truth.modbus.value
    return value if isinstance(value, str) else f"{value:.10g}"


def _number(truth: Truth) -> float:
    """What a right client reads: 0 while nothing is measured."""
    value = truth.value if truth.modbus is None or truth.modbus.value is None else truth.modbus.value
    if isinstance(value, str):
        raise NoNumber(f"{truth.name} is a text, {value!r}")
    return float(value or 0)


def _evidence(oracle: SnapshotOracle, place: Place, value: float, earlier: dict[int, float]) -> Evidence:
    """Other units are those of the same gateway that have the same block at the same address."""
    head = place.unit.path.partition("/")[0]
    others = {}
    for unit in oracle.units:
        if unit is not place.unit and unit.path.partition("/")[0] == head and unit.address is not None:
            for placed in unit.product.blocks:
                if placed.block.access != "write" and placed.base <= place.register < placed.end:
                    at = place.register - placed.base
                    words = block_words(unit, placed)[at : at + place.row.words]
                    if len(words) == place.row.words:
                        others[unit.path] = words
    return Evidence(place.row, block_words(place.unit, place.placed), value, others, earlier)
