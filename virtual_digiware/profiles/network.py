"""The fundamental in the network: a four-wire backward and forward sweep over the tree of boards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.connections import Connections
from virtual_digiware.profiles.solution import ComplexArray, FloatArray
from virtual_digiware.profiles.tree import Tree

SWEEPS = 4
"""The fourth changes voltages by about 5e-8 of nominal at a source impedance of 4.5 %."""
GUARD = 0.7
"""Below this voltage, relative to nominal, a load is a constant impedance, so that currents stay finite."""


@dataclass(frozen=True)
class Flow:
    """The fundamental at T times; voltages belong exactly to the currents."""

    voltage: ComplexArray
    """(T, M, 3) phase to local neutral, boards in tree order."""
    terminal: ComplexArray
    """(T, M * kinds) voltages between the loads' conductors."""
    element_current: ComplexArray
    """(T, E)"""
    board_current: ComplexArray
    """(T, M, 3) of each board and all that is behind it."""


class Network:
    """One installation's tree and loads, ready to be solved at any time."""

    def __init__(self, tree: Tree, connections: Connections) -> None:
        self._tree = tree
        self._connections = connections
        self._per_nominal = 1 / connections.nominal_voltage_v
        self._per_nominal_squared = self._per_nominal**2
        # Admittance ~ u^(k - 2): constant power has k = 0, constant impedance k = 2.
        self._exponents = connections.parcel_exponents - 2.0
        self._is_alike = bool(np.all(self._exponents == -2.0))

    def solve(self, conjugate_va: ComplexArray, emf: ComplexArray, live: FloatArray | None) -> Flow:
        """
        Args:
            conjugate_va: (T, N) P - jQ of the loads at nominal voltage.
            emf: (T, S, 3) open-circuit voltages of the sources.
            live: (T or 1, M, 3) 0 where a phase of a board is cut off from its supply; None for nowhere.
        """
        c = self._connections
        elements = conjugate_va.take(c.element_load, axis=1) * c.element_share
        parcels = np.add.reduceat(elements, c.parcel_starts, axis=1) if elements.size else elements
        voltage = emf.take(self._tree.source, axis=1)
        if live is not None:
            voltage = voltage * live
        for _ in range(SWEEPS):
            terminal = self.terminals(voltage)
            scaled = terminal * self._per_nominal_squared
            bend = self._bend(terminal)
            current = self._tree.collect(self._board_currents(parcels, bend, scaled))
            voltage = self._tree.drop(emf, current, live)
        # Not in place: numpy takes a lone complex number multiplied so for a reduction and rounds it so.
        element_current = _bent(elements, bend.take(c.element_parcel, axis=1)) * scaled.take(
            c.element_terminal, axis=1
        )
        return Flow(voltage, self.terminals(voltage), element_current, current)

    def terminals(self, voltage: ComplexArray) -> ComplexArray:
        """Voltages (T, M, 3) of the boards to those between the loads' conductors (T, M * kinds)."""
        if self._connections.kinds == 3:
            return voltage.reshape(voltage.shape[0], -1)
        pairs = voltage - voltage.take((1, 2, 0), axis=2)
        return np.concatenate([voltage, pairs], axis=2).reshape(voltage.shape[0], -1)

    def _bend(self, terminal: ComplexArray) -> FloatArray:
        """How each parcel's conductance and susceptance answer to voltage: (T, P, 2)."""
        relative = np.maximum(np.abs(terminal) * self._per_nominal, GUARD)
        if self._is_alike:
            squared = (1 / (relative * relative)).take(self._connections.parcel_terminal, axis=1)
            return np.stack([squared, squared], axis=-1)
        # Not np.power, whose last bit depends on how its operands repeat, and so on how many times are asked.
        logarithm = np.log(relative).take(self._connections.parcel_terminal, axis=1)
        bend: FloatArray = np.exp(logarithm[..., None] * self._exponents)
        return bend

    def _board_currents(self, parcels: ComplexArray, bend: FloatArray, scaled: ComplexArray) -> ComplexArray:
        """Currents of each board's own loads (T, M, 3)."""
        c = self._connections
        times = scaled.shape[0]
        current = np.zeros_like(scaled)
        if c.terminals.size:
            admittance = np.add.reduceat(_bent(parcels, bend), c.terminal_starts, axis=1)
            current[:, c.terminals] = admittance
            current *= scaled
        current = current.reshape(times, -1, c.kinds)
        if c.kinds == 3:
            return current
        return into_phases(current)


def into_phases(current: ComplexArray) -> ComplexArray:
    """Currents of six terminals to those of three phases; the terminals are axis 2."""
    pairs = current[:, :, 3:]
    return current[:, :, :3] + pairs - pairs.take((2, 0, 1), axis=2)


def _bent(conjugate_va: ComplexArray, bend: FloatArray) -> ComplexArray:
    """P - jQ with both parts bent by voltage."""
    parts = np.ascontiguousarray(conjugate_va).view(np.float64).reshape(bend.shape)
    bent: ComplexArray = (parts * bend).view(np.complex128)[..., 0]
    return bent
