"""Daily profiles at any instant: lines between quarter-hours of the local day, type of day and season."""

from __future__ import annotations

import numpy as np

from virtual_digiware.profiles.local_time import LocalMoment
from virtual_digiware.profiles.solution import FloatArray, IntArray

_NODE_MS = 900_000
_NODES = 96


class DailyProfiles:
    """The daily profiles that a site uses, J of them."""

    def __init__(self, tables: FloatArray) -> None:
        """`tables` (J, 3 day types, 2 seasons, 96 quarter-hours); the day repeats."""
        self._winter = np.ascontiguousarray(np.moveaxis(tables[:, :, 0], 0, -1)).reshape(3 * _NODES, -1)
        self._change = np.ascontiguousarray(np.moveaxis(tables[:, :, 1] - tables[:, :, 0], 0, -1)).reshape(
            3 * _NODES, -1
        )

    def at(self, moment: LocalMoment) -> FloatArray:
        """All profiles at moments (n,): (n, J)."""
        quarter = moment.time_of_day_ms // _NODE_MS
        fraction = (moment.time_of_day_ms - quarter * _NODE_MS)[:, None] / _NODE_MS
        here = moment.day_type * _NODES + quarter
        after = moment.day_type * _NODES + (quarter + 1) % _NODES
        summer = moment.summer[:, None]
        start = self._winter[here] + self._change[here] * summer
        end = self._winter[after] + self._change[after] * summer
        along: FloatArray = start + (end - start) * fraction
        return along

    def each(self, profile: IntArray, moment: LocalMoment) -> FloatArray:
        """One profile per column, `profile` (c,), each at moments of its own (n, c): (n, c)."""
        quarter = moment.time_of_day_ms // _NODE_MS
        fraction = (moment.time_of_day_ms - quarter * _NODE_MS) / _NODE_MS
        here = moment.day_type * _NODES + quarter
        after = moment.day_type * _NODES + (quarter + 1) % _NODES
        start = self._winter[here, profile] + self._change[here, profile] * moment.summer
        end = self._winter[after, profile] + self._change[after, profile] * moment.summer
        along: FloatArray = start + (end - start) * fraction
        return along
