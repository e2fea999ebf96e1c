"""Typed access to a YAML mapping of the catalogue; errors say where, what and what would be right."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import cast

from virtual_digiware.devices.block import Confidence
from virtual_digiware.devices.vocabulary import CONFIDENCES
from virtual_digiware.profiles import yaml_data


class CatalogueError(ValueError):
    """A block or product file that cannot be right: the file's mistake, never the user's site."""

    def __init__(self, file: str, key: str, found: str, right: str) -> None:
        super().__init__(f"{file}: {key}: found {found}; right would be {right}")
        self.file = file
        self.key = key
        self.found = found
        self.right = right


class Section:
    """One mapping of a file; every getter raises `CatalogueError` with the full path of the key."""

    def __init__(self, file: str, values: Mapping[str, object], prefix: str = "") -> None:
        self.file = file
        self.values = values
        self.prefix = prefix

    def error(self, key: str, found: str, right: str) -> CatalogueError:
        return CatalogueError(self.file, self.prefix + key, found, right)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.error(key, "nothing" if value is None else repr(value), "a text")
        return value

    def integer(self, key: str, minimum: int, maximum: int) -> int:
        value = self.values.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            found = "nothing" if value is None else repr(value)
            raise self.error(key, found, f"a whole number from {minimum} to {maximum}")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.error(key, repr(value), "true or false")
        return value

    def choice(self, key: str, words: Collection[str]) -> str:
        value = self.text(key)
        if value not in words:
            raise self.error(
                key, value, "one of " + ", ".join(words if isinstance(words, tuple) else sorted(words))
            )
        return value

    def confidence(self, key: str) -> Confidence:
        return as_confidence(self, key, self.text(key))

    def mapping(self, key: str) -> Mapping[str, object]:
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, repr(value), "a mapping")
        return {str(name): item for name, item in value.items()}

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, repr(value), "a list of names")
        return tuple(value)

    def integers(self, key: str) -> tuple[int, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
            raise self.error(key, repr(value), "a list of whole numbers")
        return tuple(value)

    def section(self, key: str, keys: frozenset[str]) -> Section | None:
        if key not in self.values:
            return None
        section = Section(self.file, self.mapping(key), f"{self.prefix}{key}.")
        section.refuse_unknown(keys)
        return section

    def sections(self, key: str, keys: frozenset[str]) -> list[Section]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, repr(value), "a list of mappings")
        found = [Section(self.file, item, f"{self.prefix}{key}[{i}].") for i, item in enumerate(value)]
        for section in found:
            section.refuse_unknown(keys)
        return found

    def refuse_unknown(self, keys: frozenset[str]) -> None:
        for key in self.values:
            if key not in keys:
                raise self.error(str(key), "an unknown key", "one of " + ", ".join(sorted(keys)))


def as_confidence(section: Section, key: str, word: str) -> Confidence:
    if word not in CONFIDENCES:
        raise section.error(key, word, "one of " + ", ".join(CONFIDENCES))
    return cast(Confidence, word)


def load(path: Path, keys: frozenset[str]) -> Section:
    """The mapping in a YAML file, refused when it has keys other than `keys`."""
    try:
        values = yaml_data.read(path.read_text(encoding="utf-8"))
    except yaml_data.DataError as problem:
        raise CatalogueError(path.name, "file", str(problem), "well-formed YAML") from problem
    if not isinstance(values, dict):
        raise CatalogueError(path.name, "file", type(values).__name__, "a mapping of keys")
    section = Section(path.name, values)
    section.refuse_unknown(keys)
    return section
