"""What a meter outside any Digiware bus shows: points of its one circuit, under names of their origin.

A row's point is a measured point (`voltage_l1_n`, `active_power_total`), one of them with `_demand` (mean of
the last demand period), `_demand_maximum` or `_minimum` behind it, an energy, or one of the derived points
below. Energies are in Wh, varh or VAh, cut to whole steps of the register as counters are, and roll over
where the register does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from virtual_digiware.devices.asked_tables import Slots
from virtual_digiware.devices.block import Block, Row
from virtual_digiware.devices.circuit_tables import CIRCUIT_INSTANTANEOUS
from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.devices.fundamental_tables import CIRCUIT_FUNDAMENTAL
from virtual_digiware.devices.metering import CIRCUIT_EXTREMES
from virtual_digiware.devices.points import FloatArray, Table

_HOUR_MS = 3_600_000

_SUFFIXES = {
    "_demand_maximum": "circuit.average_maximum",
    "_demand": "circuit.average",
    "_maximum": "circuit.maximum",
    "_minimum": "circuit.minimum",
}
_PRESENT = ("circuit.instantaneous", "circuit.fundamental")
_LEADING = 1.0


class Tables(Protocol):
    """What is asked of a snapshot."""

    @property
    def time_ms(self) -> int: ...

    def table(self, name: str, slots: Slots) -> Table: ...


class Meter:
    """The measuring part of one meter: its place among the circuits and voltage taps of the site."""

    def __init__(self, slot: int, tap: int) -> None:
        self._slots, self._taps = (slot,), (tap,)
        self._measured: dict[str, tuple[bool, ...]] = {}

    def values(self, block: Block, snapshot: Tables, hours_since_ms: int) -> FloatArray:
        """Values of the block's rows in engineering units, NaN where not available.

        Rows whose point is nothing that a meter measures are constants: they give their initial value.
        """
        is_measured = self._measured.get(block.name)
        if is_measured is None:
            is_measured = tuple(is_meter_point(row.point) for row in block.rows)
            self._measured[block.name] = is_measured
        read = _Reader(snapshot, self._slots, self._taps, hours_since_ms)
        return np.array(
            [
                read(row) if is_point and not row.reserved else int(row.initial) * row.scale
                for row, is_point in zip(block.rows, is_measured, strict=True)
            ]
        )


class _Reader:
    """Points by name from one snapshot."""

    def __init__(self, snapshot: Tables, slots: Slots, taps: Slots, hours_since_ms: int) -> None:
        self._snapshot = snapshot
        self._slots, self._taps = slots, taps
        self._hours_since_ms = hours_since_ms

    def __call__(self, row: Row) -> float:
        """The value of a row."""
        name = row.point
        if "_energy" in name or name.endswith("_residual"):
            return self._counter(row)
        if name == "operating_time":
            return (self._snapshot.time_ms - self._hours_since_ms) / _HOUR_MS
        derived = _DERIVED.get(name)
        return self.measured(name) if derived is None else derived(self)

    def measured(self, name: str) -> float:
        """A measured point; NaN when it is not available, or no such point is measured."""
        for suffix, table in _SUFFIXES.items():
            if name.endswith(suffix):
                return self._of(table, name.removesuffix(suffix))
        for table in _PRESENT:
            found = self._of(table, name)
            if not math.isnan(found):
                return found
        return math.nan

    def _of(self, name: str, point: str) -> float:
        table = self._snapshot.table(name, self._slots if name.startswith("circuit.") else self._taps)
        return float(table[point][0]) if point in table.index else math.nan

    def _counter(self, row: Row) -> float:
        if row.point.endswith("_residual"):
            return self._of("circuit.energy", row.point)
        energy, encoding = self.energy(row.point), ENCODINGS[row.encoding]
        if encoding.kind == "float" or math.isnan(energy):
            return energy
        # Energies are known to the tenth of a Wh; the share of a step keeps 0.3 / 0.1 from becoming 2.
        steps = math.floor(energy / row.scale + 1e-6)
        return row.scale * (steps if encoding.is_signed else steps % (encoding.maximum + 1))

    def energy(self, name: str) -> float:
        """An energy in Wh (varh, VAh), to the tenth."""
        if name in _NET:
            first, second, sign = _NET[name]
            return self.energy(first) + sign * self.energy(second)
        return 1000.0 * self._of("circuit.energy", name) + self._of("circuit.energy", f"{name}_residual")


_NET: Mapping[str, tuple[str, str, int]] = {
    "active_energy_net": ("active_energy_import", "active_energy_export", -1),
    "reactive_energy_net": ("reactive_energy_import", "reactive_energy_export", -1),
    "active_energy_both": ("active_energy_import", "active_energy_export", 1),
    "reactive_energy_both": ("reactive_energy_import", "reactive_energy_export", 1),
}
"""Sums and balances of two counters."""

_BASIC = ("active_energy_import", "active_energy_export", "reactive_energy_import", "reactive_energy_export")
_KNOWN = frozenset(
    {*_BASIC, "apparent_energy", *_NET}
    | {f"reactive_energy_{way}_{kind}" for way in ("import", "export") for kind in ("lagging", "leading")}
    | {f"partial_{name}" for name in (*_BASIC, "apparent_energy")}
)


def _by_load(row: str) -> Callable[[_Reader], float]:
    """A power factor that is positive for an inductive load and negative for a capacitive one."""

    def read(reader: _Reader) -> float:
        magnitude = abs(reader.measured(f"power_factor_{row}"))
        return -magnitude if reader.measured(f"power_factor_{row}_type") == _LEADING else magnitude

    return read


def _angle(row: str) -> Callable[[_Reader], float]:
    """Angle between the apparent and the active power, positive for reactive import, degrees."""

    def read(reader: _Reader) -> float:
        return math.degrees(
            math.atan2(reader.measured(f"reactive_power_{row}"), reader.measured(f"active_power_{row}"))
        )

    return read


def _sum_of_currents(reader: _Reader) -> float:
    currents = [reader.measured(f"current_{row}") for row in ("l1", "l2", "l3")]
    return sum(value for value in currents if not math.isnan(value))


_ROWS = ("total", "l1", "l2", "l3")
_DERIVED: Mapping[str, Callable[[_Reader], float]] = {
    **{f"power_factor_{row}_by_load": _by_load(row) for row in _ROWS},
    **{f"power_angle_{row}": _angle(row) for row in _ROWS},
    "current_sum": _sum_of_currents,
}


METER_POINTS: tuple[str, ...] = (
    *(name for name in CIRCUIT_INSTANTANEOUS if name not in ("load_status", "timestamp", "integration_time")),
    *(name for name in CIRCUIT_FUNDAMENTAL if name.startswith(("thd_", "displacement_", "cos_phi_"))),
    *_DERIVED,
    *sorted(_KNOWN),
    "operating_time",
)
"""Every point that a register list may name; those of extremes also with a suffix of `POINT_SUFFIXES`."""
POINT_SUFFIXES = tuple(_SUFFIXES)

_UNITS = {
    "voltage_": "V",
    "current_": "A",
    "frequency": "Hz",
    "active_power_": "W",
    "reactive_power_": "var",
    "apparent_power_": "VA",
    "thd_": "%",
    "displacement_": "deg",
    "power_angle_": "deg",
    "active_energy_": "Wh",
    "reactive_energy_": "varh",
    "apparent_energy": "VAh",
    "operating_time": "h",
}


def is_meter_point(name: str) -> bool:
    """Whether a meter can show this point."""
    if name in METER_POINTS:
        return True
    for suffix in POINT_SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix) in CIRCUIT_EXTREMES
    return False


def unit_of(name: str) -> str:
    """Unit in which a point is measured; empty for pure numbers."""
    plain = name.removeprefix("partial_")
    if plain.endswith("unbalance"):
        return "%"
    return next((unit for start, unit in _UNITS.items() if plain.startswith(start)), "")
