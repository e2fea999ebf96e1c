"""From the `circuits` of a current module to allocations: networks, inputs and sensors, defaults filled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from virtual_digiware.devices.connections import SENSOR_COUNTS
from virtual_digiware.devices.layout import Allocation, NetworkType
from virtual_digiware.devices.sensors import Sensor, sensors
from virtual_digiware.profiles.installation import Phase
from virtual_digiware.simulator.site_checks import circuit_named
from virtual_digiware.simulator.site_models import Circuit, Meter, Module, Site, Wiring
from virtual_digiware.simulator.yaml_text import KeyPath, near_miss

USUAL_SENSOR_COUNTS: dict[NetworkType, int] = {"1P+N": 1, "2P": 1, "2P+N": 2, "3P": 3, "3P+N": 3}
"""Sensors of a circuit whose `inputs` the file leaves open; `SENSOR_COUNTS` has what is possible."""

PHASE_COUNTS: dict[NetworkType, int] = {"1P+N": 1, "2P": 2, "2P+N": 2, "3P": 3, "3P+N": 3}
TYPICAL_POWER_FACTOR = 0.85


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong with a module's wiring; `path` is relative to the module."""

    path: KeyPath
    found: object
    right: str


@dataclass(slots=True)
class Wired:
    """Allocations of the circuits that could be wired, and the mistakes of the others."""

    allocations: list[Allocation] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


def wire(site: Site, module: Module | Meter, input_count: int, product: str) -> Wired:
    """Allocate the inputs of a module, or of a meter, to its circuits, in the order of the file.

    Args:
        input_count: current inputs of the product.
        product: its name, for messages.
    """
    wired = Wired()
    # Inputs that the file names are spoken for before any default takes "the next free".
    named = {number for wiring in module.circuits for number in wiring.inputs or ()}
    free = [number for number in range(1, input_count + 1) if number not in named]
    used: dict[int, str] = {}
    for slot, wiring in enumerate(module.circuits):
        found = circuit_named(site, wiring.circuit)
        if found is None:
            continue
        _, circuit = found
        path: KeyPath = ("circuits", slot)
        before = len(wired.mistakes)
        network = wiring.network or default_network(circuit)
        if PHASE_COUNTS[network] > len(circuit.phases):
            right = f"a network type for the phases of {wiring.circuit}: {', '.join(circuit.phases)}"
            wired.mistakes.append(Mistake((*path, "network"), network, right))
        inputs = _inputs(wiring, network, free, used, (path, input_count, product), wired)
        phases = _phases(wiring, network, circuit, len(inputs), path, wired)
        sensor, nominal_a = _sensor(site, wiring, path, wired)
        if len(wired.mistakes) == before:
            direction = -1 if wiring.reversed else 1
            wired.allocations.append(
                Allocation(
                    circuit=wiring.circuit,
                    network=network,
                    inputs=tuple(inputs),
                    phases=tuple(phases),
                    directions=(direction,) * len(inputs),
                    nominal_a=nominal_a,
                    sensor=sensor,
                )
            )
    return wired


def default_network(circuit: Circuit) -> NetworkType:
    """What is measured when the file does not say: every phase of the circuit, with its neutral."""
    if len(circuit.phases) == 1:
        return "1P+N"
    if len(circuit.phases) == 3:
        return "3P+N"
    loads = circuit.loads or []
    between_phases = bool(loads) and all(
        load.line_to_line is not False and load.phases is None for load in loads
    )
    return "2P" if between_phases else "2P+N"


def _inputs(
    wiring: Wiring,
    network: NetworkType,
    free: list[int],
    used: dict[int, str],
    module: tuple[KeyPath, int, str],
    wired: Wired,
) -> list[int]:
    path, input_count, product = module
    counts = SENSOR_COUNTS[network]
    if wiring.inputs is None:
        needed = USUAL_SENSOR_COUNTS[network]
        inputs, free[:] = free[:needed], free[needed:]
        if len(inputs) < needed:
            found = f"{wiring.circuit} needs {needed} of them, {len(inputs)} left"
            right = f"circuits for the {input_count} inputs of a {product}"
            wired.mistakes.append(Mistake((*path, "inputs"), found, right))
        used.update(dict.fromkeys(inputs, wiring.circuit))
        return inputs
    if len(wiring.inputs) not in counts:
        right = f"{' or '.join(str(count) for count in sorted(counts))} for {network}"
        wired.mistakes.append(Mistake((*path, "inputs"), f"{len(wiring.inputs)} inputs", right))
    for position, number in enumerate(wiring.inputs):
        input_path: KeyPath = (*path, "inputs", position)
        if number > input_count:
            wired.mistakes.append(
                Mistake(input_path, number, f"1 to {input_count}, the inputs of a {product}")
            )
        elif number in used:
            right = f"an input that is free; {used[number]} already uses {number}"
            wired.mistakes.append(Mistake(input_path, number, right))
        used.setdefault(number, wiring.circuit)
    return wiring.inputs


