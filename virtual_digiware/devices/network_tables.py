"""The tables of the voltage modules: instantaneous network values, as integers' source and as floats."""

from __future__ import annotations

import numpy as np

from virtual_digiware.devices import ratios
from virtual_digiware.devices.points import Table
from virtual_digiware.devices.voltage_measurement import MeasuredVoltages
from virtual_digiware.devices.wiring import BoolArray, Wiring
from virtual_digiware.profiles import quantities
from virtual_digiware.profiles.solution import ComplexArray, FloatArray

PHASE_VOLTAGES = ("l1_n", "l2_n", "l3_n")
LINE_VOLTAGES = ("l1_l2", "l2_l3", "l3_l1")

NETWORK_INSTANTANEOUS: tuple[str, ...] = (
    "timestamp",
    "integration_time",
    "voltage_ln_system",
    "voltage_ll_system",
    "frequency",
    *(f"voltage_{phase}" for phase in PHASE_VOLTAGES),
    "voltage_n_pe",
    *(f"voltage_{line}" for line in LINE_VOLTAGES),
    "voltage_ln_positive_sequence",
    "voltage_ln_negative_sequence",
    "voltage_ln_zero_sequence",
    "voltage_ln_unbalance",
    "voltage_ll_positive_sequence",
    "voltage_ll_negative_sequence",
    "voltage_ll_unbalance",
    "voltage_ln_amplitude_unbalance",
    "voltage_ll_amplitude_unbalance",
)
"""Rows of `network_values`, in the order of the register block.

`_unbalance` is negative over positive sequence, `_amplitude_unbalance` the largest deviation from the mean
over the mean: two functions of IEC 61557-12 (Unb, Unba), never one for the other.
"""
_ROW = {name: row for row, name in enumerate(NETWORK_INSTANTANEOUS)}

NETWORK_FLOAT: tuple[str, ...] = ("frequency",)
"""The only row of the float blocks that any document shows."""

NETWORK_QUALITY: tuple[str, ...] = (
    "voltage_ln_unbalance",
    "voltage_ln_amplitude_unbalance",
    "voltage_ll_unbalance",
    "voltage_ll_amplitude_unbalance",
    *(f"thd_voltage_{phase}" for phase in PHASE_VOLTAGES),
    *(f"thd_voltage_{line}" for line in LINE_VOLTAGES),
    "thd_voltage_ln_system",
    "thd_voltage_ll_system",
)
"""Rows of `network_quality_values`: what the extremes of quality are taken of, without waveforms."""


def network_values(voltages: MeasuredVoltages, wiring: Wiring, live: BoolArray | None = None) -> FloatArray:
    """Instantaneous points (or their means over intervals) of all D voltage taps: (points, T, D).

    Args:
        voltages: As measured at T times.
        wiring: Says which inputs each module uses.
        live: (D,) whether the module measures at all; None: all do.
    """
    values = np.empty((len(NETWORK_INSTANTANEOUS), *voltages.frequency.shape))
    phase, line, nominal = voltages.phase, voltages.line, wiring.nominal_voltage_v
    phase_sequences, line_sequences = voltages.phase_sequences, voltages.line_sequences
    values[0:2] = np.nan
    values[_ROW["voltage_ln_system"]] = phase @ np.full(3, 1 / 3)
    values[_ROW["voltage_ll_system"]] = line @ np.full(3, 1 / 3)
    values[_ROW["frequency"]] = voltages.frequency
    values[5:8] = np.moveaxis(phase, 2, 0)
    values[_ROW["voltage_n_pe"]] = voltages.neutral
    values[9:12] = np.moveaxis(line, 2, 0)
    values[12:15] = phase_sequences
    values[15] = ratios.percent(phase_sequences[1], phase_sequences[0], nominal)
    values[16:18] = line_sequences[:2]
    values[18] = ratios.percent(line_sequences[1], line_sequences[0], nominal)
    values[19] = 100.0 * ratios.amplitude_unbalance(phase, nominal)
    values[20] = 100.0 * ratios.amplitude_unbalance(line, nominal)
    if not wiring.is_network_complete:
        _correct_systems(values, voltages, wiring)
        np.copyto(values, np.nan, where=_hidden(wiring)[:, None])
    if live is not None and not live.all():
        values[:, :, ~live] = np.nan
    return values


