"""The registers of a product as rows and pages to read: what the documentation and the point lists show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from virtual_digiware.devices.block import Confidence, PlacedBlock, Product, Row
from virtual_digiware.devices.vocabulary import CONFIDENCES


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One register row of one slot. engineering value = register value x `scale`, in `unit`.

    `slot` counts from 1 as the vendor's load numbers do, 0 where the block does not repeat.
    `access` is `read`, `read write` or `write`; `write_functions` say how.
    """

    address: int
    words: int
    block: str
    table: str
    per: str
    slot: int
    point: str
    label: str
    encoding: str
    scale: float
    unit: str
    access: str
    write_functions: tuple[int, ...]
    is_locked: bool
    is_reserved: bool
    confidence: Confidence
    source: str
    enum: Mapping[int, str]
    note: str

    @property
    def register(self) -> str:
        """Address and, for longer values, the last word: `18444-18445`."""
        return str(self.address) if self.words == 1 else f"{self.address}-{self.address + self.words - 1}"


def register_table(product: Product, with_reserved: bool = False) -> tuple[RegisterRow, ...]:
    """All rows of a product by address; reserved rows, which read 0, only when asked for."""
    return tuple(row for row in _rows(product) if with_reserved or not row.is_reserved)


def confidence_of(placed: PlacedBlock, row: Row) -> Confidence:
    """How sure a row of one slot is: no surer than its slot."""
    own = row.confidence or placed.block.confidence
    slot = placed.block.slot_confidence.get(placed.slot, own)
    return max(own, slot, key=CONFIDENCES.index)


def markdown(product: Product) -> str:
    """A page with the registers of a product: one table a block, the first slot standing for all."""
    lines = [
        f"# {product.name}",
        "",
        f"{_sentence(product.label)} Register confidence: {product.confidence}.",
    ]
    lines += ["", f"Source: {_sentence(product.source)}"]
    if product.functions:
        lines += ["", f"Modbus functions: {', '.join(map(str, product.functions))}."]
    if product.note:
        lines += ["", product.note]
    for placed in product.blocks:
        if placed.slot == 0:
            lines += ["", *_block_lines(placed)]
    return "\n".join(lines) + "\n"


def _rows(product: Product) -> Iterator[RegisterRow]:
    for placed in product.blocks:
        block = placed.block
        for row in block.rows:
            yield RegisterRow(
                address=placed.base + row.offset,
                words=row.words,
                block=block.name,
                table=block.table,
                per=block.repeat.per if block.repeat else "",
                slot=placed.slot + 1 if block.repeat else 0,
                point=row.point,
                label=row.label,
                encoding=row.encoding,
                scale=row.scale,
                unit=row.unit,
                access=block.access.replace("_", " "),
                write_functions=block.write_functions,
                is_locked=block.locked,
                is_reserved=row.reserved,
                confidence=confidence_of(placed, row),
                source=block.source,
                enum=row.enum,
                note=row.note,
            )


def _block_lines(placed: PlacedBlock) -> Iterator[str]:
    block = placed.block
    yield f"## {_sentence(block.label)[:-1]}"
    yield ""
    place = f"`{block.name}`, {placed.base} to {placed.end - 1}"
    if block.repeat is not None:
        place += f", once per {block.repeat.per.replace('_', ' ')} every {block.repeat.stride} words"
    how = block.access.replace("_", " and ")
    if len(block.read_functions) == 1 and block.access != "write":
        how += f" (read with function {block.read_functions[0]})"
    if block.write_functions:
        how += " with function " + " or ".join(str(function) for function in block.write_functions)
    yield f"{place}; {how}{' when unlocked' if block.locked else ''}; {block.confidence}."
    yield f"Source: {_sentence(block.source)}"
    if block.note:
        yield block.note
    yield ""
    yield "| address | point | encoding | scale | unit | confidence | meaning |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in block.rows:
        meaning = "reserved, reads 0" if row.reserved else row.label
        if row.enum and not row.reserved:
            meaning += ": " + ", ".join(f"{number} {word}" for number, word in row.enum.items())
        cells = (placed.base + row.offset, f"`{row.point}`", row.encoding, f"{row.scale:g}", row.unit)
        yield "| " + " | ".join(str(cell) for cell in (*cells, confidence_of(placed, row), meaning)) + " |"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
