"""Dips, swells and interruptions of voltage as U modules see them, to the half cycle.

Source: EN 50160 and IEC 61000-4-30. On several phases a dip or swell begins with the first phase and ends
with the last; an interruption begins when all phases are down and ends when one is back. Voltages of the
model step only at the edges of events, so only the cycles behind an edge are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np

from virtual_digiware.devices.alarms.half_cycles import Steps, half_cycles
from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.points import FloatArray, IntArray

RecordKind = Literal["swell", "dip", "interruption", "trip"]
KINDS: tuple[RecordKind, ...] = ("swell", "dip", "interruption")
CHANNELS = 6
"""V1, V2, V3, U12, U23, U31"""
_ROWS = ((90, "A"), (80, "B"), (70, "C"), (40, "D"), (5, "X"))
_COLUMNS_MS = (200, 500, 1000, 5000, 60_000)


@dataclass(frozen=True, slots=True)
class TapPlan:
    """How one U module judges its voltages: percent of the reference voltage. `is_line`: by U, without V."""

    unit: str
    tap: int
    is_line: bool
    swell: tuple[int, int] = (110, 2)
    """Threshold and hysteresis."""
    dip: tuple[int, int] = (90, 2)
    interruption: tuple[int, int] = (5, 2)

    def limits(self, kind: RecordKind) -> tuple[int, int]:
        """Ratios in percent at which an event of this kind begins and ends."""
        if kind == "swell":
            return self.swell[0], self.swell[0] - self.swell[1]
        threshold, hysteresis = self.dip if kind == "dip" else self.interruption
        return threshold, threshold + hysteresis


@dataclass(frozen=True, slots=True)
class VoltageRecord:
    """One quality event. Voltages of V1, V2, V3, U12, U23, U31 in V; masks have bit 0 for the first channel.

    `extremes` are the lowest (swell: highest) half-cycle values while it lasted. `load` counts the
    circuits of the unit from 0; None is the network itself. `number` is its place in the unit's log, from 0.
    """

    kind: RecordKind
    unit: str
    start_ms: int
    end_ms: int | None = None
    line_mask: int = 0
    start_mask: int = 0
    end_mask: int = 0
    trigger_percent: int = 0
    return_percent: int = 0
    references: tuple[float, ...] = (0.0,) * CHANNELS
    extremes: tuple[float, ...] = (0.0,) * CHANNELS
    load: int | None = None
    number: int = 0

    @property
    def watched(self) -> tuple[int, ...]:
        """Channels that decided: phase voltages, or line voltages where there is no neutral."""
        return tuple(i for i in range(CHANNELS) if self.line_mask >> i & 1)

    @property
    def residual_percent(self) -> float:
        """Lowest (swell: highest) half-cycle voltage of all channels, percent of its reference."""
        ratios = [100 * self.extremes[i] / self.references[i] for i in self.watched]
        return max(ratios) if self.kind == "swell" else min(ratios)


def dip_class(residual_percent: float, duration_ms: int) -> str:
    """Cell of the EN 50160 table of dips, such as `B2`; empty above 90 % or 60 s."""
    column = next((i for i, end in enumerate(_COLUMNS_MS, 1) if duration_ms <= end), None)
    row = "X" if residual_percent < 5 else ""
    for (high, letter), (low, _) in pairwise(_ROWS):
        if low <= residual_percent < high:
            row = letter
    return f"{row}{column}" if row and column else ""


class Voltages(Protocol):
    """What is asked of the site."""

    @property
    def frequency_hz(self) -> float:
        """Nominal."""

    @property
    def nominal_voltage_v(self) -> float:
        """Phase to neutral."""

    def voltages(self, t_ms: IntArray) -> FloatArray:
        """(T, D, CHANNELS) RMS at instants."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """An event began or ended; `value` is the residual voltage in percent, NaN where there is none."""

    time_ms: int
    unit: str
    kind: RecordKind
    load: int | None
    begins: bool
    value: float
    record: VoltageRecord


@dataclass(frozen=True)
class Disturbances:
    """Steps of voltage and events in progress of the U modules that look for them."""

    steps: Mapping[TapPlan, Steps] = field(default_factory=dict)
    running: Mapping[TapPlan, tuple[VoltageRecord, ...]] = field(default_factory=dict)

    def watching(
        self, plans: Sequence[TapPlan], t_ms: int, around: Voltages
    ) -> tuple[Disturbances, list[Noticed]]:
        """With other modules, or other limits, from `t_ms` on; what is no longer looked at ends."""
        noticed = []
        for plan, records in self.running.items():
            if plan not in plans:
                for record in records:
                    noticed.append(_noticed(replace(record, end_ms=t_ms), False))
        squares = around.voltages(np.array([t_ms], np.int64)) ** 2 if plans else np.empty((0, 0, CHANNELS))
        steps = {plan: self.steps.get(plan) or Steps(((t_ms, squares[0, plan.tap]),)) for plan in plans}
        running = {plan: self.running.get(plan, ()) for plan in plans}
        new = Disturbances(steps, running)
        for plan in plans:
            if plan not in self.steps:
                # What is wrong from the start is an event from the start.
                rms = np.sqrt(squares[0, plan.tap])
                running[plan] = new._judged(plan, t_ms, rms, around.nominal_voltage_v, noticed)
        return new, noticed

    def advanced(
        self, since_ms: int, until_ms: int, edges: IntArray, around: Voltages
    ) -> tuple[Disturbances, list[Noticed]]:
        """Past the half cycles in (since, until]; `edges` are those of the site's events in that span."""
        cycle_ms = 1000.0 / around.frequency_hz
        if not self.steps or (
            not len(edges) and all(one.last_ms + 2 * cycle_ms < since_ms for one in self.steps.values())
        ):
            return self, []
        squares = around.voltages(edges) ** 2 if len(edges) else np.empty((0, 0, CHANNELS))
        noticed: list[Noticed] = []
        steps, running = dict(self.steps), dict(self.running)
        for plan, before in self.steps.items():
            own = before
            done = since_ms
            for i, edge in enumerate((*edges.tolist(), until_ms)):
                for known_ms, exact in half_cycles(
                    done, min(edge, own.last_ms + 1.5 * cycle_ms + 1), around.frequency_hz
                ):
                    rms = own.rms(exact, cycle_ms)
                    now = Disturbances(steps, running)
                    running[plan] = now._judged(plan, known_ms, rms, around.nominal_voltage_v, noticed)
                done = edge
                if i < len(edges):
                    own = own.then(edge, squares[i, plan.tap], cycle_ms)
            steps[plan] = own
        return Disturbances(steps, running), noticed

    def _judged(
        self, plan: TapPlan, t_ms: int, rms: FloatArray, nominal_v: float, noticed: list[Noticed]
    ) -> tuple[VoltageRecord, ...]:
        """Records in progress after one more half-cycle value (CHANNELS,) of a module."""
        references = np.repeat([nominal_v, nominal_v * 3**0.5], 3)
        watched = slice(3, 6) if plan.is_line else slice(0, 3)
        ratios = 100.0 * rms / references
        old = {record.kind: record for record in self.running.get(plan, ())}
        kept = []
        for kind in KINDS:
            begin, end = plan.limits(kind)
            if kind == "swell":
                beyond, back = ratios > begin, ratios <= end
            else:
                beyond, back = ratios < begin, ratios >= end
            if kind == "interruption":
                begins, ends = bool(beyond[watched].all()), bool(back[watched].any())
            else:
                begins, ends = bool(beyond[watched].any()), bool(back[watched].all())
            record = old.get(kind)
            if record is None:
                if begins:
                    record = VoltageRecord(
                        kind,
                        plan.unit,
                        t_ms,
                        line_mask=0b111000 if plan.is_line else 0b111,
                        start_mask=_mask(beyond, watched),
                        trigger_percent=begin,
                        return_percent=end,
                        references=tuple(references.tolist()),
                        extremes=tuple(rms.tolist()),
                    )
                    kept.append(record)
                    noticed.append(_noticed(record, True))
                continue
            if ends:
                mask = _mask(back if kind == "interruption" else ~_was_back(record, ratios, end), watched)
                noticed.append(_noticed(replace(record, end_ms=t_ms, end_mask=mask), False))
                continue
            further = np.maximum if kind == "swell" else np.minimum
            extremes = further(np.array(record.extremes), rms)
            kept.append(replace(record, extremes=tuple(extremes.tolist())))
        return tuple(kept)


def _was_back(record: VoltageRecord, ratios: FloatArray, end: int) -> BoolArray:
    """Channels that never left, so that it is not they that ended the event."""
    lowest = 100 * np.array(record.extremes) / np.array(record.references)
    was_back: BoolArray = lowest <= end if record.kind == "swell" else lowest >= end
    return was_back


def _mask(channels: BoolArray, watched: slice) -> int:
    return sum(1 << i for i in range(*watched.indices(CHANNELS)) if channels[i])


def _noticed(record: VoltageRecord, begins: bool) -> Noticed:
    time_ms = record.start_ms if begins or record.end_ms is None else record.end_ms
    value = record.residual_percent if record.line_mask else float("nan")
    return Noticed(time_ms, record.unit, record.kind, record.load, begins, value, record)
