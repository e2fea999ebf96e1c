"""A fast reader for the plain part of YAML in which block and product files are written.

ruamel.yaml needs about 2 ms for such a file, and a site uses a hundred of them. Whatever is not plain is left
to ruamel.yaml, which stays the authority: a test compares both readers on every file of the catalogue.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import takewhile

from ruamel.yaml import YAML

Plain = str | int | float | bool | list["Plain"] | dict[str | int, "Plain"]

_KEY = re.compile(r"([a-z_][a-z0-9_]*):(?: +(\S.*))?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_*+./-]*(?:,? [A-Za-z0-9_(][A-Za-z0-9_()*+./-]*)*")
_NUMBER = re.compile(r"0|-?[1-9][0-9]*|0x[0-9A-F]+")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_QUOTED = re.compile(r'"[^"\\]*"')
_PAIR = re.compile(r'("?)([A-Za-z0-9_*-]+)\1: (\S.*)')
_NOT_WORDS = frozenset({"null", "true", "false"})


class _NotPlain(Exception):
    """The text uses more of YAML than this reader knows."""


def read_yaml(text: str) -> object:
    """The value of a YAML document.

    Raises:
        ruamel.yaml.error.YAMLError: The document is not YAML.
    """
    plain = read_plain(text)
    return _authority().load(text) if plain is None else plain


def read_plain(text: str) -> dict[str | int, Plain] | None:
    """The mapping in a document of plain keys and values, or None if it needs a whole YAML reader.

    Plain are words, whole numbers, double-quoted texts without escapes, one-line flow lists and mappings
    of those, literal texts (`key: |`), and one level of nested keys.
    """
    if "\t" in text or "\r" in text:
        return None
    try:
        return _mapping(text.split("\n"), 0)
    except _NotPlain:
        return None


def _mapping(lines: list[str], indent: int) -> dict[str | int, Plain]:
    found: dict[str | int, Plain] = {}
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip() or line.startswith("#"):
            continue
        match = _KEY.fullmatch(line, indent)
        if match is None or match[1] in found or line[:indent].strip():
            raise _NotPlain
        following = list(
            takewhile(lambda one: not one.strip() or one.startswith(" " * (indent + 1)), lines[at:])
        )
        at += len(following)
        found[match[1]] = _value(match[2], following, indent)
    return found


def _value(first: str | None, following: list[str], indent: int) -> Plain:
    body = [line for line in following if line.strip()]
    if first == "|":
        return _literal(following)
    if first is None:
        depth = len(body[0]) - len(body[0].lstrip()) if body else 0
        if indent or not body:
            raise _NotPlain
        return _mapping(following, depth)
    if body and len(body) < len(following):
        raise _NotPlain
    joined = " ".join([first, *(line.strip() for line in body)])
    if body and first[0] not in '"[{':
        raise _NotPlain
    return _scalar(joined)


def _literal(lines: list[str]) -> str:
    if any(line and not line.strip() for line in lines):
        raise _NotPlain  # whether such spaces belong to the text is a chapter of its own
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if not lines or not lines[0].strip():
        raise _NotPlain
    depth = len(lines[0]) - len(lines[0].lstrip())
    if any(line.strip() and line[:depth].strip() for line in lines):
        raise _NotPlain
    return "\n".join(line[depth:] for line in lines) + "\n"


def _scalar(text: str) -> Plain:
    if _WORD.fullmatch(text) and text.lower() not in _NOT_WORDS:
        return text
    if _NUMBER.fullmatch(text):
        return int(text, 0)
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _QUOTED.fullmatch(text):
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    if text[0] + text[-1] == "[]":
        return [_item(item) for item in _items(text)]
    if text[0] + text[-1] == "{}":
        return dict(_pair(item) for item in _items(text))
    raise _NotPlain


def _items(text: str) -> list[str]:
    inside = text[1:-1].strip()
    return [item.strip() for item in inside.split(",")] if inside else []


def _item(text: str) -> Plain:
    if not text or text[0] in "[{":
        raise _NotPlain
    return _scalar(text)


def _pair(text: str) -> tuple[str | int, Plain]:
    match = _PAIR.fullmatch(text)
    if match is None or (not match[1] and (match[2][0] in "*-" or match[2].lower() in _NOT_WORDS)):
        raise _NotPlain
    key = int(match[2]) if not match[1] and _NUMBER.fullmatch(match[2]) else match[2]
    return key, _item(match[3])


@cache
def _authority() -> YAML:
    # One for all files: making it searches the disk for plug-ins.
    return YAML(typ="safe", pure=True)
