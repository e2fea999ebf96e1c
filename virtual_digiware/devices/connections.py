"""What is connected where: sensors on conductors, slots of current modules, voltage taps of U modules.

Plain descriptions only; `wiring.py` compiles them into arrays. Settings written by a client and
faults of the electrician are both told by replacing these descriptions: a setting changes what the
module believes (`phase`, `direction`, `network`), a fault changes what is (`encloses`, `ratio`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from virtual_digiware.devices.layout import Allocation, ModuleLayout, NetworkType, SiteLayout
from virtual_digiware.profiles.installation import Circuit, Installation, Phase

Conductor = Phase | Literal["N"]

SENSOR_COUNTS: Mapping[NetworkType, tuple[int, ...]] = {
    "1P+N": (1,),
    "2P": (1,),
    "2P+N": (2,),
    "3P": (1, 2, 3),
    "3P+N": (1, 3, 4),
}
"""Load wirings known to the family. Source: MODBUS tables of DIRIS B30, V 153.745, table of load settings."""


class WiringError(ValueError):
    """A layout that cannot be wired. `unit` is the module's path, `reason` says what would be right."""

    def __init__(self, unit: str, reason: str) -> None:
        super().__init__(f"{unit}: {reason}")
        self.unit = unit
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CurrentInput:
    """One current input of a slot: what it really measures, and what the module takes it for.

    `encloses` None is an open or missing sensor. `ratio` is signal / (true current x configured
    ratio): -1 for a sensor put on backwards, 0.5 for half the ratio. `phase` None is the register
    value "undefined". A correct sensor has `ratio` equal to `direction`.
    """

    encloses: Conductor | None
    phase: Conductor | None
    ratio: complex = 1.0
    direction: int = 1


@dataclass(frozen=True, slots=True)
class Slot:
    """One circuit measured by a current module: number `slot` (from 0) of the module at path `unit`.

    `lines` are the two phases between which a 2P circuit lies. `tap` is the index of the voltage
    tap on the same Digiware bus; None: the bus has no U module, so there are currents but no powers.
    """

    unit: str
    slot: int
    circuit: str
    network: NetworkType
    inputs: tuple[CurrentInput, ...]
    nominal_a: float
    tap: int | None
    lines: tuple[Phase, Phase] = ("L1", "L2")
    is_enabled: bool = True
    is_sampled: bool = False
    saturates_at: float | None = None
    """RMS current, of nominal, from which on a sine is clipped; None for sensors that do not saturate."""


@dataclass(frozen=True, slots=True)
class Tap:
    """The voltage inputs V1, V2, V3 of the U module at path `unit`: conductors of `board` and ratios.

    A conductor None is a blown fuse or a missing wire: the input reads 0 V.
    """

    unit: str
    board: str
    network: NetworkType = "3P+N"
    conductors: tuple[Phase | None, Phase | None, Phase | None] = ("L1", "L2", "L3")
    ratios: tuple[complex, complex, complex] = (1.0, 1.0, 1.0)
    is_sampled: bool = False


def connect(layout: SiteLayout, installation: Installation) -> tuple[tuple[Slot, ...], tuple[Tap, ...]]:
    """All slots (gateways, modules, allocations, then meters) and all taps, connected as planned.

    Raises:
        WiringError: An unknown circuit or board, sensors that do not fit the network type, or a sensor on
            a phase that the circuit does not have.
    """
    circuits = {circuit.name: circuit for circuit in installation.circuits}
    boards = {board.name for board in installation.boards}
    slots: list[Slot] = []
    taps: list[Tap] = []
    for gateway in layout.gateways:
        tap: int | None = None
        for module in gateway.modules:
            if module.board is None:
                continue
            unit = f"{gateway.name}/{module.name}"
            if module.board not in boards:
                raise WiringError(
                    unit, f"no board named {module.board!r}; boards: {', '.join(sorted(boards))}"
                )
            # Of two U modules on one bus the first gives the reference; the other shows its own voltages.
            tap = len(taps) if tap is None else tap
            is_sampled = module.measurement == "sampled"
            taps.append(Tap(unit, module.board, module.network, is_sampled=is_sampled))
        for module in gateway.modules:
            unit = f"{gateway.name}/{module.name}"
            slots.extend(_slots_of(unit, module, circuits, tap))
    for meter in layout.meters:
        one = meter.module
        if one.board is None or one.board not in boards:
            raise WiringError(one.name, f"no board named {one.board!r}; boards: {', '.join(sorted(boards))}")
        slots.extend(_slots_of(one.name, one, circuits, len(taps)))
        taps.append(Tap(one.name, one.board, one.network, is_sampled=one.measurement == "sampled"))
    return tuple(slots), tuple(taps)


def _slots_of(
    unit: str, module: ModuleLayout, circuits: Mapping[str, Circuit], tap: int | None
) -> list[Slot]:
    slots = []
    for number, allocation in enumerate(module.allocations):
        circuit = circuits.get(allocation.circuit)
        if circuit is None:
            raise WiringError(unit, f"no circuit named {allocation.circuit!r}")
        _check(unit, allocation, circuit)
        inputs = tuple(
            CurrentInput(encloses=phase, phase=phase, ratio=float(direction), direction=direction)
            for phase, direction in zip(allocation.phases, allocation.directions, strict=True)
        )
        slots.append(
            Slot(
                unit=unit,
                slot=number,
                circuit=circuit.name,
                network=allocation.network,
                inputs=inputs,
                nominal_a=allocation.nominal_a,
                tap=tap,
                lines=_lines(circuit, allocation),
                is_sampled=module.measurement == "sampled",
            )
        )
    return slots


def _check(unit: str, allocation: Allocation, circuit: Circuit) -> None:
    counts = SENSOR_COUNTS[allocation.network]
    phases = allocation.phases
    where = f"circuit {allocation.circuit!r}"
    if len(phases) not in counts:
        wanted = " or ".join(map(str, counts))
        raise WiringError(unit, f"{where}: {allocation.network} takes {wanted} sensors, not {len(phases)}")
    if len(allocation.inputs) != len(phases) or len(allocation.directions) != len(phases):
        raise WiringError(unit, f"{where}: inputs, phases and directions must have the same length")
    if len(set(phases)) != len(phases):
        raise WiringError(unit, f"{where}: two sensors on one phase: {', '.join(phases)}")
    if ("N" in phases) != (len(phases) == 4):
        raise WiringError(unit, f"{where}: N belongs to the fourth sensor of 3P+N, and only there")
    missing = [phase for phase in phases if phase != "N" and phase not in circuit.phases]
    if missing:
        raise WiringError(unit, f"{where} has {', '.join(circuit.phases)}, no {', '.join(missing)}")
    if any(direction not in (1, -1) for direction in allocation.directions):
        raise WiringError(unit, f"{where}: a direction is 1 or -1")


def _lines(circuit: Circuit, allocation: Allocation) -> tuple[Phase, Phase]:
    """Phases of a 2P circuit; where the circuit has three, the sensor's and the next one."""
    if len(circuit.phases) == 2:
        return circuit.phases[0], circuit.phases[1]
    following: Mapping[str, tuple[Phase, Phase]] = {
        "L1": ("L1", "L2"),
        "L2": ("L2", "L3"),
        "L3": ("L3", "L1"),
    }
    return following.get(allocation.phases[0], ("L1", "L2"))
