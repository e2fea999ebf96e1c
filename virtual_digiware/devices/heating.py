"""How warm circuits have made their cabinet: the mean square of each current, through a first-order filter.

Losses follow the squares of currents. The filter takes in demand blocks as they close and the running one so
far, so it depends on times alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from virtual_digiware.devices.circuit_tables import CIRCUIT_INSTANTANEOUS
from virtual_digiware.devices.demand import DemandBlock
from virtual_digiware.devices.points import FloatArray

TIME_CONSTANT_MS = 5_400_000
"""Of a cabinet: one and a half hours, a choice in the usual range of 1 to 3 h."""

_PHASES = [CIRCUIT_INSTANTANEOUS.index(f"current_{phase}") for phase in ("l1", "l2", "l3")]


@dataclass(frozen=True)
class Heating:
    """Filtered mean squares (N,) of the currents, in A2; a cabinet is cold when it is commissioned."""

    squares: FloatArray

    @classmethod
    def cold(cls, slots: int) -> Heating:
        return cls(np.zeros(slots))

    def after(self, block: DemandBlock) -> Heating:
        """With a block taken in, closed or still running."""
        share = math.exp(-(block.end_ms - block.start_ms) / TIME_CONSTANT_MS)
        return Heating(self.squares * share + _mean_squares(block) * (1 - share))


def _mean_squares(block: DemandBlock) -> FloatArray:
    """Mean of the squared currents over time and over the phases that a circuit has."""
    total, weight = block.circuits.total[_PHASES], block.circuits.weight_ms[_PHASES]
    squares = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    phases = np.maximum((weight > 0).sum(axis=0), 1)
    mean: FloatArray = squares.sum(axis=0) / phases
    return mean
