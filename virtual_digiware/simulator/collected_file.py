"""A file that shows what the dataloggers of a running site hold, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from virtual_digiware.devices.datalogger import Collected, Datalogger
from virtual_digiware.simulator.instants import format_instant
from virtual_digiware.simulator.ready_file import write_ready_file


def write_collected(path: Path, loggers: Iterable[Datalogger], t_ms: int) -> None:
    """Put the file in place whole.

    Raises:
        ReadyFileRefused: the place does not take it.
    """
    write_ready_file(path, describe_collected(loggers, t_ms))


def describe_collected(loggers: Iterable[Datalogger], t_ms: int) -> dict[str, Any]:
    """Every datalogger with its devices: communication state, age and values by table, circuit and point."""
    return {
        "time": format_instant(t_ms),
        "dataloggers": [
            {"name": one.name, "devices": [_device(device, t_ms) for device in one.devices.values()]}
            for one in loggers
        ],
    }


def _device(device: Collected, t_ms: int) -> dict[str, Any]:
    age_ms = device.age_ms(t_ms)
    values: dict[str, dict[str, Any]] = {}
    circuits = device.target.circuits
    for (table, slot, point), value in device.values.items():
        is_circuit = table.startswith("circuit.") and slot < len(circuits)
        place = f"{table} {circuits[slot] if is_circuit else slot + 1}"
        values.setdefault(place, {})[point] = value
    return {
        "device": device.target.path,
        "through": device.target.through,
        "product": device.target.product,
        "state": device.state,
        "collected": None if device.collected_ms is None else format_instant(device.collected_ms),
        "age_s": None if age_ms is None else age_ms / 1000,
        "polls": device.polls,
        "failures": device.failures,
        "values": values,
    }
