"""Spectra of a few asked circuits as their modules have them, for tables that show more than RMS values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from virtual_digiware.devices import ratios
from virtual_digiware.devices.measurement import Measured
from virtual_digiware.devices.sampled_slots import sampled_spectra
from virtual_digiware.devices.slot_spectra import SlotSpectra, spectra_of
from virtual_digiware.devices.voltage_measurement import is_instant
from virtual_digiware.devices.wiring import BoolArray, Wiring
from virtual_digiware.profiles import quantities
from virtual_digiware.profiles.solution import ComplexArray, FloatArray, IntArray, Solution

_FOLLOWING = np.array([1, 2, 0])


@dataclass(frozen=True)
class SlotValues:
    """n asked slots over T times. Phasors are RMS over H orders; 0 where a load has no such row."""

    wiring: Wiring
    slots: IntArray
    spectra: SlotSpectra
    phases: ComplexArray
    """(T, n, 3, H) phase-to-neutral voltages of the load's own rows, V."""
    lines: ComplexArray
    """(T, n, 3, H) U12, U23, U31 between them, V."""
    neutral_voltage: ComplexArray
    """(T, n) fundamental of Vn, V."""
    frequency: FloatArray
    """(T, n) Hz; NaN without a live network."""
    has_voltage: BoolArray
    """(n,)"""

    @property
    def currents(self) -> ComplexArray:
        """(T, n, 4, H) rows 1, 2, 3 and neutral, A."""
        return self.spectra.currents

    @cached_property
    def has_current(self) -> BoolArray:
        """(n, 4)"""
        wiring = self.wiring
        rows = np.concatenate([wiring.has_row[:, self.slots], wiring.has_neutral[None, self.slots]])
        return rows.T

    @cached_property
    def is_significant(self) -> BoolArray:
        """(T, n, 4) the current has a fundamental that ratios can be formed with."""
        least = ratios.LEAST_SHARE * self.wiring.nominal_a[self.slots]
        significant: BoolArray = np.abs(self.currents[..., 0]) >= least[:, None]
        return significant

    @property
    def is_enabled(self) -> BoolArray:
        """(n,)"""
        return self.wiring.is_enabled[self.slots]


def slot_values(solution: Solution, measured: Measured, slots: IntArray) -> SlotValues:
    """Spectra of the asked slots (n,), agreeing with what was measured of the same solution."""
    wiring, voltages = measured.wiring, measured.voltages
    spectra = spectra_of(solution, wiring, slots, voltages)
    frequency = voltages.frequency_of(wiring, slots)
    if wiring.sampled.size and is_instant(solution):
        spectra = _with_samples(spectra, measured, slots, frequency)
    if measured.has_errors:
        spectra = _scaled(spectra, measured, slots)
    tap, phase = wiring.tap_index[slots], wiring.row_phase[:, slots].T
    if voltages.phasors.size:
        phases = voltages.phasors[:, tap[:, None], phase]
        other = voltages.phasors[:, tap, wiring.line_phase[slots]]
        neutral_voltage = voltages.neutral_fundamental[:, tap]
    else:
        phases = np.zeros_like(spectra.references)
        other, neutral_voltage = phases[:, :, 0], phases[:, :, 0, 0]
    lines = phases - phases[:, :, _FOLLOWING]
    is_line = wiring.is_line[slots]
    lines[:, is_line, 0] = (phases[:, :, 0] - other)[:, is_line]
    has_voltage = measured.has_voltage[slots]
    return SlotValues(wiring, slots, spectra, phases, lines, neutral_voltage, frequency, has_voltage)


def _with_samples(
    spectra: SlotSpectra, measured: Measured, slots: IntArray, frequency: FloatArray
) -> SlotSpectra:
    is_sampled = np.isin(slots, measured.wiring.sampled)
    if not is_sampled.any():
        return spectra
    kept = measured.sampled_spectra
    if kept is None:
        part = SlotSpectra(spectra.currents[:, is_sampled], spectra.references[:, is_sampled])
        found = sampled_spectra(part, frequency[:, is_sampled])
    else:
        at = np.searchsorted(measured.wiring.sampled, slots[is_sampled])
        found = SlotSpectra(kept.currents[:, at], kept.references[:, at])
    currents, references = spectra.currents.copy(), spectra.references.copy()
    currents[:, is_sampled], references[:, is_sampled] = found.currents, found.references
    return SlotSpectra(currents, references)


def _scaled(spectra: SlotSpectra, measured: Measured, slots: IntArray) -> SlotSpectra:
    """Bring the spectra to the RMS values shown, which carry the errors of the moment."""
    rows = measured.rows
    shown = np.concatenate([rows.current[:, :, slots], rows.neutral[:, None, slots]], axis=1).swapaxes(1, 2)
    factors = np.nan_to_num(quantities.ratio(shown, quantities.rms(spectra.currents)))
    return SlotSpectra(spectra.currents * factors[..., None], spectra.references)
