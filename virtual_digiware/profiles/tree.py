"""The tree of boards behind each source, compiled to arrays: who feeds whom, through which impedance.

Boards are renumbered so that all boards of one depth lie side by side, those of one parent together, by
name: sums are then taken in an order that the order of the description cannot change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from virtual_digiware.profiles.installation import PHASES, Board, Circuit, Installation, Source
from virtual_digiware.profiles.solution import ORDERS, ComplexArray, FloatArray, IntArray


class InstallationError(ValueError):
    """The description cannot be an installation; `name` is the thing that is wrong, `reason` says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True)
class Impedance:
    """Series impedances of n branches, ohm, repeated for the three phases.

    The phases are not left to broadcasting: numpy rounds a complex product differently where one operand is
    a single number, and whether it is would depend on how many times are asked.
    """

    fundamental: ComplexArray
    """(n, 3)"""
    harmonics: ComplexArray
    """(n, 3, H-1)"""

    @classmethod
    def of(cls, branches: Sequence[complex]) -> Impedance:
        """From R + jX of each branch at nominal frequency."""
        orders = np.array(ORDERS)
        nominal = np.array(branches, dtype=np.complex128).reshape(-1, 1)
        over_orders = np.repeat((nominal.real + 1j * orders * nominal.imag)[:, None], 3, axis=1)
        return cls(over_orders[..., 0].copy(), over_orders[..., 1:].copy())


@dataclass(frozen=True)
class Level:
    """Boards of one depth below the roots, n of them; positions are in tree order."""

    boards: slice
    parent: IntArray
    """(n,) position of each board's parent, ascending."""
    parents: IntArray
    """(p,) the same without repetition."""
    starts: IntArray
    """(p,) where each parent's children begin inside the level."""
    impedance: Impedance
    """Of the feeder's cable, a phase."""
    neutral_impedance: Impedance
    has_neutral_impedance: bool


@dataclass(frozen=True)
class Tree:
    """M boards in tree order below S sources (in the order of the description)."""

    order: IntArray
    """(M,) place in the description of each board in tree order."""
    position: dict[str, int]
    """Position in tree order by name."""
    source: IntArray
    """(M,) source of each board."""
    parent: IntArray
    """(M,) position of the parent, -1 for a root."""
    feeder: IntArray
    """(M,) circuit that feeds the board, -1 for a root."""
    roots: slice
    supplied: IntArray
    """(s,) sources that supply a board, in the order of the roots."""
    root_starts: IntArray
    """(s,) where each one's roots begin."""
    root_place: IntArray
    """(roots,) index into `supplied` of each root."""
    source_impedance: Impedance
    """Of the supplied sources."""
    levels: tuple[Level, ...]
    """Depth 1, 2, ..."""
    live: FloatArray
    """(M, 3) 1 where the phase reaches the board, else 0."""

    @property
    def has_neutral_impedance(self) -> bool:
        """Whether any neutral can rise above the star point."""
        return any(level.has_neutral_impedance for level in self.levels)

    def collect(self, current: ComplexArray) -> ComplexArray:
        """Currents of each board's own loads (T, M, 3, ...) to those of all that is behind it, in place."""
        for level in reversed(self.levels):
            current[:, level.parents] += np.add.reduceat(current[:, level.boards], level.starts, axis=1)
        return current

    def drop(self, emf: ComplexArray, current: ComplexArray, live: FloatArray | None) -> ComplexArray:
        """Voltages of the boards, phase to local neutral, at the fundamental.

        Args:
            emf: (T, S, 3) behind the source's impedance.
            current: (T, M, 3) flowing into each board.
            live: (T or 1, M, 3), 0 where a board is cut off from its parent; None for nowhere.
        """
        return self._drop(emf, current, live, lambda impedance: impedance.fundamental)

    def drop_harmonics(
        self, emf: ComplexArray, current: ComplexArray, live: FloatArray | None
    ) -> ComplexArray:
        """The same for the orders above the first: emf (T, S, 3, H-1), current (T, M, 3, H-1)."""
        above = None if live is None else live[..., None]
        return self._drop(emf, current, above, lambda impedance: impedance.harmonics)

    def _drop(
        self,
        emf: ComplexArray,
        current: ComplexArray,
        live: FloatArray | None,
        at_orders: Callable[[Impedance], ComplexArray],
    ) -> ComplexArray:
        voltage = np.empty_like(current)
        total = current[:, self.roots]
        if self.supplied.size < self.root_place.size:
            total = np.add.reduceat(total, self.root_starts, axis=1)
        busbar = emf.take(self.supplied, axis=1) - at_orders(self.source_impedance) * total
        roots = busbar.take(self.root_place, axis=1)
        voltage[:, self.roots] = roots if live is None else roots * live[:, self.roots]
        for level in self.levels:
            through = current[:, level.boards]
            below = voltage.take(level.parent, axis=1) - at_orders(level.impedance) * through
            if level.has_neutral_impedance:
                below -= at_orders(level.neutral_impedance) * _returning(through)
            if live is not None:
                below *= live[:, level.boards]
            voltage[:, level.boards] = below
        return voltage

    def neutral_voltage(self, current: ComplexArray, harmonics: ComplexArray) -> ComplexArray:
        """Voltage of each board's neutral against the source's star point: (T, M, H).

        Args:
            current: (T, M, 3) fundamental into each board.
            harmonics: (T, M, 3, H-1)
        """
        rise = np.zeros((*current.shape[:2], len(ORDERS)), dtype=np.complex128)
        for level in self.levels:
            boards = level.boards
            rise[:, boards] = rise.take(level.parent, axis=1)
            if level.has_neutral_impedance:
                impedance = level.neutral_impedance
                first = impedance.fundamental * _returning(current[:, boards])
                above = impedance.harmonics * _returning(harmonics[:, boards])
                rise[:, boards, 0] += first[:, :, 0]
                rise[:, boards, 1:] += above[:, :, 0]
        return rise


