"""Installations and load classes that the tests of the electrical truth are made on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from virtual_digiware.profiles.installation import (
    PHASES,
    Board,
    Cable,
    Circuit,
    Installation,
    Load,
    Phase,
    Source,
)
from virtual_digiware.profiles.library import LoadClass, load_classes
from virtual_digiware.profiles.solution import ORDERS

MONDAY_MS = 1_772_409_600_000
"""2026-03-02, a Monday, 00:00 UTC."""
HOUR_MS = 3_600_000
CABLE = Cable(0.02, 0.01, 0.03, 0.01)

_LINEAR = np.zeros((1, 1, len(ORDERS)), dtype=np.complex128)
_LINEAR[..., 0] = 1

QUIET = LoadClass(
    name="quiet",
    label="Constant power without any texture",
    source="By definition",
    profile="flat",
    mean_level=1.0,
    night_base=1.0,
    power_factor=1.0,
    leading=False,
    part_load=(),
    imbalance=0.0,
    kp=0.0,
    kq=0.0,
    kf=0.0,
    sigma=0.0,
    fluctuation=0.0,
    tau_s=600.0,
    weather=0.0,
    day_sigma=0.0,
    cycles=(),
    levels=(1.0,),
    spectra=_LINEAR,
)


def classes(**changed: LoadClass) -> dict[str, LoadClass]:
    """The library's classes, and those given."""
    return {**load_classes(), "quiet": QUIET, **changed}


def quiet(**changes: object) -> LoadClass:
    """A load class that does nothing but what the changes say."""
    return replace(QUIET, **changes)  # type: ignore[arg-type]


def one_board(*loads: Load, **source: float) -> Installation:
    """A source, a board with incomer, and a circuit for each load, named as the load's circuit."""
    circuits = {load.circuit: Circuit(load.circuit, "main") for load in loads}
    return Installation(
        "one board",
        (Source("T1", **source),),  # type: ignore[arg-type]
        (Board("main", source="T1"),),
        (Circuit("incomer", "main", kind="incomer"), *circuits.values()),
        loads,
        "Europe/Paris",
    )


def campus(loads: int = 40) -> Installation:
    """Everything at once: two sources, four levels of boards, all classes, all ways of connecting a load."""
    boards = (
        Board("hall", source="T1"),
        Board("annex", source="T1"),
        Board("floor", feeder="to floor"),
        Board("office", feeder="to office"),
        Board("corridor", feeder="to corridor"),
        Board("plant", source="T2"),
    )
    circuits = [
        Circuit("incomer 1", "hall", kind="incomer"),
        Circuit("incomer 2", "plant", kind="incomer"),
        Circuit("floor incomer", "floor", kind="incomer"),
        Circuit("to floor", "hall", kind="feeder", cable=CABLE),
        Circuit("to office", "floor", kind="feeder", cable=CABLE),
        Circuit("to corridor", "office", kind="feeder", phases=("L2",), cable=CABLE),
        Circuit("spare", "hall"),
    ]
    names = list(load_classes())
    described = []
    for index in range(loads):
        board = boards[index % len(boards)].name
        phases: tuple[Phase, ...] = PHASES
        is_between = False
        if board == "corridor":
            phases = ("L2",)
        elif index % 5 == 3:
            phases = (PHASES[index % 3],)
        elif index % 7 == 4:
            phases, is_between = (PHASES[index % 3], PHASES[(index + 1) % 3]), True
        elif index % 11 == 9:
            is_between = True
        # Every ninth load shares the circuit of one before it on the same board.
        home = index - len(boards) if index % 9 == 6 else index
        if home == index:
            lines: tuple[Phase, ...] = ("L2",) if board == "corridor" else PHASES
            circuits.append(Circuit(f"circuit {index}", board, phases=lines))
        described.append(
            Load(
                f"load {index}",
                f"circuit {home}",
                names[index % len(names)],
                2000.0 * (1 + index % 4),
                phases=phases,
                line_to_line=is_between,
            )
        )
    sources = (Source("T1", rated_va=250e3), Source("T2", rated_va=160e3, level=1.01))
    return Installation("campus", sources, boards, tuple(circuits), tuple(described), "Europe/Paris")
