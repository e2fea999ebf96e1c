"""The registry of faults in words: for the terminal, and as Markdown for the documentation."""

from __future__ import annotations

from textwrap import fill

from virtual_digiware.simulator.faults.kinds import FaultKind, Parameter, theme_files

_WIDTH = 100


def faults_text() -> str:
    """Every kind of fault by theme: id, target, parameters, what it does, what a client sees."""
    parts = []
    for file in theme_files():
        parts.append(f"{file.theme.upper()}  {file.about}\n")
        parts.extend(_text(kind) for kind in file.faults)
    return "\n".join(parts)


def faults_markdown() -> str:
    """The same as tables, one for each theme."""
    parts = []
    for file in theme_files():
        lines = [f"### {file.theme.capitalize()}", "", file.about, ""]
        lines += ["| fault | on | parameters | what it does | what a client sees |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        lines += [_row(kind) for kind in file.faults]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _text(kind: FaultKind) -> str:
    lines = [f"  {kind.id}: {kind.label}", f"    on     {kind.target}{_ends(kind)}"]
    lines += [_wrapped("param", _parameter(name, one)) for name, one in kind.parameters.items()]
    lines += [_wrapped("does", kind.does), _wrapped("shows", kind.shows)]
    return "\n".join(lines) + "\n"


def _wrapped(word: str, text: str) -> str:
    return fill(text, _WIDTH, initial_indent=f"    {word:6} ", subsequent_indent=" " * 11)


def _row(kind: FaultKind) -> str:
    parameters = "<br>".join(_parameter(name, one, code="`") for name, one in kind.parameters.items())
    cells = (f"`{kind.id}`", kind.target + _ends(kind), parameters, kind.does, kind.shows)
    return "| " + " | ".join(cell.strip().replace("|", "\\|") for cell in cells) + " |"


def _ends(kind: FaultKind) -> str:
    return "; always ends by itself" if kind.needs_duration else ""


def _parameter(name: str, parameter: Parameter, code: str = "") -> str:
    facts: list[str] = [parameter.type]
    if parameter.low is not None or parameter.high is not None:
        low, high = ("any" if one is None else f"{one:g}" for one in (parameter.low, parameter.high))
        facts.append(f"{low} to {high} {parameter.unit}".strip())
    if parameter.choices:
        facts.append(", ".join(parameter.choices))
    if parameter.required:
        facts.append("must be given")
    elif parameter.default is not None:
        default = parameter.default
        shown = ", ".join(map(str, default)) if isinstance(default, list) else str(default)
        facts.append(f"default {shown}")
    return f"{code}{name}{code} ({'; '.join(facts)}): {parameter.help}"
