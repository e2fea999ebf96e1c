from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

import virtual_digiware.devices
from virtual_digiware.devices.plain_yaml import read_plain, read_yaml

HERE = Path(virtual_digiware.devices.__file__).parent
FILES = sorted(
    [*(HERE / "blocks").glob("*.yaml"), *(HERE / "products").glob("*.yaml"), HERE / "sensors.yaml"]
)

NOT_PLAIN = [
    "a: &anchor 1\nb: *anchor\n",
    "a: 'single'\n",
    'a: "with \\n escape"\n',
    "a: >\n  folded\n",
    "a: |-\n  stripped\n",
    "a: |\n  spaces follow\n    \n",
    "a: {b: {c: 1}}\n",
    "a: [1, [2]]\n",
    "a:\n  - 1\n",
    "a: null\n",
    "a: ~\n",
    "a: 1_000\n",
    "a: 2026-03-02\n",
    "a: word # comment\n",
    "a: 1\na: 2\n",
    "a: b: c\n",
    "a:\n",
    "a:\n  b:\n    c: 1\n",
    "- a\n",
    "word\n",
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_fast_reader_agrees_with_ruamel_on_every_file_of_the_catalogue(path):
    text = path.read_text(encoding="utf-8")
    plain = read_plain(text)
    assert plain is not None, "not plain: this file would slow down every start"
    assert plain == YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_the_fast_reader_leaves_the_rest_of_yaml_to_ruamel(text):
    assert read_plain(text) is None


def test_a_file_that_is_not_plain_is_read_all_the_same():
    assert read_yaml("a: 'single'\nb:\n  - 1\n") == {"a": "single", "b": [1]}


_WORDS = st.text(st.sampled_from("ab1 -.,:#|{}[]\"'*&!%@`>?~_/0xE+\n"), max_size=12)


@given(st.lists(st.tuples(st.sampled_from(["a", "b_2", "note"]), _WORDS), min_size=1, max_size=3))
def test_whatever_the_fast_reader_accepts_ruamel_reads_alike(pairs):
    text = "".join(f"{key}: {value}\n" for key, value in pairs)
    plain = read_plain(text)
    if plain is None:
        return
    try:
        expected = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        pytest.fail(f"ruamel refuses {text!r}, the fast reader reads {plain!r}")
    assert plain == expected
