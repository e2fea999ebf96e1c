"""Order by order: what a slot's current inputs see, and the voltages that its powers are taken against.

The slow and general way, for slots that are miswired, derive currents from fewer sensors, hang on a
foreign voltage tap or are asked for their harmonics. `measurement.py` takes the short way where it can.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from virtual_digiware.devices.saturation import saturated
from virtual_digiware.devices.voltage_measurement import MeasuredVoltages
from virtual_digiware.devices.wiring import Wiring
from virtual_digiware.profiles.solution import ORDERS, ComplexArray, IntArray, Solution

_RESIDUES = np.array(ORDERS) % 3
_ORDERS_OF = tuple(np.flatnonzero(residue == _RESIDUES) for residue in range(3))


@dataclass(frozen=True)
class SlotSpectra:
    """n slots over T times, RMS phasors of H orders. A row that the load does not have is 0."""

    currents: ComplexArray
    """(T, n, 4, H) rows 1, 2, 3 and neutral, A."""
    references: ComplexArray
    """(T, n, 3, H) voltage of each row's power, V: phase to neutral, to star point (3P), to a phase (2P)."""


def spectra_of(
    solution: Solution, wiring: Wiring, slots: IntArray, voltages: MeasuredVoltages
) -> SlotSpectra:
    """Measured spectra of the asked slots, whatever their wiring. Voltages are 0 without a tap."""
    true = solution.current_spectrum(wiring.circuit[slots])
    conductors = np.concatenate([true, true.sum(axis=2, keepdims=True)], axis=2)
    currents = np.empty_like(conductors)
    matrices = wiring.matrices[slots]
    for residue, orders in enumerate(_ORDERS_OF):
        currents[..., orders] = matrices[:, residue] @ conductors[..., orders]
    # A transformer's phase displacement matters at the fundamental and fades above it.
    currents[..., 0] *= np.exp(-1j * wiring.lag_rad[slots])[:, None]
    peak_a = wiring.saturation_peak_a[slots]
    clipped = np.flatnonzero(np.isfinite(peak_a))
    if clipped.size:
        derived = [float(len(wiring.slots[slot].inputs) < 4) for slot in slots[clipped]]
        currents[:, clipped] = saturated(currents[:, clipped], peak_a[clipped], np.array(derived))
    return SlotSpectra(currents, _references(wiring, slots, voltages))


def _references(wiring: Wiring, slots: IntArray, voltages: MeasuredVoltages) -> ComplexArray:
    times, _, _, orders = voltages.phasors.shape
    references = np.zeros((times, len(slots), 3, orders), dtype=np.complex128)
    tap = wiring.tap[slots]
    tapped = np.flatnonzero(tap >= 0)
    if not tapped.size:
        return references
    tap, which = tap[tapped], slots[tapped]
    rows = wiring.row_phase[:, which].T
    taken = voltages.phasors[:, tap[:, None], rows]
    is_star = wiring.is_star[which]
    if is_star.any():
        taken[:, is_star] = voltages.star_phasors[:, tap[is_star][:, None], rows[is_star]]
    is_line = wiring.is_line[which]
    if is_line.any():
        taken[:, is_line] -= voltages.phasors[:, tap[is_line], wiring.line_phase[which[is_line]]][:, :, None]
    references[:, tapped] = taken * wiring.has_row[:, which].T[:, :, None]
    return references
