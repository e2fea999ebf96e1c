"""Reading a site file: text -> checked models, with every mistake named by file, line and key.

The meaning of the keys is in `site_models.py`, the rules between them in `site_checks.py`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from virtual_digiware.simulator.yaml_text import (
    Fault,
    FileFaults,
    KeyPath,
    YamlText,
    describe,
    near_miss,
    parse_yaml,
    read_yaml,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from virtual_digiware.simulator.site_models import Site

SHIPPED = Path(__file__).parent / "sites"
_FIGURE = re.compile(r"(?:fig-?)?0*(\d{1,2})", re.IGNORECASE)
"""How people write the number of a figure: 12, fig12, fig-12."""


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site file that has passed every check. `seed` is the one in force (file or command line)."""

    site: Site
    text: YamlText
    seed: int

    @property
    def folder(self) -> Path:
        return self.text.file.parent

    @property
    def fingerprint(self) -> str:
        """Hash of everything in the site that determines what clients read, the seed apart."""
        plain = self.site.model_dump(
            mode="json",
            by_alias=True,
            # Where and how a site is reached changes nothing that a client can read.
            exclude={
                "title": True,
                "extends": True,
                "listen": True,
                "lines": True,
                "dataloggers": True,
                "cabinets": True,
                "supervisors": True,
                "mqtt": True,
                "seed": True,
                "gateways": {"__all__": {"modbus_tcp", "rtu_over_tcp", "rs485", "bacnet", "snmp", "mqtt"}},
                "meters": {"__all__": {"modbus_tcp"}},
            },
        )
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode())
        for recording in self.site.recordings:
            digest.update((self.folder / recording.file).read_bytes())
        return digest.hexdigest()


