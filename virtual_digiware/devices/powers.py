"""Powers and factors of rows 1, 2, 3 and of the total, all four at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from virtual_digiware.profiles import quantities
from virtual_digiware.profiles.solution import FloatArray

UNITY_SHARE = 1e-6
"""Reactive power below this share of S is rounding: the load is neither inductive nor capacitive."""


@dataclass(frozen=True)
class Powers:
    """(T, 4, C): three rows and the total. W, var, VA; import and inductive positive (IEC 61557-12)."""

    active: FloatArray
    reactive1: FloatArray
    """Of the fundamental."""
    reactive: FloatArray
    """By the site's method: triangle with the sign of `reactive1`, or Budeanu."""
    apparent: FloatArray
    """V I; the total is their sum (arithmetic)."""

    @cached_property
    def factor(self) -> FloatArray:
        """P / S with the sign of P; NaN without apparent power."""
        return quantities.power_factor(self.active, self.apparent)

    @cached_property
    def lagging(self) -> FloatArray:
        """Reactive power while the load is inductive (quadrants 1 and 3), else 0; keeps its sign."""
        return np.where(self._leads, 0.0, self.reactive)

    @cached_property
    def leading(self) -> FloatArray:
        """Reactive power while the load is capacitive (quadrants 2 and 4), else 0; keeps its sign."""
        return np.where(self._leads, self.reactive, 0.0)

    @cached_property
    def factor_type(self) -> FloatArray:
        """0 undefined (no power, or purely active), 1 leading, 2 lagging."""
        is_defined = np.abs(self.reactive) > UNITY_SHARE * self.apparent
        return np.where(self._leads, 1.0, 2.0) * is_defined

    @cached_property
    def _leads(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return quantities.is_leading(self.active, self.reactive)


def powers_of(
    active: FloatArray,
    reactive1: FloatArray,
    budeanu: FloatArray | None,
    reference: FloatArray,
    current: FloatArray,
) -> Powers:
    """Powers from rows of shape (T, 3, C): W, var, var or None for the triangle method, V, A."""
    apparent = _with_total(reference * current)
    active4, reactive4 = _with_total(active), _with_total(reactive1)
    if budeanu is None:
        reactive = quantities.reactive_power_total(apparent, active4, reactive4)
    else:
        reactive = _with_total(budeanu)
    return Powers(active4, reactive4, reactive, apparent)


def _with_total(rows: FloatArray) -> FloatArray:
    times, _, slots = rows.shape
    extended = np.empty((times, 4, slots))
    extended[:, :3] = rows
    np.add(rows[:, 0], rows[:, 1], out=extended[:, 3])
    extended[:, 3] += rows[:, 2]
    return extended
