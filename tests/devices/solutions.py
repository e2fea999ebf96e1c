"""Consistent solutions made by hand: from voltages of boards and current spectra of circuits alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from virtual_digiware.profiles.installation import PHASES, Board, Circuit, Installation, Load, Phase, Source
from virtual_digiware.profiles.solution import ORDERS, ComplexArray, IntArray, Solution

A = np.exp(2j * np.pi / 3)
H = len(ORDERS)
BALANCED = 230.0 * np.array([1.0, A**2, A])


@dataclass(frozen=True)
class Bench:
    """Boards fed by one source each, and circuits on them: what the truth would say where everything is."""

    circuits: Mapping[str, str]
    """Circuit name -> board name."""
    phases: Mapping[str, tuple[Phase, ...]] = field(default_factory=dict)
    loads: tuple[Load, ...] = ()

    @cached_property
    def boards(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.circuits.values()))

    @cached_property
    def installation(self) -> Installation:
        return Installation(
            "bench",
            tuple(Source(f"source of {board}") for board in self.boards),
            tuple(Board(board, source=f"source of {board}") for board in self.boards),
            tuple(
                Circuit(name, board, phases=self.phases.get(name, PHASES))
                for name, board in self.circuits.items()
            ),
            self.loads,
        )

    @cached_property
    def circuit_index(self) -> Mapping[str, int]:
        return {name: index for index, name in enumerate(self.circuits)}

    @cached_property
    def board_index(self) -> Mapping[str, int]:
        return {name: index for index, name in enumerate(self.boards)}

    @cached_property
    def board_source(self) -> IntArray:
        return np.arange(len(self.boards))

    def solution(
        self, voltage_v: ComplexArray, current_a: ComplexArray, frequency_hz: float = 50.0, t_ms: int = 0
    ) -> Solution:
        """All else from voltages (M, 3[, H]) of boards and currents (K, 3[, H]), with a leading T or not."""
        voltage, current = _spectra(voltage_v, len(self.boards)), _spectra(current_a, len(self.circuits))
        own = [self.board_index[board] for board in self.circuits.values()]
        power = voltage[:, own] * np.conj(current)
        neutral = np.zeros((len(voltage), len(self.boards), H), complex)
        neutral[..., 0] = 0.5
        times = t_ms + 1000 * np.arange(len(voltage))
        return Solution(
            start_ms=times,
            end_ms=times,
            frequency_hz=np.full((len(voltage), len(self.boards)), frequency_hz),
            voltage_v=voltage,
            neutral_voltage_v=neutral,
            current_a=current[..., 0].copy(),
            current_rms_a=_rms(current),
            neutral_current_rms_a=_rms(current.sum(axis=2)),
            active_w=power.real.sum(axis=-1),
            reactive1_var=power.imag[..., 0].copy(),
            current_spectrum=lambda circuits: current[:, circuits],
            loss_w=np.zeros(current.shape[:2]),
        )


def _spectra(values: ComplexArray, count: int) -> ComplexArray:
    array = np.asarray(values, complex)
    if array.shape[-1] == 3:
        array = np.concatenate([array[..., None], np.zeros((*array.shape, H - 1), complex)], axis=-1)
    array = array.reshape(-1, count, 3, H)
    return array


def _rms(spectrum: ComplexArray) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.sqrt(np.sum(np.abs(spectrum) ** 2, axis=-1))
