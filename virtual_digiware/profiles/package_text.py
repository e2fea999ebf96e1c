"""Reading the library's own data files: YAML whose rows are compact text, errors that name file and key.

A row such as `profile G1, mean_level 0.33` is one YAML scalar, which keeps a table readable as a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from virtual_digiware.profiles import yaml_data


class LibraryError(ValueError):
    """A data file of the library says something that cannot be meant. The mistake is the file's.

    Fields: `file`, `key` (entry and row inside the file) and `reason` (what was found, what would be right).
    """

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason


def package_file(name: str) -> str:
    """Text of a data file that is shipped beside this module."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def entries(text: str, file: str, known: Iterable[str]) -> dict[str, dict[str, object]]:
    """Entries of a data file by name; each is a mapping that has a `source` and only `known` keys."""
    try:
        document = yaml_data.read(text)
    except yaml_data.DataError as error:
        raise LibraryError(file, "file", f"is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise LibraryError(file, "file", "a mapping from names to entries is needed")
    allowed = {"source", *known}
    checked: dict[str, dict[str, object]] = {}
    for name, entry in document.items():
        if not isinstance(entry, dict):
            raise LibraryError(file, str(name), f"a mapping is needed, found {entry!r}")
        unknown = sorted(str(key) for key in entry.keys() - allowed)
        if unknown:
            raise LibraryError(
                file, f"{name}.{unknown[0]}", f"unknown key; known: {', '.join(sorted(allowed))}"
            )
        if not isinstance(entry.get("source"), str):
            raise LibraryError(file, f"{name}.source", "is missing: say where the numbers come from")
        checked[str(name)] = {str(key): value for key, value in entry.items()}
    return checked


def text_of(entry: Mapping[str, object], file: str, name: str, row: str) -> str:
    """The text of a row that must be there."""
    value = entry.get(row)
    if not isinstance(value, str):
        raise LibraryError(file, f"{name}.{row}", f"text is needed, found {value!r}")
    return value


def number(text: str, file: str, key: str) -> float:
    """One decimal number."""
    try:
        return float(text)
    except ValueError:
        raise LibraryError(file, key, f"a number is needed, found {text!r}") from None


def words(row: str, file: str, key: str, known: Iterable[str]) -> dict[str, str]:
    """Split `profile G1, leading, duration_s 15..40` into names and values; a lone name has the value "".

    Raises:
        LibraryError: A name that is not `known`, or that stands twice.
    """
    allowed = tuple(known)
    found: dict[str, str] = {}
    for part in row.split(","):
        name, _, value = part.strip().partition(" ")
        if name not in allowed:
            raise LibraryError(file, f"{key}.{name}", f"unknown key; known: {', '.join(allowed)}")
        if name in found:
            raise LibraryError(file, f"{key}.{name}", "stands twice")
        found[name] = value.strip()
    return found


def span(text: str, file: str, key: str) -> tuple[float, float]:
    """`15..40` (least and greatest), or one number for both."""
    low, _, high = text.partition("..")
    least = number(low, file, key)
    greatest = number(high, file, key) if high else least
    if greatest < least:
        raise LibraryError(file, key, f"least..greatest is needed, found {text!r}")
    return least, greatest
