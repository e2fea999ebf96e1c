"""The writable registers of one unit: what stands in them, what is saved, and which writes the device takes.

What a value means for the measurement is not known here (see `unit_state.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from virtual_digiware.devices.block import PlacedBlock, Product, Row
from virtual_digiware.devices.records import Refusal
from virtual_digiware.devices.register_words import from_words, to_words, violation

LOCKED, NO_SUCH_REGISTER, BAD_VALUE = 1, 2, 3
"""Modbus exception codes. That a locked table answers 1 is our choice, no code is published; 2 and 3 follow
the MODBUS Application Protocol V1.1b3, section 7."""

Key = tuple[str, int, str]
"""Block name, slot, point."""


class Settings:
    """Stored words of one unit's writable blocks, as a fold over accepted writes.

    What a client reads back is what was written last. Locked tables take effect, and survive a reboot,
    only from `save` on; the others at once.
    """

    def __init__(self, product: Product, initial: Mapping[Key, int | str]) -> None:
        """`initial` replaces initial values of the product's rows (register values)."""
        self.map = product.register_map
        self._places = product.places
        self._initial = dict(initial)
        self.mistaken: Mapping[Key, int] = {}
        """Values that a fault has put in the place of what was written; they are shown and have effect."""
        self._live: dict[int, int] = {}
        self._saved: dict[int, int] = {}

    def shown(self, placed: PlacedBlock, row: Row) -> float | str:
        """Register value that a read gives."""
        return self._value(placed, row, self._live)

    def effective(self, placed: PlacedBlock, row: Row) -> float | str:
        """Register value that the device works with."""
        return self._value(placed, row, self._saved if placed.block.locked else self._live)

    def number(self, block: str, slot: int, point: str) -> int | None:
        """Effective value of a numeric row; None where the product has no such row."""
        value = self._named(block, slot, point)
        return None if value is None else int(value)

    def text(self, block: str, slot: int, point: str) -> str:
        """Effective text of a row; empty where the product has no such row."""
        value = self._named(block, slot, point)
        return "" if value is None else str(value)

    def _named(self, block: str, slot: int, point: str) -> float | str | None:
        placed = self._places.get((block, slot))
        if placed is None:
            return None
        for row in placed.block.rows:
            if row.point == point:
                return self.effective(placed, row)
        return None

    def _value(self, placed: PlacedBlock, row: Row, written: Mapping[int, int]) -> float | str:
        if row.reserved:
            return 0
        if self.mistaken and (placed.block.name, placed.slot, row.point) in self.mistaken:
            return self.mistaken[placed.block.name, placed.slot, row.point]
        initial = self._initial.get((placed.block.name, placed.slot, row.point), row.initial)
        first = placed.base + row.offset
        if not any(first + i in written for i in range(row.words)):
            return initial
        words = to_words(initial, row)
        return from_words([written.get(first + i, words[i]) for i in range(row.words)], row)

    def check(
        self, function: int, address: int, values: Sequence[int], *, is_unlocked: bool
    ) -> Refusal | None:
        """Whether the device takes a write; changes nothing.

        Every word must lie in a table that takes `function`. A row is checked when the write covers it
        whole; single words of a longer value are stored as they come.
        """
        blocks = self.map.spanned(address, len(values))
        if blocks is None or not values:
            return Refusal(NO_SUCH_REGISTER, f"no register at {address}, or behind it before the last word")
        for placed in blocks:
            if function not in placed.block.write_functions:
                return Refusal(
                    NO_SUCH_REGISTER,
                    f"{placed.block.name} at {placed.base} does not take function {function}",
                )
        for placed in blocks:
            if placed.block.locked and not is_unlocked:
                return Refusal(
                    LOCKED, f"{placed.block.name} at {placed.base} is locked; write 1000 to 58112 first"
                )
        if not all(0 <= word <= 0xFFFF for word in values):
            return Refusal(BAD_VALUE, "a register holds 0 to 65535")
        for placed, row, words in self.rows_written(address, values):
            if placed.block.table != "zero" and len(words) == row.words:
                problem = violation(from_words(words, row), row)
                if problem is not None:
                    return Refusal(BAD_VALUE, problem)
        return None

    def rows_written(
        self, address: int, values: Sequence[int]
    ) -> Iterator[tuple[PlacedBlock, Row, Sequence[int]]]:
        """Rows that a write touches, with the words that fall on each (fewer than `row.words` when cut)."""
        end = address + len(values)
        for placed in self.map.spanned(address, len(values)) or ():
            for row in placed.block.rows:
                first = placed.base + row.offset
                low, high = max(first, address), min(first + row.words, end)
                if low < high and not row.reserved:
                    yield placed, row, values[low - address : high - address]

    def write(self, address: int, values: Sequence[int]) -> None:
        """Store words. Words outside every row (reserved) keep reading 0."""
        for offset, word in enumerate(values):
            self._live[address + offset] = word

    def set(self, placed: PlacedBlock, row: Row, value: int | str) -> None:
        """Store and save one value as the device itself does it."""
        for offset, word in enumerate(to_words(value, row)):
            self._live[placed.base + row.offset + offset] = word
            self._saved[placed.base + row.offset + offset] = word

    def save(self) -> None:
        """Make everything written so far permanent."""
        self._saved = dict(self._live)

    def reboot(self) -> None:
        """Lose what was written to locked tables and not saved."""
        for address in list(self._live):
            placed = self.map.find(address)
            if placed is None or not placed.block.locked:
                continue
            if address in self._saved:
                self._live[address] = self._saved[address]
            else:
                del self._live[address]

    def restore(self) -> None:
        """Back to the initial values."""
        self._live.clear()
        self._saved.clear()
