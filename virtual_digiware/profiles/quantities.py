"""Electrical quantities from phasors: the formulas of IEEE 1459, IEC 61557-12 and IEC 61000-4-30 on arrays.

Everywhere: spectra are complex RMS phasors whose last axis runs over `ORDERS` (H = len(ORDERS), index 0 the
fundamental); phase axes have length 3 in the order L1, L2, L3; leading axes are free and broadcast. Load
convention: positive active power is import, positive reactive power is inductive. Results are float64.

A ratio whose denominator is zero (power factor without power, THD without a fundamental) is NaN, which the
devices show as "not available"; nothing here warns about it. Zero without a ratio stays zero.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from virtual_digiware.profiles.solution import ORDERS, ComplexArray, FloatArray, IntArray
from virtual_digiware.profiles.waveform import Window, synthesise

_TURN = np.exp(2j * np.pi / 3)
_ORDERS = np.array(ORDERS, dtype=np.float64)


def ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> FloatArray:
    """Quotient, NaN where the denominator is 0 or NaN; shapes broadcast."""
    under = np.asarray(denominator, np.float64)
    # A zero becomes NaN before the division, which then has nothing to warn about.
    result: FloatArray = np.asarray(numerator, np.float64) / np.where(under == 0, np.nan, under)
    return result


# Magnitudes ------------------------------------------------------------------------------------------------


def rms(spectrum: ComplexArray) -> FloatArray:
    """RMS over all orders: (..., H) -> (...), same unit."""
    result: FloatArray = np.sqrt(np.sum(spectrum.real**2 + spectrum.imag**2, axis=-1))
    return result


def line_voltages(voltage_v: ComplexArray) -> ComplexArray:
    """Line voltages U12, U23, U31 from phase voltages: (..., 3, H) -> (..., 3, H), V."""
    return voltage_v - np.roll(voltage_v, -1, axis=-2)


def neutral_current(current_a: ComplexArray) -> ComplexArray:
    """Sum of the three phase currents: (..., 3, H) -> (..., H), A. Triplen orders add arithmetically."""
    result: ComplexArray = np.sum(current_a, axis=-2)
    return result


def angle_deg(phasor: ComplexArray, reference: ComplexArray | complex = 1.0) -> FloatArray:
    """Angle of a phasor ahead of a reference, degrees in -180..180; NaN where either is zero."""
    turned = phasor * np.conj(reference)
    angles: FloatArray = np.where(turned != 0, np.rad2deg(np.angle(turned)), np.nan)
    return angles


# Three phases ----------------------------------------------------------------------------------------------


def sequence_components(fundamental: ComplexArray) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
    """Positive, negative and zero sequence of fundamental phasors: (..., 3) -> three times (...), same unit.

    Source: (A + aB + a2C)/3, (A + a2B + aC)/3, (A + B + C)/3 with a = exp(j 120 degrees).
    """
    first, second, third = fundamental[..., 0], fundamental[..., 1], fundamental[..., 2]
    back = np.conj(_TURN)
    positive: ComplexArray = (first + _TURN * second + back * third) / 3
    negative: ComplexArray = (first + back * second + _TURN * third) / 3
    zero: ComplexArray = (first + second + third) / 3
    return positive, negative, zero


def negative_sequence_unbalance(fundamental: ComplexArray) -> FloatArray:
    """u2 = negative over positive sequence of fundamental phasors: (..., 3) -> (...), 1 is 100 %; `Unb`."""
    positive, negative, _ = sequence_components(fundamental)
    return ratio(np.abs(negative), np.abs(positive))


def zero_sequence_unbalance(fundamental: ComplexArray) -> FloatArray:
    """u0 = zero over positive sequence of fundamental phasors: (..., 3) -> (...), 1 is 100 %."""
    positive, _, zero = sequence_components(fundamental)
    return ratio(np.abs(zero), np.abs(positive))


def unbalance_from_line_voltages(line_voltage_v: FloatArray) -> FloatArray:
    """u2 from three RMS line voltages alone: (..., 3) V -> (...), 1 is 100 %.

    Source: SICAM MMU manual, 4.3: b = sum U^4 / (sum U^2)^2,
        u2 = sqrt((1 - sqrt(3 - 6b)) / (1 + sqrt(3 - 6b))).
    """
    squares = np.asarray(line_voltage_v, np.float64) ** 2
    mean = np.mean(squares, axis=-1)
    # x = 1 - (3 - 6b) = 6 sum (U^2 - mean)^2 / (sum U^2)^2: in this form nothing cancels near balance.
    excess = ratio(6 * np.sum((squares - mean[..., None]) ** 2, axis=-1), (3 * mean) ** 2)
    # x exceeds 1 only when the three voltages close no triangle: measurement errors, or one of them missing.
    root = np.sqrt(np.clip(1 - excess, 0, None))
    result: FloatArray = np.sqrt(excess) / (1 + root)
    return result


def amplitude_unbalance(magnitude: FloatArray) -> FloatArray:
    """Largest deviation from the mean, over the mean: (..., 3) -> (...), 1 is 100 %; `Unba`, not u2."""
    mean = np.mean(magnitude, axis=-1)
    return ratio(np.max(np.abs(magnitude - mean[..., None]), axis=-1), mean)


# Distortion ------------------------------------------------------------------------------------------------


def _distortion_rms(spectrum: ComplexArray) -> FloatArray:
    return rms(spectrum[..., 1:])


def thd_fundamental(spectrum: ComplexArray) -> FloatArray:
    """THD-F, relative to the fundamental: (..., H) -> (...), 1 is 100 %."""
    return ratio(_distortion_rms(spectrum), np.abs(spectrum[..., 0]))


def thd_rms(spectrum: ComplexArray) -> FloatArray:
    """THD-R, relative to the RMS value: (..., H) -> (...), 1 is 100 %; equals F / sqrt(1 + F^2)."""
    return ratio(_distortion_rms(spectrum), rms(spectrum))


def tdd(current_a: ComplexArray, maximum_demand_a: npt.ArrayLike) -> FloatArray:
    """Total demand distortion: harmonics (..., H) A relative to the maximum demand current A, 1 is 100 %.

    Unlike THD it falls at light load.
    """
    return ratio(_distortion_rms(current_a), maximum_demand_a)


def k_factor(current_a: ComplexArray) -> FloatArray:
    """Sum I^2 h^2 over sum I^2: (..., H) -> (...), 1 for a sine."""
    squares = current_a.real**2 + current_a.imag**2
    return ratio(np.sum(squares * _ORDERS**2, axis=-1), np.sum(squares, axis=-1))


def crest_factor(spectrum: ComplexArray, points_per_cycle: int = 1024) -> FloatArray:
    """Largest instantaneous magnitude over RMS: (..., H) -> (...); sqrt(2) for a sine, NaN without a signal.

    The peak is that of equidistant points from the reference angle on: 1024 is what 2048 samples over 10
    cycles see (50 Hz), 512 what they see over 12 (60 Hz). With odd orders only, the second half cycle
    mirrors the first.
    """
    samples = synthesise(spectrum, Window(cycles=0.5, samples=points_per_cycle // 2))
    return ratio(np.max(np.abs(samples), axis=-1), rms(spectrum))


# Power of one phase ----------------------------------------------------------------------------------------


def active_power(voltage_v: ComplexArray, current_a: ComplexArray) -> FloatArray:
    """Active power of all orders: (..., H) -> (...), W; harmonics included, import positive."""
    result: FloatArray = np.sum((voltage_v * np.conj(current_a)).real, axis=-1)
    return result


def reactive_power_fundamental(voltage_v: ComplexArray, current_a: ComplexArray) -> FloatArray:
    """Q1 = V1 I1 sin(phi1): (..., H) -> (...), var; inductive positive."""
    result: FloatArray = (voltage_v[..., 0] * np.conj(current_a[..., 0])).imag
    return result


def reactive_power_budeanu(voltage_v: ComplexArray, current_a: ComplexArray) -> FloatArray:
    """Sum of Vh Ih sin(phih): (..., H) -> (...), var; inductive positive."""
    result: FloatArray = np.sum((voltage_v * np.conj(current_a)).imag, axis=-1)
    return result


def reactive_power_total(apparent_va: FloatArray, active_w: FloatArray, sign: FloatArray) -> FloatArray:
    """Triangle ("Fryze") reactive power: sqrt(S^2 - P^2) with the sign of `sign`.

    Args:
        apparent_va, active_w, sign: Same shape; `sign` is Q1, where 0 counts as inductive. For three
            phases: arithmetic S, summed P and summed Q1.

    Returns:
        Same shape, var, so that S^2 = P^2 + Q^2 holds. Source: IEC 61557-12; OPC 34100, 6.2.2.2.
    """
    magnitude = np.sqrt(np.maximum((apparent_va - active_w) * (apparent_va + active_w), 0.0))
    result: FloatArray = np.where(sign < 0, -magnitude, magnitude)
    return result


def apparent_power(voltage_v: ComplexArray, current_a: ComplexArray) -> FloatArray:
    """S = V I of RMS values: (..., H) -> (...), VA."""
    return rms(voltage_v) * rms(current_a)


def distortion_powers(
    voltage_v: ComplexArray, current_a: ComplexArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Current distortion DI, voltage distortion DV, harmonic apparent power SH: (..., H) -> 3 x (...), VA.

    With S1 = V1 I1: S^2 = S1^2 + DI^2 + DV^2 + SH^2. Source: IEEE 1459.
    """
    voltage1, current1 = np.abs(voltage_v[..., 0]), np.abs(current_a[..., 0])
    voltage_h, current_h = _distortion_rms(voltage_v), _distortion_rms(current_a)
    return voltage1 * current_h, voltage_h * current1, voltage_h * current_h


