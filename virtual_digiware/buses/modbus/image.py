"""The register image of one unit: what it shows at which address, encoded at most once per version.

A read is a slice of bytes already made for the current version of the site. Knows no socket and no
exception code; a word outside every block is simply not there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from virtual_digiware.buses.interfaces import Unit, Versioned
from virtual_digiware.buses.modbus.codec import BlockPlan
from virtual_digiware.devices.block import Block, PlacedBlock


class _Cell:
    """One placed block with the bytes of the version in which it was last read."""

    __slots__ = ("base", "data", "end", "is_raw", "placed", "plan", "version")

    def __init__(self, placed: PlacedBlock, plan: BlockPlan, is_raw: bool) -> None:
        self.placed = placed
        self.plan = plan
        self.is_raw = is_raw
        self.base = placed.base
        self.end = placed.end
        self.data = b""
        self.version: int | None = None


class RegisterImage:
    """Registers of one unit, read by address.

    `encodings` counts blocks encoded so far, `saturated` values that did not fit their type.
    """

    def __init__(self, unit: Unit, site: Versioned, plans: Plans) -> None:
        self.unit = unit
        self.encodings = 0
        self.saturated = 0
        self._site = site
        cells = [
            _Cell(placed, plans.of(placed.block), unit.is_raw(placed.block))
            for placed in unit.product.blocks
            if is_readable(placed)
        ]
        self._spaces = {
            function: [cell for cell in cells if function in cell.placed.block.read_functions]
            for function in (3, 4)
        }
        self._bases = {function: [cell.base for cell in space] for function, space in self._spaces.items()}

    def read(self, address: int, count: int, function: int = 3) -> bytes | None:
        """Bytes of `count` registers from `address`, or None when one of them lies outside every block.

        Functions 3 and 4 read the same registers, except on products that keep them apart. A read may span
        reserved words, which are 0, and blocks that adjoin without a gap.
        """
        at = bisect_right(self._bases[function], address) - 1
        if at < 0:
            return None
        cells = self._spaces[function]
        cell = cells[at]
        end = address + count
        if end <= cell.end:
            data = cell.data if cell.version == self._site.version else self._encode(cell)
            return data[2 * (address - cell.base) : 2 * (end - cell.base)]
        return self._read_across(cells[at:], address, end)

    def _read_across(self, cells: Sequence[_Cell], address: int, end: int) -> bytes | None:
        parts = []
        for cell in cells:
            if address < cell.base or address >= cell.end:  # a gap in front of this block, or behind the last
                return None
            data = cell.data if cell.version == self._site.version else self._encode(cell)
            parts.append(data[2 * (address - cell.base) : 2 * (end - cell.base)])
            address = cell.end
            if address >= end:
                return b"".join(parts)
        return None

    def _encode(self, cell: _Cell) -> bytes:
        version = self._site.version
        cell.data, saturated = cell.plan.encode(self.unit.read(cell.placed), raw=cell.is_raw)
        cell.version = version
        self.encodings += 1
        self.saturated += saturated
        return cell.data


def is_readable(placed: PlacedBlock) -> bool:
    """Whether a unit shows this block. Slots without a circuit are there too: their status is "disabled"."""
    return placed.block.access != "write"


class Plans:
    """Compiled plans by block, shared by every unit that shows the block."""

    def __init__(self) -> None:
        self._plans: dict[int, BlockPlan] = {}

    def of(self, block: Block) -> BlockPlan:
        # By identity: blocks hold mappings, so they cannot be hashed, and a plan keeps its block alive.
        plan = self._plans.get(id(block))
        if plan is None:
            plan = self._plans[id(block)] = BlockPlan(block)
        return plan


class Images:
    """Register images by unit, made when first asked for and shared by all ports of a site."""

    def __init__(self, site: Versioned) -> None:
        self.site = site
        self._plans = Plans()
        self._images: dict[str, RegisterImage] = {}

    def of(self, unit: Unit) -> RegisterImage:
        image = self._images.get(unit.path)
        if image is None:
            image = self._images[unit.path] = RegisterImage(unit, self.site, self._plans)
        return image
