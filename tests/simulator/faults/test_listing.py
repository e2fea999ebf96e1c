"""The list of faults, on the terminal and in the documentation."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

import virtual_digiware
from virtual_digiware.simulator.cli import app
from virtual_digiware.simulator.faults.kinds import fault_kinds
from virtual_digiware.simulator.faults.listing import faults_markdown

PAGE = Path(virtual_digiware.__file__).parents[1] / "docs" / "faults.md"


def test_the_documentation_lists_the_faults_that_there_are():
    between = PAGE.read_text(encoding="utf-8").split("<!-- faults:begin -->\n")[1]
    listed = between.split("<!-- faults:end -->")[0]
    assert listed == faults_markdown(), "put the output of `vdigiware faults -f markdown` between the markers"


def test_the_list_says_of_every_fault_what_it_takes_and_does():
    printed = CliRunner().invoke(app, ["faults"]).output
    flowing = " ".join(printed.split())
    for kind in fault_kinds().values():
        assert f"{kind.id}: {kind.label}" in flowing
        assert " ".join(kind.does.split()) in flowing
        assert all(f"{name} (" in flowing for name in kind.parameters)
    assert "residual (number; 0 to 1; default 0.5)" in flowing
    assert "factor (number; 0.001 to 1000; must be given)" in flowing
    assert CliRunner().invoke(app, ["faults", "-f", "markdown"]).output == faults_markdown()
