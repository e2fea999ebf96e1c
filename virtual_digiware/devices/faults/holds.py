"""Readings that are not what they should be: units that show an old moment, counters that count wrongly.

What a hold falsifies follows from the moment at which its fault began, so no later question changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from virtual_digiware.devices.block import Product
from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.devices.energies import SHOWN
from virtual_digiware.devices.faults.book import Fault
from virtual_digiware.devices.points import FloatArray, Table

if TYPE_CHECKING:
    from virtual_digiware.devices.snapshot import Snapshot

HELD = ("values_frozen", "counters_frozen", "counters_reset", "counters_rolling")
_TENTHS = 10_000
"""Steps of 0.1 Wh in a kWh, the step of a residual register."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A fault of HELD from its beginning on.

    `slots` are those of its unit; `capacity` is the first value that a counter's register cannot show.
    """

    fault: Fault
    slots: tuple[int, ...]
    capacity: float
    since: Snapshot


def capacity_of(product: Product) -> float:
    """First energy, in kWh, that the import counter of a product cannot show; infinite without a counter."""
    for placed in product.blocks:
        for row in placed.block.rows if placed.block.table == "circuit.energy" else ():
            if row.point == "active_energy_import":
                return (ENCODINGS[row.encoding].maximum + 1) * row.scale
    return np.inf


def falsify(columns: dict[str, FloatArray], slots: Sequence[int], hold: Hold) -> None:
    """Change the energy columns of the hold's slots in place."""
    places = [place for place, slot in enumerate(slots) if slot in hold.slots]
    if not places or hold.fault.effect == "values_frozen":
        return
    since = hold.since.kept("circuit.energy", tuple(slots[place] for place in places))
    match hold.fault.effect:
        case "counters_frozen":
            for name in set(since.names) & set(columns):
                columns[name][places] = since[name]
        case "counters_reset":
            for point in SHOWN:
                tenths = _tenths(columns, point)[places] - _tenths(since, point)
                columns[point][places] = tenths // _TENTHS
                columns[f"{point}_residual"][places] = tenths % _TENTHS / 10
        case "counters_rolling":
            left = int(hold.fault.parameters["margin"])
            for point in SHOWN:
                counted = columns[point][places] - since[point]
                columns[point][places] = (counted + hold.capacity - left) % hold.capacity


def _tenths(columns: dict[str, FloatArray] | Table, point: str) -> FloatArray:
    tenths: FloatArray = columns[point] * _TENTHS + np.rint(columns[f"{point}_residual"] * 10)
    return tenths
