"""What a current sensor on each circuit sees: currents, powers and neutral currents, all orders included."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.connections import Connections
from virtual_digiware.profiles.harmonics import Distortion, Harmonics
from virtual_digiware.profiles.installation import PHASES, Installation
from virtual_digiware.profiles.network import Flow
from virtual_digiware.profiles.solution import ORDERS, ComplexArray, FloatArray, IntArray
from virtual_digiware.profiles.spectrum_bins import Mixture, SpectrumBins, quadratic
from virtual_digiware.profiles.tree import Tree

_AFTER = (1, 2, 0)


@dataclass(frozen=True)
class Reading:
    """Fields of `Solution` that belong to circuits, same names and shapes."""

    current_a: ComplexArray
    current_rms_a: FloatArray
    neutral_current_rms_a: FloatArray
    active_w: FloatArray
    reactive1_var: FloatArray
    loss_w: FloatArray


class Circuits:
    """The K circuits of an installation, in the order of its description."""

    def __init__(
        self, installation: Installation, tree: Tree, connections: Connections, bins: SpectrumBins
    ) -> None:
        self._connections = connections
        self._harmonic_count = len(ORDERS) - 1
        self.count = len(installation.circuits)
        self._bins = bins
        self._leg_load = connections.element_load[connections.leg_element]
        self._leg_cell = connections.leg_injection * bins.count
        self._is_alone = connections.slots.size == connections.leg_slot.size
        """No two legs share a slot, so nothing needs to be added."""

        boards = [tree.position[circuit.board] for circuit in installation.circuits]
        self.board: IntArray = np.array(boards, dtype=np.int64)
        """(K,) board of each circuit, in tree order."""
        kinds = [circuit.kind for circuit in installation.circuits]
        self.incomers: IntArray = np.flatnonzero([kind == "incomer" for kind in kinds])
        """Circuits."""
        self.fed: IntArray = np.flatnonzero(tree.feeder >= 0)
        """Boards that a feeder feeds."""
        self.feeders: IntArray = tree.feeder[self.fed]
        """Their circuits."""
        self._feeding = tree.parent[self.fed]
        cables = [installation.circuits[index].cable for index in self.feeders]
        self._resistance = np.array([cable.resistance_ohm for cable in cables])
        self._neutral_resistance = np.array([cable.neutral_resistance_ohm for cable in cables])
        has = [[phase in circuit.phases for phase in PHASES] for circuit in installation.circuits]
        self._has_phase = np.array(has, dtype=np.float64).reshape(-1, 3)
        self._behind = np.full(self.count, -1, dtype=np.int64)
        self._behind[self.incomers] = self.board[self.incomers]
        self._behind[self.feeders] = self.fed

        loads_of: dict[int, list[int]] = {}
        for n, circuit in enumerate(connections.load_circuit):
            loads_of.setdefault(int(circuit), []).append(n)
        alone: list[tuple[int, int, int]] = []  # circuit, load, phases to neutral (0 for between phases)
        shared: list[int] = []
        for circuit, members in sorted(loads_of.items()):
            load = connections.loads[members[0]]
            if len(members) > 1 or (load.line_to_line and len(load.phases) == 3):
                shared.append(circuit)
            else:
                alone.append((circuit, members[0], 0 if load.line_to_line else len(load.phases)))
        self._alone = np.array([row[0] for row in alone], dtype=np.int64)
        self._alone_load = np.array([row[1] for row in alone], dtype=np.int64)
        ways = np.array([row[2] for row in alone], dtype=np.int64)
        self._one_way = self._alone[ways == 1]
        self._many_ways = self._alone[ways > 1]
        self._many_ways_load = self._alone_load[ways > 1]
        rows = self.board[self._many_ways, None] * 3 + np.arange(3)
        self._many_ways_cell = rows * (2 * bins.count)
        self._shared = np.array(shared, dtype=np.int64)
        self._shared_legs = np.flatnonzero(np.isin(connections.leg_slot // 3, self._shared))
        slots, starts = np.unique(connections.leg_slot[self._shared_legs], return_index=True)
        self._shared_starts = starts
        self._shared_slots = np.searchsorted(self._shared, slots // 3) * 3 + slots % 3

        lower, upper = bins.pairs()
        # Sums over orders of products of two bins: a mixture's distortion is a quadratic form of them.
        products = (bins.harmonics[lower] * bins.harmonics[upper].conj()).real
        self._self_product = products.sum(axis=1)
        self._products_across = np.ascontiguousarray(products.T)

    def read(self, flow: Flow, distortion: Distortion, mixture: Mixture, harmonics: Harmonics) -> Reading:
        """Measure all circuits at the T times of a solved network."""
        times = flow.voltage.shape[0]
        slots = (times, self.count * 3)
        current = np.zeros(slots, dtype=np.complex128)
        active = np.zeros(slots)
        reactive = np.zeros(slots)
        self._read_legs(flow, distortion, mixture, current, active, reactive)
        shape = (times, self.count, 3)
        current, active, reactive = current.reshape(shape), active.reshape(shape), reactive.reshape(shape)
        rms = np.zeros(shape)
        neutral = np.zeros(shape[:2])
        self._read_alone(current, distortion, mixture, rms, neutral)
        if self._shared.size:
            self._read_shared(flow, distortion, mixture, harmonics, current, rms, neutral)
        loss = np.zeros(shape[:2])
        reading = Reading(current, rms, neutral, active, reactive, loss)
        self._read_boards(flow, distortion, reading)
        return reading

    def spectra(self, circuits: IntArray, flow: Flow, mixture: Mixture, harmonics: Harmonics) -> ComplexArray:
        """Currents of some circuits (n,), order by order: (T, n, 3, H)."""
        times = flow.voltage.shape[0]
        turn, board_current = harmonics.currents(flow, mixture)
        spectra = np.zeros((times, circuits.size, 3, len(ORDERS)), dtype=np.complex128)
        behind = self._behind[circuits]
        whole = np.flatnonzero(behind >= 0)
        whole_current = np.concatenate([flow.board_current[..., None], board_current], axis=-1)
        spectra[:, whole] = whole_current[:, behind[whole]] * self._has_phase[circuits[whole], :, None]

        c = self._connections
        asked = np.flatnonzero(behind < 0)
        first = np.searchsorted(c.leg_slot, circuits[asked] * 3)
        counts = np.searchsorted(c.leg_slot, circuits[asked] * 3 + 3) - first
        legs = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        if legs.size:
            slot = np.repeat(asked, counts) * 3 + c.leg_slot[legs] % 3
            slots, starts = np.unique(slot, return_index=True)
            flat = spectra.reshape(times, -1, len(ORDERS))
            through = flow.element_current[:, c.leg_element[legs]] * c.leg_sign[legs]
            flat[:, slots, 0] = np.add.reduceat(through, starts, axis=1)
            parts = harmonics.leg_spectra(legs, flow.element_current, mixture, turn)
            flat[:, slots, 1:] = np.add.reduceat(parts, starts, axis=1)
        return spectra

    def _read_legs(
        self,
        flow: Flow,
        distortion: Distortion,
        mixture: Mixture,
        current: ComplexArray,
        active: FloatArray,
        reactive: FloatArray,
    ) -> None:
        c = self._connections
        if not c.slots.size:
            return
        times = current.shape[0]
        load = self._leg_load
        through = flow.element_current.take(c.leg_element, axis=1)
        amplitude = np.abs(through)
        if c.kinds > 3:
            through *= c.leg_sign
        power = flow.voltage.reshape(times, -1).take(c.leg_phase, axis=1) * through.conj()
        per_ampere = distortion.leg_power_per_ampere.reshape(times, -1)
        cell = self._leg_cell + mixture.lower.take(load, axis=1)
        lower, upper = _pick(per_ampere, cell), _pick(per_ampere, cell + 1)
        watts = power.real + amplitude * (lower + (upper - lower) * mixture.weight.take(load, axis=1))
        if self._is_alone:
            current[:, c.slots], active[:, c.slots], reactive[:, c.slots] = through, watts, power.imag
            return
        current[:, c.slots] = np.add.reduceat(through, c.slot_starts, axis=1)
        active[:, c.slots] = np.add.reduceat(watts, c.slot_starts, axis=1)
        reactive[:, c.slots] = np.add.reduceat(power.imag, c.slot_starts, axis=1)

    def _read_alone(
        self,
        current: ComplexArray,
        distortion: Distortion,
        mixture: Mixture,
        rms: FloatArray,
        neutral: FloatArray,
    ) -> None:
        """Circuits of one load: its phases share a spectrum, so sums over orders are known beforehand."""
        load = self._alone_load
        lower, weight = mixture.lower.take(load, axis=1), mixture.weight.take(load, axis=1)
        count = self._bins.count
        own = self._self_product
        squared = quadratic(weight, own[lower], own[lower + count], own[lower + 1])
        rms[:, self._alone] = np.abs(current.take(self._alone, axis=1)) * np.sqrt(1 + squared)[..., None]
        ways = rms[:, self._one_way]
        neutral[:, self._one_way] = ways[:, :, 0] + ways[:, :, 1] + ways[:, :, 2]
        if not self._many_ways.size:
            return
        # Over h: |sum_p a_p S exp(jh v_p)|^2 = |S|^2 (sum_p a_p^2 + 2 sum_pq a_p a_q cos(h (v_p - v_q))).
        turn = distortion.turn[:, :, :3]
        between = np.ascontiguousarray((turn * turn.take(_AFTER, axis=2).conj()).real)
        table = np.matmul(between, self._products_across).reshape(turn.shape[0], -1)
        load = self._many_ways_load
        lower, weight = mixture.lower.take(load, axis=1), mixture.weight.take(load, axis=1)
        itself = quadratic(weight, own[lower], own[lower + count], own[lower + 1])
        cell = self._many_ways_cell + lower[:, :, None]
        weight = weight[:, :, None]
        across = quadratic(weight, _pick(table, cell), _pick(table, cell + count), _pick(table, cell + 1))
        phases = current.take(self._many_ways, axis=1)
        amplitude = np.abs(phases)
        total = phases[:, :, 0] + phases[:, :, 1] + phases[:, :, 2]
        parts = amplitude * (amplitude * itself[:, :, None] + 2 * amplitude.take(_AFTER, axis=2) * across)
        squared = total.real**2 + total.imag**2 + (parts[:, :, 0] + parts[:, :, 1] + parts[:, :, 2])
        neutral[:, self._many_ways] = np.sqrt(np.maximum(squared, 0))

    def _read_shared(
        self,
        flow: Flow,
        distortion: Distortion,
        mixture: Mixture,
        harmonics: Harmonics,
        current: ComplexArray,
        rms: FloatArray,
        neutral: FloatArray,
    ) -> None:
        """Circuits of several loads, or of a load in delta: their spectra are added order by order."""
        legs = harmonics.leg_spectra(self._shared_legs, flow.element_current, mixture, distortion.turn)
        times = legs.shape[0]
        spectra = np.zeros((times, self._shared.size * 3, self._harmonic_count), dtype=np.complex128)
        spectra[:, self._shared_slots] = np.add.reduceat(legs, self._shared_starts, axis=1)
        phases = spectra.reshape(times, self._shared.size, 3, self._harmonic_count)
        rms[:, self._shared], neutral[:, self._shared] = _with_harmonics(
            current.take(self._shared, axis=1), phases
        )

    def _read_boards(self, flow: Flow, distortion: Distortion, reading: Reading) -> None:
        """Incomers and feeders, from the currents of whole boards."""
        rms, neutral = _with_harmonics(flow.board_current, distortion.board_current)
        board = self.board[self.incomers]
        if board.size:
            phases = self._has_phase[self.incomers]
            power = _power(flow, board, board) * phases
            reading.current_a[:, self.incomers] = flow.board_current[:, board] * phases
            reading.current_rms_a[:, self.incomers] = rms[:, board] * phases
            reading.neutral_current_rms_a[:, self.incomers] = neutral[:, board]
            reading.active_w[:, self.incomers] = (
                power.real + _harmonic_power(distortion, board, board) * phases
            )
            reading.reactive1_var[:, self.incomers] = power.imag
        if self.fed.size:
            fed, feeders = self.fed, self.feeders
            power = _power(flow, self._feeding, fed)
            reading.current_a[:, feeders] = flow.board_current[:, fed]
            reading.current_rms_a[:, feeders] = rms[:, fed]
            reading.neutral_current_rms_a[:, feeders] = neutral[:, fed]
            reading.active_w[:, feeders] = power.real + _harmonic_power(distortion, self._feeding, fed)
            reading.reactive1_var[:, feeders] = power.imag
            squared = rms[:, fed] ** 2
            phases = squared[:, :, 0] + squared[:, :, 1] + squared[:, :, 2]
            reading.loss_w[:, feeders] = (
                self._resistance * phases + self._neutral_resistance * neutral[:, fed] ** 2
            )


def _power(flow: Flow, voltage_of: IntArray, current_of: IntArray) -> ComplexArray:
    return flow.voltage.take(voltage_of, axis=1) * flow.board_current.take(current_of, axis=1).conj()


def _harmonic_power(distortion: Distortion, voltage_of: IntArray, current_of: IntArray) -> FloatArray:
    """Power above the fundamental of board currents against board voltages (T, n, 3)."""
    voltage = distortion.voltage.take(voltage_of, axis=1).view(np.float64)
    # Re(V conj(I)) is the plain product of the interleaved parts.
    current = distortion.board_current.take(current_of, axis=1).view(np.float64)
    power: FloatArray = (voltage * current).sum(axis=-1)
    return power


def _with_harmonics(fundamental: ComplexArray, spectra: ComplexArray) -> tuple[FloatArray, FloatArray]:
    """RMS over all orders of phase currents and of their sum.

    Args:
        fundamental: (T, n, 3)
        spectra: (T, n, 3, H-1)

    Returns:
        (T, n, 3) and (T, n).
    """
    total = fundamental[:, :, 0] + fundamental[:, :, 1] + fundamental[:, :, 2]
    sums = spectra[:, :, 0] + spectra[:, :, 1] + spectra[:, :, 2]
    return (
        np.sqrt(fundamental.real**2 + fundamental.imag**2 + _squares(spectra)),
        np.sqrt(total.real**2 + total.imag**2 + _squares(sums)),
    )


def _squares(spectra: ComplexArray) -> FloatArray:
    parts = spectra.view(np.float64)
    total: FloatArray = (parts * parts).sum(axis=-1)
    return total


def _pick(table: FloatArray, cell: IntArray) -> FloatArray:
    """Columns of a table (T, n): the same for all times where `cell` is (1, ...), else its own for each."""
    if cell.shape[0] == 1:
        same: FloatArray = table.take(cell[0], axis=1)
        return same
    picked: FloatArray = np.take_along_axis(table, cell.reshape(cell.shape[0], -1), axis=1)
    return picked.reshape(cell.shape)
