"""Register blocks and products as Python sees them once their YAML files are loaded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from virtual_digiware.devices.vocabulary import Family

Confidence = Literal["confirmed", "partial", "inferred", "extension"]
Access = Literal["read", "write", "read_write"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a block: where the named point stands and how it is encoded.

    engineering value = register value x scale, in `unit`. `initial` is what a settings row reads
    before anything is written (register value). `reserved` rows read 0.
    """

    point: str
    offset: int
    encoding: str
    words: int
    scale: float = 1.0
    unit: str = ""
    label: str = ""
    enum: Mapping[int, str] = field(default_factory=dict)
    initial: int | str = 0
    reserved: bool = False
    scale_point: str = ""
    """Row of the block that holds a power of ten by which this one is multiplied as well."""
    confidence: Confidence | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A block that stands once per slot (circuit, input, output, alarm, ...)."""

    per: str
    stride: int
    count: int


@dataclass(frozen=True, slots=True)
class Block:
    """A register block shared by products, as its YAML file describes it.

    `table` names what fills it: a table of the snapshot (`circuit.instantaneous`, ...), `settings`
    (stored words, writable), `identification`, `command` (write only), `zero` (exists, reads 0).
    `write_functions` empty: read only. `locked`: needs the unlock code first.
    """

    name: str
    label: str
    table: str
    base: int
    words: int
    access: Access
    rows: tuple[Row, ...]
    confidence: Confidence
    source: str
    repeat: Repeat | None = None
    write_functions: tuple[int, ...] = ()
    locked: bool = False
    read_functions: tuple[int, ...] = (3, 4)
    """Functions that read it. Products that tell holding from input registers have blocks for each."""
    slot_confidence: Mapping[int, Confidence] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class PlacedBlock:
    """One repetition of a block in a product's register space. `slot` counts from 0."""

    block: Block
    slot: int
    base: int

    @property
    def end(self) -> int:
        """First address behind the block."""
        return self.base + self.block.words


class RegisterMap:
    """Finds the block of an address among those of a product."""

    def __init__(self, blocks: Iterable[PlacedBlock]) -> None:
        # Whatever is written is a holding register.
        self._blocks = [placed for placed in blocks if 3 in placed.block.read_functions]
        self._bases = [placed.base for placed in self._blocks]

    def find(self, address: int) -> PlacedBlock | None:
        """The block that holds `address`, or None."""
        at = bisect_right(self._bases, address) - 1
        if at < 0 or address >= self._blocks[at].end:
            return None
        return self._blocks[at]

    def spanned(self, address: int, count: int) -> list[PlacedBlock] | None:
        """Blocks that hold the words from `address` on, in order; None when a word lies in none."""
        found: list[PlacedBlock] = []
        while count > 0:
            placed = self.find(address)
            if placed is None:
                return None
            found.append(placed)
            count -= placed.end - address
            address = placed.end
        return found


@dataclass(frozen=True)
class Product:
    """A device type. `blocks` are sorted by base and do not overlap."""

    name: str
    family: Family
    inputs: int
    blocks: tuple[PlacedBlock, ...]
    source: str
    confidence: Confidence
    identity: Mapping[str, int | str] = field(default_factory=dict)
    features: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    functions: tuple[int, ...] = ()
    """Modbus functions that the product knows; empty: all that are served at all."""
    label: str = ""
    note: str = ""

    @cached_property
    def register_map(self) -> RegisterMap:
        """Where its writable registers are; one for all units of the product."""
        return RegisterMap(self.blocks)

    @cached_property
    def places(self) -> Mapping[tuple[str, int], PlacedBlock]:
        """Its blocks by name and slot."""
        return {(placed.block.name, placed.slot): placed for placed in self.blocks}
