"""The page for users who test: its files are a project that passes, its programs run."""

from __future__ import annotations

import pytest

from tests.test_docs import TOP, Block, blocks_of
from tests.user_project import run_pytest, run_python

BLOCKS = blocks_of(TOP / "docs" / "testing.md")


def test_the_project_of_the_page_passes(tmp_path):
    for block in BLOCKS:
        if block.name:
            (tmp_path / block.name).write_text(block.text, encoding="utf-8")
    # The first test of the page is about the demo, which it has before the page writes an ini file.
    printed, counts = run_pytest(tmp_path, "test_marked.py")
    assert "3 passed" in counts, printed
    (tmp_path / "pytest.ini").unlink()
    printed, counts = run_pytest(tmp_path, "test_oven.py")
    assert "1 passed" in counts, printed


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.kind == "python" and not one.name], ids=str)
def test_a_program_of_the_page_runs(block: Block, tmp_path):
    ended = run_python(tmp_path, "-c", block.text)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\n" in ended.stdout
