"""What every slot measures: RMS values, powers, factors, sequences, with what is not available as NaN.

Phasor measurement takes the truth's own RMS values and powers where a slot reads them unchanged up to
a ratio, and goes through spectra elsewhere; both ways agree. Modules that measure from samples do so at
instants; means over an interval have no samples and are taken from phasors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from virtual_digiware.devices import ratios
from virtual_digiware.devices.layout import ReactiveMethod
from virtual_digiware.devices.powers import Powers, powers_of
from virtual_digiware.devices.rows import Rows, direct_rows, explicit_rows, merged
from virtual_digiware.devices.sampled_slots import sampled_rows
from virtual_digiware.devices.slot_spectra import SlotSpectra, spectra_of
from virtual_digiware.devices.voltage_measurement import MeasuredVoltages, is_instant, measure_voltages
from virtual_digiware.devices.wiring import BoolArray, Wiring
from virtual_digiware.profiles import quantities
from virtual_digiware.profiles.solution import ComplexArray, FloatArray, IntArray, Solution


class ErrorSource(Protocol):
    """Errors of the modules that change with time, see `metrology.py`."""

    def voltage_factors(self, solution: Solution) -> FloatArray:
        """(T, D) measured / exact voltage."""
        ...

    def with_errors(self, solution: Solution, rows: Rows) -> Rows:
        """The same rows as imperfect modules have them."""
        ...


_KEPT_TIMES = 2
"""Spectra found in samples are kept for the instant that is shown, not for hours that are caught up with."""


def measure(
    solution: Solution,
    wiring: Wiring,
    live: BoolArray | None = None,
    method: ReactiveMethod = "total",
    errors: ErrorSource | None = None,
) -> Measured:
    """Measure all slots at T instants, or their means over T intervals.

    Args:
        solution: The network at T times.
        wiring: C slots and D voltage taps.
        live: (C,) whether the slot's voltage module is present and answers; None: all are.
        method: Which reactive power is reported. `budeanu` needs every slot's spectrum, so it is slower.
        errors: Time-dependent errors; None is exact.
    """
    factors = None if errors is None else errors.voltage_factors(solution)
    voltages = measure_voltages(solution, wiring, factors)
    rows, found = _rows(solution, wiring, voltages, factors, method == "budeanu")
    if errors is not None:
        rows = errors.with_errors(solution, rows)
    has_voltage = wiring.tap >= 0 if live is None else live & (wiring.tap >= 0)
    return Measured(wiring, voltages, rows, has_voltage, errors is not None, found)


def _rows(
    solution: Solution,
    wiring: Wiring,
    voltages: MeasuredVoltages,
    factors: FloatArray | None,
    with_budeanu: bool,
) -> tuple[Rows, SlotSpectra | None]:
    """Rows of all slots; and of the sampled ones the spectra found, when that is not too much to keep."""
    found: SlotSpectra | None = None
    sampled = wiring.sampled if is_instant(solution) else wiring.sampled[:0]
    if with_budeanu:
        direct, explicit = None, np.arange(wiring.count)
        explicit = wiring.without_samples(explicit) if sampled.size else explicit
    elif sampled.size:
        direct, explicit = wiring.direct_without_samples, wiring.explicit_without_samples
    else:
        direct, explicit = wiring.direct, wiring.explicit
    parts: list[tuple[IntArray, Rows]] = []
    if direct is not None and direct.slots.size:
        parts.append((direct.slots, direct_rows(solution, direct, voltages, factors)))
    if explicit.size:
        spectra = spectra_of(solution, wiring, explicit, voltages)
        parts.append((explicit, explicit_rows(spectra, with_budeanu)))
    if sampled.size:
        spectra = spectra_of(solution, wiring, sampled, voltages)
        rows, found = sampled_rows(spectra, voltages.frequency_of(wiring, sampled), with_budeanu)
        parts.append((sampled, rows))
    if not parts:
        return direct_rows(solution, wiring.direct, voltages, factors), None
    kept = found if len(solution.start_ms) <= _KEPT_TIMES else None
    return parts[0][1] if len(parts) == 1 else merged(parts), kept


@dataclass(frozen=True)
class Measured:
    """What C slots measure over T times: arrays (T, C), or (T, C, 3) over the load's own phases 1, 2, 3.

    W, var, VA, V, A, Hz; ratios as plain numbers (1 is 100 %). NaN where a load has no such quantity,
    is disabled, or has no live voltage module. `rows` and `powers` hold the same values bare of NaN.
    """

    wiring: Wiring
    voltages: MeasuredVoltages
    rows: Rows
    has_voltage: BoolArray
    """(C,) the slot has a voltage module and it answers."""
    has_errors: bool = False
    """`rows` carry errors of the moment."""
    sampled_spectra: SlotSpectra | None = None
    """Of the slots in `wiring.sampled`, as found in the windows that `rows` were measured from."""

    @cached_property
    def powers(self) -> Powers:
        """Powers of the rows and the total, also where they are not available."""
        rows = self.rows
        return powers_of(rows.active, rows.reactive1, rows.budeanu, rows.reference, rows.current)

    @cached_property
    def has_power(self) -> BoolArray:
        """(C,)"""
        return self.wiring.has_power & self.has_voltage

    @property
    def current(self) -> FloatArray:
        """(T, C, 3) RMS."""
        return _hidden(self.rows.current, self.wiring.has_row)

    @property
    def current_fundamental(self) -> ComplexArray:
        """(T, C, 3) phasors; 0 where there is no row."""
        return self.rows.fundamental.swapaxes(1, 2)

    @property
    def current_n(self) -> FloatArray:
        """(T, C) RMS: measured by a fourth sensor, else computed."""
        return np.where(self.wiring.has_neutral, self.rows.neutral, np.nan)

    @property
    def voltage(self) -> FloatArray:
        """(T, C, 3) RMS, phase to neutral."""
        values = at_taps(self.voltages.phase, self.wiring.phase_index)
        return _hidden(values, self.wiring.has_phase_voltage & self.has_voltage)

    @property
    def line_voltage(self) -> FloatArray:
        """(T, C, 3) RMS, U12, U23, U31 between the load's own phases."""
        values = at_taps(self.voltages.line, self.wiring.line_index)
        return _hidden(values, self.wiring.has_line_voltage & self.has_voltage)

    @property
    def frequency(self) -> FloatArray:
        """(T, C)"""
        values = at_taps(self.voltages.frequency, np.maximum(self.wiring.tap, 0))
        return np.where(self.has_voltage & self.wiring.is_enabled, values, np.nan)

    @property
    def active_power(self) -> FloatArray:
        """(T, C, 3)"""
        return self._by_phase(self.powers.active)

    @property
    def active_power_total(self) -> FloatArray:
        """(T, C)"""
        return self._total(self.powers.active)

    @property
    def reactive_power(self) -> FloatArray:
        """(T, C, 3) by the site's method."""
        return self._by_phase(self.powers.reactive)

    @property
    def reactive_power_total(self) -> FloatArray:
        """(T, C) by the site's method."""
        return self._total(self.powers.reactive)

    @property
    def fundamental_reactive_power(self) -> FloatArray:
        """(T, C, 3) Q1."""
        return self._by_phase(self.powers.reactive1)

    @property
    def fundamental_reactive_power_total(self) -> FloatArray:
        """(T, C) Q1."""
        return self._total(self.powers.reactive1)

    @property
    def apparent_power(self) -> FloatArray:
        """(T, C, 3)"""
        return self._by_phase(self.powers.apparent)

    @property
    def apparent_power_total(self) -> FloatArray:
        """(T, C) arithmetic."""
        return self._total(self.powers.apparent)

    @property
    def power_factor(self) -> FloatArray:
        """(T, C, 3) P / S with the sign of P."""
        return self._by_phase(self.powers.factor)

    @property
    def power_factor_total(self) -> FloatArray:
        """(T, C)"""
        return self._total(self.powers.factor)

    @cached_property
    def current_sequences(self) -> FloatArray:
        """(3, T, C) magnitudes of positive, negative and zero sequence; three-phase loads only."""
        components = quantities.sequence_components(self.current_fundamental)
        return np.abs(np.stack(components))

    @property
    def current_unbalance(self) -> FloatArray:
        """(T, C) negative over positive sequence (Inb); NaN without a positive sequence."""
        positive, negative, _ = self.current_sequences
        unbalance = ratios.quotient(negative, positive, self.wiring.nominal_a)
        return np.where(self.wiring.is_three_phase, unbalance, np.nan)

    @cached_property
    def reference_fundamental(self) -> ComplexArray:
        """(T, C, 3) fundamental of the voltage that each row's power is taken against; 0 without taps."""
        wiring, phasors = self.wiring, self.voltages.phasors[..., 0]
        voltage = at_taps(phasors, wiring.phase_index)
        if wiring.is_star.any():
            voltage = np.where(wiring.is_star, voltage - voltage.mean(axis=1, keepdims=True), voltage)
        if wiring.is_line.any():
            other = at_taps(phasors, wiring.tap_index * 3 + wiring.line_phase)
            voltage = np.where(wiring.is_line, voltage - other[:, None], voltage)
        return voltage.swapaxes(1, 2)

    @property
    def displacement_deg(self) -> FloatArray:
        """(T, C, 3) angle of the fundamental voltage ahead of the current: positive lags; -180 to 180."""
        current = ratios.significant(self.current_fundamental, self.wiring.nominal_a[:, None])
        angles = quantities.angle_deg(self.reference_fundamental, current)
        return np.where((self.wiring.has_phase_power & self.has_voltage).T, angles, np.nan)

    @property
    def displacement_n_deg(self) -> FloatArray:
        """(T, C) angle of Vn ahead of In."""
        voltage = at_taps(self.voltages.neutral_fundamental, self.wiring.tap_index)
        current = ratios.significant(self.rows.neutral_fundamental, self.wiring.nominal_a)
        angles = quantities.angle_deg(voltage, current)
        return np.where(self.wiring.has_neutral_voltage & self.has_voltage, angles, np.nan)

    @property
    def thd_current(self) -> FloatArray:
        """(T, C, 3) harmonics over fundamental (THD-F)."""
        fundamental = np.abs(self.current_fundamental)
        return ratios.distortion(self.current, fundamental, self.wiring.nominal_a[:, None])

    @property
    def thd_current_n(self) -> FloatArray:
        """(T, C) likewise of the neutral current."""
        fundamental = np.abs(self.rows.neutral_fundamental)
        return ratios.distortion(self.current_n, fundamental, self.wiring.nominal_a)

    def _by_phase(self, values: FloatArray) -> FloatArray:
        return _hidden(values[:, :3], self.wiring.has_phase_power & self.has_voltage)

    def _total(self, values: FloatArray) -> FloatArray:
        return np.where(self.has_power, values[:, 3], np.nan)


_Number = TypeVar("_Number", np.float64, np.complex128)


def at_taps(values: npt.NDArray[_Number], index: IntArray) -> npt.NDArray[_Number]:
    """Values (T, D, ...) of the taps at flat positions (..., C): (T, ..., C); 0 on a site without taps."""
    flat = values.reshape(len(values), -1)
    if not flat.shape[1]:
        return np.zeros((len(values), *index.shape), dtype=values.dtype)
    return np.take(flat, index, axis=1)


def _hidden(values: FloatArray, available: BoolArray) -> FloatArray:
    """(T, 3, C) as (T, C, 3), NaN where not available (3, C)."""
    return np.where(available, values, np.nan).swapaxes(1, 2)
