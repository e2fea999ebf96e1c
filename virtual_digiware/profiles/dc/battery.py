"""State of charge of a battery through outages and recharging; full at all other times.

A state must be stepped, but only where something happens: from the begin of an outage until the battery is
full again, on the base step, so it is the same however and whenever it is asked. What leaves the battery in a
step is the current that the board shows in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from virtual_digiware.profiles.dc.branches import Branches
from virtual_digiware.profiles.dc.installation import Battery, Rectifier
from virtual_digiware.profiles.dc.outages import BoolArray, Outages
from virtual_digiware.profiles.pulses import STEP_MS
from virtual_digiware.profiles.solution import FloatArray, IntArray

_STEP_H = STEP_MS / 3_600_000
_FULL = 0.9995
_PIECE = 360
TAPER_H = 2.0
"""Near the end the recharging current falls with what is missing, over so many hours."""

Demand = Callable[[IntArray], FloatArray]
"""Power that each load wants (T, N), in W."""


@dataclass(frozen=True)
class Course:
    """A battery at the starts of steps (T,): charge 0..1, and whether the loads are cut off."""

    charge: FloatArray
    is_cut_off: BoolArray


@dataclass
class _Window:
    """What is known so far of one stretch that begins full.

    `is_over` when it ends with a full battery, `is_settled` when nothing will change any more.
    """

    charges: list[float] = field(default_factory=lambda: [1.0])
    cuts: list[bool] = field(default_factory=lambda: [False])
    is_over: bool = False
    is_settled: bool = False

    def at(self, place: int) -> tuple[float, bool]:
        """Charge, and whether the loads are cut off, at a step of the stretch or behind it."""
        if place < len(self.charges):
            return self.charges[place], self.cuts[place]
        return (self.charges[-1], self.cuts[-1]) if self.is_settled else (1.0, False)


class BatteryCourse:
    """The charge of one battery under the outages of its mains."""

    def __init__(
        self, battery: Battery, rectifier: Rectifier, outages: Outages, demand: Demand, branches: Branches
    ) -> None:
        self._battery, self._rectifier = battery, rectifier
        self._outages, self._demand, self._branches = outages, demand, branches
        self._known: dict[int, _Window] = {}

    def at(self, t_ms: IntArray) -> Course:
        """The battery at instants, as of the begin of their steps."""
        charge, cut = np.ones(len(t_ms)), np.zeros(len(t_ms), np.bool_)
        steps = t_ms // STEP_MS
        for first in self._windows():
            for i in np.flatnonzero(steps >= first).tolist():
                place = int(steps[i]) - first
                charge[i], cut[i] = self._window(first, place + 1).at(place)
        return Course(charge, cut)

    def charging_a(self, charge: FloatArray) -> FloatArray:
        """Current that the battery would take while there is mains."""
        missing_ah = (1 - charge) * self._battery.capacity_ah
        limit_a = self._battery.charge_c * self._battery.capacity_ah
        return np.where(charge < 1, np.minimum(limit_a, missing_ah / TAPER_H), 0.0)

    def open_circuit_v(self, charge: FloatArray) -> FloatArray:
        return self._battery.empty_v + (self._battery.full_v - self._battery.empty_v) * charge

    def _windows(self) -> list[int]:
        """First steps of the outages that find the battery full."""
        firsts: list[int] = []
        for step in self._outages.first_steps:
            if not firsts or self._is_full(firsts[-1], step):
                firsts.append(step)
        return firsts

    def _is_full(self, first: int, step: int) -> bool:
        window = self._window(first, step - first + 1)
        return window.is_over and len(window.charges) <= step - first

    def _window(self, first: int, count: int) -> _Window:
        """Steps from `first` on, at least `count` of them unless the battery is full or dead before."""
        window = self._known.setdefault(first, _Window())
        while len(window.charges) < count and not (window.is_over or window.is_settled):
            last = first + len(window.charges) - 1
            if window.cuts[-1] and self._outages.lasts_from(last):
                window.is_settled = True
                break
            steps = np.arange(last, last + _PIECE, dtype=np.int64)
            shares = self._outages.share(steps)
            if window.cuts[-1] and shares.min() == 1:
                window.charges += [window.charges[-1]] * _PIECE
                window.cuts += [True] * _PIECE
                continue
            demand = self._demand(steps * STEP_MS + STEP_MS // 2).tolist()
            ends = self._outages.at((steps + 1) * STEP_MS - 1).tolist()
            for wanted_w, share, is_out_then in zip(demand, shares.tolist(), ends, strict=True):
                charge, is_cut = self._after(window.charges[-1], window.cuts[-1], wanted_w, share)
                if charge >= _FULL and share == 0:
                    window.is_over = True
                    break
                window.charges.append(charge)
                window.cuts.append(is_cut and is_out_then)
        return window

    def _after(self, charge: float, is_cut: bool, wanted_w: list[float], share: float) -> tuple[float, bool]:
        """One step on, without mains for a share of it."""
        battery, rectifier, solve = self._battery, self._rectifier, self._branches.solve_one
        gained_ah = 0.0
        if share < 1:
            wish_a = float(self.charging_a(np.array([charge]))[0])
            source = rectifier.float_v, rectifier.resistance_ohm
            _, _, charging_a = solve(wanted_w, *source, wish_a, rectifier.limit_a)
            gained_ah += (1 - share) * charging_a * _STEP_H
        if share > 0 and not is_cut:
            source = float(self.open_circuit_v(np.array([charge]))[0]), battery.resistance_ohm
            voltage_v, drawn_a, _ = solve(wanted_w, *source, 0.0, rectifier.limit_a)
            gained_ah -= share * drawn_a * _STEP_H
            is_cut = voltage_v <= battery.cut_off_v
        return min(1.0, max(0.0, charge + gained_ah / battery.capacity_ah)), is_cut
