"""What the buses ask of the devices: units to read, a version that says when to read again, a place to write.

Structural types only, so that a bus never learns how a device computes what it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from virtual_digiware.devices.block import Block, PlacedBlock, Product
from virtual_digiware.devices.points import FloatArray
from virtual_digiware.devices.records import Refusal

RawValue = int | float | str | None


class Unit(Protocol):
    """One addressable device, a module or a gateway. `path` is unique within a site."""

    @property
    def path(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def product(self) -> Product: ...

    @property
    def circuits(self) -> Sequence[str]: ...

    @property
    def address(self) -> int | None:
        """Modbus address as last committed; None for a device without an address of its own."""

    @property
    def is_present(self) -> bool:
        """Whether the device is powered, wired and answering."""

    def read(self, placed: PlacedBlock) -> FloatArray | Sequence[RawValue]:
        """Values of `placed.block.rows` in row order.

        An array of engineering values (NaN: not available), or a sequence when the block is raw.
        """

    def is_raw(self, block: Block) -> bool:
        """Whether `read` gives register values and texts, with the scale already undone."""


class Versioned(Protocol):
    """Whatever `version` belongs to: it changes when anything readable may have changed."""

    @property
    def version(self) -> int: ...


class WriteHandler(Protocol):
    """Takes writes that are well formed; says why not, or has journaled and applied them."""

    def write(self, unit: Unit, function: int, address: int, values: Sequence[int]) -> Refusal | None: ...


class Directory(Protocol):
    """Who answers for a unit identifier on one port or line."""

    def find(self, unit_id: int) -> Unit | None:
        """The unit that answers, or None: absent, dead, or several units sharing the address."""

    def claims(self, unit_id: int) -> int:
        """How many devices would answer at once; above 1 nobody is understood."""