def network_instantaneous(
    voltages: MeasuredVoltages, wiring: Wiring, live: BoolArray | None = None, at: int = 0
) -> Table:
    """The table `network.instantaneous` at one of the measured times."""
    return Table(NETWORK_INSTANTANEOUS, network_values(voltages, wiring, live)[:, at])


def network_float(voltages: MeasuredVoltages, live: BoolArray | None = None, at: int = 0) -> Table:
    """The table `network.float_instantaneous` at one of the measured times."""
    frequency = voltages.frequency[at]
    return Table(NETWORK_FLOAT, (frequency if live is None else np.where(live, frequency, np.nan))[None])


def network_quality_values(
    voltages: MeasuredVoltages, wiring: Wiring, instantaneous: FloatArray, live: BoolArray | None = None
) -> FloatArray:
    """Points of NETWORK_QUALITY of all taps: (points, T, D), percent.

    `instantaneous` are the `network_values` of the same measurement.
    """
    values = np.empty((len(NETWORK_QUALITY), *voltages.frequency.shape))
    for row, name in enumerate(NETWORK_QUALITY[:4]):
        values[row] = instantaneous[_ROW[name]]
    thd_phase = np.where(wiring.tap_has_phase, thd_voltage(voltages.phasors, wiring), np.nan)
    thd_line = np.where(wiring.tap_has_line, thd_voltage(voltages.line_phasors, wiring), np.nan)
    values[4:7] = 100.0 * np.moveaxis(thd_phase, 2, 0)
    values[7:10] = 100.0 * np.moveaxis(thd_line, 2, 0)
    values[10] = mean_of_existing(values[4:7])
    values[11] = mean_of_existing(values[7:10])
    if live is not None:
        values[:, :, ~live] = np.nan
    return values


def thd_voltage(spectra: ComplexArray, wiring: Wiring) -> FloatArray:
    """THD-F of voltages (..., H) -> (...), 1 is 100 %; NaN where there is none to speak of."""
    is_there = np.abs(spectra[..., 0]) >= ratios.LEAST_SHARE * wiring.nominal_voltage_v
    return np.where(is_there, quantities.thd_fundamental(spectra), np.nan)


def mean_of_existing(values: FloatArray) -> FloatArray:
    """Mean over the first axis of what is not NaN; NaN where nothing is."""
    exists = ~np.isnan(values)
    return quantities.ratio(np.where(exists, values, 0.0).sum(axis=0), exists.sum(axis=0))


def _correct_systems(values: FloatArray, voltages: MeasuredVoltages, wiring: Wiring) -> None:
    """System values of modules that use fewer than three inputs: the mean of those in use."""
    for name, rms, has in (
        ("voltage_ln_system", voltages.phase, wiring.tap_has_phase),
        ("voltage_ll_system", voltages.line, wiring.tap_has_line),
    ):
        values[_ROW[name]] = mean_of_existing(np.moveaxis(np.where(has, rms, np.nan), 2, 0))


def _hidden(wiring: Wiring) -> BoolArray:
    """(points, D) which points a module does not have on its type of network."""
    has_phase, has_line = wiring.tap_has_phase, wiring.tap_has_line
    hidden = np.zeros((len(NETWORK_INSTANTANEOUS), len(wiring.taps)), dtype=np.bool_)
    no_three_phases = ~(has_phase[:, 0] & has_phase[:, 1] & has_phase[:, 2])
    no_three_lines = ~(has_line[:, 0] & has_line[:, 1] & has_line[:, 2])
    hidden[5:8] = ~has_phase.T
    hidden[_ROW["voltage_n_pe"]] = ~has_phase.any(axis=1)
    hidden[9:12] = ~has_line.T
    hidden[12:16] = hidden[_ROW["voltage_ln_amplitude_unbalance"]] = no_three_phases
    hidden[16:19] = hidden[_ROW["voltage_ll_amplitude_unbalance"]] = no_three_lines
    return hidden
