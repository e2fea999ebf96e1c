"""The direct-current boards of a site as modules see them: instants, and energies since the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from virtual_digiware.devices.points import FloatArray, IntArray
from virtual_digiware.profiles.dc.installation import DcInstallation, Outage
from virtual_digiware.profiles.dc.truth import DcSolution, DcTruth
from virtual_digiware.profiles.installation import Event
from virtual_digiware.profiles.pulses import STEP_MS

_CHUNK_MS = 8640 * STEP_MS
_KEPT = 4


class DcPlant:
    """The truth of all direct-current boards, with what interruptions of the mains do to it.

    Everything follows from the time and from the outages; what is kept only saves computing it again.
    """

    def __init__(
        self, installation: DcInstallation, seed: int, commissioned_ms: int, events: Sequence[Event] = ()
    ) -> None:
        self._installation, self._seed = installation, seed
        self._commissioned_ms = commissioned_ms
        self._outages = [_outage(event) for event in events if event.kind == "interruption"]
        self._truth = DcTruth(installation, seed, self._outages)
        self._solved: dict[int, DcSolution] = {}
        self._through_ms = commissioned_ms
        self._counted = np.zeros((2, len(installation.circuits)), np.int64)
        self._asked = commissioned_ms, self._counted

    @property
    def board_index(self) -> Mapping[str, int]:
        return self._truth.board_index

    @property
    def circuit_index(self) -> Mapping[str, int]:
        return self._truth.circuit_index

    def disturb(self, event: Event) -> None:
        """An interruption that nobody knew of before."""
        if event.kind == "interruption":
            self._outages.append(_outage(event))
            self._go_on_from(event.start_ms)

    def calm(self, event: Event, t_ms: int) -> None:
        """An interruption is over at `t_ms`, before its time."""
        if event.kind != "interruption":
            return
        place = self._outages.index(_outage(event))
        over = self._outages.pop(place)
        if t_ms > over.start_ms:
            self._outages.insert(place, replace(over, end_ms=t_ms))
        self._go_on_from(t_ms)

    def at(self, t_ms: int) -> DcSolution:
        """The boards at an instant; arrays with one row."""
        solution = self._solved.get(t_ms)
        if solution is None:
            while len(self._solved) >= _KEPT:
                del self._solved[next(iter(self._solved))]
            solution = self._solved[t_ms] = self._truth.at(np.array([t_ms], np.int64))
        return solution

    def energies_mj(self, t_ms: int) -> IntArray:
        """Imported and exported energies (2, K) since the commissioning, in mJ; they never fall back.

        Every circuit of every module asks for the same instant, which is counted once.
        """
        asked_ms, energies = self._asked
        if asked_ms != t_ms:
            energies = self._energies_at(t_ms)
            self._asked = t_ms, energies
        return energies

    def _energies_at(self, t_ms: int) -> IntArray:
        last_ms = t_ms // STEP_MS * STEP_MS
        if last_ms < self._through_ms:
            self._count_anew()
        while self._through_ms < last_ms:
            end_ms = min(last_ms, self._through_ms // STEP_MS * STEP_MS + _CHUNK_MS)
            self._counted = self._counted + self._gained(self._through_ms, end_ms)
            self._through_ms = end_ms
        return self._counted + self._gained(self._through_ms, t_ms)

    def _gained(self, first_ms: int, last_ms: int) -> IntArray:
        if last_ms <= first_ms:
            return np.zeros_like(self._counted)
        booked = self._truth.energies_mj(self._truth.boundaries(first_ms, last_ms))
        return np.stack([np.maximum(booked, 0).sum(axis=0), np.maximum(-booked, 0).sum(axis=0)])

    def _go_on_from(self, t_ms: int) -> None:
        """Other outages hold, which change nothing before `t_ms`."""
        self._truth = DcTruth(self._installation, self._seed, self._outages)
        self._solved.clear()
        self._asked = self._commissioned_ms, np.zeros_like(self._counted)
        if t_ms < self._through_ms:
            self._count_anew()

    def _count_anew(self) -> None:
        self._through_ms, self._counted = self._commissioned_ms, np.zeros_like(self._counted)


def _outage(event: Event) -> Outage:
    return Outage(event.target, event.start_ms, event.end_ms)


def voltage_v(plant: DcPlant, board: str, t_ms: int) -> float:
    """Of a board at an instant."""
    values: FloatArray = plant.at(t_ms).voltage_v
    return float(values[0, plant.board_index[board]])
