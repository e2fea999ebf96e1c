"""Reading one block file of the catalogue: its grammar, its checks, and the view that one product has of it.

The rows stand in a plain text table inside the YAML file, one line each:

    offset  point  encoding  scale  unit  | label | evidence

`unit` is `-` for pure numbers; `evidence` is optional (`confirmed on I-31 S-135, partial on I-30`).
Text instead of a YAML mapping per row: it reads like the table of a manual, and loads ten times as fast.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

from virtual_digiware.devices.block import Access, Block, Confidence, Repeat, Row
from virtual_digiware.devices.catalogue_section import Section, as_confidence, load
from virtual_digiware.devices.encodings import ENCODINGS, EncodingUnknown, sized
from virtual_digiware.devices.vocabulary import SLOT_KINDS, TABLES, UNITS

_KEYS = frozenset(
    {"block", "label", "table", "base", "words", "repeat", "access", "write_functions", "locked"}
    | {
        "read_functions",
        "scaled_by",
        "confidence",
        "slot_confidence",
        "seen_on",
        "source",
        "note",
        "enums",
        "initial",
        "notes",
        "rows",
    }
)
_LOOP = re.compile(r"for (\w+) in (\d+)\.\.(\d+), from (\d+) every (\d+):")
Evidence = tuple[tuple[Confidence, tuple[str, ...]], ...]
_ACCESS: Mapping[str, Access] = {"read": "read", "write": "write", "read_write": "read_write"}


@dataclass(frozen=True)
class BlockFile:
    """A block as its file describes it, with the products on which its rows were seen.

    `seen_on` empty: the evidence does not depend on the product. `evidence[i]` belongs to row i:
    pairs of a confidence and the products it holds for (none named: all of `seen_on`).
    """

    block: Block
    seen_on: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    def for_product(
        self,
        product: str,
        reserved: Sequence[str] = (),
        initial: Mapping[str, int | str] | None = None,
        is_read_only: bool = False,
    ) -> Block:
        """The block as one product serves it.

        A product on which the block was never seen has it `inferred`, whatever others show.
        `reserved` points read 0; `initial` replaces register values of settings rows.
        """
        is_seen = not self.seen_on or product in self.seen_on
        rows = []
        for row, evidence in zip(self.block.rows, self.evidence, strict=True):
            confidence = _row_confidence(evidence, product) if is_seen else None
            value = (initial or {}).get(row.point, row.initial)
            is_reserved = row.point in reserved
            if is_reserved or confidence != row.confidence or value != row.initial:
                row = replace(row, confidence=confidence, initial=value, reserved=is_reserved)
            rows.append(row)
        return replace(
            self.block,
            rows=tuple(rows),
            confidence=self.block.confidence if is_seen else "inferred",
            access="read" if is_read_only else self.block.access,
            write_functions=() if is_read_only else self.block.write_functions,
            locked=self.block.locked and not is_read_only,
        )


def _row_confidence(evidence: Evidence, product: str) -> Confidence | None:
    if not evidence:
        return None
    for confidence, names in evidence:
        if not names or product in names:
            return confidence
    return "inferred"


def read_block_file(path: Path) -> BlockFile:
    """Load and check one block file.

    Raises:
        CatalogueError: Anything in the file that cannot be right, with the place and what would be.
    """
    section = load(path, _KEYS)
    name = section.text("block")
    if name != path.stem:
        raise section.error("block", name, f"the name of the file, {path.stem}")
    confidence = section.confidence("confidence")
    rows: list[Row] = []
    evidence: list[Evidence] = []
    for row, seen in _rows(section):
        rows.append(row)
        evidence.append(seen)
    block = Block(
        name=name,
        label=section.text("label"),
        table=section.choice("table", TABLES),
        base=section.integer("base", 0, 65535),
        words=section.integer("words", 1, 2048),
        access=_ACCESS[section.choice("access", _ACCESS)],
        rows=tuple(sorted(_decorated(section, rows), key=lambda row: row.offset)),
        confidence=confidence,
        source=section.text("source"),
        repeat=_repeat(section),
        write_functions=_write_functions(section),
        locked=section.boolean("locked", False),
        read_functions=_read_functions(section),
        slot_confidence=_slot_confidence(section),
        note=section.text("note", ""),
    )
    _check_geometry(section, block)
    order = sorted(range(len(rows)), key=lambda i: rows[i].offset)
    return BlockFile(block, section.texts("seen_on"), tuple(evidence[i] for i in order))


def _rows(section: Section) -> Iterator[tuple[Row, Evidence]]:
    """Rows of the table, loops (`for rank in 2..25, from 1 every 4:` over indented lines) unrolled."""
    loop: re.Match[str] | None = None
    body: list[tuple[int, str]] = []
    for number, line in enumerate([*section.text("rows").splitlines(), ""], 1):
        if loop is not None and line[:1] == " ":
            body.append((number, line))
            continue
        if loop is not None:
            yield from _unrolled(section, loop, body)
        loop, body = _LOOP.fullmatch(line), []
        if loop is None and line.strip():
            yield _row(section, number, line, 0)


def _unrolled(
    section: Section, loop: re.Match[str], body: Sequence[tuple[int, str]]
) -> Iterator[tuple[Row, Evidence]]:
    name, first, last, offset, stride = loop[1], *(int(loop[i]) for i in range(2, 6))
    for index in range(first, last + 1):
        for number, line in body:
            shifted = offset + stride * (index - first)
            yield _row(section, number, line.replace("{" + name + "}", str(index)), shifted)


def _row(section: Section, number: int, line: str, shift: int) -> tuple[Row, Evidence]:
    columns, *rest = line.split("|")
    fields = columns.split()
    place = f"rows, line {number}"
    if len(fields) != 5:
        raise section.error(place, columns.strip(), "offset, point, encoding, scale and unit")
    offset, point, encoding, scale, unit = fields
    try:
        name, words = sized(encoding)
    except EncodingUnknown as problem:
        raise section.error(f"{place}, encoding of {point}", problem.found, problem.right) from problem
    if unit != "-" and unit not in UNITS:
        raise section.error(f"{place}, unit of {point}", unit, "one of - " + " ".join(sorted(UNITS)))
    try:
        at, factor = int(offset) + shift, float(scale)
    except ValueError as problem:
        raise section.error(place, columns.strip(), "a whole offset and a number as scale") from problem
    label = rest[0].strip() if rest else ""
    evidence = _evidence(section, place, rest[1]) if len(rest) > 1 else ()
    row = Row(point, at, name.name, words, factor, "" if unit == "-" else unit, label)
    return replace(row, confidence=evidence[0][0]) if evidence else row, evidence


def _evidence(section: Section, place: str, text: str) -> Evidence:
    found = []
    for part in text.split(","):
        word, _, names = part.strip().partition(" on ")
        found.append((as_confidence(section, place, word), tuple(names.split())))
    return tuple(found)


def _decorated(section: Section, rows: Sequence[Row]) -> list[Row]:
    """Rows with the enumerations, initial values and notes given for them by name or wildcard."""
    points = [row.point for row in rows]
    by_point = dict(zip(points, rows, strict=True))
    if len(by_point) < len(rows):
        twice = sorted({point for point in points if points.count(point) > 1})
        raise section.error("rows", ", ".join(twice), "each point once in a block")
    for pattern, enum in _enums(section).items():
        for point in _matching(section, "enums", pattern, points):
            by_point[point] = replace(by_point[point], enum=enum)
    for pattern, initial in section.mapping("initial").items():
        if not isinstance(initial, int | str) or isinstance(initial, bool):
            raise section.error(f"initial.{pattern}", repr(initial), "a register value or a text")
        for point in _matching(section, "initial", pattern, points):
            wrong = why_not(by_point[point], initial)
            if wrong is not None:
                raise section.error(f"initial.{pattern}", repr(initial), wrong)
            by_point[point] = replace(by_point[point], initial=initial)
    for pattern, scale_point in section.mapping("scaled_by").items():
        if scale_point not in points:
            raise section.error(f"scaled_by.{pattern}", repr(scale_point), "a point of this block")
        for point in _matching(section, "scaled_by", str(pattern), points):
            by_point[point] = replace(by_point[point], scale_point=str(scale_point))
    for line in section.text("notes", "").splitlines():
        pattern, _, note = line.partition(": ")
        for point in _matching(section, "notes", pattern, points):
            by_point[point] = replace(by_point[point], note=note)
    return list(by_point.values())


def _matching(section: Section, key: str, pattern: str, points: Sequence[str]) -> Sequence[str]:
    if "*" in pattern:
        found = [point for point in points if fnmatchcase(point, pattern)]
    else:
        found = [pattern] if pattern in points else []
    if not found:
        raise section.error(f"{key}.{pattern}", "no such point", "a point of this block")
    return found


def _enums(section: Section) -> dict[str, dict[int, str]]:
    """Meanings of register values: `point: 0 word; 1 other word`, continued on indented lines."""
    found: dict[str, dict[int, str]] = {}
    pattern = ""
    for line in section.text("enums", "").splitlines():
        if line[:1].strip():
            pattern, _, line = line.partition(":")
        for entry in filter(None, (part.strip() for part in line.split(";"))):
            number, _, word = entry.partition(" ")
            try:
                found.setdefault(pattern, {})[int(number, 0)] = word
            except ValueError as problem:
                raise section.error(
                    f"enums.{pattern}", entry, "a register value and its meaning"
                ) from problem
    return found


def _repeat(section: Section) -> Repeat | None:
    repeat = section.section("repeat", frozenset({"per", "stride", "count"}))
    if repeat is None:
        return None
    return Repeat(
        repeat.choice("per", SLOT_KINDS), repeat.integer("stride", 1, 65535), repeat.integer("count", 1, 4096)
    )


def _write_functions(section: Section) -> tuple[int, ...]:
    functions = section.integers("write_functions")
    is_writable = section.text("access") != "read"
    if set(functions) - {6, 16} or bool(functions) != is_writable:
        right = "6, 16 or both" if is_writable else "nothing, since the block is read only"
        raise section.error("write_functions", str(list(functions)), right)
    return functions


def _read_functions(section: Section) -> tuple[int, ...]:
    functions = section.integers("read_functions") or (3, 4)
    if set(functions) - {3, 4}:
        raise section.error("read_functions", str(list(functions)), "3, 4 or both")
    return functions


def _slot_confidence(section: Section) -> dict[int, Confidence]:
    """Confidence by slot, counted from 0 (files write the vendor's load numbers, from 1)."""
    given = section.mapping("slot_confidence")
    return {
        int(n) - 1: as_confidence(section, f"slot_confidence.{n}", str(word)) for n, word in given.items()
    }


def _check_geometry(section: Section, block: Block) -> None:
    if not block.rows:
        raise section.error("rows", "nothing", "at least one row")
    for row, following in pairwise(block.rows):
        if row.offset + row.words > following.offset:
            found = f"{following.point} at {following.offset}"
            right = f"an offset of {row.offset + row.words} or more, behind {row.point}"
            raise section.error("rows", found, right)
    last = block.rows[-1]
    if last.offset + last.words > block.words:
        found = f"{last.point} ends at {last.offset + last.words}"
        raise section.error("words", found, f"rows inside the {block.words} words of the block")
    repeat = block.repeat
    if repeat is not None and repeat.count > 1 and repeat.stride < block.words:
        raise section.error(
            "repeat.stride", str(repeat.stride), f"{block.words} or more, the size of one slot"
        )
    end = block.base + block.words + (repeat.stride * (repeat.count - 1) if repeat else 0)
    if end > 65536:
        raise section.error("base", f"last word at {end - 1}", "addresses up to 65535")


def why_not(row: Row, value: int | str) -> str | None:
    """What would be right if the row cannot hold that register value or text; None if it can."""
    encoding = ENCODINGS[row.encoding]
    if encoding.kind == "text":
        length = row.words * encoding.characters_per_word
        fits = isinstance(value, str) and value.isascii() and len(value) <= length
        return None if fits else f"an ASCII text of {length} characters at most"
    if encoding.kind == "float":
        return None if isinstance(value, int) else "a whole number"
    if not isinstance(value, int) or not encoding.minimum <= value <= encoding.maximum:
        return f"a whole number from {encoding.minimum} to {encoding.maximum}"
    if row.enum and value not in row.enum:
        return "one of " + ", ".join(f"{number} ({word})" for number, word in row.enum.items())
    return None
