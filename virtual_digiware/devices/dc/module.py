"""What one direct-current module shows: the voltage of its bus, or current, power and energies of loads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from virtual_digiware.devices.dc.plant import DcPlant, voltage_v
from virtual_digiware.devices.energies import register_columns
from virtual_digiware.devices.extremes import EPOCH_2000_MS
from virtual_digiware.devices.faults.book import Fault
from virtual_digiware.devices.layout import DcLayout
from virtual_digiware.devices.points import IntArray

Values = Mapping[str, int | float]


@dataclass(slots=True)
class _Sensor:
    """How a sensor reads: -1 is one put on backwards, 0 an open one; and what was counted until it did."""

    factor: float
    base_mj: IntArray
    """(2,) imported and exported energy of the circuit when it began to read so."""
    counted_mj: tuple[int, int] = (0, 0)

    def counted_by(self, energies_mj: IntArray) -> tuple[int, int]:
        """What the module has counted when the circuit has these energies (2,)."""
        gained = [round(abs(self.factor) * int(one)) for one in energies_mj - self.base_mj]
        if self.factor < 0:
            gained.reverse()
        return self.counted_mj[0] + gained[0], self.counted_mj[1] + gained[1]


class DcModule:
    """A U-xxdc or I-xxdc. Energies are counted with the sensor as it was at each time."""

    def __init__(self, plant: DcPlant, layout: DcLayout) -> None:
        self._plant, self._layout = plant, layout
        self._sensors = [_Sensor(1.0, np.zeros(2, np.int64)) for _ in layout.circuits]

    @property
    def layout(self) -> DcLayout:
        return self._layout

    def take_faults(self, faults: Sequence[Fault], t_ms: int) -> None:
        """Sensors read as the active faults of this module have it, from `t_ms` on."""
        for circuit, sensor in zip(self._layout.circuits, self._sensors, strict=True):
            factor = 1.0
            for fault in faults:
                if fault.parameters.get("circuit") not in (None, circuit):
                    continue
                if fault.effect == "sensor_scaled":
                    factor *= float(fault.parameters["factor"])
                elif fault.effect == "sensor_open":
                    factor = 0.0
            if factor != sensor.factor:
                energies_mj = self._energies_mj(circuit, t_ms)
                sensor.counted_mj = sensor.counted_by(energies_mj)
                sensor.base_mj, sensor.factor = energies_mj, factor

    def network(self, t_ms: int) -> Values:
        """Points of a voltage module."""
        stamp = (t_ms - EPOCH_2000_MS) // 1000
        board = self._layout.board
        return {
            "timestamp": stamp,
            "voltage": math.nan if board is None else voltage_v(self._plant, board, t_ms),
        }

    def circuit(self, slot: int, t_ms: int, has_voltage: bool) -> Values:
        """Points of one load; without a live voltage module there is a current and nothing else."""
        if slot >= len(self._layout.circuits):
            return {"load_status": 0, **dict.fromkeys(_MEASURED, math.nan), "timestamp": math.nan}
        place = self._plant.circuit_index[self._layout.circuits[slot]]
        current = float(self._plant.at(t_ms).current_a[0, place]) * self._sensors[slot].factor
        shown: dict[str, int | float] = {
            "load_status": 1,
            "timestamp": (t_ms - EPOCH_2000_MS) // 1000,
            "current": current,
        }
        board = self._layout.board if has_voltage else None
        voltage = math.nan if board is None else voltage_v(self._plant, board, t_ms)
        shown["voltage"], shown["active_power"] = voltage, voltage * current
        circuit = self._layout.circuits[slot]
        counted = self._sensors[slot].counted_by(self._energies_mj(circuit, t_ms))
        for point, energy in zip(_ENERGIES, counted, strict=True):
            columns = register_columns(point, np.array([energy], np.int64))
            shown.update({name: float(column[0]) for name, column in columns.items()})
        return shown

    def _energies_mj(self, circuit: str, t_ms: int) -> IntArray:
        return self._plant.energies_mj(t_ms)[:, self._plant.circuit_index[circuit]]


_ENERGIES = ("active_energy_import", "active_energy_export")
_MEASURED = (
    "voltage",
    "current",
    "active_power",
    "active_energy_import",
    "active_energy_import_residual",
    "active_energy_export",
    "active_energy_export_residual",
)
