"""Reactive power from active power: the tangent of each load's angle at its load level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from virtual_digiware.profiles.installation import Load
from virtual_digiware.profiles.library import LoadClass
from virtual_digiware.profiles.solution import FloatArray


class PowerFactor:
    """cos phi of N loads: straight lines over the load level, held outside, lagging or leading."""

    def __init__(self, loads: Sequence[Load], classes: Sequence[LoadClass]) -> None:
        """`classes` are those of the loads, same order. A load's own power factor bends its class's curve."""
        segments = max((len(kind.part_load) - 1 for kind in classes if kind.part_load), default=0)
        count = len(loads)
        self._cosine = np.ones(count)
        self._from = np.zeros((segments, count))
        self._width = np.zeros((segments, count))
        self._slope = np.zeros((segments, count))
        self._factor = np.zeros(count)
        for n, (load, kind) in enumerate(zip(loads, classes, strict=True)):
            points = kind.part_load or ((1.0, kind.power_factor),)
            self._cosine[n] = points[0][1]
            for j, (left, right) in enumerate(pairwise(points)):
                self._from[j, n] = left[0]
                self._width[j, n] = right[0] - left[0]
                self._slope[j, n] = (right[1] - left[1]) / self._width[j, n]
            sign = -1.0 if kind.leading else 1.0
            self._factor[n] = sign
            if load.power_factor is None:
                continue
            if load.power_factor < 0:
                sign = -1.0
            wanted = _tangent(abs(load.power_factor))
            full = _tangent(kind.power_factor)
            if full > 0:
                self._factor[n] = sign * wanted / full
            else:  # a class without reactive power has no curve to bend
                self._cosine[n] = abs(load.power_factor)
                self._slope[:, n] = 0.0
                self._factor[n] = sign

    def tangent(self, level: FloatArray) -> FloatArray:
        """tan phi, positive lagging, at load levels (T, N)."""
        cosine = np.broadcast_to(self._cosine, level.shape).copy()
        for start, width, slope in zip(self._from, self._width, self._slope, strict=True):
            cosine += slope * np.minimum(np.maximum(level - start, 0), width)
        return self._factor * np.sqrt(np.maximum(1 - cosine * cosine, 0)) / cosine


def _tangent(cosine: float) -> float:
    return math.sqrt(1 - cosine**2) / cosine
