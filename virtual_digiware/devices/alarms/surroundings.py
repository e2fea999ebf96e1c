"""What alarms ask of truth and measurement at the instants of events: voltages, openings, currents."""

from __future__ import annotations

import numpy as np

from virtual_digiware.devices.alarms.event_edges import EventEdges
from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.metering import Meter
from virtual_digiware.devices.points import FloatArray, IntArray
from virtual_digiware.devices.voltage_measurement import measure_voltages
from virtual_digiware.profiles import quantities
from virtual_digiware.profiles.truth import Truth

_LIVE_SHARE = 0.5
"""Voltage that counts as there, of nominal. Own choice: the manual gives none."""


class Surroundings:
    """Truth and meter of a site at one stage of its history."""

    def __init__(self, truth: Truth, meter: Meter, edges: EventEdges) -> None:
        self._truth, self._meter = truth, meter
        self.edges = edges
        self.nominal_voltage_v = meter.wiring.nominal_voltage_v
        sources = truth.installation.sources
        self.frequency_hz = sources[0].frequency_hz if sources else 50.0

    @property
    def slots(self) -> int:
        """N"""
        return self._meter.slots

    def voltages(self, t_ms: IntArray) -> FloatArray:
        """(T, D, 6) RMS V1, V2, V3, U12, U23, U31 of the voltage taps at instants."""
        measured = measure_voltages(self._truth.at(t_ms), self._meter.wiring)
        return np.concatenate([measured.phase, measured.line], axis=2)

    def openings(self, t_ms: IntArray) -> BoolArray:
        """(T, N) slots whose tap has voltage while there is none behind their protective device."""
        wiring = self._meter.wiring
        solution = self._truth.at(t_ms)
        least_v = _LIVE_SHARE * wiring.nominal_voltage_v
        boards = quantities.rms(solution.voltage_v).max(axis=2) >= least_v
        installation = self._truth.installation
        own = [self._truth.board_index[circuit.board] for circuit in installation.circuits]
        opened = self.edges.is_open(t_ms, [slot.circuit for slot in wiring.slots])
        behind = boards[:, own][:, wiring.circuit] & ~opened
        before = boards[:, wiring.tap_board][:, wiring.tap_index] if len(wiring.tap_board) else behind
        is_open: BoolArray = before & ~behind & (wiring.tap >= 0)
        return is_open

    def load_percent(self, t_ms: IntArray) -> FloatArray:
        """(T, N) largest phase current of each slot at instants, percent of In."""
        measured = self._meter.measure(self._truth.at(t_ms))
        percent: FloatArray = 100.0 * measured.rows.current.max(axis=1) / measured.wiring.nominal_a
        return percent