def _returning(through: ComplexArray) -> ComplexArray:
    """Sum of the three phases (T, n, 3, ...), repeated for each of them."""
    neutral = through[:, :, :1] + through[:, :, 1:2] + through[:, :, 2:]
    return neutral.repeat(3, axis=2)


def source_impedance(source: Source) -> complex:
    """Series impedance of the source's transformer, ohm a phase at nominal frequency.

    Magnitude from the short-circuit voltage, resistance from the load loss, both percent of the rating.
    """
    base_ohm = 3 * source.voltage_v**2 / source.rated_va
    magnitude = source.short_circuit_percent / 100 * base_ohm
    resistance = source.load_loss_percent / 100 * base_ohm
    if resistance > magnitude:
        raise InstallationError(source.name, "the load loss cannot exceed the short-circuit voltage")
    return complex(resistance, (magnitude**2 - resistance**2) ** 0.5)


def _unique(things: Iterable[Source | Board | Circuit], kind: str) -> None:
    seen: set[str] = set()
    for thing in things:
        if thing.name in seen:
            raise InstallationError(thing.name, f"two {kind} have this name")
        seen.add(thing.name)


def _check(installation: Installation) -> None:
    _unique(installation.sources, "sources")
    _unique(installation.boards, "boards")
    _unique(installation.circuits, "circuits")
    sources = {source.name for source in installation.sources}
    boards = {board.name for board in installation.boards}
    circuits = {circuit.name: circuit for circuit in installation.circuits}
    fed: set[str] = set()
    for board in installation.boards:
        if (board.source is None) == (board.feeder is None):
            raise InstallationError(board.name, "a board has either a source or a feeder")
        if board.source is not None and board.source not in sources:
            raise InstallationError(board.name, f"no source {board.source!r}")
        if board.feeder is not None:
            if board.feeder not in circuits or circuits[board.feeder].kind != "feeder":
                raise InstallationError(board.name, f"no circuit {board.feeder!r} of kind feeder")
            if board.feeder in fed:
                raise InstallationError(board.feeder, "feeds two boards")
            fed.add(board.feeder)
    incomers: set[str] = set()
    for circuit in installation.circuits:
        if circuit.board not in boards:
            raise InstallationError(circuit.name, f"no board {circuit.board!r}")
        if circuit.kind == "incomer":
            if circuit.board in incomers:
                raise InstallationError(circuit.name, "its board has another incomer")
            incomers.add(circuit.board)


