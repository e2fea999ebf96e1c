"""Ratios that a meter does not show while their denominator is lost in rounding: unbalance, THD, K factor."""

from __future__ import annotations

import numpy as np

from virtual_digiware.profiles import quantities
from virtual_digiware.profiles.solution import ComplexArray, FloatArray

LEAST_SHARE = 1e-6
"""Of the nominal current or voltage. Well below what any class measures, well above rounding."""


def percent(numerator: FloatArray, denominator: FloatArray, nominal: FloatArray | float) -> FloatArray:
    """100 x quotient, NaN where the denominator is below LEAST_SHARE of `nominal`; shapes broadcast."""
    return 100.0 * quotient(numerator, denominator, nominal)


def quotient(numerator: FloatArray, denominator: FloatArray, nominal: FloatArray | float) -> FloatArray:
    """Quotient, NaN where the denominator is below LEAST_SHARE of `nominal`; shapes broadcast."""
    return quantities.ratio(numerator, np.where(denominator >= LEAST_SHARE * nominal, denominator, 0.0))


def significant(phasor: ComplexArray, nominal: FloatArray | float) -> ComplexArray:
    """The phasor, 0 where it is below LEAST_SHARE of `nominal`; shapes broadcast."""
    return np.where(np.abs(phasor) >= LEAST_SHARE * nominal, phasor, 0.0)


def amplitude_unbalance(magnitude: FloatArray, nominal: FloatArray | float) -> FloatArray:
    """Largest deviation from the mean over the mean: (..., 3) -> (...), to which `nominal` broadcasts."""
    significant = magnitude.mean(axis=-1) >= LEAST_SHARE * nominal
    return np.where(significant, quantities.amplitude_unbalance(magnitude), np.nan)


def distortion(rms: FloatArray, fundamental: FloatArray, nominal: FloatArray | float) -> FloatArray:
    """THD-F from RMS value and fundamental alone; NaN without a fundamental worth the name."""
    harmonic = np.sqrt(np.maximum((rms - fundamental) * (rms + fundamental), 0.0))
    return quotient(harmonic, fundamental, nominal)
