"""The tables of all metered circuits: instantaneous values and quality, one column of names, one row a point.

Points the consumer owns (`timestamp`, `integration_time`) are in their place and NaN.
"""

from __future__ import annotations

import numpy as np

from virtual_digiware.devices import ratios
from virtual_digiware.devices.measurement import Measured, at_taps
from virtual_digiware.devices.network_tables import mean_of_existing
from virtual_digiware.devices.points import Table
from virtual_digiware.devices.wiring import BoolArray
from virtual_digiware.profiles.solution import FloatArray


def _phases(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.format(phase=phase) for phase in ("l1", "l2", "l3"))


LINES = ("l1_l2", "l2_l3", "l3_l1")

CIRCUIT_INSTANTANEOUS: tuple[str, ...] = (
    "load_status",
    "timestamp",
    "integration_time",
    "voltage_ln_system",
    "voltage_ll_system",
    "current_system",
    "frequency",
    *_phases("voltage_{phase}_n"),
    "voltage_n_pe",
    *(f"voltage_{line}" for line in LINES),
    *_phases("current_{phase}"),
    "current_n",
    "current_amplitude_unbalance",
    "current_positive_sequence",
    "current_negative_sequence",
    "current_zero_sequence",
    "current_unbalance",
    "apparent_power_nominal",
    "active_power_total",
    "reactive_power_total",
    "reactive_power_total_lagging",
    "reactive_power_total_leading",
    "apparent_power_total",
    "power_factor_total",
    "power_factor_total_type",
    *_phases("active_power_{phase}"),
    *_phases("reactive_power_{phase}"),
    *_phases("reactive_power_{phase}_lagging"),
    *_phases("reactive_power_{phase}_leading"),
    *_phases("apparent_power_{phase}"),
    *_phases("power_factor_{phase}"),
    *_phases("power_factor_{phase}_type"),
)
"""Rows of `circuit_values`, in the order of the register block.

Reactive power splits by kind of load: all of it is in `_lagging` while the load is inductive (P and Q of
one sign), in `_leading` while it is capacitive; both keep the sign of Q, so their sum is Q.
"""
_ROW = {name: row for row, name in enumerate(CIRCUIT_INSTANTANEOUS)}

CIRCUIT_QUALITY: tuple[str, ...] = (
    *_phases("thd_current_{phase}"),
    "thd_current_n",
    "thd_current_system",
    "current_amplitude_unbalance",
    "current_unbalance",
    *_phases("displacement_angle_{phase}"),
    "displacement_angle_n",
)
"""Rows of `circuit_quality_values`: what the extremes of quality are taken of, without a spectrum."""


def circuit_values(measured: Measured) -> FloatArray:
    """Instantaneous points (or their means over intervals) of all C circuits: (points, T, C), base units."""
    wiring, rows, powers = measured.wiring, measured.rows, measured.powers
    times, slots = rows.neutral.shape
    values = np.empty((len(CIRCUIT_INSTANTANEOUS), times, slots))

    def put(name: str, columns: FloatArray) -> None:
        """One point, or the points of three phases (T, 3, C) that stand together."""
        row = _ROW[name]
        if columns.ndim == 3:
            values[row : row + 3] = columns.swapaxes(0, 1)
        else:
            values[row] = columns

    voltage = at_taps(measured.voltages.phase, wiring.phase_index)
    line = at_taps(measured.voltages.line, wiring.line_index)
    tap = wiring.tap_index
    values[_ROW["load_status"]] = wiring.is_enabled
    values[_ROW["timestamp"]] = np.nan
    values[_ROW["integration_time"]] = np.nan
    put("voltage_ln_system", _mean(voltage, wiring.phase_weights))
    put("voltage_ll_system", _mean(line, wiring.line_weights))
    put("current_system", _mean(rows.current, wiring.row_weights))
    put("frequency", at_taps(measured.voltages.frequency, tap))
    put("voltage_l1_n", voltage)
    put("voltage_n_pe", at_taps(measured.voltages.neutral, tap))
    put("voltage_l1_l2", line)
    put("current_l1", rows.current)
    put("current_n", rows.neutral)
    currents = rows.current.swapaxes(1, 2)
    put("current_amplitude_unbalance", 100.0 * ratios.amplitude_unbalance(currents, wiring.nominal_a))
    sequences = measured.current_sequences
    values[_ROW["current_positive_sequence"] : _ROW["current_zero_sequence"] + 1] = sequences
    put("current_unbalance", ratios.percent(sequences[1], sequences[0], wiring.nominal_a))
    values[_ROW["apparent_power_nominal"]] = wiring.nominal_va
    for name, kind in (
        ("active_power_{}", powers.active),
        ("reactive_power_{}", powers.reactive),
        ("reactive_power_{}_lagging", powers.lagging),
        ("reactive_power_{}_leading", powers.leading),
        ("apparent_power_{}", powers.apparent),
        ("power_factor_{}", powers.factor),
        ("power_factor_{}_type", powers.factor_type),
    ):
        put(name.format("total"), kind[:, 3])
        put(name.format("l1"), kind[:, :3])
    np.copyto(values, np.nan, where=_hidden(measured)[:, None])
    return values


