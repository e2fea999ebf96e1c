"""Wire encodings of the register tables: size, sign and range. Turning values into bytes is the buses' work.

Source: conventions of the DIRIS Digiware and DIRIS B-30 MODBUS tables. High word first, high byte first;
DATETIME counts seconds since 2000-01-01 00:00 and reads 0 while the clock was never set (DIRIS B-10L manual
551174A). DATETIME_MS is presumed to share that epoch, F32, U64 and S64 to share the word order: unverified.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

Kind = Literal["integer", "float", "text"]

_SIZED = re.compile(r"(?P<name>[A-Z0-9_]+)(\[(?P<words>\d+)\])?")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one value lies in its registers.

    `words` is None for texts, whose length each row gives. `minimum` and `maximum` bound the register
    value (before the scale) of integers; both are 0 for floats and texts.
    """

    name: str
    kind: Kind
    words: int | None
    minimum: int = 0
    maximum: int = 0
    characters_per_word: int = 0
    is_low_word_first: bool = False
    missing: int = 0
    """What registers read while the value is not available."""

    @property
    def is_signed(self) -> bool:
        return self.minimum < 0


class EncodingUnknown(ValueError):
    """A register table names an encoding that does not exist or gives it a size that it cannot have."""

    def __init__(self, found: str, right: str) -> None:
        super().__init__(f"encoding {found!r}; right would be {right}")
        self.found = found
        self.right = right


def _unsigned(name: str, words: int, bits: int) -> Encoding:
    return Encoding(name, "integer", words, 0, 2**bits - 1)


def _signed(name: str, words: int) -> Encoding:
    return Encoding(name, "integer", words, -(2 ** (16 * words - 1)), 2 ** (16 * words - 1) - 1)


ENCODINGS: Mapping[str, Encoding] = MappingProxyType(
    {
        encoding.name: encoding
        for encoding in (
            _unsigned("U8", 1, 8),  # in the low byte of its register
            _unsigned("U8_HEX", 1, 8),
            _unsigned("U16", 1, 16),
            _unsigned("U16_HEX", 1, 16),
            _signed("S16", 1),
            _unsigned("U32", 2, 32),
            _unsigned("U32_HEX", 2, 32),
            _unsigned("U32_IP", 2, 32),
            _signed("S32", 2),
            _unsigned("U64", 4, 64),
            _unsigned("U64_HEX", 4, 64),
            _signed("S64", 4),
            _unsigned("DATETIME", 2, 32),
            # Bytes year-2000, month, day, hour, minute, second, read as one 48-bit number.
            _unsigned("DATETIME_3", 3, 48),
            _unsigned("DATETIME_MS", 4, 64),
            Encoding("F32", "float", 2),
            # Low word first: the order of some meters of other makers.
            replace(_unsigned("U32_LOW_FIRST", 2, 32), is_low_word_first=True),
            replace(_signed("S32_LOW_FIRST", 2), is_low_word_first=True),
            replace(_unsigned("U64_LOW_FIRST", 4, 64), is_low_word_first=True),
            replace(_signed("S64_LOW_FIRST", 4), is_low_word_first=True),
            Encoding("F32_LOW_FIRST", "float", 2, is_low_word_first=True),
            # SunSpec model definitions: an int16 that is not implemented reads 0x8000, an acc32 reads 0.
            Encoding("SUNSPEC_S16", "integer", 1, -32767, 32767, missing=0x8000),
            _unsigned("SUNSPEC_ACC32", 2, 32),
            Encoding("STRING_16", "text", None, characters_per_word=1),
            Encoding("STRING_NORM", "text", None, characters_per_word=2),
        )
    }
)


def sized(text: str) -> tuple[Encoding, int]:
    """Read an encoding as register tables write it: `S32`, or `STRING_NORM[8]` for a text of 8 words.

    Returns:
        The encoding and the number of registers it takes.

    Raises:
        EncodingUnknown: No such encoding, a text without a length, or a length that contradicts the encoding.
    """
    match = _SIZED.fullmatch(text)
    encoding = ENCODINGS.get(match["name"]) if match else None
    if match is None or encoding is None:
        raise EncodingUnknown(text, "one of " + ", ".join(ENCODINGS))
    given = int(match["words"]) if match["words"] else None
    if encoding.words is None:
        if not given:
            raise EncodingUnknown(text, f"a length of at least one word, as in {encoding.name}[8]")
        return encoding, given
    if given is not None and given != encoding.words:
        raise EncodingUnknown(text, f"{encoding.name}, which takes {encoding.words} words")
    return encoding, encoding.words
