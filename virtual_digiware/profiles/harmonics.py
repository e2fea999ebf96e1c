"""Harmonics without an array over loads and orders: currents are added, and powers read back, by class.

A load's current of order h is |I1| S_h exp(j h angle(V)), so all loads of one terminal and one spectrum bin
add up to a number; harmonic voltages follow from the tree, and one number for each leg and bin gives every
load its harmonic power. Where loads share a circuit, or a spectrum is asked for, orders are added one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.connections import Connections
from virtual_digiware.profiles.network import Flow, into_phases
from virtual_digiware.profiles.solution import ORDERS, ComplexArray, FloatArray, IntArray
from virtual_digiware.profiles.spectrum_bins import Mixture, SpectrumBins
from virtual_digiware.profiles.tree import Tree

_COUNT = len(ORDERS) - 1
_DEAD_V = 1e-9
"""A voltage below it has no angle worth knowing, and dividing by it could overflow."""
_AFTER = (1, 2, 0)
"""The phase after each one, cyclically."""


@dataclass(frozen=True)
class Distortion:
    """All orders above the first at T times."""

    turn: ComplexArray
    """(T, M, kinds, H-1) exp(j h angle) of the terminals' fundamental voltages."""
    board_current: ComplexArray
    """(T, M, 3, H-1) of each board and all that is behind it."""
    voltage: ComplexArray
    """(T, M, 3, H-1)"""
    leg_power_per_ampere: FloatArray
    """(T, M, injections, C) harmonic power of a leg for each ampere of its fundamental."""


def turns(terminal: ComplexArray) -> ComplexArray:
    """exp(j h angle) for h = 3, 5, ... of voltages (...): (..., H-1); 1 where there is no voltage."""
    magnitude = np.abs(terminal)
    is_dead = magnitude < _DEAD_V
    unit = np.where(is_dead, 1.0, terminal) / np.where(is_dead, 1.0, magnitude)
    squared = unit * unit
    powers = np.empty((*terminal.shape, _COUNT), dtype=np.complex128)
    powers[...] = squared[..., None]
    powers[..., 0] = squared * unit
    np.multiply.accumulate(powers, axis=-1, out=powers)
    return powers


class Harmonics:
    """One installation's spectra and wiring, ready for any fundamental flow."""

    def __init__(self, tree: Tree, connections: Connections, bins: SpectrumBins) -> None:
        self._tree = tree
        self._connections = connections
        self._boards = tree.order.size
        self._bins = bins
        spectra = np.ascontiguousarray(bins.harmonics)
        # Interleaved real and imaginary parts, so that real amplitudes need one real product only.
        self._spectra = spectra.view(np.float64)
        self._spectra_across = np.ascontiguousarray(self._spectra.T)
        self._element_cell = connections.element_terminal * bins.count
        self._cells = connections.nominal_voltage_v.size * bins.count

    def currents(self, flow: Flow, mixture: Mixture) -> tuple[ComplexArray, ComplexArray]:
        """`turn` and `board_current` of `Distortion`, which need no voltages above the first order."""
        c = self._connections
        times, boards = flow.voltage.shape[:2]
        turn = turns(flow.terminal).reshape(times, boards, c.kinds, _COUNT)
        amplitude = self._by_class(np.abs(flow.element_current), mixture)
        # A small product of fixed shape for each time and board: its rounding does not depend on how many are
        # asked, and no library spreads it over threads that then wait for each other.
        current = np.matmul(amplitude, self._spectra).view(np.complex128)
        current *= turn
        if c.kinds > 3:
            current = into_phases(current)
        return turn, self._tree.collect(current)

    def solve(
        self, flow: Flow, mixture: Mixture, background: ComplexArray, live: FloatArray | None
    ) -> Distortion:
        """
        Args:
            flow: The fundamental.
            mixture: Spectra of the loads.
            background: (T, S, 3, H-1) harmonic open-circuit voltages.
            live: (T or 1, M, 3) 0 where a phase of a board is cut off from its supply; None for nowhere.
        """
        turn, current = self.currents(flow, mixture)
        voltage = self._tree.drop_harmonics(background, current, live)
        seen = self._seen_by_legs(voltage, turn)
        power = np.matmul(seen.view(np.float64), self._spectra_across)
        return Distortion(turn, current, voltage, power)

    def _by_class(self, amplitude: FloatArray, mixture: Mixture) -> FloatArray:
        """Amperes of each terminal and bin: elements (T, E) to (T, M, kinds, C)."""
        c = self._connections
        times = amplitude.shape[0]
        cell = self._element_cell + mixture.lower.take(c.element_load, axis=1)
        if times > 1:
            cell = cell + np.arange(times)[:, None] * self._cells
        cell = cell.ravel()
        upper = amplitude * mixture.weight.take(c.element_load, axis=1)
        total: FloatArray = np.add(
            np.bincount(cell, (amplitude - upper).ravel(), times * self._cells),
            np.bincount(cell + 1, upper.ravel(), times * self._cells),
            dtype=np.float64,
        )
        return total.reshape(times, self._boards, c.kinds, self._bins.count)

    def _seen_by_legs(self, voltage: ComplexArray, turn: ComplexArray) -> ComplexArray:
        """Harmonic voltage at each kind of leg, turned as the spectra are: (T, M, injections, H-1)."""
        back = turn.conj()
        if self._connections.kinds == 3:
            back *= voltage
            return back
        pairs = back[:, :, 3:]
        return np.concatenate(
            [voltage * back[:, :, :3], voltage * pairs, -voltage.take(_AFTER, axis=2) * pairs], axis=2
        )

    def leg_spectra(
        self, legs: IntArray, current: ComplexArray, mixture: Mixture, turn: ComplexArray
    ) -> ComplexArray:
        """Currents of some legs, order by order: (T, n, H-1).

        Args:
            legs: (n,)
            current: (T, E) fundamental currents of the elements.
            mixture: Spectra of the loads.
            turn: As in `Distortion`.
        """
        c = self._connections
        element = c.leg_element[legs]
        load = c.element_load[element]
        lower = mixture.lower[:, load]
        amplitude = np.abs(current.take(element, axis=1)) * c.leg_sign[legs]
        upper = amplitude * mixture.weight[:, load]
        spectra = (amplitude - upper)[..., None] * self._bins.harmonics[lower]
        spectra += upper[..., None] * self._bins.harmonics[lower + 1]
        spectra *= turn.reshape(turn.shape[0], -1, _COUNT).take(c.element_terminal[element], axis=1)
        return spectra