def plant(installation: Installation, cut: Collection[str] = ()) -> Tree:
    """Compile the tree of boards; those in `cut` have no supply at present. Raises InstallationError."""
    _check(installation)
    boards = {board.name: board for board in installation.boards}
    circuits = {circuit.name: circuit for circuit in installation.circuits}
    circuit_index = {circuit.name: index for index, circuit in enumerate(installation.circuits)}
    source_index = {source.name: index for index, source in enumerate(installation.sources)}
    described = {board.name: index for index, board in enumerate(installation.boards)}
    roots = sorted((board.source, board.name) for board in boards.values() if board.source is not None)
    children: dict[str, list[str]] = {name: [] for name in boards}
    for board in installation.boards:
        if board.feeder is not None:
            children[circuits[board.feeder].board].append(board.name)

    names = [name for _, name in roots]
    parent = [-1] * len(names)
    bounds = [0, len(names)]
    while bounds[-1] > bounds[-2]:
        for place in range(bounds[-2], bounds[-1]):
            for child in sorted(children[names[place]]):
                names.append(child)
                parent.append(place)
        bounds.append(len(names))
    if len(names) < len(boards):
        lost = sorted(boards.keys() - set(names))[0]
        raise InstallationError(lost, "is fed by itself or by nothing")

    position = {name: index for index, name in enumerate(names)}
    source = np.zeros(len(names), dtype=np.int64)
    live = np.ones((len(names), 3))
    feeder = np.full(len(names), -1, dtype=np.int64)
    for index, name in enumerate(names):
        board = boards[name]
        if board.feeder is None:
            source[index] = source_index[board.source or ""]
            live[index] = float(name not in cut)
            continue
        circuit = circuits[board.feeder]
        feeder[index] = circuit_index[board.feeder]
        source[index] = source[parent[index]]
        live[index] = live[parent[index]] * [phase in circuit.phases for phase in PHASES]
    root_sources = source[: len(roots)]
    starts = np.flatnonzero(np.diff(root_sources, prepend=-1))
    supplied = root_sources[starts]
    return Tree(
        order=np.array([described[name] for name in names], dtype=np.int64),
        position=position,
        source=source,
        parent=np.array(parent, dtype=np.int64),
        feeder=feeder,
        roots=slice(0, len(roots)),
        supplied=supplied,
        root_starts=starts,
        root_place=np.repeat(np.arange(starts.size), np.diff(starts, append=len(roots))),
        source_impedance=Impedance.of([source_impedance(installation.sources[s]) for s in supplied]),
        levels=tuple(
            _level(installation, parent, feeder, first, last)
            for first, last in pairwise(bounds[1:])
            if last > first
        ),
        live=live,
    )


def _level(installation: Installation, parent: list[int], feeder: IntArray, first: int, last: int) -> Level:
    cables = [installation.circuits[index].cable for index in feeder[first:last]]
    parents, starts = np.unique(parent[first:last], return_index=True)
    phase = [complex(cable.resistance_ohm, cable.reactance_ohm) for cable in cables]
    neutral = [complex(cable.neutral_resistance_ohm, cable.neutral_reactance_ohm) for cable in cables]
    return Level(
        boards=slice(first, last),
        parent=np.array(parent[first:last], dtype=np.int64),
        parents=parents,
        starts=starts,
        impedance=Impedance.of(phase),
        neutral_impedance=Impedance.of(neutral),
        has_neutral_impedance=any(neutral),
    )
