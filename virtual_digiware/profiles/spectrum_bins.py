"""The load classes' spectra as bins that many loads share, and which two bins a load level lies between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.installation import Load
from virtual_digiware.profiles.library import LoadClass
from virtual_digiware.profiles.noise import Stream, uniform
from virtual_digiware.profiles.solution import ORDERS, ComplexArray, FloatArray, IntArray


@dataclass(frozen=True)
class Mixture:
    """Which spectra N loads have at T times: `lower` by 1 - weight and the bin after it by weight."""

    lower: IntArray
    """(T, N) or, when it never changes, (1, N)."""
    weight: FloatArray
    """(T, N) of the upper bin."""


class SpectrumBins:
    """C bins: for each class and variant that is present, one for each of its load levels, ascending."""

    def __init__(
        self, loads: Sequence[Load], classes: Mapping[str, LoadClass], keys: Mapping[str, int]
    ) -> None:
        own = np.array([keys[load.name] for load in loads], dtype=np.uint64)
        drawn = uniform(own, Stream.VARIANT, 0)
        chosen = [
            (load.load_class, int(drawn[n] * classes[load.load_class].spectra.shape[0]))
            for n, load in enumerate(loads)
        ]
        spectra: list[ComplexArray] = []
        levels: list[float] = []
        first: dict[tuple[str, int], int] = {}
        widths: list[float] = []
        for name, variant in sorted(set(chosen)):
            kind = classes[name]
            first[name, variant] = len(spectra)
            spectra.extend(kind.spectra[variant])
            levels.extend(kind.levels)
            widths.extend(np.diff(kind.levels))
            widths.append(np.inf)
            if len(kind.levels) == 1:  # so that every load has two bins to lie between
                spectra.append(kind.spectra[variant, 0])
                levels.append(kind.levels[0])
                widths.append(np.inf)
        self.harmonics: ComplexArray = np.array(spectra, dtype=np.complex128).reshape(-1, len(ORDERS))[:, 1:]
        """(C, H-1) relative to the fundamental current, angle relative to the fundamental voltage."""
        self.first: IntArray = np.array([first[pair] for pair in chosen], dtype=np.int64)
        """(N,) lowest bin of each load."""
        self._level = np.array(levels)
        self._per_width = 1 / np.array(widths)
        inner = [classes[load.load_class].levels[1:-1] for load in loads]
        depth = max((len(row) for row in inner), default=0)
        self._inner = np.full((depth, len(loads)), np.inf)
        for n, row in enumerate(inner):
            self._inner[: len(row), n] = row

    @property
    def count(self) -> int:
        """C"""
        return int(self.harmonics.shape[0])

    def mix(self, level: FloatArray) -> Mixture:
        """Spectra at load levels (T, N): straight lines between the bins, held outside."""
        lower = self.first[None, :]
        for edge in self._inner:
            lower = lower + (level >= edge)
        weight = (level - self._level[lower]) * self._per_width[lower]
        return Mixture(lower, np.minimum(np.maximum(weight, 0.0), 1.0))

    def pairs(self) -> tuple[IntArray, IntArray]:
        """Bins (lower, upper) of the products that a mixture needs: C with themselves, C with their next."""
        own = np.arange(self.count)
        return np.concatenate([own, own]), np.concatenate([own, np.minimum(own + 1, self.count - 1)])


def quadratic(weight: FloatArray, lower: FloatArray, both: FloatArray, upper: FloatArray) -> FloatArray:
    """(1-w)^2 lower + 2 w (1-w) both + w^2 upper: a product of two mixtures of the same bins."""
    rest = 1 - weight
    return rest * (rest * lower + 2 * weight * both) + weight * weight * upper
