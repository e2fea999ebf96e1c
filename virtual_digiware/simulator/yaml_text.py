"""YAML text as plain Python data, remembering on which line every value stands.

Knows nothing of sites: only mappings, lists and scalars. Time stamps stay text, so that the
site models (and their JSON Schema) decide what a time looks like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.nodes import MappingNode, Node

MOST_VALUES = 1_000_000
"""A site of 10,000 circuits has a tenth of it."""

Key = str | int
KeyPath = tuple[Key, ...]
Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in a user's file: where it is (line 0: all of it), what was found, what would be right."""

    file: Path
    line: int
    key: str
    found: str
    right: str

    def __str__(self) -> str:
        where = ": ".join(
            filter(None, (f"{self.file}:{self.line}" if self.line else str(self.file), self.key))
        )
        return f"{where}\n    found: {self.found}\n    right: {self.right}"


class FileFaults(Exception):
    """All mistakes found in a user's file, in the order of their lines."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: (str(fault.file), fault.line, fault.key))
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(slots=True)
class YamlText:
    """A parsed document: `data` as plain values, and the file and line of every key path."""

    file: Path
    data: dict[str, Plain]
    lines: dict[KeyPath, tuple[Path, int]] = field(default_factory=dict)

    def where(self, path: KeyPath) -> tuple[Path, int]:
        """File and 1-based line of a key path, or of its nearest parent that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, (self.file, 1))

    def fault(self, path: KeyPath, found: str, right: str) -> Fault:
        file, line = self.where(path)
        return Fault(file, line, dotted(path), found, right)

    def overlay(self, upper: YamlText) -> YamlText:
        """This document with the top-level keys of `upper` instead of its own."""
        replaced = set(upper.data)
        lines = {path: at for path, at in self.lines.items() if not path or path[0] not in replaced}
        return YamlText(upper.file, {**self.data, **upper.data}, {**lines, **upper.lines})


def dotted(path: KeyPath) -> str:
    """A key path as users write it: `gateways[0].bus[2].product`."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def read_yaml(file: Path) -> YamlText:
    """Parse one file.

    Raises:
        FileFaults: the file cannot be read, is not YAML, is not a mapping, or repeats a key.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        found = str(error.strerror)
        raise FileFaults([Fault(file, 0, "", found, "a readable YAML file in UTF-8")]) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        found = f"the byte 0x{error.object[error.start]:02X}, which is not UTF-8 text"
        right = "a YAML file saved in UTF-8"
        raise FileFaults([Fault(file, line, "", found, right)]) from error
    return parse_yaml(text, file)


def parse_yaml(text: str, file: Path) -> YamlText:
    """As `read_yaml`, for text already read; `file` only names it in messages."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.nodes import MappingNode

    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        from virtual_digiware.simulator.yaml_mistakes import explained

        raise FileFaults([explained(error, file, text)]) from error
    except RecursionError as error:
        right = "a few levels of mappings and lists"
        raise FileFaults([Fault(file, 1, "", "brackets within brackets without end", right)]) from error
    except YAMLError as error:
        right = "text without control characters"
        raise FileFaults([Fault(file, 1, "", str(error).splitlines()[0], right)]) from error
    if not isinstance(node, MappingNode):
        found = "an empty file" if node is None else _kind(node)
        raise FileFaults(
            [Fault(file, 1, "", found, "a mapping of keys to values, beginning with `site: name`")]
        )
    reader = _Reader(file, yaml.constructor)
    try:
        data = reader.mapping(node, ())
    except _TooMuch as error:
        right = f"at most {MOST_VALUES} values, those of repeated aliases counted each time"
        raise FileFaults([Fault(file, 1, "", "more values than any site has", right)]) from error
    if reader.faults:
        raise FileFaults(reader.faults)
    return YamlText(file, data, reader.lines)


class _TooMuch(Exception):
    """Aliases of aliases have unfolded to more than fits the memory."""


@dataclass(slots=True)
class _Reader:
    file: Path
    constructor: SafeConstructor
    count: int = 0
    lines: dict[KeyPath, tuple[Path, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def value(self, node: Node, path: KeyPath) -> Plain:
        from ruamel.yaml.nodes import MappingNode, SequenceNode

        self.count += 1
        if self.count > MOST_VALUES:
            raise _TooMuch
        self.lines.setdefault(path, (self.file, node.start_mark.line + 1))
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        tag = str(node.tag).rpartition(":")[2]
        if tag in ("null", "bool", "int", "float"):
            plain: Plain = self.constructor.construct_object(node, deep=True)
            return plain
        return str(node.value)

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Plain]:
        seen: dict[str, int] = {}
        data: dict[str, Plain] = {}
        merged: dict[str, Plain] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if str(key_node.tag).endswith(":merge") and isinstance(value_node, type(node)):
                merged |= self.mapping(value_node, path)
                continue
            if key in seen:
                right = f"each key once; `{key}` is already on line {seen[key]}"
                self.faults.append(
                    Fault(self.file, line, dotted((*path, key)), f"`{key}` a second time", right)
                )
                continue
            seen[key] = line
            self.lines[(*path, key)] = (self.file, line)
            data[key] = self.value(value_node, (*path, key))
        return {**merged, **data}


def _kind(node: Node) -> str:
    from ruamel.yaml.nodes import SequenceNode

    return "a list" if isinstance(node, SequenceNode) else f"`{node.value}`"


def describe(value: object) -> str:
    """A value as it might stand in the file, shortened for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        keys = ", ".join(str(key) for key in list(value)[:6])
        return f"a mapping with {keys}" if keys else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def near_miss(found: str, known: list[str]) -> str:
    """` Did you mean x?` when one of the known words is close to what was found, else nothing."""
    from difflib import get_close_matches

    folded = {word.lower().replace("_", "-"): word for word in known}
    close = get_close_matches(found.lower().replace("_", "-"), list(folded), n=1, cutoff=0.6)
    return f" Did you mean {folded[close[0]]}?" if close else ""
