"""Current sensors whose core saturates: clipping adds harmonics to what they give, and takes power away."""

from __future__ import annotations

import numpy as np

from virtual_digiware.profiles.solution import ORDERS, ComplexArray, FloatArray
from virtual_digiware.profiles.waveform import Window, synthesise

_SAMPLES = 512
_WINDOW = Window(1, _SAMPLES)


def saturated(currents: ComplexArray, peak_a: FloatArray, has_derived_neutral: FloatArray) -> ComplexArray:
    """Spectra of rows 1, 2, 3 and neutral with the rows clipped; orders that the model lacks are left out.

    Args:
        currents: (T, n, 4, H), RMS.
        peak_a: (n,) largest momentary value that a sensor gives.
        has_derived_neutral: (n,) 1 where the neutral current is the sum of the rows, else 0.
    """
    samples = synthesise(currents[:, :, :3], _WINDOW)
    limit = peak_a[None, :, None, None]
    bins = np.fft.rfft(np.clip(samples, -limit, limit), axis=-1) * (np.sqrt(2) / _SAMPLES)
    result = currents.copy()
    result[:, :, :3] = bins[..., np.array(ORDERS)]
    change = (result[:, :, :3] - currents[:, :, :3]).sum(axis=2)
    result[:, :, 3] += change * has_derived_neutral[None, :, None]
    return result
