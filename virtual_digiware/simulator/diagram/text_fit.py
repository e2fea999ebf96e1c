"""How wide text is, and text that fits: wrapped at words, or cut with an ellipsis."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

from virtual_digiware.profiles import yaml_data

_FILE = Path(__file__).with_name("text_widths.yaml")
_UNKNOWN = 1000
"""A character that the table does not have is taken to be as wide as it is high."""
ELLIPSIS = "…"


@cache
def _widths(style: str) -> dict[str, int]:
    table = cast(Mapping[str, Mapping[int, str]], yaml_data.read(_FILE.read_text(encoding="utf-8")))
    return {character: width for width, characters in table[style].items() for character in characters}


def text_width(text: str, size: float, is_bold: bool = False) -> float:
    """Width in the unit of `size`, the height of the type; never less than what is drawn."""
    widths = _widths("bold" if is_bold else "regular")
    return sum(widths.get(character, _UNKNOWN) for character in text) * size / 1000


def cut(text: str, width: float, size: float, is_bold: bool = False) -> str:
    """The text, or as much of its beginning as fits with an ellipsis."""
    if text_width(text, size, is_bold) <= width:
        return text
    while text and text_width(text + ELLIPSIS, size, is_bold) > width:
        text = text[:-1].rstrip(" ,")
    return text + ELLIPSIS


def wrap(text: str, width: float, size: float, is_bold: bool = False, lines: int = 2) -> list[str]:
    """The text in at most so many lines of that width; what does not fit is cut with an ellipsis."""
    wrapped: list[str] = []
    words = text.split()
    while words and len(wrapped) < lines:
        if len(wrapped) == lines - 1:
            return [*wrapped, cut(" ".join(words), width, size, is_bold)]
        line = words.pop(0)
        while words and text_width(f"{line} {words[0]}", size, is_bold) <= width:
            line += f" {words.pop(0)}"
        wrapped.append(cut(line, width, size, is_bold))
    return wrapped
