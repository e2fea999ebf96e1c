"""Tables of points: what is measured, by name, for all slots of one kind at one time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """Point values of one kind (say `circuit.instantaneous`) for every slot (circuit, U module, ...).

    `values` has shape (points, slots), engineering base units (W, Wh, V, A, Hz, %, s since
    2000-01-01 for dates); NaN where the point is not available.
    """

    names: tuple[str, ...]
    values: FloatArray

    @cached_property
    def index(self) -> Mapping[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    def __getitem__(self, name: str) -> FloatArray:
        """Values of one point over all slots, shape (slots,)."""
        row: FloatArray = self.values[self.index[name]]
        return row


def table_of(columns: Mapping[str, FloatArray]) -> Table:
    """Stack columns of equal length into a table, keeping their order."""
    return Table(tuple(columns), np.stack(list(columns.values())) if columns else np.empty((0, 0)))
