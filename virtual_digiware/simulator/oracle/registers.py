"""A point in the registers of its unit: the very words that a Modbus client reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.buses.modbus.codec import BlockPlan
from virtual_digiware.buses.modbus.decoding import decoded_value
from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.devices.register_table import confidence_of
from virtual_digiware.simulator.oracle.truth import ModbusTruth

if TYPE_CHECKING:
    from virtual_digiware.devices.block import PlacedBlock
    from virtual_digiware.devices.unit import Unit
    from virtual_digiware.simulator.oracle.places import Place

HALF_F32_STEP = 2.0**-24
"""Relative: half the distance of two neighbouring numbers of 32-bit IEEE 754."""


def block_words(unit: Unit, placed: PlacedBlock) -> tuple[int, ...]:
    """All registers of a block, as they are read now."""
    data = BlockPlan(placed.block).encode(unit.read(placed), raw=unit.is_raw(placed.block)).data
    return tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


def modbus_truth(place: Place, is_answered: bool) -> ModbusTruth | None:
    """How Modbus shows a point; None for a unit without an address.

    Args:
        is_answered: Whether somebody answers for the unit now.
    """
    unit, row = place.unit, place.row
    if unit.address is None:
        return None
    encoding = ENCODINGS[row.encoding]
    words = block_words(unit, place.placed)[row.offset : row.offset + row.words]
    value = decoded_value(row, words_to_bytes(words))
    is_float = encoding.kind == "float"
    return ModbusTruth(
        unit_id=unit.address,
        address=place.register,
        functions=tuple(place.placed.block.read_functions),
        type=row.encoding,
        scale=row.scale,
        word_order="low word first" if encoding.is_low_word_first else "high word first",
        words=words if is_answered else None,
        value=value if is_answered else None,
        tolerance=_float_tolerance(value) if is_float else 0.0 if encoding.kind == "text" else row.scale / 2,
        confidence=confidence_of(place.placed, row),
    )


def words_to_bytes(words: tuple[int, ...]) -> bytes:
    return b"".join(word.to_bytes(2, "big") for word in words)


def _float_tolerance(value: object) -> float:
    return abs(value) * HALF_F32_STEP if isinstance(value, int | float) else 0.0
