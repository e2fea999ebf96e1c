"""What an electrical installation consists of: sources, boards, circuits and loads, as plain descriptions.

Nothing here is computed; `truth.py` compiles a description into arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["L1", "L2", "L3"]
PHASES: tuple[Phase, ...] = ("L1", "L2", "L3")
CircuitKind = Literal["loads", "feeder", "incomer"]


@dataclass(frozen=True, slots=True)
class Genset:
    """How a generating set starts and answers to load; shares are of nominal, steps of its rating.

    Source: ISO 8528-5, performance class G2, for droop and transients; start times are engineering judgement.
    """

    droop: float = 0.05
    frequency_dip: float = 0.13
    """Depth of the frequency's excursion for a step of the whole rating."""
    voltage_dip: float = 0.20
    crank_ms: tuple[int, int] = (2000, 4000)
    """Shortest and longest."""
    run_up_ms: tuple[int, int] = (6000, 10_000)
    """From the end of cranking until nominal speed is first passed."""
    overshoot: tuple[float, float] = (0.03, 0.05)
    distortion: float = 0.02
    """Total harmonic distortion of the open-circuit voltage."""


@dataclass(frozen=True, slots=True)
class Source:
    """A mains supply behind its transformer, or a generating set behind its reactance.

    `voltage_v` is the nominal phase-to-neutral voltage; the open-circuit voltage is
    `level` times that, moved by the behaviour of the mains (physics: EMF).
    """

    name: str
    voltage_v: float = 230.0
    frequency_hz: float = 50.0
    rated_va: float = 400e3
    short_circuit_percent: float = 4.0
    load_loss_percent: float = 1.1
    level: float = 1.02
    genset: Genset | None = None
    """Not mains but a generating set: without voltage unless it has been started."""


@dataclass(frozen=True, slots=True)
class Cable:
    """Series impedance of a feeder, ohm at nominal frequency, per phase and for the neutral."""

    resistance_ohm: float = 0.0
    reactance_ohm: float = 0.0
    neutral_resistance_ohm: float = 0.0
    neutral_reactance_ohm: float = 0.0


@dataclass(frozen=True, slots=True)
class Board:
    """A busbar. Exactly one of `source`, `feeder` (a circuit of another board) and `transfer` supplies it."""

    name: str
    source: str | None = None
    feeder: str | None = None
    transfer: str | None = None


@dataclass(frozen=True, slots=True)
class Circuit:
    """One branch of a board that a current sensor set can measure.

    kind `loads`: the loads that name this circuit; `feeder`: supplies the board that names it
    (over `cable`); `incomer`: the whole current of its own board (at most one per board).
    """

    name: str
    board: str
    kind: CircuitKind = "loads"
    phases: tuple[Phase, ...] = PHASES
    cable: Cable = field(default_factory=Cable)


@dataclass(frozen=True, slots=True)
class Recording:
    """A user's own recording, already parsed: step means, held constant between samples.

    `time_ms` int64 unix times, ascending; `active_w` and `reactive_var` of the load's total, same length.
    Before the first and after the last sample the recording repeats when `repeat`, else the load is off.
    """

    time_ms: tuple[int, ...]
    active_w: tuple[float, ...]
    reactive_var: tuple[float, ...]
    repeat: bool = True


@dataclass(frozen=True, slots=True)
class Load:
    """One consumer. `name` is unique in the site and seeds its own noise.

    `load_class` names an entry of `load_classes.yaml`; None values take the class's own.
    `phases`: one phase and `line_to_line=False` is 1P+N; two phases with `line_to_line=True` is 2P
    (connected between them); three phases is a three-phase load.
    """

    name: str
    circuit: str
    load_class: str
    nominal_w: float
    phases: tuple[Phase, ...] = PHASES
    line_to_line: bool = False
    power_factor: float | None = None
    profile: str | None = None
    recording: Recording | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer switch: supplies the board that names it from one of two sources, or from none.

    `feeders` are the circuits that bring the sources to it; None where it is connected to the source itself.
    """

    name: str
    sources: tuple[str, str]
    feeders: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Coupler:
    """A bus coupler between two boards. The circuit of its name, a feeder of the first board, is its breaker:
    power that flows from the first board to the second counts positive in it."""

    name: str
    boards: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Installation:
    """The whole installation; names are unique within each kind."""

    name: str
    sources: tuple[Source, ...]
    boards: tuple[Board, ...]
    circuits: tuple[Circuit, ...]
    loads: tuple[Load, ...]
    timezone: str = "UTC"
    transfers: tuple[Transfer, ...] = ()
    couplers: tuple[Coupler, ...] = ()


EventKind = Literal[
    "dip", "interruption", "open", "frequency", "no_start", "coupled", "order", "level", "load"
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to the installation between two instants (`end_ms` None: for good).

    kind `dip`: `target` is a source, parameter `residual` (0..1, of the EMF) and optional `phases`;
    kind `interruption`: `target` is a source; kind `open`: `target` is a circuit whose breaker is open;
    kind `frequency`: `target` is a source whose frequency is off by `shift_hz`;
    kind `level`: `target` is a source whose EMF is `factors` times what it would be, by phase;
    kind `load`: `target` is a circuit whose loads draw `factor` times their power;
    kind `no_start`: `target` is a generating set that does not start when it is told to;
    kind `coupled`: `target` is a coupler that somebody keeps closed;
    kind `order`: `target` is a transfer switch that is told `order` at `start_ms`.
    """

    start_ms: int
    end_ms: int | None
    kind: EventKind
    target: str
    residual: float = 0.0
    phases: tuple[Phase, ...] = PHASES
    shift_hz: float = 0.0
    order: str = ""
    factors: tuple[float, float, float] = (1.0, 1.0, 1.0)
    factor: float = 1.0
