"""How loads hang on the boards: elements between two conductors, and the legs that circuits measure.

A load has one *element* for each pair of conductors that it bridges: three for a three-phase load, one
for 1P+N, one for 2P. All elements between the same conductors of one board share a *terminal*, that is, a
voltage; elements of one terminal with equal voltage exponents form a *parcel*, whose powers can be added.
An element's current enters a board's phase as a *leg*: one leg from phase to neutral, two between phases.
Everything is sorted by names, so that sums do not depend on the order of the description.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.installation import PHASES, Installation, Load
from virtual_digiware.profiles.library import LoadClass
from virtual_digiware.profiles.noise import Stream, UintArray, normal
from virtual_digiware.profiles.solution import FloatArray, IntArray
from virtual_digiware.profiles.tree import InstallationError, Tree

_PAIRS = ((0, 1), (1, 2), (2, 0))
"""Conductors of the kinds 3, 4, 5 of a terminal; kinds 0, 1, 2 are a phase to neutral."""
_LINE_TO_LINE = 3


@dataclass(frozen=True)
class Connections:
    """N loads sorted by name, E elements, P parcels, L legs, G pairs of circuit and phase that have legs."""

    loads: tuple[Load, ...]
    """Sorted by name."""
    load_circuit: IntArray
    """(N,)"""
    load_source: IntArray
    """(N,)"""
    kinds: int
    """Kinds of terminals: 3, or 6 where loads between phases exist; a terminal is board * kinds + kind."""
    nominal_voltage_v: FloatArray
    """(M * kinds,)"""

    element_load: IntArray
    """(E,) sorted by terminal, exponents, load."""
    element_terminal: IntArray
    """(E,)"""
    element_share: FloatArray
    """(E,) of the load's power; those of a load add up to 1."""
    element_parcel: IntArray
    """(E,)"""
    parcel_starts: IntArray
    """(P,) first element of each parcel."""
    parcel_terminal: IntArray
    """(P,)"""
    parcel_exponents: FloatArray
    """(P, 2) kp and kq."""
    terminal_starts: IntArray
    """First parcel of each terminal that has one."""
    terminals: IntArray
    """Those terminals."""

    leg_element: IntArray
    """(L,) sorted by circuit, phase, load."""
    leg_sign: FloatArray
    """(L,) 1 where the element's current enters at this phase, -1 where it leaves."""
    leg_phase: IntArray
    """(L,) board * 3 + phase, boards in tree order."""
    leg_injection: IntArray
    """(L,) board * injections + kind for the entering leg, + kind + 3 for the leaving one."""
    leg_slot: IntArray
    """(L,) circuit * 3 + phase."""
    slot_starts: IntArray
    """(G,) first leg of each slot."""
    slots: IntArray
    """(G,)"""

    @property
    def injections(self) -> int:
        """Kinds of legs at a board: 3, or 9 where loads between phases exist."""
        return 3 if self.kinds == 3 else 9


