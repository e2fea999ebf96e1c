"""Harmonics rank by rank, in percent of the fundamental: currents of asked circuits, voltages of all taps."""

from __future__ import annotations

import numpy as np

from virtual_digiware.devices.measured_spectra import SlotValues
from virtual_digiware.devices.network_tables import LINE_VOLTAGES, PHASE_VOLTAGES
from virtual_digiware.devices.points import Table
from virtual_digiware.devices.ratios import LEAST_SHARE
from virtual_digiware.devices.voltage_measurement import MeasuredVoltages
from virtual_digiware.devices.wiring import BoolArray, Wiring
from virtual_digiware.profiles import quantities
from virtual_digiware.profiles.solution import ORDERS, ComplexArray, FloatArray

RANKS = range(2, 26)
"""Shown one by one."""
BANDS = ((26, 34), (35, 50), (51, 63))
"""Shown together, as the root of the sum of squares."""
_GROUPS = (*((rank, rank) for rank in RANKS), *BANDS)
_SUFFIXES = tuple(f"h{low}" if low == high else f"h{low}_{high}" for low, high in _GROUPS)
_MEMBERS = np.array([[low <= order <= high for order in ORDERS] for low, high in _GROUPS], dtype=np.float64)
"""(groups, H) which modelled orders each shown value covers; ranks that the model does not carry read 0."""

CIRCUIT_HARMONIC_CURRENT: tuple[str, ...] = (
    "load_status",
    *(f"harmonic_current_{row}_{suffix}" for suffix in _SUFFIXES for row in ("l1", "l2", "l3", "n")),
)
NETWORK_HARMONIC_VOLTAGE_LN: tuple[str, ...] = tuple(
    f"harmonic_voltage_{phase}_{suffix}" for suffix in _SUFFIXES for phase in PHASE_VOLTAGES
)
NETWORK_HARMONIC_VOLTAGE_LL: tuple[str, ...] = tuple(
    f"harmonic_voltage_{line}_{suffix}" for suffix in _SUFFIXES for line in LINE_VOLTAGES
)


def harmonic_percent(spectrum: ComplexArray) -> FloatArray:
    """Spectra (..., H) to ranks and bands (..., 27) in percent of the fundamental; NaN without one."""
    squares = spectrum.real**2 + spectrum.imag**2
    return 100.0 * quantities.ratio(np.sqrt(squares @ _MEMBERS.T), np.sqrt(squares[..., :1]))


def circuit_harmonic_current(circuits: SlotValues, at: int = 0) -> Table:
    """The table `circuit.harmonic_current` of the asked circuits: (1 + 27 x 4, n)."""
    percent = harmonic_percent(circuits.currents[at])
    percent = np.where((circuits.has_current & circuits.is_significant[at])[:, :, None], percent, np.nan)
    values = np.empty((len(CIRCUIT_HARMONIC_CURRENT), len(circuits.slots)))
    values[0] = circuits.is_enabled
    values[1:] = percent.transpose(2, 1, 0).reshape(-1, len(circuits.slots))
    return Table(CIRCUIT_HARMONIC_CURRENT, values)


def network_harmonic_voltage_ln(
    voltages: MeasuredVoltages, wiring: Wiring, live: BoolArray | None = None, at: int = 0
) -> Table:
    """The table `network.harmonic_voltage_ln` of all taps: (27 x 3, D)."""
    values = _voltages(voltages.phasors[at], wiring, wiring.tap_has_phase, live)
    return Table(NETWORK_HARMONIC_VOLTAGE_LN, values)


def network_harmonic_voltage_ll(
    voltages: MeasuredVoltages, wiring: Wiring, live: BoolArray | None = None, at: int = 0
) -> Table:
    """The table `network.harmonic_voltage_ll` of all taps: (27 x 3, D)."""
    values = _voltages(voltages.line_phasors[at], wiring, wiring.tap_has_line, live)
    return Table(NETWORK_HARMONIC_VOLTAGE_LL, values)


def _voltages(spectra: ComplexArray, wiring: Wiring, has: BoolArray, live: BoolArray | None) -> FloatArray:
    exists = has & (np.abs(spectra[..., 0]) >= LEAST_SHARE * wiring.nominal_voltage_v)
    if live is not None:
        exists &= live[:, None]
    percent = np.where(exists[:, :, None], harmonic_percent(spectra), np.nan)
    return percent.transpose(2, 1, 0).reshape(-1, len(spectra))
