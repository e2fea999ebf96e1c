"""What the voltage modules of a site measure: phase and line voltages, frequency, sequences, distortion.

The same values are the voltage reference of every load on the module's bus.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from virtual_digiware.devices.sampled_voltages import sampled_voltages
from virtual_digiware.devices.wiring import BoolArray, Wiring
from virtual_digiware.profiles import quantities
from virtual_digiware.profiles.solution import ComplexArray, FloatArray, IntArray, Solution

DEAD_VOLTAGE_SHARE = 0.05
"""Below this share of the nominal voltage on all phases there is no frequency (interruption, EN 50160)."""
_NEXT = np.array([1, 2, 0])


@dataclass(frozen=True)
class MeasuredVoltages:
    """Voltages at D taps over T times. An input that is not wired reads 0; NaN only where stated.

    Which of them exist on a module's type of network is the wiring's business, not told here.
    """

    phasors: ComplexArray
    """(T, D, 3, H) voltage inputs V1, V2, V3 against the neutral, V."""
    neutral: FloatArray
    """(T, D) neutral to earth, all orders, V."""
    neutral_fundamental: ComplexArray
    """(T, D)"""
    frequency: FloatArray
    """(T, D) Hz; NaN while all voltages are down."""

    @cached_property
    def phase(self) -> FloatArray:
        """(T, D, 3) RMS V1, V2, V3."""
        return quantities.rms(self.phasors)

    @cached_property
    def line_phasors(self) -> ComplexArray:
        """(T, D, 3, H) U12, U23, U31."""
        return self.phasors - self.phasors[:, :, _NEXT]

    @cached_property
    def line(self) -> FloatArray:
        """(T, D, 3) RMS U12, U23, U31."""
        return quantities.rms(self.line_phasors)

    @cached_property
    def star_phasors(self) -> ComplexArray:
        """(T, D, 3, H) phases against their artificial star point, the reference of three-wire powers."""
        star: ComplexArray = self.phasors - self.phasors.mean(axis=2, keepdims=True)
        return star

    @cached_property
    def star(self) -> FloatArray:
        """(T, D, 3) RMS of `star_phasors`."""
        return quantities.rms(self.star_phasors)

    @cached_property
    def phase_sequences(self) -> FloatArray:
        """(3, T, D) magnitudes of positive, negative and zero sequence of V, fundamental."""
        return np.abs(np.stack(quantities.sequence_components(self.phasors[..., 0])))

    @cached_property
    def line_sequences(self) -> FloatArray:
        """(3, T, D) likewise of U; the third is 0."""
        return np.abs(np.stack(quantities.sequence_components(self.line_phasors[..., 0])))

    def frequency_of(self, wiring: Wiring, slots: IntArray) -> FloatArray:
        """(T, n) frequency at the taps of n slots; NaN without a tap."""
        tap = wiring.tap[slots]
        frequency = np.full((len(self.frequency), len(slots)), np.nan)
        frequency[:, tap >= 0] = self.frequency[:, tap[tap >= 0]]
        return frequency

    @property
    def is_rotation_negative(self) -> BoolArray:
        """(T, D) the phases follow each other the wrong way round."""
        positive, negative, _ = self.phase_sequences
        is_negative: BoolArray = np.greater(negative, positive)
        return is_negative


def measure_voltages(
    solution: Solution, wiring: Wiring, factors: FloatArray | None = None
) -> MeasuredVoltages:
    """Voltages at all taps.

    Args:
        solution: The network at T times.
        wiring: Which conductor is on which input, and with which ratio.
        factors: (T, D) by which the module is wrong at that time; None is exact.
    """
    boards = wiring.tap_board
    phasors = solution.voltage_v[:, boards]
    if not wiring.is_tap_exact:
        phasors = wiring.tap_matrix @ phasors
    if factors is not None:
        phasors *= factors[:, :, None, None]
    neutral = solution.neutral_voltage_v[:, boards]
    frequency = solution.frequency_hz[:, wiring.tap_source]
    # The fundamental will do to tell a live network, and spares the RMS values when nobody asks for them.
    fundamental = phasors[..., 0]
    square = (fundamental.real**2 + fundamental.imag**2).max(axis=2, initial=0.0)
    is_dead = square < (DEAD_VOLTAGE_SHARE * wiring.nominal_voltage_v) ** 2
    if is_dead.any():
        frequency = np.where(is_dead, np.nan, frequency)
    sampled = wiring.sampled_taps
    if sampled.size and is_instant(solution):
        phasors[:, sampled] = sampled_voltages(phasors[:, sampled], frequency[:, sampled])
    return MeasuredVoltages(phasors, quantities.rms(neutral), neutral[..., 0], frequency)


def is_instant(solution: Solution) -> bool:
    """Whether these are values at instants, not means over intervals."""
    return bool((solution.start_ms == solution.end_ms).all())
