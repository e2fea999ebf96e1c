"""Errors of real modules inside their class: `metrology: realistic`. With `ideal` nothing here is used.

Static errors (ratio, phase displacement) belong to a module and become part of the wiring; what changes
with time (temperature, noise of a refresh, the starting current) is applied to what was measured. Both
follow from the module's key and the time alone.

Source: our own design values inside the classes of IEC 61557-12: ratio error N(0, class / 3) held within
0.8 class, phase error N(0, 5') held within 15', noise 0.01 % of full scale, 20 ppm/K, starting current
0.1 % of the nominal one (the same share as class 0.5 S of IEC 62053-22).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from virtual_digiware.devices.block import Product
from virtual_digiware.devices.rows import Rows
from virtual_digiware.devices.voltage_measurement import is_instant
from virtual_digiware.devices.wiring import Deviations, Wiring
from virtual_digiware.profiles.noise import UintArray, key_array, normal
from virtual_digiware.profiles.solution import FloatArray, IntArray, Solution

CLASS_CURRENT_PERCENT = 0.5
"""Of a current module with TE sensors, where its product says nothing else."""
CLASS_VOLTAGE_PERCENT = 0.2
"""Of a voltage module, likewise."""
SPREAD_SHARE, LIMIT_SHARE = 1 / 3, 0.8
PHASE_SPREAD_RAD, PHASE_LIMIT_RAD = np.deg2rad(5 / 60), np.deg2rad(15 / 60)
NOISE_SHARE = 1e-4
DRIFT_PER_K = 20e-6
STARTING_SHARE = 1e-3
CALIBRATION_C = 23.0
_CABINET_MEAN_C, _CABINET_SWING_K, _WARMEST_MS = 27.0, 4.0, 16 * 3_600_000
_DAY_MS = 86_400_000
# Streams of a module's key; a module has keys of its own, so these only need to differ from each other.
_RATIO, _PHASE, _DRIFT, _VOLTAGE_NOISE, _NEUTRAL_NOISE, _ROW_NOISE = 1, 2, 3, 4, 5, 8


@dataclass(frozen=True)
class Modules:
    """What the errors of C slots and D voltage taps are drawn from."""

    slot_keys: Sequence[int]
    """Noise key of the module (of its serial number) of each slot; equal for the slots of one module."""
    tap_keys: Sequence[int]
    slot_class_percent: FloatArray | float = CLASS_CURRENT_PERCENT
    tap_class_percent: FloatArray | float = CLASS_VOLTAGE_PERCENT


def class_percent(product: Product) -> float:
    """Accuracy class in percent: a product's feature `accuracy_class_percent`, else that of its family."""
    usual = CLASS_VOLTAGE_PERCENT if product.family == "voltage" else CLASS_CURRENT_PERCENT
    return float(product.features.get("accuracy_class_percent", usual))


def deviations_of(modules: Modules) -> Deviations:
    """Static errors, to be compiled into the wiring."""
    slots, taps = key_array(modules.slot_keys), key_array(modules.tap_keys)
    lag = _normal(slots, _PHASE) * PHASE_SPREAD_RAD
    return Deviations(
        slot_ratio=1.0 + _ratio_errors(slots, modules.slot_class_percent),
        slot_lag_rad=np.clip(lag, -PHASE_LIMIT_RAD, PHASE_LIMIT_RAD),
        tap_ratio=1.0 + _ratio_errors(taps, modules.tap_class_percent),
    )


def cabinet_temperature_c(t_ms: IntArray) -> FloatArray:
    """Air in a cabinet that follows the day, warmest in the afternoon: instants (T,) to degrees C (T,)."""
    day = 2 * np.pi * ((t_ms - _WARMEST_MS) % _DAY_MS) / _DAY_MS
    return _CABINET_MEAN_C + _CABINET_SWING_K * np.cos(day)


class Metrology:
    """The errors that change with time, for `measurement.measure`."""

    def __init__(self, modules: Modules, wiring: Wiring, refresh_ms: int) -> None:
        """`wiring` is the one that is measured with: its nominal currents are full scale."""
        self._slots, self._taps = key_array(modules.slot_keys), key_array(modules.tap_keys)
        self._slot_drift = DRIFT_PER_K * np.clip(_normal(self._slots, _DRIFT), -1.0, 1.0)
        self._tap_drift = DRIFT_PER_K * np.clip(_normal(self._taps, _DRIFT), -1.0, 1.0)
        self._full_scale_a = wiring.nominal_a
        self._is_neutral_row = wiring.is_neutral_row
        # Slots of one module share its key; the number of the slot keeps their noise apart.
        self._streams = _ROW_NOISE + 4 * np.array([slot.slot for slot in wiring.slots], dtype=np.int64)
        self._refresh_ms = refresh_ms

    def voltage_factors(self, solution: Solution) -> FloatArray:
        """(T, D) measured / exact voltage."""
        factors = 1.0 + self._tap_drift * self._warmer(solution)
        if is_instant(solution) and self._taps.size:
            slot = (solution.start_ms // self._refresh_ms)[:, None]
            factors = factors + NOISE_SHARE * normal(self._taps, _VOLTAGE_NOISE, slot)
        return factors

    def with_errors(self, solution: Solution, rows: Rows) -> Rows:
        """Drift, noise of the refresh (means over intervals have none left), and the starting current."""
        drift = 1.0 + self._slot_drift * self._warmer(solution)
        factors = np.repeat(drift[:, None], 3, axis=1)
        neutral = rows.neutral * drift
        if is_instant(solution) and self._slots.size:
            slot = (solution.start_ms // self._refresh_ms)[:, None]
            full_scale = NOISE_SHARE * self._full_scale_a
            flows = rows.current > 0.0
            for row in range(3):
                noise_a = full_scale * normal(self._slots, self._streams + row, slot)
                # As a factor, so that powers stay those of the shown current.
                factors[:, row] += np.divide(
                    noise_a, rows.current[:, row], out=np.zeros_like(noise_a), where=flows[:, row]
                )
            neutral_noise = full_scale * normal(self._slots, self._streams + 3, slot)
            neutral = np.where(neutral > 0.0, np.maximum(neutral + neutral_noise, 0.0), 0.0)
        neutral = np.where(self._is_neutral_row, rows.current[:, 0] * factors[:, 0], neutral)
        starting = STARTING_SHARE * self._full_scale_a
        factors *= rows.current * factors >= starting
        neutral = np.where(neutral >= starting, neutral, 0.0)
        return replace(
            rows,
            current=rows.current * factors,
            fundamental=rows.fundamental * factors,
            neutral=neutral,
            neutral_fundamental=rows.neutral_fundamental * (neutral > 0.0),
            active=rows.active * factors,
            reactive1=rows.reactive1 * factors,
            budeanu=None if rows.budeanu is None else rows.budeanu * factors,
        )

    def _warmer(self, solution: Solution) -> FloatArray:
        """(T, 1) kelvin above the temperature of calibration."""
        middle = (solution.start_ms + solution.end_ms) // 2
        return (cabinet_temperature_c(middle) - CALIBRATION_C)[:, None]


def _ratio_errors(keys: UintArray, class_percent: FloatArray | float) -> FloatArray:
    class_share = np.asarray(class_percent) / 100.0
    errors = class_share * SPREAD_SHARE * _normal(keys, _RATIO)
    return np.clip(errors, -LIMIT_SHARE * class_share, LIMIT_SHARE * class_share)


def _normal(keys: UintArray, stream: int) -> FloatArray:
    return normal(keys, stream, 0) if keys.size else np.zeros(0)
