"""Mistakes of beginners in YAML itself: the line to look at, what is there, and what to write instead."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from virtual_digiware.simulator import yaml_text
from virtual_digiware.simulator.site_file import load_site
from virtual_digiware.simulator.yaml_text import FileFaults, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "line", "found", "right"),
    [
        ("a:\n  b 1\n  c: 2\n", 2, "`b 1`", "`key: value`; a colon is missing"),
        ("a:\n  b: 1\n  c\n", 3, "`c`", "`key: value`; a colon is missing"),
        ("site: w\na:\n\tb: 1\n", 3, "a tab", "spaces"),
        ("a:\n  b: 1\n c: 2\n", 3, "an indentation of its own", "lines it belongs with"),
        ("a:\n  b: 1\n   c: 2\n", 3, "an indentation of its own", "lines it belongs with"),
        ("a: 1\n b: 2\n", 2, "an indentation of its own", "lines it belongs with"),
        ("title: one: two\n", 1, "a second `: `", "quotes around"),
        ('a: "text\nb: 1\nc: 2\n', 1, "a quotation mark that is never closed", "where the text ends"),
        ("a: 1\nb: {c: 1\nd: 2\n", 2, "a bracket that is never closed", "commas"),
        ("a: @home\n", 1, "'@'", "quotes around"),
        ("a: *home\n", 1, "undefined alias", "in quotes"),
        ("a: 1\n---\nb: 2\n", 2, "a second document", "one site in a file"),
        ("a: \x07\n", 1, "special characters", "without control characters"),
        ("a: " + "[" * 900 + "]" * 900, 1, "brackets within brackets", "a few levels"),
        ("a: &a [1,1,1,1,1,1,1,1]\n"
         + "".join(f"{k}: &{k} [{','.join(['*' + j] * 8)}]\n" for j, k in pairwise("abcdefghi")),
         1, "more values than any site has", "aliases counted each time"),
    ],
)  # fmt: skip
def test_a_mistake_in_yaml_is_explained_at_its_line(text, line, found, right, monkeypatch):
    monkeypatch.setattr(yaml_text, "MOST_VALUES", 10_000)
    with pytest.raises(FileFaults) as caught:
        parse_yaml(text, Path("site.yaml"))
    (fault,) = caught.value.faults
    assert (fault.line, fault.file) == (line, Path("site.yaml"))
    assert found in fault.found
    assert right in fault.right


def test_bytes_that_are_no_utf8_are_named_with_their_line(tmp_path):
    file = tmp_path / "site.yaml"
    file.write_bytes("site: w\ntitle: café\n".encode("latin-1"))
    with pytest.raises(FileFaults, match=r":2\n    found: the byte 0xE9, .*\n    right: .* saved in UTF-8"):
        read_yaml(file)


def test_a_folder_is_no_site_file(tmp_path):
    with pytest.raises(FileFaults, match=r"found: a folder\n    right: the path of a site file in it"):
        load_site(str(tmp_path))


@pytest.mark.parametrize("name", ["windows", "mark"])
def test_files_as_editors_on_windows_write_them_are_read(tmp_path, name):
    file = tmp_path / "site.yaml"
    text = "site: w\r\ntitle: x\r\n" if name == "windows" else "\ufeffsite: w\ntitle: x\n"
    file.write_bytes(text.encode())
    assert read_yaml(file).data == {"site": "w", "title": "x"}
