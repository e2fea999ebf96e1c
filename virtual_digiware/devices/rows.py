"""What the inputs of slots give, row by row, and the short and the long way to it from the solved network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from virtual_digiware.devices.slot_spectra import SlotSpectra
from virtual_digiware.devices.voltage_measurement import MeasuredVoltages
from virtual_digiware.devices.wiring import DirectSlots
from virtual_digiware.profiles import quantities
from virtual_digiware.profiles.solution import ComplexArray, FloatArray, IntArray, Solution

_Number = TypeVar("_Number", np.float64, np.complex128)


@dataclass(frozen=True)
class Rows:
    """Inputs of C slots over T times. Rows 1, 2, 3 stand before the slots: (T, 3, C).

    A row that a load does not have is 0. Powers without a voltage reference are meaningless here;
    `Measured` hides them.
    """

    current: FloatArray
    """(T, 3, C) RMS, A."""
    fundamental: ComplexArray
    """(T, 3, C) A."""
    neutral: FloatArray
    """(T, C) RMS, A."""
    neutral_fundamental: ComplexArray
    """(T, C) A."""
    reference: FloatArray
    """(T, 3, C) RMS of the voltage that each row's power is taken against, V."""
    active: FloatArray
    """(T, 3, C) W."""
    reactive1: FloatArray
    """(T, 3, C) of the fundamental, var."""
    budeanu: FloatArray | None = None
    """(T, 3, C) Budeanu reactive power, var; None unless that method is asked for."""


def direct_rows(
    solution: Solution, slots: DirectSlots, voltages: MeasuredVoltages, voltage_factors: FloatArray | None
) -> Rows:
    """The short way, from the truth's own RMS values and powers.

    Args:
        solution: The network at T times.
        slots: n slots whose rows are the truth's own phases times a ratio.
        voltages: As measured, with `voltage_factors` in them.
        voltage_factors: (T, D) by which measured voltages, and so powers, are wrong; None is exact.
    """
    times = len(solution.start_ms)
    currents, powers = slots.true_index, slots.voltage_index
    current = np.take(solution.current_rms_a.reshape(times, -1), currents, axis=1)
    fundamental = np.take(solution.current_a.reshape(times, -1), currents, axis=1)
    active = np.take(solution.active_w.reshape(times, -1), currents, axis=1)
    reactive1 = np.take(solution.reactive1_var.reshape(times, -1), currents, axis=1)
    neutral = np.take(solution.neutral_current_rms_a, slots.circuit, axis=1)
    neutral_fundamental = np.take(solution.current_a.sum(axis=2), slots.circuit, axis=1)
    if voltages.phase.size:
        reference = np.take(voltages.phase.reshape(times, -1), powers, axis=1)
    else:
        reference = np.zeros_like(current)
    if not slots.is_exact:
        current *= np.abs(slots.row_ratio)
        fundamental *= slots.row_ratio
        active *= slots.power_ratio
        reactive1 *= slots.power_ratio
        neutral *= np.abs(slots.neutral_ratio)
        neutral_fundamental *= slots.neutral_ratio
    if slots.has_neutral_row:
        np.copyto(neutral, current[:, 0], where=slots.is_neutral_row)
        np.copyto(neutral_fundamental, fundamental[:, 0], where=slots.is_neutral_row)
    if voltage_factors is not None and voltage_factors.size:
        factors = voltage_factors[:, None, slots.tap]
        active *= factors
        reactive1 *= factors
    if slots.has_lag and voltages.phase.size:
        voltage = np.take(voltages.phasors[..., 0].reshape(times, -1), powers, axis=1)
        active1 = (voltage * np.conj(fundamental)).real
        cos, sin = np.cos(slots.lag_rad), np.sin(slots.lag_rad)
        active += active1 * (cos - 1.0) - reactive1 * sin
        reactive1 = reactive1 * cos + active1 * sin
        turn = np.exp(-1j * slots.lag_rad)
        fundamental *= turn
        neutral_fundamental *= turn
    return Rows(current, fundamental, neutral, neutral_fundamental, reference, active, reactive1)


def explicit_rows(spectra: SlotSpectra, with_budeanu: bool = False) -> Rows:
    """The long way, order by order: n slots over T times."""
    currents, references = spectra.currents[:, :, :3], spectra.references
    complex_power = references * np.conj(currents)
    return Rows(
        current=quantities.rms(currents).swapaxes(1, 2),
        fundamental=currents[..., 0].swapaxes(1, 2),
        neutral=quantities.rms(spectra.currents[:, :, 3]),
        neutral_fundamental=spectra.currents[:, :, 3, 0],
        reference=quantities.rms(references).swapaxes(1, 2),
        active=complex_power.real.sum(axis=-1).swapaxes(1, 2),
        reactive1=complex_power.imag[..., 0].swapaxes(1, 2),
        budeanu=complex_power.imag.sum(axis=-1).swapaxes(1, 2) if with_budeanu else None,
    )


_Parts = Sequence[tuple[IntArray, Rows]]


def merged(parts: _Parts) -> Rows:
    """Rows of all slots, ascending, from parts (which slots, their rows) that together cover them."""
    place = np.argsort(np.concatenate([slots for slots, _ in parts]))

    def joined(of: Callable[[Rows], npt.NDArray[_Number]]) -> npt.NDArray[_Number]:
        return np.concatenate([of(rows) for _, rows in parts], axis=-1)[..., place]

    return Rows(
        current=joined(lambda rows: rows.current),
        fundamental=joined(lambda rows: rows.fundamental),
        neutral=joined(lambda rows: rows.neutral),
        neutral_fundamental=joined(lambda rows: rows.neutral_fundamental),
        reference=joined(lambda rows: rows.reference),
        active=joined(lambda rows: rows.active),
        reactive1=joined(lambda rows: rows.reactive1),
        budeanu=None if parts[0][1].budeanu is None else joined(_budeanu),
    )


def _budeanu(rows: Rows) -> FloatArray:
    assert rows.budeanu is not None  # all parts are measured by one method
    return rows.budeanu
