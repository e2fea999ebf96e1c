"""The fast reader of the library's data files agrees with ruamel.yaml, or leaves the file to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from virtual_digiware.profiles import daily_profiles, library, spectra
from virtual_digiware.profiles.package_text import package_file
from virtual_digiware.profiles.plain_rows import read_plain_rows

FILES = (daily_profiles.FILE, library.FILE, spectra.FILE)


def authority(text: str) -> object:
    return YAML(typ="safe").load(text)


@pytest.mark.parametrize("file", FILES)
def test_shipped_files_are_plain_and_read_alike(file):
    text = package_file(file)
    fast = read_plain_rows(text)
    assert fast is not None
    assert fast == authority(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x:",
        "x: 3",
        "x:\n  a: 3",
        "x:\n  a: 3.5",
        "x:\n  a: true",
        "x:\n  yes: word",
        "x:\n  a: b\n  a: c",
        "x:\n  a: b\nx:\n  a: b",
        "x:\n  a: {b: c}",
        "x:\n  a: 'quoted'",
        'x:\n  a: "with \\n escape"',
        "x:\n  a: word # comment",
        "x:\n  a: word:",
        "x:\n  a: key: value",
        "x:\n  a: first\n    second",
        "x:\n  a: |\n      deeper\n",
        "x:\n  a: |\n    first\n\n    after a gap\n",
        "x:\n  a: &anchor word",
        "x:\n  a: 2026-03-02",
        "x:\n  a: .nan",
        "x:\n  a:\n    b: c",
        "\tx:\n  a: b",
    ],
)
def test_what_is_not_plain_is_left_to_the_authority(text):
    assert read_plain_rows(text) is None


characters = st.sampled_from(list("ab1.0 -:#\"'|[],/%\n&*!{}~?\\")) | st.just("\n  a: ") | st.just("\n    ")


@given(st.lists(characters, max_size=25).map("".join))
def test_no_text_is_read_otherwise_than_by_the_authority(rows):
    text = f"x:\n  first: word\n  b: {rows}\n"
    fast = read_plain_rows(text)
    if fast is not None:
        try:
            assert fast == authority(text)
        except YAMLError as error:
            pytest.fail(f"read what is not YAML: {error}")
