"""Maxima and minima of measured points with their dates, independent of how the times come in batches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from virtual_digiware.devices.points import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]
Which = Literal["maximum", "minimum"]

EPOCH_2000_MS = 946_684_800_000
"""2000-01-01T00:00:00Z as unix time: where DATETIME registers start to count."""
NEVER = -1


def seconds_since_2000(t_ms: IntArray) -> FloatArray:
    """Whole seconds for a DATETIME point; NaN where `t_ms` is NEVER."""
    seconds: FloatArray = np.where(t_ms == NEVER, np.nan, (t_ms - EPOCH_2000_MS) // 1000)
    return seconds


class Extremes:
    """Largest and smallest value of each of P points on each of N slots since the last reset.

    An object never changes: taking in more values gives a new one, so a snapshot may keep it. The first
    of equal values keeps its date, so any partition of the same times gives the same result.
    `companions` maps points to others that are kept as they were at that extreme (the type of a power
    factor) and have no extreme of their own.
    """

    def __init__(self, names: Sequence[str], slots: int, companions: Mapping[str, str] | None = None) -> None:
        self.names = tuple(names)
        self._index = {name: i for i, name in enumerate(self.names)}
        self._pairs = [
            (self._index[leader], self._index[follower])
            for leader, follower in (companions or {}).items()
            if leader in self._index and follower in self._index
        ]
        self._followers = [follower for _, follower in self._pairs]
        shape = (len(self.names), slots)
        self._values: dict[Which, FloatArray] = {
            "maximum": np.full(shape, np.nan),
            "minimum": np.full(shape, np.nan),
        }
        self._dates: dict[Which, IntArray] = {
            "maximum": np.full(shape, NEVER, np.int64),
            "minimum": np.full(shape, NEVER, np.int64),
        }

    def including(self, t_ms: IntArray, values: FloatArray) -> Extremes:
        """With values (P, T, N) measured at `t_ms` (T,), ascending, later than all before; NaN is skipped."""
        new = self._copy()
        if len(t_ms):
            new._take_in("maximum", t_ms, values)
            new._take_in("minimum", t_ms, values)
        return new

    def without(self, points: Collection[str], slots: BoolArray) -> Extremes:
        """With the extremes of `points` forgotten on the chosen slots (N,); unknown points are ignored."""
        rows = {self._index[point] for point in points if point in self._index}
        rows |= {follower for leader, follower in self._pairs if leader in rows}
        chosen = np.ix_(np.array(sorted(rows), np.intp), np.flatnonzero(slots))
        new = self._copy()
        for which in new._values:
            new._values[which][chosen] = np.nan
            new._dates[which][chosen] = NEVER
        return new

    def columns(self, which: Which, slots: IntArray, prefix: str = "") -> dict[str, FloatArray]:
        """Points `<prefix><name>` and `<prefix><name>_date` (seconds since 2000-01-01) of some slots."""
        values = self._values[which][:, slots]
        dates = seconds_since_2000(self._dates[which][:, slots])
        columns: dict[str, FloatArray] = {}
        for i, name in enumerate(self.names):
            columns[prefix + name] = values[i]
            if i not in self._followers:
                columns[f"{prefix}{name}_date"] = dates[i]
        return columns

    def _copy(self) -> Extremes:
        new = Extremes.__new__(Extremes)
        new.names, new._index = self.names, self._index
        new._pairs, new._followers = self._pairs, self._followers
        new._values = {which: values.copy() for which, values in self._values.items()}
        new._dates = {which: dates.copy() for which, dates in self._dates.items()}
        return new

    def _take_in(self, which: Which, t_ms: IntArray, values: FloatArray) -> None:
        best, best_ms = self._values[which], self._dates[which]
        if len(t_ms) == 1:
            found = values[:, 0, :]
        else:
            # fmax and fmin skip NaN; dates are looked for only where there is a new record.
            found = (np.fmax if which == "maximum" else np.fmin).reduce(values, axis=1)
        is_record = found > best if which == "maximum" else found < best
        is_record |= np.isnan(best) & ~np.isnan(found)
        is_record[self._followers] = False
        points, slots = np.nonzero(is_record)
        if len(points) == 0:
            return
        if len(t_ms) == 1:
            first = np.zeros(len(points), np.intp)
        else:
            record = found[points, slots]
            first = np.argmax(values[points, :, slots] == record[:, None], axis=1)
        best[points, slots] = found[points, slots]
        best_ms[points, slots] = t_ms[first]
        for leader, follower in self._pairs:
            led = points == leader
            best[follower, slots[led]] = values[follower, first[led], slots[led]]
