"""Waveforms of one circuit at one time, written as CSV or as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.simulator.yaml_text import near_miss

if TYPE_CHECKING:
    from virtual_digiware.profiles.truth import Truth
    from virtual_digiware.profiles.waveform import Waveforms


class CircuitUnknown(Exception):
    """No circuit of that name in the site."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"no circuit `{name}`; the site has {', '.join(known)}.{near_miss(name, known)}")


class NothingToShow(Exception):
    """There is no voltage, so there are no cycles either."""


def waveforms_of(truth: Truth, circuit: str, t_ms: int, cycles: float) -> Waveforms:
    """Voltages of the circuit's board and the circuit's currents, from the truth at one time.

    Raises:
        CircuitUnknown: no such circuit.
        NothingToShow: the source is interrupted at that time.
    """
    import numpy as np

    from virtual_digiware.profiles.waveform import circuit_waveforms

    if circuit not in truth.circuit_index:
        raise CircuitUnknown(circuit, list(truth.circuit_index))
    number = truth.circuit_index[circuit]
    board = truth.board_index[truth.installation.circuits[number].board]
    solution = truth.at(np.array([t_ms], dtype=np.int64))
    frequency_hz = float(solution.frequency_hz[0, truth.circuit_source[number]])
    if frequency_hz == 0:
        raise NothingToShow(f"the source of {circuit} is interrupted at that time")
    currents = solution.current_spectrum(np.array([number], dtype=np.int64))
    return circuit_waveforms(solution.voltage_v[0, board], currents[0, 0], frequency_hz, cycles)


def waveforms_csv(waveforms: Waveforms) -> str:
    """One row a sample: seconds, volts and amperes."""
    header = "time_s,voltage_l1_n,voltage_l2_n,voltage_l3_n,current_l1,current_l2,current_l3,current_n\n"
    columns = [waveforms.time_s, *waveforms.voltage_v, *waveforms.current_a, waveforms.neutral_a]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return header + "".join(f"{row[0]:.7f}," + ",".join(f"{x:.6g}" for x in row[1:]) + "\n" for row in rows)