def shipped_sites() -> dict[str, Path]:
    """The sites that come with the package, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def find_site(name_or_path: str, beside: Path | None = None) -> Path:
    """The file of a site given by path (relative to `beside`) or by shipped name.

    Raises:
        FileFaults: there is neither such a file nor such a shipped site.
    """
    shipped = shipped_sites()
    path = (beside or Path()) / name_or_path
    figure = _FIGURE.fullmatch(name_or_path)
    if figure is not None and not path.exists():
        name_or_path = f"fig-{int(figure[1]):02d}"
    if path.is_file():
        return path
    if name_or_path and path.is_dir():
        raise FileFaults([Fault(path, 0, "", "a folder", "the path of a site file in it")])
    if name_or_path in shipped:
        return shipped[name_or_path]
    known = list(shipped)
    named = ", ".join(name for name in known if not name.startswith("fig-"))
    figures = "or a figure of the communication note, fig-01 to fig-36"
    right = f"the path of a site file, a shipped site: {named}, {figures}.{near_miss(name_or_path, known)}"
    raise FileFaults([Fault(path, 0, "", "no such file", right)])


def load_site(name_or_path: str, seed: int | None = None) -> SiteFile:
    """Read and check a site.

    Args:
        name_or_path: a path, or the name of a shipped site.
        seed: replaces the seed of the file.

    Raises:
        FileFaults: all mistakes of the file.
    """
    return _checked(_with_base(read_yaml(find_site(name_or_path)), ()), seed)


def parse_site(text: str, file: Path = Path("site.yaml"), seed: int | None = None) -> SiteFile:
    """As `load_site`, for text that is already at hand; `file` names it in messages."""
    return _checked(_with_base(parse_yaml(text, file), ()), seed)


def _with_base(text: YamlText, seen: tuple[Path, ...]) -> YamlText:
    base = text.data.get("extends")
    if not isinstance(base, str):
        return text
    try:
        file = find_site(base, beside=text.file.parent)
    except FileFaults as error:
        raise FileFaults(
            [text.fault(("extends",), f"`{base}`: no such file", error.faults[0].right)]
        ) from error
    if file.resolve() in (*seen, text.file.resolve()):
        raise FileFaults(
            [text.fault(("extends",), f"`{base}`: a circle", "a site that does not lead back here")]
        )
    return _with_base(read_yaml(file), (*seen, text.file.resolve())).overlay(text)


def _checked(text: YamlText, seed: int | None) -> SiteFile:
    from pydantic import ValidationError

    from virtual_digiware.simulator.site_checks import check_site
    from virtual_digiware.simulator.site_models import Site

    try:
        site = Site.model_validate(text.data)
    except ValidationError as error:
        raise FileFaults(_faults(text, error.errors())) from error
    faults = check_site(site, text)
    if faults:
        raise FileFaults(faults)
    return SiteFile(site, text, site.seed if seed is None else seed)


def _faults(text: YamlText, errors: list[ErrorDetails]) -> list[Fault]:
    """One fault for each complaint, but a misspelt key is not reported as missing as well."""
    misspelt = [details["loc"] for details in errors if details["type"] == "extra_forbidden"]
    return [
        _fault(text, details)
        for details in errors
        if details["type"] != "missing"
        or not any(
            path[:-1] == details["loc"][:-1] and near_miss(str(path[-1]), [str(details["loc"][-1])])
            for path in misspelt
        )
    ]


def _fault(text: YamlText, details: ErrorDetails) -> Fault:
    """Turn one complaint of pydantic into the words of this project."""
    kind, context = details["type"], details.get("ctx", {})
    path, value = _in_file(text, details["loc"], is_missing=kind == "missing")
    found = describe(path[-1] if details["loc"][-1:] == ("[key]",) else value)
    match kind:
        case "missing":
            return text.fault(path, "the key is missing", f"`{path[-1]}` is required here")
        case "extra_forbidden" if str(path[-1]).isdecimal() and value is None:
            return text.fault(path, f"`,{path[-1]}`", "a decimal point; a comma separates two keys")
        case "extra_forbidden":
            known = _keys_beside(path)
            right = (
                f"one of {', '.join(known)}.{near_miss(str(path[-1]), known)}"
                if known
                else "no such key here"
            )
            return text.fault(path, f"unknown key `{path[-1]}`", right)
        case "literal_error" | "union_tag_invalid":
            expected = str(context.get("expected", context.get("expected_tags", ""))).replace("'", "")
            words = expected.replace(" or ", ", ").split(", ")
            if kind == "union_tag_invalid":
                path, found = (*path, "kind"), describe(context.get("tag"))
            right = f"one of {', '.join(words)}." if len(words) > 1 else f"{expected}."
            return text.fault(path, found, right + near_miss(found, words))
        case "union_tag_not_found":
            return text.fault(
                path, "the key is missing", "`kind` is required here, such as dip, interruption or open"
            )
        case "value_error":
            return text.fault(path, found, str(context.get("error", details["msg"])))
        case "string_pattern_mismatch":
            return text.fault(
                path,
                found,
                "a name of letters, digits, `_`, `-` and `.`, at most 64, beginning with a letter or digit",
            )
        case "dict_type" | "model_type":
            return text.fault(path, found, "a mapping such as `{key: value}`")
        case "list_type":
            return text.fault(path, found, "a list such as `[...]`")
        case "float_type" | "int_type" if isinstance(value, str):
            whole = "whole " if kind == "int_type" else ""
            return text.fault(
                path, f"the text `{found}`", f"a {whole}number, without quotes and without unit"
            )
        case "finite_number":
            return text.fault(path, found, "a number that is not infinite")
        case _:
            message = details["msg"].removeprefix("Input should be ")
            return text.fault(path, found, message)


def _in_file(text: YamlText, location: tuple[int | str, ...], is_missing: bool) -> tuple[KeyPath, object]:
    """The part of pydantic's location that exists in the file, and the value there.

    Pydantic also names union branches, which no file contains. The name of a missing key stays.
    """
    path: list[int | str] = []
    value: Any = text.data
    for position, key in enumerate(location):
        if isinstance(value, dict) and key in value:
            value = value[str(key)]
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        elif is_missing and position == len(location) - 1:
            value = None
        else:
            continue
        path.append(key)
    return tuple(path), value


def _keys_beside(path: KeyPath) -> list[str]:
    """Keys that the models know at the place of an unknown key."""
    from virtual_digiware.simulator.site_keys import keys_at

    return keys_at(path[:-1])
