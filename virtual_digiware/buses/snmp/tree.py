"""All objects of an agent in the order of their identifiers: a sorted view, made of columns, encoded when
asked for.

A column is one object with all its instances (a scalar has one). Columns never lie inside each other, so the
order of the tree is column after column, each in the order of its instances. Nothing is stored for an
instance that nobody asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from virtual_digiware.buses.snmp.ber import (
    OBJECT_IDENTIFIER,
    SEQUENCE,
    NotPlain,
    Oid,
    arc,
    oid_content,
    read_oid,
    tlv,
)

Place = tuple[int, int]
"""Number of the column in the tree, number of the instance in the column."""


class Column:
    """One object with all its instances.

    Args:
        oid: The object, without instance.
        instances: What follows it, in ascending order; `(0,)` alone for a scalar.
        read: Encoded values of all instances, in their order.
        is_volatile: Values change between two versions of what is shown, as counters of the agent do.
    """

    __slots__ = ("_cells", "_names", "_read", "_version", "instances", "is_volatile", "oid", "prefix")

    def __init__(
        self,
        oid: Oid,
        instances: Sequence[Oid],
        read: Callable[[], Sequence[bytes]],
        is_volatile: bool = False,
    ) -> None:
        self.oid = oid
        self.prefix = oid_content(oid)
        self.instances = instances
        self.is_volatile = is_volatile
        self._read = read
        self._names: list[bytes] | None = None
        self._cells: list[bytes] = []
        self._version: int | None = None

    @property
    def names(self) -> list[bytes]:
        """Encoded names of all instances."""
        if self._names is None:
            self._names = [
                tlv(OBJECT_IDENTIFIER, self.prefix + b"".join(map(arc, instance)))
                for instance in self.instances
            ]
        return self._names

    def values(self) -> Sequence[bytes]:
        """Encoded values of all instances, read now."""
        return self._read()

    def cells(self, version: int) -> list[bytes]:
        """Encoded variable bindings of all instances; made once per version unless they are volatile."""
        if version != self._version or self.is_volatile:
            self._cells = [
                tlv(SEQUENCE, name + value) for name, value in zip(self.names, self._read(), strict=True)
            ]
            self._version = version
        return self._cells


class Source(Protocol):
    """What a tree is made from."""

    @property
    def version(self) -> int:
        """Changes whenever a value may have changed."""

    @property
    def topology(self) -> Hashable:
        """Differs whenever columns or instances do."""

    def columns(self) -> Sequence[Column]:
        """All columns, in any order."""


class OidTree:
    """The objects of an agent. `version` is that of the values shown; `refresh` brings it up to date."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._topology: Hashable = None
        self.version: int | None = None
        self._columns: list[Column] = []
        self._oids: list[Oid] = []
        self._places: dict[bytes, Place] = {}
        self.refresh()

    def refresh(self) -> bool:
        """Follow the source; True when anything may have changed since the last call."""
        version = self._source.version
        if version == self.version:
            return False
        self.version = version
        topology = self._source.topology
        if topology != self._topology or not self._columns:
            self._topology = topology
            self._columns = sorted(
                (column for column in self._source.columns() if column.instances),
                key=lambda column: column.oid,
            )
            self._oids = [column.oid for column in self._columns]
            self._places.clear()
        return True

    def __len__(self) -> int:
        return sum(len(column.instances) for column in self._columns)

    def place(self, name: bytes) -> Place | None:
        """Where the instance with these content octets of a name stands; None when there is none."""
        found = self._places.get(name)
        if found is None:
            try:
                oid = read_oid(name)
            except NotPlain:
                return None
            found = self.place_of(oid)
            if found is not None:
                self._places[name] = found
        return found

    def place_of(self, oid: Oid) -> Place | None:
        """Where an instance stands; None when there is none."""
        at = bisect_right(self._oids, oid) - 1
        if at < 0:
            return None
        column = self._columns[at]
        size = len(column.oid)
        if oid[:size] != column.oid:
            return None
        row = bisect_right(column.instances, oid[size:]) - 1
        return (at, row) if row >= 0 and column.instances[row] == oid[size:] else None

    def has_object(self, oid: Oid) -> bool:
        """Whether an identifier names an object of the tree, be it with an instance that does not exist."""
        at = bisect_right(self._oids, oid) - 1
        return at >= 0 and oid[: len(self._oids[at])] == self._oids[at]

    def after(self, oid: Oid) -> Place | None:
        """The first instance behind an identifier, which need not exist; None behind the last."""
        at = bisect_right(self._oids, oid) - 1
        if at < 0:
            return (0, 0) if self._columns else None
        column = self._columns[at]
        size = len(column.oid)
        if oid[:size] == column.oid:
            row = bisect_right(column.instances, oid[size:])
            if row < len(column.instances):
                return at, row
        return (at + 1, 0) if at + 1 < len(self._columns) else None

    def next(self, place: Place) -> Place | None:
        """The instance behind another."""
        at, row = place
        if row + 1 < len(self._columns[at].instances):
            return at, row + 1
        return (at + 1, 0) if at + 1 < len(self._columns) else None

    def is_volatile(self, place: Place) -> bool:
        return self._columns[place[0]].is_volatile

    def cell(self, place: Place) -> bytes:
        """The encoded variable binding of an instance."""
        assert self.version is not None
        return self._columns[place[0]].cells(self.version)[place[1]]

    def name(self, place: Place) -> bytes:
        """The encoded name of an instance."""
        return self._columns[place[0]].names[place[1]]

    def oid(self, place: Place) -> Oid:
        column = self._columns[place[0]]
        return column.oid + column.instances[place[1]]

    def value(self, place: Place) -> bytes:
        """The encoded value of an instance."""
        cell = self.cell(place)
        name = self.name(place)
        return cell[cell.index(name) + len(name) :]

    def run(self, place: Place, count: int) -> tuple[list[bytes], Place | None, bool]:
        """Cells of up to `count` instances behind `place`.

        Returns:
            The cells, the place of the last of them (`place` itself without any), whether one is volatile.
        """
        assert self.version is not None
        at, row = place
        cells: list[bytes] = []
        is_volatile = False
        row += 1
        while len(cells) < count and at < len(self._columns):
            column = self._columns[at]
            part = column.cells(self.version)[row : row + count - len(cells)]
            if part:
                cells += part
                is_volatile = is_volatile or column.is_volatile
                place = at, row + len(part) - 1
            at, row = at + 1, 0
        return cells, place, is_volatile
