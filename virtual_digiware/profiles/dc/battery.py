"""State of charge of a battery through outages and recharging; full at all other times.

A state must be stepped, but only where something happens: from the begin of an outage until the battery is
full again, on the base step, so it is the same however and whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from virtual_digiware.profiles.dc.installation import Battery
from virtual_digiware.profiles.pulses import STEP_MS
from virtual_digiware.profiles.solution import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]

_MS_PER_HOUR = 3_600_000
_FULL = 0.9995
_LONGEST_MS = 14 * 86_400_000
_PIECE = 360
TAPER_H = 2.0
"""Near the end the recharging current falls with what is missing, over so many hours."""

Demand = Callable[[IntArray], FloatArray]
"""Power that the loads want (T,), in W, at the middle of steps."""


@dataclass(frozen=True)
class Course:
    """A battery at the starts of steps (T,): charge 0..1, and whether the loads are cut off."""

    charge: FloatArray
    is_cut_off: BoolArray


@dataclass
class _Window:
    """What is known so far of one stretch that begins full; `is_over` when it ends with a full battery."""

    charges: list[float] = field(default_factory=lambda: [1.0])
    cuts: list[bool] = field(default_factory=lambda: [False])
    is_over: bool = False


class BatteryCourse:
    """The charge of one battery under the outages of its mains.

    Args:
        outages: (start_ms, end_ms or None), ascending, not touching.
        demand: of the board's loads.
    """

    def __init__(self, battery: Battery, outages: Sequence[tuple[int, int | None]], demand: Demand) -> None:
        self._battery, self._demand = battery, demand
        self._outages = tuple(outages)
        self._known: dict[int, _Window] = {}

    def is_out(self, t_ms: IntArray) -> BoolArray:
        """Whether the mains is gone (T,)."""
        out = np.zeros(len(t_ms), np.bool_)
        for start_ms, end_ms in self._outages:
            out |= (t_ms >= start_ms) & (True if end_ms is None else t_ms < end_ms)
        return out

    def at(self, t_ms: IntArray) -> Course:
        """The battery at instants, as of the begin of their steps."""
        charge, cut = np.ones(len(t_ms)), np.zeros(len(t_ms), np.bool_)
        steps = t_ms // STEP_MS
        for first in self._windows():
            inside = np.flatnonzero((steps >= first) & (steps < first + _LONGEST_MS // STEP_MS))
            if inside.size:
                window = self._window(first, int(steps[inside].max()) - first + 1)
                place = np.minimum(steps[inside] - first, len(window.charges) - 1)
                known = steps[inside] - first < len(window.charges)
                charge[inside] = np.where(known, np.array(window.charges)[place], 1.0)
                cut[inside] = np.where(known, np.array(window.cuts)[place], False)
        return Course(charge, cut)

    def charging_a(self, charge: FloatArray) -> FloatArray:
        """Current into the battery while there is mains."""
        missing_ah = (1 - charge) * self._battery.capacity_ah
        limit_a = self._battery.charge_c * self._battery.capacity_ah
        return np.where(charge < 1, np.minimum(limit_a, missing_ah / TAPER_H), 0.0)

    def open_circuit_v(self, charge: FloatArray) -> FloatArray:
        return self._battery.empty_v + (self._battery.full_v - self._battery.empty_v) * charge

    def _windows(self) -> list[int]:
        """First steps of the outages that find the battery full."""
        firsts: list[int] = []
        for start_ms, _ in self._outages:
            step = start_ms // STEP_MS
            if not firsts or self._is_full(firsts[-1], step):
                firsts.append(step)
        return firsts

    def _is_full(self, first: int, step: int) -> bool:
        window = self._window(first, step - first + 1)
        return len(window.charges) <= step - first

    def _window(self, first: int, count: int) -> _Window:
        """Steps from `first` on, at least `count` of them unless the battery is full before."""
        window = self._known.setdefault(first, _Window())
        while len(window.charges) < count and not window.is_over:
            last = first + len(window.charges) - 1
            middles = np.arange(last, last + _PIECE, dtype=np.int64) * STEP_MS + STEP_MS // 2
            demand, out = self._demand(middles), self.is_out(middles)
            for power_w, is_out in zip(demand.tolist(), out.tolist(), strict=True):
                charge, is_cut = self._after(window.charges[-1], window.cuts[-1], power_w, is_out)
                if charge >= _FULL and not is_out:
                    window.is_over = True
                    break
                window.charges.append(charge)
                window.cuts.append(is_cut)
        return window

    def _after(self, charge: float, is_cut: bool, power_w: float, is_out: bool) -> tuple[float, bool]:
        """One step on."""
        battery = self._battery
        if not is_out:
            current_a = float(self.charging_a(np.array([charge]))[0])
            return min(1.0, charge + current_a * STEP_MS / _MS_PER_HOUR / battery.capacity_ah), False
        voltage_v = battery.empty_v + (battery.full_v - battery.empty_v) * charge
        if is_cut or voltage_v - battery.resistance_ohm * power_w / voltage_v <= battery.cut_off_v:
            return charge, True
        current_a = power_w / voltage_v
        return max(0.0, charge - current_a * STEP_MS / _MS_PER_HOUR / battery.capacity_ah), False
