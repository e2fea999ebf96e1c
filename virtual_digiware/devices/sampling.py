"""The `sampled` measurement: windows of samples as a module takes them, and what it makes of them.

Here spectra become samples and samples become measured values; nothing is taken from a phasor directly, so
that this path checks the other one. Wiring, averaging and registers are elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import gcd

import numpy as np

from virtual_digiware.profiles.quantities import power_factor, ratio, reactive_power_total
from virtual_digiware.profiles.solution import ComplexArray, FloatArray
from virtual_digiware.profiles.waveform import SAMPLES, Window, synchronous_window, synthesise

ORDERS_MEASURED = 50
_CHUNK = 32
"""Rows at a time: 32 x 7 signals x 1024 samples are 1.8 MB, which stay near the core."""


@dataclass(frozen=True)
class Sampled:
    """Measured values of n windows. Load convention, import positive; NaN is "not available".

    Ratios without a denominator are NaN: power factors without apparent power, THD without a fundamental,
    crest factors without a signal.
    """

    voltage_v: FloatArray
    """(n, 3) phase to neutral, RMS."""
    line_voltage_v: FloatArray
    """(n, 3) L1-L2, L2-L3, L3-L1, RMS."""
    current_a: FloatArray
    """(n, 3) RMS."""
    neutral_a: FloatArray
    """(n,) RMS."""
    active_w: FloatArray
    """(n, 3) mean of u i."""
    reactive1_var: FloatArray
    """(n, 3) of the fundamental; inductive positive."""
    reactive_var: FloatArray
    """(n, 3) total: sqrt(S^2 - P^2) with the sign of `reactive1_var`."""
    apparent_va: FloatArray
    """(n, 3)"""
    power_factor: FloatArray
    """(n, 3) P / S."""
    voltage_orders: ComplexArray
    """(n, 3, 50) RMS phasors of orders 1 to 50; angles as in the given spectra."""
    current_orders: ComplexArray
    """(n, 3, 50)"""
    neutral_orders: ComplexArray
    """(n, 50)"""
    thd_voltage: FloatArray
    """(n, 3) THD-F over orders 2 to 50; 1 is 100 %."""
    thd_line_voltage: FloatArray
    """(n, 3)"""
    thd_current: FloatArray
    """(n, 3)"""
    thd_neutral: FloatArray
    """(n,)"""
    crest_voltage: FloatArray
    """(n, 3) largest sample over RMS."""
    crest_current: FloatArray
    """(n, 3)"""
    crest_neutral: FloatArray
    """(n,)"""


def measure_windows(
    voltage_v: ComplexArray, current_a: ComplexArray, neutral_a: ComplexArray, frequency_hz: FloatArray
) -> Sampled:
    """Sample and measure one synchronous 200 ms window (2048 samples, 10.24 kS/s) for each row.

    A steady window repeats itself: after 1024 samples where it holds 10 cycles, after 512 where it holds 12.
    Only the samples that differ are made and measured; the others would change no mean, peak or order.

    Args:
        voltage_v: (n, 3, H) phase-to-neutral spectra, RMS, over `ORDERS`.
        current_a: (n, 3, H)
        neutral_a: (n, H)
        frequency_hz: (n,); decides between 10 cycles (50 Hz) and 12 (60 Hz).

    Returns:
        n rows, in order; a row's values are bit-identical whatever the other rows are.
    """
    rows = len(frequency_hz)
    cycles = np.array([synchronous_window(float(hz)).cycles for hz in frequency_hz], dtype=np.int64)
    signals = np.concatenate([voltage_v, current_a, neutral_a[:, None, :]], axis=1)
    measured: Sampled | None = None
    for count in sorted(set(cycles.tolist())) or [10]:
        chosen = np.flatnonzero(cycles == count)
        for first in range(0, max(len(chosen), 1), _CHUNK):
            part = chosen[first : first + _CHUNK]
            values = _measure(signals[part], count)
            if measured is None:
                measured = _empty_like(values, rows)
            for field in fields(Sampled):
                getattr(measured, field.name)[part] = getattr(values, field.name)
    assert measured is not None  # the loops run at least once
    return measured


def _empty_like(values: Sampled, rows: int) -> Sampled:
    def empty(array: FloatArray | ComplexArray) -> FloatArray | ComplexArray:
        return np.empty((rows, *array.shape[1:]), dtype=array.dtype)

    make: Callable[..., Sampled] = Sampled
    return make(**{field.name: empty(getattr(values, field.name)) for field in fields(Sampled)})


def _distortion(orders: ComplexArray) -> FloatArray:
    harmonic = np.sqrt(np.sum(orders[..., 1:].real ** 2 + orders[..., 1:].imag ** 2, axis=-1))
    return ratio(harmonic, np.abs(orders[..., 0]))


def _measure(signals: ComplexArray, cycles: int) -> Sampled:
    """Measure (n, 7, H): three voltages, three currents and the neutral current over `cycles`."""
    # Three axes on purpose: each row is a product of its own, so its last bit does not depend on the batch.
    repeats = gcd(cycles, SAMPLES)
    count, step = SAMPLES // repeats, cycles // repeats
    samples = synthesise(signals, Window(step, count))
    squares = np.einsum("nsk,nsk->ns", samples, samples) / count
    rms = np.sqrt(squares)
    peak = np.maximum(samples.max(axis=-1), -samples.min(axis=-1))
    bins = np.fft.rfft(samples, axis=-1)
    orders = bins[..., step : ORDERS_MEASURED * step + 1 : step] * (np.sqrt(2) / count)
    volts, amps = samples[:, :3], samples[:, 3:6]
    line = volts - np.roll(volts, -1, axis=1)
    voltage_orders, current_orders = orders[:, :3], orders[:, 3:6]
    active = np.einsum("npk,npk->np", volts, amps) / count
    apparent = rms[:, :3] * rms[:, 3:6]
    reactive1 = (voltage_orders[..., 0] * np.conj(current_orders[..., 0])).imag
    crest = ratio(peak, rms)
    return Sampled(
        voltage_v=rms[:, :3],
        line_voltage_v=np.sqrt(np.einsum("npk,npk->np", line, line) / count),
        current_a=rms[:, 3:6],
        neutral_a=rms[:, 6],
        active_w=active,
        reactive1_var=reactive1,
        reactive_var=reactive_power_total(apparent, active, reactive1),
        apparent_va=apparent,
        power_factor=power_factor(active, apparent),
        voltage_orders=voltage_orders,
        current_orders=current_orders,
        neutral_orders=orders[:, 6],
        thd_voltage=_distortion(voltage_orders),
        thd_line_voltage=_distortion(voltage_orders - np.roll(voltage_orders, -1, axis=1)),
        thd_current=_distortion(current_orders),
        thd_neutral=_distortion(orders[:, 6]),
        crest_voltage=crest[:, :3],
        crest_current=crest[:, 3:6],
        crest_neutral=crest[:, 6],
    )
