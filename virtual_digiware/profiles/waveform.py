"""Samples of voltage and current from their phasors, and back: x(t) = sqrt(2) Re sum X_h exp(j h theta(t)).

Spectra are complex RMS phasors (..., H) over `ORDERS`; samples are float arrays (..., N), the first of them
at theta = 0, the last one step before the end of the window. A window of whole cycles is exact to rounding:
RMS and active power within 1e-12, orders within 1e-13 of the RMS value. A window that is not locked to the
frequency has the artefact of every instrument that does not follow the mains: 200 ms at 50.05 Hz err by up to
5e-4 in RMS and 1.1e-3 of S in power, at 49.5 Hz by 5e-3 and 1.1e-2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from virtual_digiware.profiles.solution import ORDERS, ComplexArray, FloatArray

SampleArray = npt.NDArray[np.float64] | npt.NDArray[np.float32]
Precision = Literal["float64", "float32"]
SAMPLES = 2048
"""Samples of a measuring window: 200 ms at 10.24 kS/s."""
WINDOW_S = 0.2
ANALYSED_ORDERS = tuple(range(1, 51))
_TWICE_H = 2 * len(ORDERS)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in cycles of the fundamental, and into how many samples it is cut."""

    cycles: float
    samples: int = SAMPLES


def synchronous_window(frequency_hz: float) -> Window:
    """The basic measuring window locked to the frequency: 10 cycles near 50 Hz, 12 near 60 Hz, 2048 samples.

    Source: IEC 61000-4-30, basic measurement interval.
    """
    return Window(cycles=10 if frequency_hz < 55 else 12)


def fixed_window(frequency_hz: float, duration_s: float = WINDOW_S, samples: int = SAMPLES) -> Window:
    """A window of fixed duration, not locked to the frequency."""
    return Window(cycles=frequency_hz * duration_s, samples=samples)


def _turns(orders: npt.NDArray[np.int64], window: Window) -> FloatArray:
    """h * theta / 2 pi of each order and sample, within 0..1: (len(orders), samples).

    Whole cycles are reduced in integers, so that sample k of the last cycle is exactly that of the first.
    """
    if float(window.cycles).is_integer():
        steps = np.outer(orders, np.arange(window.samples, dtype=np.int64)) * int(window.cycles)
        return (steps % window.samples) / window.samples
    turns = np.outer(orders, np.arange(window.samples) * (window.cycles / window.samples))
    return turns % 1.0


@lru_cache(maxsize=16)
def synthesis_basis(window: Window, dtype: Precision = "float64") -> SampleArray:
    """Matrix (2 H, samples): sqrt(2) cos and -sqrt(2) sin of each order in turn, read-only.

    The real view of a spectrum (real and imaginary parts in turn) times this matrix is its samples.
    """
    angle = 2 * np.pi * _turns(np.array(ORDERS), window)
    basis = np.empty((_TWICE_H, window.samples), dtype=dtype)
    basis[0::2] = np.sqrt(2) * np.cos(angle)
    basis[1::2] = -np.sqrt(2) * np.sin(angle)
    basis.flags.writeable = False
    return basis


def synthesise(spectrum: ComplexArray, window: Window) -> FloatArray:
    """Samples of spectra over a window: (..., H) -> (..., samples), unit of the spectrum."""
    parts = np.ascontiguousarray(spectrum, dtype=np.complex128).view(np.float64)
    samples: FloatArray = parts @ synthesis_basis(window)
    return samples


def piecewise_envelope(
    window: Window, frequency_hz: float, changes: Sequence[tuple[float, float]]
) -> FloatArray:
    """Multiplicative factor of each sample, (samples,): a dip, a swell, an interruption.

    Args:
        window: Of the samples that it will multiply.
        frequency_hz: To turn its cycles into seconds.
        changes: (start_s, factor) with ascending starts, seconds after the first sample; 1 before the first.
    """
    starts = np.array([start for start, _ in changes], dtype=np.float64)
    factors = np.array([1.0, *(factor for _, factor in changes)])
    time_s = np.arange(window.samples) * (window.cycles / (frequency_hz * window.samples))
    return factors[np.searchsorted(starts, time_s, side="right")]