def circuit_instantaneous(measured: Measured, at: int = 0) -> Table:
    """The table `circuit.instantaneous` at one of the measured times."""
    return Table(CIRCUIT_INSTANTANEOUS, circuit_values(measured)[:, at])


def circuit_quality_values(measured: Measured, instantaneous: FloatArray) -> FloatArray:
    """Points of CIRCUIT_QUALITY of all circuits: (points, T, C); percent, degrees (positive: lagging).

    `instantaneous` are the `circuit_values` of the same measurement.
    """
    times, slots = measured.rows.neutral.shape
    values = np.empty((len(CIRCUIT_QUALITY), times, slots))
    distortion = np.moveaxis(measured.thd_current, 2, 0)
    values[0:3] = 100.0 * distortion
    values[3] = 100.0 * measured.thd_current_n
    values[4] = 100.0 * mean_of_existing(distortion)
    values[5] = instantaneous[_ROW["current_amplitude_unbalance"]]
    values[6] = instantaneous[_ROW["current_unbalance"]]
    values[7:10] = np.moveaxis(measured.displacement_deg, 2, 0)
    values[10] = measured.displacement_n_deg
    return values


def _mean(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Mean of the rows that exist: (T, 3, C) and (3, C) -> (T, C)."""
    result: FloatArray = np.einsum("tkc,kc->tc", rows, weights)
    return result


def _hidden(measured: Measured) -> BoolArray:
    """(points, C) which points are not available."""
    wiring = measured.wiring
    dead, disabled, three = ~measured.has_voltage, ~wiring.is_enabled, ~wiring.is_three_phase
    hidden = np.empty((len(CIRCUIT_INSTANTANEOUS), wiring.count), dtype=np.bool_)

    def hide(first: str, last: str, where: BoolArray) -> None:
        hidden[_ROW[first] : _ROW[last] + 1] = where

    no_phase, no_line = ~wiring.has_phase_voltage | dead, ~wiring.has_line_voltage | dead
    no_power = ~measured.has_power
    no_phase_power = ~wiring.has_phase_power | dead
    hide("load_status", "load_status", np.zeros_like(dead))
    hide("timestamp", "integration_time", disabled)
    hide("voltage_ln_system", "voltage_ln_system", no_phase[0] & no_phase[1] & no_phase[2])
    hide("voltage_ll_system", "voltage_ll_system", no_line[0] & no_line[1] & no_line[2])
    hide("current_system", "current_system", disabled)
    hide("frequency", "frequency", dead | disabled)
    hide("voltage_l1_n", "voltage_l3_n", no_phase)
    hide("voltage_n_pe", "voltage_n_pe", ~wiring.has_neutral_voltage | dead)
    hide("voltage_l1_l2", "voltage_l3_l1", no_line)
    hide("current_l1", "current_l3", ~wiring.has_row)
    hide("current_n", "current_n", ~wiring.has_neutral)
    hide("current_amplitude_unbalance", "current_unbalance", three)
    hide("apparent_power_nominal", "apparent_power_nominal", disabled)
    hide("active_power_total", "power_factor_total_type", no_power)
    for row in range(_ROW["active_power_l1"], len(CIRCUIT_INSTANTANEOUS), 3):
        hidden[row : row + 3] = no_phase_power
    return hidden
