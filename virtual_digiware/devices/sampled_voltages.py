"""Voltage modules that measure from samples, and the windows that they share with current modules."""

from __future__ import annotations

import numpy as np

from virtual_digiware.devices.sampling import Sampled, measure_windows
from virtual_digiware.profiles.solution import ORDERS, ComplexArray, FloatArray

MODELLED = np.array(ORDERS) - 1
"""Where the modelled orders stand among the measured orders 1 to 50."""


def sampled_voltages(phasors: ComplexArray, frequency_hz: FloatArray) -> ComplexArray:
    """Voltage phasors (T, D, 3, H) as found in the samples. `frequency_hz` is (T, D)."""
    nothing = np.zeros((*phasors.shape[:2], 4, phasors.shape[-1]), dtype=np.complex128)
    sampled = windows(phasors, nothing, frequency_hz)
    return sampled.voltage_orders[..., MODELLED].reshape(phasors.shape)


def windows(voltages: ComplexArray, currents: ComplexArray, frequency_hz: FloatArray) -> Sampled:
    """One window for each of n inputs over T instants: (T, n, 3, H), (T, n, 4, H) and (T, n), flattened."""
    orders = voltages.shape[-1]
    flat = currents.reshape(-1, 4, orders)
    return measure_windows(voltages.reshape(-1, 3, orders), flat[:, :3], flat[:, 3], frequency_hz.reshape(-1))
