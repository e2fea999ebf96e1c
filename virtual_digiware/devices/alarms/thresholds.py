"""Threshold alarms: from their settings to what is measured, compared and shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from virtual_digiware.devices.alarms.entries import Entry, Member
from virtual_digiware.devices.alarms.initial import NO_HIGH, NO_LOW
from virtual_digiware.devices.alarms.plan import Analogue, Averaged, Guard, Measured, Source
from virtual_digiware.devices.alarms.variables import (
    INSTANCE_ANALOGUE,
    INSTANCE_LOAD,
    INSTANCE_NETWORK,
    Variable,
    services,
)
from virtual_digiware.devices.circuit_tables import CIRCUIT_INSTANTANEOUS, CIRCUIT_QUALITY
from virtual_digiware.devices.io_drives import CircuitPoint
from virtual_digiware.devices.network_tables import NETWORK_INSTANTANEOUS, NETWORK_QUALITY

_SINGLE, _ALL = 0, 1
_HIGH_CAUSE, _LOW_CAUSE = 1, 4
"""Cause of `single`; `all` and `any` follow. Source: MODBUS tables of DIRIS B30, V 153.745."""


def threshold_guards(unit: Member, entry: Entry, slot_of_circuit: Mapping[str, int]) -> Iterator[Guard]:
    """One guard for each limit that is set; none where the unit has no such value."""
    found = services().get(entry.number("monitored_variable"))
    if found is None:
        return
    variable, phase, is_average = found
    mode, instance = entry.number("phase_mode"), entry.number("monitored_instance")
    points = variable.points[phase : phase + 1] if mode == _SINGLE else variable.points
    kind = entry.number("monitored_instance_type")
    source = _source(unit, points, kind, instance, is_average, slot_of_circuit)
    if source is None:
        return
    about = unit.circuits[instance] if kind == INSTANCE_LOAD else ""
    about = about or (f"input {instance + 1}" if kind == INSTANCE_ANALOGUE else "network")
    high, low = entry.number("threshold_high"), entry.number("threshold_low")
    words = {
        point: entry.number(point)
        for point in ("monitored_variable", "monitored_instance", "monitored_instance_type")
    } | {"hysteresis": entry.number("hysteresis")}
    for sign, raw, unset, cause in ((1, high, NO_HIGH, _HIGH_CAUSE), (-1, low, NO_LOW, _LOW_CAUSE)):
        if raw == unset:
            continue
        level = raw * variable.scale
        # Counted once from whole register values, so that no rounding hides in the comparison.
        hysteresis = abs(raw) * entry.number("hysteresis") / 1000 * variable.scale
        guard = entry.guard(
            "high" if sign > 0 else "low",
            cause + mode,
            source,
            _text(about, variable, phase if mode == _SINGLE else None, is_average, sign, level),
            None if kind == INSTANCE_NETWORK else instance,
            {**words, "threshold": raw},
        )
        yield replace(
            guard,
            sign=sign,
            level=level,
            hysteresis=hysteresis,
            needs_all=mode == _ALL,
            scale=variable.scale,
        )


def _source(
    unit: Member,
    points: tuple[str, ...],
    kind: int,
    instance: int,
    is_average: bool,
    slot_of_circuit: Mapping[str, int],
) -> Source | None:
    if kind == INSTANCE_ANALOGUE:
        return _analogue(unit, instance, slot_of_circuit)
    places = unit.slots if kind == INSTANCE_LOAD else unit.taps if kind == INSTANCE_NETWORK else ()
    if instance >= len(places):
        return None
    place = places[instance]
    is_circuit = kind == INSTANCE_LOAD
    rows = CIRCUIT_INSTANTANEOUS if is_circuit else NETWORK_INSTANTANEOUS
    if all(point in rows for point in points):
        found = tuple(rows.index(point) for point in points)
        table: Literal["circuits", "networks"] = "circuits" if is_circuit else "networks"
        return Averaged(table, found, place) if is_average else Measured(table, found, place)
    is_angle = points[0].startswith("cos_phi")
    named = [point.replace("cos_phi", "displacement_angle") for point in points]
    quality = CIRCUIT_QUALITY if is_circuit else NETWORK_QUALITY
    if is_average or not all(point in quality for point in named):
        return None
    return Measured(
        "circuit_quality" if is_circuit else "network_quality",
        tuple(quality.index(point) for point in named),
        place,
        is_angle,
    )


def _analogue(unit: Member, instance: int, slot_of_circuit: Mapping[str, int]) -> Analogue | None:
    if unit.io is None or instance >= len(unit.io.analogue):
        return None
    drive = unit.io.analogue[instance]

    def setting(point: str) -> int:
        return unit.settings.number("analogue_input_settings", instance, point) or 0

    first, second = ((setting(f"point_{n}_current"), setting(f"point_{n}_value")) for n in (1, 2))
    if first[0] == second[0]:
        return None
    circuit = None
    if isinstance(drive, CircuitPoint):
        if drive.point not in CIRCUIT_INSTANTANEOUS:
            return None
        circuit = slot_of_circuit[drive.circuit], CIRCUIT_INSTANTANEOUS.index(drive.point)
    return Analogue(drive, circuit, (first, second))


def _text(
    about: str, variable: Variable, phase: int | None, is_average: bool, sign: int, level: float
) -> str:
    name = variable.name.replace("_", " ")
    if len(variable.points) > 1 and phase is not None:
        name += f" {phase + 1}"
    mean = "average " if is_average else ""
    unit = f" {variable.unit}" if variable.unit else ""
    return f"{about}: {mean}{name} {'above' if sign > 0 else 'below'} {level:g}{unit}"
