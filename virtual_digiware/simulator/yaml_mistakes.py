"""What beginners get wrong in YAML itself, in words that say what to do.

The parser's own words are the last resort.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from virtual_digiware.simulator.yaml_text import Fault

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError


def explained(error: MarkedYAMLError, file: Path, text: str) -> Fault:
    """The line to look at, which is often not where the parser gave up, and what would be right there."""
    lines = text.splitlines()
    context, problem = error.context or "", error.problem or ""
    line = error.problem_mark.line + 1 if error.problem_mark else 1
    began = error.context_mark.line + 1 if error.context_mark else line
    found = " ".join(part for part in (context, problem) if part)
    right = "well-formed YAML"
    if "'\\t'" in problem or "\t" in _indentation(lines, line):
        found, right = "a tab", "spaces: YAML takes no tabs for indentation"
    elif "mapping values are not allowed" in problem and (above := _without_colon(lines, line)):
        found, right = f"`{lines[above - 1].strip()}`", "`key: value`; a colon is missing"
        line = above
    elif "mapping values are not allowed" in problem and _line(lines, line).count(": ") > 1:
        found, right = "a second `: ` on one line", "quotes around a text that contains `: `"
    elif "mapping values are not allowed" in problem or "<block " in problem:
        found, right = "an indentation of its own", "that of the lines it belongs with"
    elif "could not find expected ':'" in problem:
        line = began
        found, right = f"`{_line(lines, began)}`", "`key: value`; a colon is missing"
    elif "quoted scalar" in context:
        line, found, right = began, "a quotation mark that is never closed", "another one where the text ends"
    elif "flow" in context:
        line = began
        found, right = "a bracket that is never closed", "`[...]` and `{...}`, with commas between the values"
    elif "cannot start any token" in problem:
        right = "quotes around a text that begins with such a character"
    elif "undefined alias" in problem:
        right = "a text in quotes, if no alias is meant: `*` and `&` have a meaning in YAML"
    elif "another document" in problem:
        found, right = "a second document after `---`", "one site in a file"
    return Fault(file, line, "", found, right)


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _indentation(lines: list[str], number: int) -> str:
    whole = lines[number - 1] if 0 < number <= len(lines) else ""
    return whole[: len(whole) - len(whole.lstrip())]


def _without_colon(lines: list[str], number: int) -> int | None:
    """The nearest line above that has words but no colon: YAML takes the next key as its continuation."""
    for above in range(number - 1, 0, -1):
        text = lines[above - 1].split(" #")[0].strip()
        if text and not text.startswith("#"):
            return above if ":" not in text and not text.startswith("- ") else None
    return None
