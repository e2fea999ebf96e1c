"""What the units of a site should read: from the electrical truth, computed apart from the site that runs."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from tests.figures.clients import Way
from virtual_digiware.devices.block import Product
from virtual_digiware.devices.catalogue import product
from virtual_digiware.devices.datalogger import Datalogger
from virtual_digiware.devices.environmental_sensor import EnvironmentalSensor
from virtual_digiware.devices.layout import ModuleLayout
from virtual_digiware.profiles.dc.truth import DcTruth
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.dc_building import dc_installation

MAGIC = "SOCO"
ON_SOURCE_1, ON_SOURCE_2 = 2, 3
"""Positions of a transfer switch."""


@dataclass(frozen=True)
class Place:
    """A number in the registers of a product."""

    address: int
    words: int
    scale: float
    is_signed: bool

    async def read(self, way: Way, unit: int) -> float:
        data = await way.read(unit, self.address, self.words)
        return int.from_bytes(data, "big", signed=self.is_signed) * self.scale


def place(described: Product, table: str, point: str, slot: int = 0) -> Place:
    """Where a product shows a point; a table that it does not have is a mistake of the test."""
    for placed in described.blocks:
        if placed.block.table == table and placed.slot == slot:
            for row in placed.block.rows:
                if row.point == point:
                    signed = row.encoding.startswith("S")
                    return Place(placed.base + row.offset, row.words, row.scale, signed)
    raise AssertionError(f"{described.name} has no {table} {point}")


class Expected:
    """The truth of a site at the instant that its clients see."""

    def __init__(self, building: Building, t_ms: int) -> None:
        at = np.array([t_ms], np.int64)
        self._truth = building.truth
        self._solution = self._truth.at(at)
        direct = dc_installation(building.file.site)
        self._dc = None if direct is None else DcTruth(direct, building.file.seed)
        self._direct = None if self._dc is None else self._dc.at(at)

    def dc_current_a(self, circuit: str) -> float:
        assert self._dc is not None
        assert self._direct is not None
        return float(self._direct.current_a[0, self._dc.circuit_index[circuit]])

    def dc_voltage_v(self, board: str) -> float:
        assert self._dc is not None
        assert self._direct is not None
        return float(self._direct.voltage_v[0, self._dc.board_index[board]])

    def active_w(self, circuit: str) -> float:
        return float(self._solution.active_w[0, self._truth.circuit_index[circuit]].sum())

    def voltage_v(self, board: str) -> float:
        """RMS of phase 1 to neutral."""
        spectrum = self._solution.voltage_v[0, self._truth.board_index[board], 0]
        return float(np.sqrt((np.abs(spectrum) ** 2).sum()))


async def check_module(module: ModuleLayout, way: Way, unit: int, expected: Expected) -> list[str]:
    """Read a module and hold it against the truth; returns the circuits that were compared."""
    described = product(module.product)
    if described.family == "voltage" and module.board is not None:
        shown = await place(described, "network.instantaneous", "voltage_l1_n").read(way, unit)
        assert abs(shown - expected.voltage_v(module.board)) <= 0.006, module.name
    if module.dc is not None:
        await check_direct_current(module, way, unit, expected)
    compared = []
    for slot, allocation in enumerate(module.allocations):
        table = "circuit.instantaneous"
        shown = await place(described, table, "active_power_total", slot).read(way, unit)
        assert abs(shown - expected.active_w(allocation.circuit)) <= 0.51, (module.name, allocation.circuit)
        compared.append(allocation.circuit)
    if described.family == "transfer_switch":
        position = await place(described, "transfer.status", "position").read(way, unit)
        assert position == ON_SOURCE_1
    assert await magic(described, way, unit) == MAGIC
    return compared


async def check_sensor(sensor: EnvironmentalSensor, way: Way, unit: int, t_ms: int) -> None:
    """The temperature of a Bluetooth sensor, as its head answers for it."""
    described = product("environmental-sensor")
    shown = await place(described, "sensor.environment", "temperature").read(way, unit)
    assert abs(shown - sensor.values(t_ms)["temperature"]) <= 0.06


async def check_direct_current(module: ModuleLayout, way: Way, unit: int, expected: Expected) -> None:
    """The voltage of the bus, or the currents of the circuits."""
    described = product(module.product)
    assert module.dc is not None
    if described.family == "dc_voltage":
        shown = await place(described, "dc.network", "voltage").read(way, unit)
        assert module.dc.board is not None
        assert abs(shown - expected.dc_voltage_v(module.dc.board)) <= 0.006
    for slot, circuit in enumerate(module.dc.circuits):
        shown = await place(described, "dc.circuit", "current", slot).read(way, unit)
        assert abs(shown - expected.dc_current_a(circuit)) <= 0.0006, circuit


async def check_meter(described: Product, circuit: str, way: Way, unit: int, expected: Expected) -> None:
    """The total power of a meter outside any Digiware bus, in the encoding of its maker."""
    for placed in described.blocks:
        for row in placed.block.rows:
            if row.point == "active_power_total" and not row.reserved:
                function = 4 if placed.block.read_functions == (4,) else 3
                data = await way.read(unit, placed.base + row.offset, row.words, function)
                if row.encoding.startswith("F"):
                    shown = struct.unpack(">f", data)[0] * row.scale
                else:
                    shown = int.from_bytes(data, "big", signed=row.encoding.startswith("S")) * row.scale
                tolerance = max(0.51 * row.scale, 1e-6 * abs(shown))
                assert abs(shown - expected.active_w(circuit)) <= tolerance, described.name
                return
    raise AssertionError(f"{described.name} shows no power")


async def magic(described: Product, way: Way, unit: int) -> str:
    """The text at the beginning of every identification block."""
    for placed in described.blocks:
        if placed.block.table == "unit.identification":
            data = await way.read(unit, placed.base, 4)
            return data.decode("utf-16-be")
    raise AssertionError(f"{described.name} has no identification")


def check_datalogger(logger: Datalogger, expected: Expected) -> None:
    """What a datalogger holds of every circuit of every device that it collects."""
    for path, device in logger.devices.items():
        assert device.state == "communicating", path
        is_meter = product(device.target.product).family == "meter"
        table = "meter.measured" if is_meter else "circuit.instantaneous"
        for slot, circuit in enumerate(device.target.circuits):
            shown = logger.value(path, table, "active_power_total", slot)
            assert isinstance(shown, float | int), (path, circuit)
            assert abs(shown - expected.active_w(circuit)) <= (5.1 if is_meter else 0.51), (path, circuit)
