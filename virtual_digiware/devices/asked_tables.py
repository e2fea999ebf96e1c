"""Which tables readers have asked for lately, so that the next snapshot makes them before anybody reads.

What a table shows does not depend on this: it is only made sooner, and for many units in one go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Slots = tuple[int, ...]

REMEMBERED = 20
"""Snapshots for which an asked table is remembered, so that a slow poller keeps its place."""


class AskedTables:
    """Written by the readers' thread, read by the one that computes; bounded by what the site has to show."""

    def __init__(self) -> None:
        self._snapshots = 0
        self._last: dict[tuple[str, Slots], int] = {}

    def add(self, name: str, slots: Slots) -> None:
        """Somebody reads table `name` for these slots."""
        self._last[name, slots] = self._snapshots

    def for_next(self) -> Mapping[str, Sequence[Slots]]:
        """What the next snapshot should make, by table; forgets what nobody has read for long."""
        self._snapshots += 1
        wanted: dict[str, list[Slots]] = {}
        for key, last in list(self._last.items()):  # a copy made in one step: readers go on adding
            if self._snapshots - last > REMEMBERED:
                self._last.pop(key, None)
            else:
                wanted.setdefault(key[0], []).append(key[1])
        return wanted
