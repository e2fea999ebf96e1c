"""Which supply each board has while transfer switches and couplers stand in certain positions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from virtual_digiware.profiles.generating_set import Run
from virtual_digiware.profiles.installation import Board, Circuit, Event, Installation
from virtual_digiware.profiles.tree import InstallationError

OPEN, FORWARD, BACKWARD, FIRST_OFF, SECOND_OFF = range(5)
"""States of a coupler: open; the first board supplies the second, or the second the first; open while a board
has been cut off from its source and is not yet taken over."""


@dataclass(frozen=True, slots=True)
class SwitchState:
    """Where all switches stand."""

    positions: tuple[int, ...]
    """Of each transfer: 1 or 2, the source it is closed on; 0 open."""
    couplers: tuple[int, ...]
    """Of each coupler: one of the states above."""


@dataclass(frozen=True)
class SwitchCourse:
    """Where the switches stood, stand and will stand, and when generating sets were told to run."""

    edges_ms: tuple[int, ...]
    """When something moved; state n + 1 holds from edge n on."""
    states: tuple[SwitchState, ...]
    further_ms: tuple[int, ...] = ()
    """Other instants between which the voltage of generating sets is smooth."""
    runs: Mapping[str, tuple[Run, ...]] = field(default_factory=dict)

    def at(self, t_ms: int) -> SwitchState:
        """The state at an instant."""
        return self.states[bisect_right(self.edges_ms, t_ms)]


class Switchgear(Protocol):
    """What decides about the switches: a function of the installation's events alone."""

    def course(self, events: Sequence[Event]) -> SwitchCourse:
        """The course under these events, those to come included."""


@dataclass(frozen=True)
class Arrangement:
    """The installation as it is wired in one state of the switches."""

    installation: Installation
    cut: frozenset[str]
    """Boards without any supply."""
    off: tuple[str, ...]
    """Incomers whose breaker is open although their board is supplied."""
    turned: tuple[str, ...]
    """Couplers that carry power from their second board to their first."""


def arranged(installation: Installation, state: SwitchState) -> Arrangement:
    """Wire the boards as the switches say. Raises InstallationError."""
    boards = {board.name: board for board in installation.boards}
    circuits = {circuit.name: circuit for circuit in installation.circuits}
    cut: set[str] = set()
    off: list[str] = []
    turned: list[str] = []
    for transfer, position in zip(installation.transfers, state.positions, strict=True):
        for name, board in boards.items():
            if board.transfer != transfer.name:
                continue
            way = max(position, 1) - 1
            feeder = transfer.feeders[way] if position else None
            boards[name] = Board(name, None if feeder else transfer.sources[way], feeder)
            if not position:
                cut.add(name)
    for coupler, stands in zip(installation.couplers, state.couplers, strict=True):
        first, second = coupler.boards
        if stands == OPEN:
            continue
        lost = second if stands in (FORWARD, SECOND_OFF) else first
        off += [one.name for one in circuits.values() if one.board == lost and one.kind == "incomer"]
        if stands in (FIRST_OFF, SECOND_OFF):
            boards[lost] = Board(lost, _root_source(boards, circuits, lost))
            cut.add(lost)
            continue
        boards[lost] = Board(lost, feeder=coupler.name)
        if stands == BACKWARD:
            circuits[coupler.name] = replace(circuits[coupler.name], board=second)
            turned.append(coupler.name)
    wired = replace(installation, boards=tuple(boards.values()), circuits=tuple(circuits.values()))
    return Arrangement(wired, frozenset(cut), tuple(off), tuple(turned))


def _root_source(boards: Mapping[str, Board], circuits: Mapping[str, Circuit], name: str) -> str:
    for _ in boards:
        board = boards[name]
        if board.source is not None:
            return board.source
        if board.feeder is None:
            break
        name = circuits[board.feeder].board
    raise InstallationError(name, "is fed by itself or by nothing")


def switched_boards(installation: Installation) -> list[str]:
    """Boards whose source can change, in the order of the description."""
    coupled = {board for coupler in installation.couplers for board in coupler.boards}
    return [board.name for board in installation.boards if board.transfer or board.name in coupled]
