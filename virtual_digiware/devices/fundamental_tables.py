"""Fundamentals, angles, distortion, K and crest factors: of asked circuits, and of all voltage taps.

Angles are relative to the load's own first voltage (V1, or what stands for it in 2P and 3P), as a meter
sees them; displacement angles are positive where the current lags.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from virtual_digiware.devices.measured_spectra import SlotValues
from virtual_digiware.devices.network_tables import (
    LINE_VOLTAGES,
    PHASE_VOLTAGES,
    mean_of_existing,
    thd_voltage,
)
from virtual_digiware.devices.points import Table
from virtual_digiware.devices.voltage_measurement import MeasuredVoltages
from virtual_digiware.devices.wiring import BoolArray, Wiring
from virtual_digiware.profiles import quantities
from virtual_digiware.profiles.solution import ComplexArray, FloatArray, IntArray
from virtual_digiware.profiles.waveform import synchronous_window, synthesise

_ROWS = ("l1", "l2", "l3", "n")
_VOLTAGE_NAMES: tuple[str, ...] = (
    *(f"voltage_{phase}_h1" for phase in PHASE_VOLTAGES),
    "voltage_n_pe_h1",
    *(f"voltage_{phase}_h1_angle" for phase in PHASE_VOLTAGES),
    "voltage_n_pe_h1_angle",
    *(f"voltage_{line}_h1" for line in LINE_VOLTAGES),
    *(f"voltage_{line}_h1_angle" for line in LINE_VOLTAGES),
)
_THD_NAMES: tuple[str, ...] = tuple(f"thd_voltage_{voltage}" for voltage in (*PHASE_VOLTAGES, *LINE_VOLTAGES))

CIRCUIT_FUNDAMENTAL: tuple[str, ...] = (
    "load_status",
    "timestamp",
    "integration_time",
    *_VOLTAGE_NAMES,
    *(f"current_{row}_h1" for row in _ROWS),
    *(f"current_{row}_h1_angle" for row in _ROWS),
    *(f"displacement_angle_{row}" for row in _ROWS),
    *(f"active_power_{row}_h1" for row in ("l1", "l2", "l3", "total")),
    *(f"reactive_power_{row}_h1" for row in ("l1", "l2", "l3", "total")),
    *(f"cos_phi_{row}" for row in _ROWS[:3]),
    *(f"tan_phi_{row}" for row in _ROWS[:3]),
    *_THD_NAMES,
    *(f"thd_current_{row}" for row in _ROWS),
    *(f"k_factor_current_{row}" for row in _ROWS),
    "thd_voltage_ln_system",
    "thd_voltage_ll_system",
    "thd_current_system",
    *(f"crest_factor_current_{row}" for row in _ROWS),
)
"""Rows of `circuit_fundamental`, in the order of the register block. System THD is the mean of the phases."""

NETWORK_FUNDAMENTAL: tuple[str, ...] = (
    "timestamp",
    "integration_time",
    *_VOLTAGE_NAMES,
    *_THD_NAMES,
    "thd_voltage_ln_system",
    "thd_voltage_ll_system",
    *(f"crest_factor_voltage_{voltage}" for voltage in (*PHASE_VOLTAGES, *LINE_VOLTAGES)),
)
"""Rows of `network_fundamental`, in the order of the register block."""


def circuit_fundamental(circuits: SlotValues, at: int = 0) -> Table:
    """The table `circuit.fundamental` of the asked circuits, (points, n), at one of the measured times."""
    wiring, slots, live = circuits.wiring, circuits.slots, circuits.has_voltage[:, None]
    has_phase = wiring.has_phase_voltage[:, slots].T & live
    has_line = wiring.has_line_voltage[:, slots].T & live
    has_power = wiring.has_phase_power[:, slots].T & live
    has_total = wiring.has_power[slots] & circuits.has_voltage
    has_vn = wiring.has_neutral_voltage[slots] & circuits.has_voltage
    phases, lines, neutral = circuits.phases[at], circuits.lines[at], circuits.neutral_voltage[at]
    currents, references = circuits.currents[at], circuits.spectra.references[at]
    zero = _or_one(references[:, 0, 0])
    power = references[..., 0] * np.conj(currents[:, :3, 0])
    active, reactive = power.real, power.imag
    displacement = np.concatenate(
        [
            quantities.angle_deg(references[..., 0], currents[:, :3, 0]),
            quantities.angle_deg(neutral, currents[:, 3, 0])[:, None],
        ],
        axis=1,
    )
    thd_phase = _shown(100.0 * thd_voltage(phases, wiring), has_phase)
    thd_line = _shown(100.0 * thd_voltage(lines, wiring), has_line)
    has_current = circuits.has_current
    has_ratio = has_current & circuits.is_significant[at]
    thd_current = _shown(100.0 * quantities.thd_fundamental(currents), has_ratio)
    enabled = np.where(circuits.is_enabled, 1.0, 0.0)
    unknown = np.full(len(slots), np.nan)
    has_angle = has_ratio & live
    columns = [
        enabled[:, None],
        unknown[:, None],
        unknown[:, None],
        _voltage_columns(phases, lines, neutral, zero, has_phase, has_line, has_vn),
        _shown(np.abs(currents[..., 0]), has_current),
        _shown(quantities.angle_deg(currents[..., 0], zero[:, None]), has_angle),
        _shown(displacement, has_ratio & np.concatenate([has_power, has_vn[:, None]], axis=1)),
        _with_total(active, has_power, has_total),
        _with_total(reactive, has_power, has_total),
        _shown(quantities.cos_phi(active, reactive), has_power & has_ratio[:, :3]),
        _shown(quantities.tan_phi(active, reactive), has_power & has_ratio[:, :3]),
        thd_phase,
        thd_line,
        thd_current,
        _shown(quantities.k_factor(currents), has_ratio),
        mean_of_existing(thd_phase.T)[:, None],
        mean_of_existing(thd_line.T)[:, None],
        mean_of_existing(thd_current[:, :3].T)[:, None],
        _shown(crest_factor(currents, circuits.frequency[at]), has_ratio),
    ]
    return Table(CIRCUIT_FUNDAMENTAL, _stacked(columns))


def network_fundamental(
    voltages: MeasuredVoltages,
    wiring: Wiring,
    live: BoolArray | None = None,
    at: int = 0,
    taps: IntArray | None = None,
) -> Table:
    """The table `network.fundamental` at one of the measured times: (points, n) of the asked taps, None: all.

    `live` is (D,) in any case.
    """
    asked = np.arange(len(wiring.taps)) if taps is None else taps
    is_live = np.ones(len(asked), dtype=np.bool_) if live is None else live[asked]
    has_phase = wiring.tap_has_phase[asked] & is_live[:, None]
    has_line = wiring.tap_has_line[asked] & is_live[:, None]
    phases, lines = voltages.phasors[at, asked], voltages.line_phasors[at, asked]
    frequency = voltages.frequency[at, asked]
    # Without V1 (a network without neutral) the first line voltage is the meter's zero.
    first = np.where(wiring.tap_has_phase[asked, 0], phases[:, 0, 0], lines[:, 0, 0])
    thd_phase = _shown(100.0 * thd_voltage(phases, wiring), has_phase)
    thd_line = _shown(100.0 * thd_voltage(lines, wiring), has_line)
    unknown = np.full((len(asked), 2), np.nan)
    neutral, has_vn = voltages.neutral_fundamental[at, asked], has_phase[:, 0]
    columns = [
        unknown,
        _voltage_columns(phases, lines, neutral, _or_one(first), has_phase, has_line, has_vn),
        thd_phase,
        thd_line,
        mean_of_existing(thd_phase.T)[:, None],
        mean_of_existing(thd_line.T)[:, None],
        _shown(crest_factor(phases, frequency), has_phase),
        _shown(crest_factor(lines, frequency), has_line),
    ]
    return Table(NETWORK_FUNDAMENTAL, _stacked(columns))


def crest_factor(spectra: ComplexArray, frequency_hz: FloatArray) -> FloatArray:
    """Largest sample over RMS in a window: (n, ..., H) with (n,) Hz -> (n, ...); NaN without a signal."""
    peaks = np.empty(spectra.shape[:-1])
    for row, frequency in enumerate(frequency_hz):
        peaks[row] = np.abs(synthesise(spectra[row], synchronous_window(float(frequency)))).max(axis=-1)
    return quantities.ratio(peaks, quantities.rms(spectra))


def _voltage_columns(
    phases: ComplexArray,
    lines: ComplexArray,
    neutral: ComplexArray,
    zero: ComplexArray,
    has_phase: BoolArray,
    has_line: BoolArray,
    has_neutral: BoolArray,
) -> FloatArray:
    """(n, 14) fundamentals and angles of V1, V2, V3, Vn, U12, U23, U31."""
    four = np.concatenate([phases[..., 0], neutral[:, None]], axis=1)
    has_four = np.concatenate([has_phase, has_neutral[:, None]], axis=1)
    line = lines[..., 0]
    return np.concatenate(
        [
            _shown(np.abs(four), has_four),
            _shown(quantities.angle_deg(four, zero[:, None]), has_four),
            _shown(np.abs(line), has_line),
            _shown(quantities.angle_deg(line, zero[:, None]), has_line),
        ],
        axis=1,
    )


def _with_total(rows: FloatArray, has_rows: BoolArray, has_total: BoolArray) -> FloatArray:
    return np.concatenate(
        [_shown(rows, has_rows), _shown(rows.sum(axis=1), has_total)[:, None]],
        axis=1,
    )


def _or_one(phasor: ComplexArray) -> ComplexArray:
    """Where the first voltage is dead, angles count from the source's zero instead."""
    return np.where(phasor != 0, phasor, 1.0)


def _shown(values: FloatArray, available: BoolArray) -> FloatArray:
    return np.where(available, values, np.nan)


def _stacked(columns: Iterable[FloatArray]) -> FloatArray:
    return np.ascontiguousarray(np.concatenate(list(columns), axis=1).T)