# Power of three phases -------------------------------------------------------------------------------------


def apparent_power_arithmetic(voltage_v: ComplexArray, current_a: ComplexArray) -> FloatArray:
    """SA = sum of the phases' V I: (..., 3, H) -> (...), VA."""
    result: FloatArray = np.sum(apparent_power(voltage_v, current_a), axis=-1)
    return result


def apparent_power_vector(voltage_v: ComplexArray, current_a: ComplexArray) -> FloatArray:
    """SV = sqrt(P^2 + QB^2) of the summed powers: (..., 3, H) -> (...), VA."""
    active = np.sum(active_power(voltage_v, current_a), axis=-1)
    budeanu = np.sum(reactive_power_budeanu(voltage_v, current_a), axis=-1)
    result: FloatArray = np.hypot(active, budeanu)
    return result


def apparent_power_effective(voltage_v: ComplexArray, current_a: ComplexArray) -> FloatArray:
    """Se = 3 Ve Ie of a four-wire system: (..., 3, H) -> (...), VA.

    SV <= SA always; SA <= Se while the phase voltages have no zero sequence, of which Ve counts only half.

    Source: IEEE 1459: Ie^2 = (Ia^2 + Ib^2 + Ic^2 + In^2) / 3,
        Ve^2 = (3 sum of phase voltages^2 + sum of line voltages^2) / 18.
    """
    currents = np.sum(rms(current_a) ** 2, axis=-1) + rms(neutral_current(current_a)) ** 2
    phase = np.sum(rms(voltage_v) ** 2, axis=-1)
    line = np.sum(rms(line_voltages(voltage_v)) ** 2, axis=-1)
    result: FloatArray = 3 * np.sqrt((3 * phase + line) / 18) * np.sqrt(currents / 3)
    return result


