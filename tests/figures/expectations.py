"""What the units of a site should read: from the electrical truth, computed apart from the site that runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.figures.clients import Way
from virtual_digiware.devices.block import Product
from virtual_digiware.devices.catalogue import product
from virtual_digiware.devices.layout import ModuleLayout
from virtual_digiware.profiles.truth import Truth
from virtual_digiware.simulator.building import Building

MAGIC = "SOCO"


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
        self._truth: Truth = building.truth
        self._solution = self._truth.at(np.array([t_ms], np.int64))

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
    compared = []
    for slot, allocation in enumerate(module.allocations):
        table = "circuit.instantaneous"
        shown = await place(described, table, "active_power_total", slot).read(way, unit)
        assert abs(shown - expected.active_w(allocation.circuit)) <= 0.51, (module.name, allocation.circuit)
        compared.append(allocation.circuit)
    if described.family in ("voltage", "current", "io"):
        assert await magic(described, way, unit) == MAGIC
    return compared


async def magic(described: Product, way: Way, unit: int) -> str:
    """The text at the beginning of every identification block."""
    for placed in described.blocks:
        if placed.block.table == "unit.identification":
            data = await way.read(unit, placed.base, 4)
            return data.decode("utf-16-be")
    raise AssertionError(f"{described.name} has no identification")
