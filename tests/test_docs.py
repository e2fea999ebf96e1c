"""Every example in the documentation is run: commands with what they print, site files, generated tables.

Fenced blocks by their first word: `console` (commands after `$`, then lines of their output, in which `...`
stands for anything), `yaml` (a site file; with a second word, a file of that name), `csv` (a file). Port
15020 stands for a free one.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

import virtual_digiware
from tests.external import require_program
from tests.ports import free_ports
from virtual_digiware.simulator.cli import app
from virtual_digiware.simulator.register_summary import register_summary
from virtual_digiware.simulator.site_file import load_site
from virtual_digiware.simulator.site_models import json_schema
from virtual_digiware.simulator.yaml_text import read_yaml

TOP = Path(virtual_digiware.__file__).parents[1]
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    kind: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text[: found.start()].count("\n") + 1, found[1], found[2] or "", found[3])
        for found in FENCE.finditer(text)
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def of_kind(kind: str, named: bool = False) -> list[Block]:
    return [block for block in BLOCKS if block.kind == kind and bool(block.name) is named]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A working folder with the files that the page of the block has given so far."""
    block: Block = request.getfixturevalue("block")
    for other in blocks_of(block.page):
        if other.name:
            suffix = "" if "." in other.name else ".yaml"
            (tmp_path / f"{other.name}{suffix}").write_text(other.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_examples():
    assert len(of_kind("console")) >= 8
    assert len(of_kind("yaml")) >= 8


@pytest.mark.parametrize("block", of_kind("yaml"), ids=str)
def test_a_site_file_of_the_documentation_has_no_mistakes(block, folder):
    (folder / "site.yaml").write_text(block.text, encoding="utf-8")
    load_site("site.yaml")
    whole = {**read_yaml(folder / "site.yaml").data}
    base = whole.get("extends")
    if isinstance(base, str):
        whole = {**load_site(base).text.data, **whole}
    jsonschema.validate(whole, json_schema())


@dataclass
class Shell:
    """What a reader of the page would type into, one block long."""

    folder: Path
    runs: list[subprocess.Popen[str]] = field(default_factory=list)
    base: int = 0

    def output_of(self, command: str) -> list[str]:
        if "15020" in command:
            self.base = self.base or free_ports(2)
            command = command.replace("15020", str(self.base))
        program, *arguments = shlex.split(command)
        if program == "vdigiware" and arguments[0] == "run":
            return list(self.start(arguments))
        if program == "vdigiware":
            return CliRunner().invoke(app, arguments).output.splitlines()
        assert program in ("mbpoll", "cat"), f"{program} in an example"
        done = subprocess.run(
            [require_program(program), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    def start(self, arguments: list[str]) -> Iterator[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "virtual_digiware", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=self.folder,
        )
        self.runs.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            yield line.rstrip("\n")
            if line.startswith("Stop with"):
                return

    def close(self) -> None:
        for process in self.runs:
            process.terminate()
            process.communicate(timeout=20)


def matches(expected: str, actual: str) -> bool:
    pattern = ".*".join(re.escape(" ".join(part.split())) for part in expected.split("..."))
    return re.fullmatch(pattern.replace(r"\ .*", r"\ ?.*"), " ".join(actual.split())) is not None


@pytest.mark.parametrize("block", of_kind("console"), ids=str)
def test_a_command_of_the_documentation_does_what_is_printed(block, folder):
    shell = Shell(folder)
    try:
        for step in block.text.split("$ ")[1:]:
            command, *expected = step.splitlines()
            actual = shell.output_of(command)
            remaining = iter(actual)
            for line in expected:
                wanted = line.replace("15020", str(shell.base))
                if wanted != "...":
                    assert any(matches(wanted, found) for found in remaining), f"{wanted!r} not in {actual}"
    finally:
        shell.close()


def test_the_table_of_registers_is_the_one_of_the_catalogue():
    text = (TOP / "docs" / "registers.md").read_text(encoding="utf-8")
    between = text.split("<!-- registers:begin -->\n")[1].split("<!-- registers:end -->")[0]
    assert between == register_summary(), "put the output of `vdigiware registers` between the markers"


def test_links_of_the_documentation_lead_somewhere():
    for page in [*PAGES, TOP / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_a_ready_file_is_json(tmp_path):
    shell = Shell(tmp_path)
    shell.output_of("vdigiware run single --port-base 0 --ready-file ready.json")
    content = json.loads((tmp_path / "ready.json").read_text())
    shell.close()
    assert content["site"] == "single"


def test_independence_is_stated():
    for page in (TOP / "README.md", TOP / "pyproject.toml"):
        assert "independent of Socomec" in page.read_text(encoding="utf-8")
