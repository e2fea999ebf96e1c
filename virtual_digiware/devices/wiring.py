"""The effective wiring of a whole site as arrays: what each slot really measures of the truth.

`I_measured = G P I_true` (ratios, signs and a permutation), for currents per slot and for voltages
per tap. `wiring_compilation.py` builds it from descriptions; a changed setting or a fault means
building it again from changed descriptions, which costs little because equal patterns are shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from virtual_digiware.devices.connections import Slot, Tap
from virtual_digiware.profiles.installation import Installation
from virtual_digiware.profiles.solution import ComplexArray, FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]


class TruthIndex(Protocol):
    """What wiring needs to know of the truth: where in its arrays each name stands."""

    @property
    def installation(self) -> Installation: ...
    @property
    def circuit_index(self) -> Mapping[str, int]: ...
    @property
    def board_index(self) -> Mapping[str, int]: ...
    @property
    def board_source(self) -> IntArray: ...


@dataclass(frozen=True)
class Deviations:
    """Static errors of the modules (class, phase displacement); see `metrology.py`."""

    slot_ratio: FloatArray
    """(C,) measured current / true current."""
    slot_lag_rad: FloatArray
    """(C,) by which the fundamental of the measured current lags the true one."""
    tap_ratio: FloatArray
    """(D,) measured voltage / true voltage."""


@dataclass(frozen=True)
class Wiring:
    """Arrays over C slots (in layout order) and D voltage taps. Rows: the load's own phases 1, 2, 3."""

    slots: tuple[Slot, ...]
    taps: tuple[Tap, ...]
    circuit: IntArray
    """(C,) index of the circuit in the truth."""
    tap: IntArray
    """(C,) index of the voltage tap, -1 for none."""
    is_enabled: BoolArray
    """(C,)"""
    nominal_a: FloatArray
    """(C,)"""
    nominal_va: FloatArray
    """(C,)"""
    has_row: BoolArray
    """(3, C) the load has this phase and is enabled."""
    has_neutral: BoolArray
    """(C,) In exists."""
    has_neutral_voltage: BoolArray
    """(C,) load and voltage module have a neutral, so Vn exists."""
    has_power: BoolArray
    """(C,) the tap has all the voltages that the powers need."""
    has_phase_power: BoolArray
    """(3, C) powers of single phases exist (not for 3P)."""
    has_phase_voltage: BoolArray
    """(3, C)"""
    has_line_voltage: BoolArray
    """(3, C) U12, U23, U31 of the load's own rows."""
    is_three_phase: BoolArray
    """(C,) sequence components and unbalances exist."""
    row_phase: IntArray
    """(3, C) voltage input (0..2) of each row, 0 where there is no row."""
    row_line: IntArray
    """(3, C) index of U12, U23, U31 of the tap for each pair of rows, 0 where there is none."""
    is_star: BoolArray
    """(C,) powers are taken against an artificial star point (3P)."""
    is_line: BoolArray
    """(C,) power is taken against U between two phases (2P)."""
    line_phase: IntArray
    """(C,) second voltage input of a 2P load, 0 otherwise."""
    matrices: ComplexArray
    """(C, 3, 4, 4) for orders h = 0, 1, 2 modulo 3: rows 1, 2, 3, N from true L1, L2, L3, N, without lag."""
    lag_rad: FloatArray
    """(C,) see `Deviations`."""
    is_direct: BoolArray
    """(C,) measured values follow from the truth's own RMS values and powers, no spectrum needed."""
    row_ratio: FloatArray
    """(3, C) of direct slots: measured row / true current of that phase; 0 where there is no row."""
    power_ratio: FloatArray
    """(3, C) of direct slots: likewise of the power, so times the ratio of the voltage."""
    neutral_ratio: FloatArray
    """(C,) of direct slots: In / true neutral current of the circuit."""
    is_neutral_row: BoolArray
    """(C,) In is the current of row 1 (1P+N)."""
    identity: BoolArray
    """(C,) powers are exactly those of the truth, so energies are its booked integers."""
    tap_board: IntArray
    """(D,)"""
    tap_source: IntArray
    """(D,)"""
    tap_has_phase: BoolArray
    """(D, 3) phase-to-neutral voltages that the module has on its type of network."""
    tap_has_line: BoolArray
    """(D, 3) likewise U12, U23, U31."""
    tap_matrix: ComplexArray
    """(D, 3, 3) voltage inputs from true phase-to-neutral voltages."""
    nominal_voltage_v: float
    """Phase to neutral."""

    @property
    def count(self) -> int:
        """Number of slots, C."""
        return len(self.slots)

    @cached_property
    def is_network_complete(self) -> bool:
        """Every U module of the site has all its voltages."""
        return bool(self.tap_has_phase.all() and self.tap_has_line.all())

    @cached_property
    def is_tap_exact(self) -> bool:
        """Every voltage input of the site shows its own phase without error."""
        return bool((self.tap_matrix == np.eye(3)).all())

    @cached_property
    def saturation_peak_a(self) -> FloatArray:
        """(C,) largest momentary current that a slot's sensors give, infinite where they do not saturate."""
        shares = [np.inf if slot.saturates_at is None else slot.saturates_at for slot in self.slots]
        peak: FloatArray = np.sqrt(2) * self.nominal_a * np.array(shares, dtype=np.float64)
        return peak

    @cached_property
    def sampled(self) -> IntArray:
        """Slots of modules that measure from samples, ascending."""
        return np.flatnonzero(np.array([slot.is_sampled for slot in self.slots], dtype=np.bool_))

    @cached_property
    def sampled_taps(self) -> IntArray:
        """Taps of U modules that measure from samples, ascending."""
        return np.flatnonzero(np.array([tap.is_sampled for tap in self.taps], dtype=np.bool_))

    @cached_property
    def explicit(self) -> IntArray:
        """Slots whose currents must be taken from their spectra, ascending."""
        return np.flatnonzero(~self.is_direct)

    @cached_property
    def direct(self) -> DirectSlots:
        """All other slots."""
        return DirectSlots(self, np.flatnonzero(self.is_direct))

    def without_samples(self, slots: IntArray) -> IntArray:
        """Those of the slots that do not measure from samples."""
        return np.setdiff1d(slots, self.sampled, assume_unique=True)

    @cached_property
    def direct_without_samples(self) -> DirectSlots:
        """Direct slots that do not measure from samples."""
        return DirectSlots(self, self.without_samples(self.direct.slots))

    @cached_property
    def explicit_without_samples(self) -> IntArray:
        """Explicit slots that do not measure from samples, ascending."""
        return self.without_samples(self.explicit)

    @cached_property
    def tap_index(self) -> IntArray:
        """(C,) like `tap`, 0 where there is none."""
        return np.maximum(self.tap, 0)

    @cached_property
    def phase_index(self) -> IntArray:
        """(3, C) position of each row's voltage in an array (T, D * 3)."""
        index: IntArray = self.tap_index * 3 + self.row_phase
        return index

    @cached_property
    def line_index(self) -> IntArray:
        """(3, C) position of each row's line voltage in an array (T, D * 3)."""
        index: IntArray = self.tap_index * 3 + self.row_line
        return index

    @cached_property
    def row_weights(self) -> FloatArray:
        """(3, C) share of each row in the mean of the rows that exist."""
        return _shares(self.has_row)

    @cached_property
    def phase_weights(self) -> FloatArray:
        """(3, C) likewise for phase voltages."""
        return _shares(self.has_phase_voltage)

    @cached_property
    def line_weights(self) -> FloatArray:
        """(3, C) likewise for line voltages."""
        return _shares(self.has_line_voltage)


