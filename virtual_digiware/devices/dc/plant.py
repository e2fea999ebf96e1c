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

_CHUNK_STEPS = 8640
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
        count = len(installation.circuits)
        self._first = commissioned_ms // STEP_MS
        self._through = self._first
        self._counted = np.zeros((2, count), np.int64)

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
            self._begin_anew()

    def calm(self, event: Event, t_ms: int) -> None:
        """An interruption is over at `t_ms`, before its time."""
        if event.kind != "interruption":
            return
        place = self._outages.index(_outage(event))
        over = self._outages.pop(place)
        if t_ms > over.start_ms:
            self._outages.insert(place, replace(over, end_ms=t_ms))
        self._begin_anew()

    def at(self, t_ms: int) -> DcSolution:
        """The boards at an instant; arrays with one row."""
        solution = self._solved.get(t_ms)
        if solution is None:
            while len(self._solved) >= _KEPT:
                del self._solved[next(iter(self._solved))]
            solution = self._solved[t_ms] = self._truth.at(np.array([t_ms], np.int64))
        return solution

    def energies_mj(self, t_ms: int) -> IntArray:
        """Imported and exported energies (2, K) since the commissioning, in mJ.

        Whole base steps as booked; of the running step the share that has passed, so no counter falls back.
        """
        last = t_ms // STEP_MS
        if last < self._through:
            self._count_anew()
        while self._through < last:
            end = min(last, self._through + _CHUNK_STEPS)
            self._counted = self._counted + self._gained(self._through, end)
            self._through = end
        running = self._split(self._truth.step_energies_mj(last, last + 1))
        before = t_ms - last * STEP_MS
        since = max(0, self._commissioned_ms - last * STEP_MS)
        return self._counted + running * before // STEP_MS - running * min(since, before) // STEP_MS

    def _gained(self, first: int, last: int) -> IntArray:
        booked = self._split(self._truth.step_energies_mj(first, last))
        if first == self._first:  # the step in which counting began counts from there on
            skipped_ms = self._commissioned_ms - first * STEP_MS
            begun = self._split(self._truth.step_energies_mj(first, first + 1))
            booked = booked - begun * skipped_ms // STEP_MS
        return booked

    def _split(self, booked: IntArray) -> IntArray:
        """(2, K) of signed steps (T, K): import and export."""
        return np.stack([np.maximum(booked, 0).sum(axis=0), np.maximum(-booked, 0).sum(axis=0)])

    def _begin_anew(self) -> None:
        self._truth = DcTruth(self._installation, self._seed, self._outages)
        self._solved.clear()
        self._count_anew()

    def _count_anew(self) -> None:
        self._through, self._counted = self._first, np.zeros_like(self._counted)


def _outage(event: Event) -> Outage:
    return Outage(event.target, event.start_ms, event.end_ms)


def voltage_v(plant: DcPlant, board: str, t_ms: int) -> float:
    """Of a board at an instant."""
    values: FloatArray = plant.at(t_ms).voltage_v
    return float(values[0, plant.board_index[board]])
