"""Ohm's law of a direct-current board: loads behind feeders on a source with a resistance.

Arrays for many instants, and the same arithmetic on plain numbers for the steps of a battery.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from virtual_digiware.profiles.solution import FloatArray

_SWEEPS = 8


class Branches:
    """N loads of a board. What a load wants at `nominal_v` goes with a power of the voltage.

    Args:
        resistance_ohm: (N,) of the feeders, both ways.
        exponent: (N,)
    """

    def __init__(self, resistance_ohm: FloatArray, exponent: FloatArray, nominal_v: float) -> None:
        self._resistance, self._exponent, self._nominal_v = resistance_ohm, exponent, nominal_v
        self._pairs = list(zip(resistance_ohm.tolist(), exponent.tolist(), strict=True))

    def solve(
        self,
        wanted_w: FloatArray,
        source_v: FloatArray,
        resistance_ohm: FloatArray,
        charging_a: FloatArray,
        limit_a: float,
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Voltage (T,), currents (T, N) and what goes into the battery (T,).

        A battery gets what it would take, `charging_a`, as far as loads leave it below `limit_a`.
        """
        voltage, charging = source_v, charging_a
        for _ in range(_SWEEPS):
            total = self._currents(wanted_w, voltage).sum(axis=1)
            charging = np.clip(limit_a - total, 0.0, charging_a)
            voltage = np.maximum(source_v - resistance_ohm * (total + charging), 0.0)
        return voltage, self._currents(wanted_w, voltage), charging

    def solve_one(
        self,
        wanted_w: Sequence[float],
        source_v: float,
        resistance_ohm: float,
        charging_a: float,
        limit_a: float,
    ) -> tuple[float, float, float]:
        """The same at one instant: voltage, sum of the loads' currents, current into the battery."""
        voltage, charging = source_v, charging_a
        for _ in range(_SWEEPS):
            total = self._total(wanted_w, voltage)
            charging = min(max(limit_a - total, 0.0), charging_a)
            voltage = max(source_v - resistance_ohm * (total + charging), 0.0)
        return voltage, self._total(wanted_w, voltage), charging

    def _currents(self, wanted_w: FloatArray, voltage_v: FloatArray) -> FloatArray:
        """(T, N): P = (U - R I) I solved for the smaller I."""
        relative = np.where(voltage_v > 0, voltage_v / self._nominal_v, 0.0)[:, None]
        # 0 to the power of 0 is 1, but a load without voltage draws nothing.
        power = np.where(relative > 0, wanted_w * relative**self._exponent, 0.0)
        bus = voltage_v[:, None]
        root = np.sqrt(np.maximum(bus * bus - 4 * self._resistance * power, 0.0))
        drawn: FloatArray = np.divide(2 * power, bus + root, out=np.zeros_like(power), where=bus > 0)
        return drawn

    def _total(self, wanted_w: Sequence[float], voltage_v: float) -> float:
        if voltage_v <= 0:
            return 0.0
        relative, total = voltage_v / self._nominal_v, 0.0
        for wanted, (resistance, exponent) in zip(wanted_w, self._pairs, strict=True):
            power = wanted * relative**exponent
            root = math.sqrt(max(voltage_v * voltage_v - 4 * resistance * power, 0.0))
            total += 2 * power / (voltage_v + root)
        return total