# Factors, angles and quadrants -----------------------------------------------------------------------------


def power_factor(active_w: FloatArray, apparent_va: FloatArray) -> FloatArray:
    """PF = P / S with the sign of P (IEC), within -1..1; NaN without apparent power. Any shape."""
    return np.clip(ratio(active_w, apparent_va), -1.0, 1.0)


def cos_phi(active1_w: FloatArray, reactive1_var: FloatArray) -> FloatArray:
    """Displacement factor P1 / S1 of the fundamental, sign of P1; NaN without power. Any shape."""
    return ratio(active1_w, np.hypot(active1_w, reactive1_var))


def tan_phi(active1_w: FloatArray, reactive1_var: FloatArray) -> FloatArray:
    """Q1 / P1 of the fundamental; NaN without active power. Any shape."""
    return ratio(reactive1_var, active1_w)


def quadrant(active_w: FloatArray, reactive_var: FloatArray) -> IntArray:
    """Quadrant 1 to 4 by the signs of P and Q, zero counting as positive; 0 where both are zero or NaN.

    1: import, inductive. 2: export, capacitive. 3: export, inductive. 4: import, capacitive.
    Source: manuals of the Siemens 9410 (p. 169) and Schneider PM5500 (p. 137), after IEC and IEEE.
    """
    active, reactive = np.broadcast_arrays(active_w, reactive_var)
    exports, negative = active < 0, reactive < 0
    number = np.where(exports, np.where(negative, 3, 2), np.where(negative, 4, 1))
    undefined = np.isnan(active) | np.isnan(reactive) | ((active == 0) & (reactive == 0))
    return np.where(undefined, 0, number).astype(np.int64)


def is_leading(active_w: FloatArray, reactive_var: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether the load is capacitive: P and Q of opposite sign (quadrants 2 and 4). Any shape."""
    number = quadrant(active_w, reactive_var)
    result: npt.NDArray[np.bool_] = (number == 2) | (number == 4)
    return result


def power_factor_ieee(power_factor_iec: FloatArray, leads: npt.NDArray[np.bool_]) -> FloatArray:
    """The same power factor with the IEEE sign: negative for a lagging, positive for a leading load."""
    magnitude = np.abs(power_factor_iec)
    result: FloatArray = np.where(leads, magnitude, -magnitude)
    return result
