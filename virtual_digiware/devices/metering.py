"""All slots and taps of a site measured at once, as history needs it: arrays of points over times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from virtual_digiware.devices import energies
from virtual_digiware.devices.circuit_tables import (
    CIRCUIT_INSTANTANEOUS,
    circuit_quality_values,
    circuit_values,
)
from virtual_digiware.devices.demand import DemandBlock, Points
from virtual_digiware.devices.layout import ReactiveMethod
from virtual_digiware.devices.measurement import ErrorSource, Measured, measure
from virtual_digiware.devices.network_tables import (
    NETWORK_INSTANTANEOUS,
    network_quality_values,
    network_values,
)
from virtual_digiware.devices.points import FloatArray, IntArray
from virtual_digiware.devices.powers import Powers
from virtual_digiware.devices.wiring import BoolArray, Wiring
from virtual_digiware.profiles.solution import ORDERS, Solution

_ROWS = ("l1", "l2", "l3", "total")

CIRCUIT_EXTREMES: tuple[str, ...] = tuple(
    name
    for name in CIRCUIT_INSTANTANEOUS
    if name.startswith(("frequency", "power_factor_"))
    or name in ("voltage_n_pe", "current_n")
    or (name.startswith(("voltage_l", "current_l")) and "system" not in name)
    or (name.startswith(("active_", "reactive_", "apparent_")) and name.rsplit("_", 1)[1] in _ROWS)
)
"""Points of which maxima and minima are kept, instantaneous and averaged."""
COMPANIONS: Mapping[str, str] = {f"power_factor_{row}": f"power_factor_{row}_type" for row in _ROWS}
QUADRATIC: frozenset[str] = frozenset(
    name
    for name in (*CIRCUIT_INSTANTANEOUS, *NETWORK_INSTANTANEOUS)
    if name.startswith(("voltage_", "current_")) and not name.endswith("unbalance")
)
"""RMS-type points: averaged as root of the mean of squares (IEC 61000-4-30)."""

_ROW = {name: row for row, name in enumerate(CIRCUIT_INSTANTANEOUS)}


@dataclass(frozen=True)
class Reading:
    """What was measured of a solution, and its points."""

    solution: Solution
    measured: Measured
    points: Points
    live_taps: BoolArray
    """(D,) which voltage modules answered."""

    @property
    def quality(self) -> tuple[FloatArray, FloatArray]:
        """CIRCUIT_QUALITY (R, T, N) and NETWORK_QUALITY (S, T, D)."""
        measured, points = self.measured, self.points
        networks = network_quality_values(measured.voltages, measured.wiring, points.networks, self.live_taps)
        return circuit_quality_values(measured, points.circuits), networks


class Meter:
    """How solutions become points; replaced as a whole when the wiring changes."""

    def __init__(
        self,
        wiring: Wiring,
        live_slots: BoolArray,
        live_taps: BoolArray,
        method: ReactiveMethod,
        errors: ErrorSource | None,
    ) -> None:
        """`live_slots` (N,): the slot's voltage module answers; `live_taps` (D,) whether each does."""
        self.wiring = wiring
        self.live_slots, self.live_taps = live_slots, live_taps
        self.method: ReactiveMethod = method
        self.errors = errors
        self.slots, self.networks = wiring.count, len(wiring.taps)
        self.booked: IntArray = np.where(wiring.identity & live_slots & (errors is None), wiring.circuit, -1)
        """(N,) index of the circuit whose booked integers are this slot's energy, or -1."""
        self.is_sampling = bool(wiring.sampled.size or wiring.sampled_taps.size)
        self._phasors = _without_samples(wiring) if self.is_sampling else wiring

    def measure(self, solution: Solution) -> Measured:
        """Measure from phasors, which is what history is made of: samples agree, and would take too long."""
        return measure(solution, self._phasors, self.live_slots, self.method, self.errors)

    def points(self, measured: Measured) -> Points:
        """CIRCUIT_INSTANTANEOUS and NETWORK_INSTANTANEOUS of what was measured."""
        networks = network_values(measured.voltages, measured.wiring, self.live_taps)
        return Points(circuit_values(measured), networks)

    def read(self, solution: Solution) -> Reading:
        """Measure from phasors, with all points."""
        measured = self.measure(solution)
        return Reading(solution, measured, self.points(measured), self.live_taps)

    def show(self, solution: Solution) -> Reading:
        """Measure as each module does, from samples where it samples."""
        measured = measure(solution, self.wiring, self.live_slots, self.method, self.errors)
        return Reading(solution, measured, self.points(measured), self.live_taps)

    def numbers_per_time(self, boards: int, circuits: int) -> int:
        """Size of the arrays of one time, for cutting batches."""
        per_voltage = 3 * len(ORDERS) * 2
        return per_voltage * (boards + 2 * self.networks) + 20 * circuits + 200 * self.slots


def _without_samples(wiring: Wiring) -> Wiring:
    return replace(
        wiring,
        slots=tuple(replace(slot, is_sampled=False) for slot in wiring.slots),
        taps=tuple(replace(tap, is_sampled=False) for tap in wiring.taps),
    )


def totals(measured: Measured) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P, Q and S of the circuits, (T, N) each, NaN where there is no power."""
    return measured.active_power_total, measured.reactive_power_total, measured.apparent_power_total


def averages(block: DemandBlock, slots: IntArray) -> FloatArray:
    """CIRCUIT_INSTANTANEOUS (P, n) of some slots over a demand block.

    Total powers are what the energy counters gained over the block's real duration, so blocks times T
    add up to the index difference; factors follow from the averaged powers.
    """
    values = block.circuit_means(slots)
    counter = dict(zip(energies.COUNTERS, block.powers(slots), strict=True))
    has_power = ~np.isnan(values[_ROW["active_power_total"]])

    def put(name: str, column: FloatArray) -> None:
        values[_ROW[name]] = np.where(has_power, column, np.nan)

    put("active_power_total", counter["active_import"] - counter["active_export"])
    lagging = counter["reactive_1"] - counter["reactive_3"]
    leading = counter["reactive_2"] - counter["reactive_4"]
    put("reactive_power_total", lagging + leading)
    put("reactive_power_total_lagging", lagging)
    put("reactive_power_total_leading", leading)
    put("apparent_power_total", counter["apparent"])
    active, reactive, apparent = (
        np.stack([values[_ROW[f"{quantity}_power_{row}"]] for row in _ROWS])[None]
        for quantity in ("active", "reactive", "apparent")
    )
    powers = Powers(active, reactive, reactive, apparent)
    for i, row in enumerate(_ROWS):
        missing = np.isnan(active[0, i])
        values[_ROW[f"power_factor_{row}"]] = np.where(missing, np.nan, powers.factor[0, i])
        values[_ROW[f"power_factor_{row}_type"]] = np.where(missing, np.nan, powers.factor_type[0, i])
    return values