def _shares(exists: BoolArray) -> FloatArray:
    shares: FloatArray = exists / np.maximum(exists.sum(axis=0), 1)
    return shares


class DirectSlots:
    """The arrays of n direct slots, cut out once so that a measurement need not."""

    def __init__(self, wiring: Wiring, slots: IntArray) -> None:
        self.slots = slots
        self.circuit = wiring.circuit[slots]
        self.tap = wiring.tap_index[slots]
        self.true_index: IntArray = self.circuit * 3 + wiring.row_phase[:, slots]
        """(3, n) position of each row in an array of the truth reshaped to (T, K * 3)."""
        self.voltage_index = wiring.phase_index[:, slots]
        self.row_ratio = wiring.row_ratio[:, slots]
        self.power_ratio = wiring.power_ratio[:, slots]
        self.neutral_ratio = wiring.neutral_ratio[slots]
        self.is_neutral_row = wiring.is_neutral_row[slots]
        self.lag_rad = wiring.lag_rad[slots]
        self.has_neutral_row = bool(self.is_neutral_row.any())
        self.has_lag = bool(self.lag_rad.any())
        self.is_exact = bool(
            (self.row_ratio == 1.0).all()
            and (self.power_ratio == 1.0).all()
            and ((self.neutral_ratio == 1.0) | self.is_neutral_row).all()
        )