@dataclass(frozen=True, slots=True)
class Waveforms:
    """What an oscilloscope on one circuit shows. N samples, load convention."""

    time_s: FloatArray
    """(N,) from 0."""
    voltage_v: FloatArray
    """(3, N) phase to neutral."""
    current_a: FloatArray
    """(3, N)"""
    neutral_a: FloatArray
    """(N,) sum of the three currents."""


def circuit_waveforms(
    voltage_v: ComplexArray,
    current_a: ComplexArray,
    frequency_hz: float,
    cycles: float,
    samples_per_cycle: int = 512,
) -> Waveforms:
    """Waveforms of one circuit over any number of cycles from spectra (3, H) of voltages and currents."""
    if cycles <= 0 or frequency_hz <= 0 or samples_per_cycle < 1:
        raise ValueError(
            f"cycles, frequency and samples per cycle must be positive, "
            f"found {cycles}, {frequency_hz}, {samples_per_cycle}"
        )
    samples = max(2, round(cycles * samples_per_cycle))
    window = Window(cycles, samples)
    current = synthesise(current_a, window)
    return Waveforms(
        time_s=np.arange(samples, dtype=np.float64) * (cycles / (frequency_hz * samples)),
        voltage_v=synthesise(voltage_v, window),
        current_a=current,
        neutral_a=current.sum(axis=0),
    )


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a meter computes from the samples of windows, leading axes as the samples have them."""

    rms: FloatArray
    """(...) all frequencies."""
    orders: ComplexArray
    """(..., 50) RMS phasors of orders 1 to 50; angle 0 is a cosine that starts with the window."""
    subgroups: FloatArray
    """(..., 50) RMS of each harmonic subgroup: the order's bin and its two neighbours (IEC 61000-4-7)."""
    thd: FloatArray
    """(...) subgroups 2 to 50 over subgroup 1, 1 is 100 %; NaN without a fundamental."""
    crest_factor: FloatArray
    """(...) largest magnitude over RMS; NaN without a signal."""


def analyse(samples: npt.ArrayLike, cycles: int) -> Analysis:
    """RMS, harmonics 1 to 50, THD and crest factor of windows.

    Args:
        samples: (..., N) with N > 102 * cycles, so that the 50th subgroup lies below half the sampling rate.
        cycles: Whole number of nominal cycles in the window; order h is bin h * cycles.

    Raises:
        ValueError: Too few samples, or fewer than 3 cycles (neighbouring subgroups would share bins).
    """
    array = np.asarray(samples, dtype=np.float64)
    count = array.shape[-1]
    if cycles < 3 or count <= 2 * (ANALYSED_ORDERS[-1] * cycles + 1):
        raise ValueError(f"{count} samples of {cycles} cycles cannot show the 50th harmonic subgroup")
    bins = np.fft.rfft(array, axis=-1) * (np.sqrt(2) / count)
    centres = np.array(ANALYSED_ORDERS) * cycles
    orders: ComplexArray = bins[..., centres]
    squares = bins.real**2 + bins.imag**2
    subgroups = np.sqrt(squares[..., centres - 1] + squares[..., centres] + squares[..., centres + 1])
    rms = np.sqrt(np.mean(array**2, axis=-1))
    harmonic = np.sqrt(np.sum(subgroups[..., 1:] ** 2, axis=-1))
    thd = np.full(rms.shape, np.nan)
    np.divide(harmonic, subgroups[..., 0], out=thd, where=subgroups[..., 0] > 0)
    crest = np.full(rms.shape, np.nan)
    np.divide(np.max(np.abs(array), axis=-1), rms, out=crest, where=rms > 0)
    return Analysis(rms, orders, subgroups, thd, crest)


def mean_power(voltage_v: npt.ArrayLike, current_a: npt.ArrayLike) -> FloatArray:
    """Active power of windows: mean of the products of samples (..., N) V and A -> (...), W."""
    products = np.asarray(voltage_v, np.float64) * np.asarray(current_a, np.float64)
    result: FloatArray = np.mean(products, axis=-1)
    return result
