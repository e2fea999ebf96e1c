"""Slots of modules that measure from samples: their values by way of synthesised windows."""

from __future__ import annotations

import numpy as np

from virtual_digiware.devices.rows import Rows
from virtual_digiware.devices.sampled_voltages import MODELLED, windows
from virtual_digiware.devices.sampling import Sampled
from virtual_digiware.devices.slot_spectra import SlotSpectra
from virtual_digiware.profiles.solution import FloatArray


def sampled_rows(
    spectra: SlotSpectra, frequency_hz: FloatArray, with_budeanu: bool = False
) -> tuple[Rows, SlotSpectra]:
    """Rows of n slots over T instants, each from a window of its own. `frequency_hz` is (T, n).

    Returns:
        The rows, and the spectra as found in the same samples, in the shapes of `spectra`.
    """
    times, slots = frequency_hz.shape
    sampled = windows(spectra.references, spectra.currents, frequency_hz)

    def by_row(values: FloatArray) -> FloatArray:
        return values.reshape(times, slots, 3).swapaxes(1, 2)

    budeanu = (sampled.voltage_orders * np.conj(sampled.current_orders)).imag.sum(axis=-1)
    rows = Rows(
        current=by_row(sampled.current_a),
        fundamental=sampled.current_orders[..., 0].reshape(times, slots, 3).swapaxes(1, 2),
        neutral=sampled.neutral_a.reshape(times, slots),
        neutral_fundamental=sampled.neutral_orders[..., 0].reshape(times, slots),
        reference=by_row(sampled.voltage_v),
        active=by_row(sampled.active_w),
        reactive1=by_row(sampled.reactive1_var),
        budeanu=by_row(budeanu) if with_budeanu else None,
    )
    return rows, _found(sampled, spectra)


def sampled_spectra(spectra: SlotSpectra, frequency_hz: FloatArray) -> SlotSpectra:
    """The spectra as found in the samples, same shapes. `frequency_hz` is (T, n)."""
    return _found(windows(spectra.references, spectra.currents, frequency_hz), spectra)


def _found(sampled: Sampled, spectra: SlotSpectra) -> SlotSpectra:
    currents = np.concatenate([sampled.current_orders, sampled.neutral_orders[:, None]], axis=1)
    return SlotSpectra(
        currents[..., MODELLED].reshape(spectra.currents.shape),
        sampled.voltage_orders[..., MODELLED].reshape(spectra.references.shape),
    )
