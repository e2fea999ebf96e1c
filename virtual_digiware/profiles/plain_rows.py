"""A fast reader for the plain part of YAML in which the library's data files are written.

ruamel.yaml needs about 50 ms for them, a third of what importing everything else takes. Whatever is not plain
is left to ruamel.yaml, which stays the authority: a test compares both readers on every file.
"""

from __future__ import annotations

import re

Row = str | list[str]

_ENTRY = re.compile(r"([A-Za-z][A-Za-z0-9_-]*):")
_ROW = re.compile(r"  ([a-z][a-z0-9_]*):(?: (\S.*))?")
_TEXT = re.compile(r"[A-Za-z](?:[^:#\"']|:(?=\S))*|[0-9.][0-9. ,/a-z-]*[ /][0-9. ,/a-z-]*")
_QUOTED = re.compile(r'"([^"\\]*)"')
_FLOW_LIST = re.compile(r'\["[^"\\]*"(?:, "[^"\\]*")*\]')
_NOT_TEXT = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


class _NotPlain(Exception):
    """The text uses more of YAML than this reader knows."""


def read_plain_rows(text: str) -> dict[str, dict[str, Row]] | None:
    """Entries of a document, each with rows of text or lists of text; None if it needs a whole YAML reader.

    Plain are `name:` lines, rows `  key: text` (words, numbers that are more than one number, double-quoted
    text without escapes, literal text after `|`, a one-line list of quoted texts), and `  - text` items.
    """
    try:
        return _entries(text.split("\n"))
    except _NotPlain:
        return None


def _entries(lines: list[str]) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    rows: dict[str, Row] | None = None
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line or line.startswith("#"):
            continue
        entry = _ENTRY.fullmatch(line)
        if entry is not None:
            name = _checked(entry[1], found)
            rows = found[name] = {}
            continue
        row = _ROW.fullmatch(line)
        if row is None or rows is None:
            raise _NotPlain
        key = _checked(row[1], rows)
        if row[2] == "|":
            rows[key], at = _literal(lines, at)
        elif row[2] is None:
            rows[key], at = _items(lines, at)
        else:
            rows[key] = _value(row[2])
    if not found or not all(found.values()):
        raise _NotPlain  # ruamel.yaml says what an entry without rows is
    return found


def _checked(name: str, present: dict[str, dict[str, Row]] | dict[str, Row]) -> str:
    if name in present or name.lower() in _NOT_TEXT:
        raise _NotPlain
    return name


def _plain(text: str) -> str:
    if _TEXT.fullmatch(text) is None or text.lower() in _NOT_TEXT or text != text.strip():
        raise _NotPlain
    return text


def _value(text: str) -> Row:
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:
        return quoted[1]
    if _FLOW_LIST.fullmatch(text) is not None:
        return _QUOTED.findall(text)
    return _plain(text)


def _literal(lines: list[str], at: int) -> tuple[str, int]:
    """Text of a block of lines indented by four; it ends before the first line that is not."""
    first = at
    while at < len(lines) and lines[at].startswith("    "):
        at += 1
    block = [line[4:] for line in lines[first:at]]
    if not block or any(not line.strip() or line != line.rstrip() for line in block) or block[0][0] == " ":
        raise _NotPlain
    return "\n".join(block) + "\n", at


def _items(lines: list[str], at: int) -> tuple[list[str], int]:
    items: list[str] = []
    while at < len(lines) and lines[at].startswith("  - "):
        items.append(_plain(lines[at][4:]))
        at += 1
    if not items:
        raise _NotPlain
    return items, at