def _phases(
    wiring: Wiring, network: NetworkType, circuit: Circuit, count: int, path: KeyPath, wired: Wired
) -> list[Phase | Literal["N"]]:
    if wiring.phases is None:
        three_wire_two_sensors = network == "3P" and count == 2
        by_default: list[Phase | Literal["N"]] = (
            ["L1", "L3"] if three_wire_two_sensors else [*circuit.phases, "N"]
        )
        return by_default[:count]
    if len(wiring.phases) != count:
        wired.mistakes.append(
            Mistake((*path, "phases"), f"{len(wiring.phases)} phases", f"one for each of {count} inputs")
        )
    for position, phase in enumerate(wiring.phases):
        if phase not in circuit.phases and not (phase == "N" and network == "3P+N" and position == 3):
            right = (
                f"phases of {wiring.circuit}: {', '.join(circuit.phases)} (N for the fourth sensor of 3P+N)"
            )
            wired.mistakes.append(Mistake((*path, "phases", position), phase, right))
    return wiring.phases


def _sensor(site: Site, wiring: Wiring, path: KeyPath, wired: Wired) -> tuple[str, float]:
    """Sensor type and nominal current, each chosen to suit the other where the file leaves it open."""
    if wiring.sensor is None:
        current_a = wiring.nominal_a or expected_current_a(site, wiring.circuit)
        sensor = smallest_for(current_a)
        return sensor.name, wiring.nominal_a or sensor.current_max_a
    models = [sensor for sensor in sensors() if sensor.name == wiring.sensor]
    if not models:
        known = list(dict.fromkeys(sensor.name for sensor in sensors()))
        right = f"a sensor type: {', '.join(known)}.{near_miss(wiring.sensor, known)}"
        wired.mistakes.append(Mistake((*path, "sensor"), wiring.sensor, right))
        return wiring.sensor, wiring.nominal_a or 0.0
    if wiring.nominal_a is None:
        return wiring.sensor, models[-1].current_max_a
    if not any(model.covers(wiring.nominal_a) for model in models):
        spans = " or ".join(f"{model.current_min_a:g} to {model.current_max_a:g} A" for model in models)
        wired.mistakes.append(
            Mistake((*path, "nominal_a"), wiring.nominal_a, f"{spans} for a {wiring.sensor}")
        )
    return wiring.sensor, wiring.nominal_a


def smallest_for(current_a: float) -> Sensor:
    """The smallest solid-core sensor that takes the current, else the largest there is."""
    solid = sorted(
        (sensor for sensor in sensors() if sensor.family == "TE"), key=lambda one: one.current_max_a
    )
    return next((sensor for sensor in solid if sensor.current_max_a >= current_a), solid[-1])


def expected_current_a(site: Site, circuit: str) -> float:
    """Phase current of a circuit when everything behind it runs at nominal power; for choosing a sensor."""
    voltage_v = next(iter(site.sources.values())).voltage_v / 3**0.5
    return max(_phase_powers_w(site, circuit, frozenset()).values()) / voltage_v / TYPICAL_POWER_FACTOR


def _phase_powers_w(site: Site, name: str, above: frozenset[str]) -> dict[str, float]:
    found = circuit_named(site, name)
    assert found is not None  # what has no such circuit has been refused
    board_name, circuit = found
    total_w = {"L1": 0.0, "L2": 0.0, "L3": 0.0}
    for load in circuit.loads or ():
        phases = load.phases or circuit.phases
        for phase in phases:
            total_w[phase] += load.power_kw * 1000 / len(phases)
    fed = board_name if circuit.incomer else circuit.feeds
    if fed is None or fed in above or fed not in site.boards:
        return total_w
    for child, description in site.boards[fed].circuits.items():
        if not description.incomer:
            for line, power_w in _phase_powers_w(site, child, above | {fed}).items():
                total_w[line] += power_w
    return total_w
