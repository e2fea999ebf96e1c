"""What clients get wrong when they read registers, and the values that they would store then."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from virtual_digiware.buses.modbus.decoding import decoded_value
from virtual_digiware.devices.block import Row
from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.simulator.instants import format_instant
from virtual_digiware.simulator.oracle.registers import HALF_F32_STEP, words_to_bytes

Mistake = Literal[
    "swapped_words",
    "swapped_bytes",
    "wrong_scale",
    "wrong_sign",
    "neighbour_register",
    "wrong_width",
    "wrong_unit_id",
    "stale",
    "rounded",
]

Words = tuple[int, ...]

NEIGHBOURS = (-1, 1, -2, 2, -3, 3, -4, 4)
"""Registers by which an address may be wrong: one where a guide counts from one, more for whole values."""

POWERS_OF_TEN = (3, -3, 1, -1, 2, -2, 6, -6, 4, -4, 5, -5)
_FLOAT_SHARE = 2 * HALF_F32_STEP
_ROUNDED_SHARE = 0.05
"""What is further from the truth is not called rounded."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is true around one point.

    Args:
        row: How the point is encoded.
        block: All registers of its block.
        value: What a right client makes of the point's registers, in its unit.
        others: Registers at the same address in other units behind the same gateway, by their path.
        earlier: Values that clients could read at earlier times, by time in ms.
    """

    row: Row
    block: Words
    value: float
    others: Mapping[str, Words] = field(default_factory=dict)
    earlier: Mapping[int, float] = field(default_factory=dict)

    @property
    def words(self) -> Words:
        return self.block[self.row.offset : self.row.offset + self.row.words]

    @property
    def tolerance(self) -> float:
        """By how much a value may differ that is right all the same: what the register rounds away."""
        return tolerance(self.row, self.value)


@dataclass(frozen=True, slots=True)
class Suspect:
    """One mistake and the value that it leads to, as near as `tolerance`; `likely` says what went wrong."""

    mistake: Mistake
    value: float
    tolerance: float
    likely: str

    def explains(self, stored: float) -> bool:
        return abs(stored - self.value) <= self.tolerance

    def explains_exactly(self, stored: float) -> bool:
        """Whether it does so for a client that lost nothing in a 32-bit float."""
        lost = abs(self.value) * _FLOAT_SHARE
        return abs(stored - self.value) <= max(0.0, self.tolerance - lost) + 1e-12 * abs(self.value)


def tolerance(row: Row, value: float) -> float:
    """Half of what the register resolves, and what is lost in a 32-bit float on the way."""
    half = 0.0 if ENCODINGS[row.encoding].kind == "float" else row.scale / 2
    return half * (1 + 1e-9) + abs(value) * _FLOAT_SHARE


def suspects(evidence: Evidence) -> Iterator[Suspect]:
    """Every mistake that is known with what it leads to, the likely ones first; rounding is told apart.

    Mistakes that lead to the right value, as of a register that holds 0, are left out.
    """
    for suspect in (
        *_orders(evidence),
        *_scales(evidence),
        *_signs(evidence),
        *_addresses(evidence),
        *_widths(evidence),
        *_units(evidence),
        *_times(evidence),
    ):
        if abs(suspect.value - evidence.value) > evidence.tolerance:
            yield suspect


def rounding(evidence: Evidence, stored: float) -> Suspect | None:
    """The coarser step to which the true value was rounded, or cut off; None where that explains nothing."""
    value = evidence.value
    if not stored or abs(stored - value) > _ROUNDED_SHARE * abs(value):
        return None
    first = math.floor(math.log10(max(2 * evidence.tolerance, 1e-9))) + 1
    for exponent in range(first, math.floor(math.log10(abs(value))) + 1):
        step = 10.0**exponent
        for whole in (round(value / step), math.trunc(value / step)):
            if math.isclose(stored, whole * step, rel_tol=1e-7):
                return Suspect("rounded", whole * step, 0.0, f"rounded or cut off to steps of {step:g}")
    return None


def _made(evidence: Evidence, mistake: Mistake, words: Words, row: Row, likely: str) -> Iterator[Suspect]:
    value = decoded_value(row, words_to_bytes(words))
    if isinstance(value, int | float) and math.isfinite(value):
        yield Suspect(mistake, float(value), tolerance(row, value), likely)


def _orders(evidence: Evidence) -> Iterator[Suspect]:
    words, row = evidence.words, evidence.row
    swapped = tuple((word & 0xFF) << 8 | word >> 8 for word in words)
    if len(words) > 1:
        yield from _made(evidence, "swapped_words", words[::-1], row, "the words in the wrong order")
        likely = "words and bytes both in the wrong order"
        yield from _made(evidence, "swapped_bytes", swapped[::-1], row, likely)
    yield from _made(evidence, "swapped_bytes", swapped, row, "the bytes of each register in the wrong order")


def _scales(evidence: Evidence) -> Iterator[Suspect]:
    for power in POWERS_OF_TEN:
        factor = 10.0**power
        if power > 0:
            likely = f"{factor:g} times too big: a scale of the register left out or applied twice"
        else:
            likely = f"{10.0**-power:g} times too small: a scale of the register left out or applied twice"
        if abs(power) == 3:
            likely += ", or a kilo taken for its base unit or the other way round"
        yield Suspect("wrong_scale", evidence.value * factor, evidence.tolerance * factor, likely)


def _signs(evidence: Evidence) -> Iterator[Suspect]:
    row, value = evidence.row, evidence.value
    yield Suspect("wrong_sign", -value, evidence.tolerance, "the sign turned round: import taken for export")
    encoding = ENCODINGS[row.encoding]
    if encoding.kind != "integer":
        return
    span = 2.0 ** (16 * row.words) * row.scale
    if encoding.is_signed and value < 0:
        likely = "a signed register read as an unsigned one"
        yield Suspect("wrong_sign", value + span, tolerance(row, value + span), likely)
    if not encoding.is_signed and evidence.words[0] & 0x8000 and not encoding.is_low_word_first:
        likely = "an unsigned register read as a signed one"
        yield Suspect("wrong_sign", value - span, tolerance(row, value - span), likely)


def _addresses(evidence: Evidence) -> Iterator[Suspect]:
    row = evidence.row
    for step in NEIGHBOURS:
        begin = row.offset + step
        if begin >= 0 and begin + row.words <= len(evidence.block):
            words = evidence.block[begin : begin + row.words]
            likely = (
                f"read {abs(step)} register{'s' if abs(step) > 1 else ''} too {'far' if step > 0 else 'near'}"
            )
            yield from _made(evidence, "neighbour_register", words, row, likely)


def _widths(evidence: Evidence) -> Iterator[Suspect]:
    """Halves of a value read as the whole, and a single register read together with a neighbour."""
    row, words = evidence.row, evidence.words
    if ENCODINGS[row.encoding].kind != "integer":
        return
    if len(words) in (2, 4):
        size = len(words) // 2
        for part, which in ((words[:size], "first"), (words[size:], "second")):
            for name in _encodings(size):
                likely = f"only the {which} half of {len(words)} registers, as {name}"
                narrow = replace(row, encoding=name, words=size)
                yield from _made(evidence, "wrong_width", part, narrow, likely)
    if len(words) == 1:
        for begin, which in ((row.offset, "next"), (row.offset - 1, "previous")):
            wide = evidence.block[max(begin, 0) : max(begin, 0) + 2]
            for name in _encodings(2) if begin >= 0 and len(wide) == 2 else ():
                likely = f"two registers instead of one, with the {which}, as {name}"
                yield from _made(evidence, "wrong_width", wide, replace(row, encoding=name, words=2), likely)


def _encodings(words: int) -> Sequence[str]:
    return ("U16", "S16") if words == 1 else ("U32", "S32")


def _units(evidence: Evidence) -> Iterator[Suspect]:
    for path, words in evidence.others.items():
        likely = f"read from {path}: the unit id of another device"
        yield from _made(evidence, "wrong_unit_id", words, evidence.row, likely)


def _times(evidence: Evidence) -> Iterator[Suspect]:
    for t_ms, value in sorted(evidence.earlier.items(), reverse=True):
        likely = f"the value of {format_instant(t_ms)}, not read again since"
        yield Suspect("stale", value, tolerance(evidence.row, value), likely)