def connect(
    installation: Installation, tree: Tree, classes: Mapping[str, LoadClass], keys: Mapping[str, int]
) -> Connections:
    """Compile the loads of an installation.

    Args:
        installation: Its circuits and loads.
        tree: Its boards.
        classes: Load classes by name.
        keys: Noise key of each load by name, for the hashed imbalance of three-phase loads.

    Raises:
        InstallationError: A load on a circuit that does not exist or cannot carry it.
    """
    loads = tuple(sorted(installation.loads, key=lambda load: load.name))
    circuit_index = {circuit.name: index for index, circuit in enumerate(installation.circuits)}
    _check(installation, loads, circuit_index, classes)
    imbalance = _imbalance(np.array([keys[load.name] for load in loads], dtype=np.uint64))
    has_pairs = any(load.line_to_line for load in loads)
    kinds = 6 if has_pairs else 3
    injections = 9 if has_pairs else 3

    rows: list[tuple[int, float, float, int, int, float]] = []  # terminal, kp, kq, load, kind, share
    for n, load in enumerate(loads):
        board = tree.position[installation.circuits[circuit_index[load.circuit]].board]
        load_class = classes[load.load_class]
        # A recording is what was measured: it does not answer to voltage a second time.
        kp, kq = (0.0, 0.0) if load.recording else (load_class.kp, load_class.kq)
        spread = imbalance[n] * load_class.imbalance if len(load.phases) == 3 else np.zeros(3)
        conductors = _kinds(load)
        for place, kind in enumerate(conductors):
            share = (1.0 + float(spread[place])) / len(conductors)
            rows.append((board * kinds + kind, kp, kq, n, kind, share))
    rows.sort()

    terminal = np.array([row[0] for row in rows], dtype=np.int64)
    exponents = np.array([row[1:3] for row in rows], dtype=np.float64).reshape(len(rows), 2)
    changes = np.ones(len(rows), dtype=bool)
    changes[1:] = (np.diff(terminal) != 0) | np.any(np.diff(exponents, axis=0) != 0, axis=1)
    parcel_starts = np.flatnonzero(changes)
    parcel_terminal = terminal[parcel_starts]
    terminals, terminal_starts = np.unique(parcel_terminal, return_index=True)

    legs: list[tuple[int, int, int, float, int, int]] = []  # slot, load, element, sign, phase, injection
    for element, (place, _, _, n, kind, _) in enumerate(rows):
        board = place // kinds
        slot = 3 * circuit_index[loads[n].circuit]
        if kind < _LINE_TO_LINE:
            legs.append((slot + kind, n, element, 1.0, board * 3 + kind, board * injections + kind))
            continue
        first, second = _PAIRS[kind - _LINE_TO_LINE]
        legs.append((slot + first, n, element, 1.0, board * 3 + first, board * injections + kind))
        legs.append((slot + second, n, element, -1.0, board * 3 + second, board * injections + kind + 3))
    legs.sort()
    leg_slot = np.array([leg[0] for leg in legs], dtype=np.int64)
    slots, slot_starts = np.unique(leg_slot, return_index=True)

    voltage = np.array([installation.sources[s].voltage_v for s in tree.source])
    per_kind = np.array([1.0, 1.0, 1.0, 3**0.5, 3**0.5, 3**0.5])[:kinds]
    load_circuit = np.array([circuit_index[load.circuit] for load in loads], dtype=np.int64)
    load_board = [tree.position[installation.circuits[index].board] for index in load_circuit]
    return Connections(
        loads=loads,
        load_circuit=load_circuit,
        load_source=tree.source[np.array(load_board, dtype=np.int64)],
        kinds=kinds,
        nominal_voltage_v=(voltage[:, None] * per_kind).ravel(),
        element_load=np.array([row[3] for row in rows], dtype=np.int64),
        element_terminal=terminal,
        element_share=np.array([row[5] for row in rows], dtype=np.float64),
        element_parcel=np.cumsum(changes) - 1,
        parcel_starts=parcel_starts,
        parcel_terminal=parcel_terminal,
        parcel_exponents=exponents[parcel_starts],
        terminal_starts=terminal_starts,
        terminals=terminals,
        leg_element=np.array([leg[2] for leg in legs], dtype=np.int64),
        leg_sign=np.array([leg[3] for leg in legs], dtype=np.float64),
        leg_phase=np.array([leg[4] for leg in legs], dtype=np.int64),
        leg_injection=np.array([leg[5] for leg in legs], dtype=np.int64),
        leg_slot=leg_slot,
        slot_starts=slot_starts,
        slots=slots,
    )


def _kinds(load: Load) -> list[int]:
    """Terminal kinds that the load bridges; three phases and `line_to_line` is a delta."""
    places = [PHASES.index(phase) for phase in load.phases]
    if not load.line_to_line:
        return sorted(places)
    return [
        _LINE_TO_LINE + index
        for index, (first, second) in enumerate(_PAIRS)
        if first in places and second in places
    ]


def _imbalance(keys: UintArray) -> FloatArray:
    """Deviations of three phases' shares in units of the class's imbalance: (N, 3), each row adds to 0."""
    drawn = normal(keys[:, None], Stream.IMBALANCE, np.arange(3))
    # Divided so that a single phase's deviation keeps standard deviation 1 without the mean.
    deviations: FloatArray = (drawn - drawn.mean(axis=1, keepdims=True)) * (3 / 2) ** 0.5
    return deviations


def _check(
    installation: Installation,
    loads: tuple[Load, ...],
    circuit_index: Mapping[str, int],
    classes: Mapping[str, LoadClass],
) -> None:
    last = ""
    for load in loads:
        if load.name == last:
            raise InstallationError(load.name, "two loads have this name")
        last = load.name
        if load.load_class not in classes:
            raise InstallationError(
                load.name, f"no load class {load.load_class!r}; known: {', '.join(classes)}"
            )
        if load.circuit not in circuit_index:
            raise InstallationError(load.name, f"no circuit {load.circuit!r}")
        circuit = installation.circuits[circuit_index[load.circuit]]
        if circuit.kind != "loads":
            raise InstallationError(load.name, f"circuit {circuit.name!r} is a {circuit.kind}, not for loads")
        if not load.phases or len(set(load.phases)) < len(load.phases):
            raise InstallationError(load.name, "phases must be one to three different ones")
        if load.line_to_line and len(load.phases) < 2:
            raise InstallationError(load.name, "a load between phases needs at least two")
        missing = [phase for phase in load.phases if phase not in circuit.phases]
        if missing:
            raise InstallationError(load.name, f"circuit {circuit.name!r} has no {missing[0]}")
        if not load.nominal_w > 0:
            raise InstallationError(load.name, f"nominal power must be above 0 W, found {load.nominal_w:g}")
        if load.power_factor is not None and not 0 < abs(load.power_factor) <= 1:
            raise InstallationError(load.name, f"power factor must be in 0..1, found {load.power_factor:g}")
