"""The data files that the package ships mean the same to the fast reader and to a YAML 1.2 reader."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

import virtual_digiware
from virtual_digiware.profiles import yaml_data

PACKAGE = Path(virtual_digiware.__file__).parent
FILES = [path for path in sorted(PACKAGE.rglob("*.yaml")) if "sites" not in path.parts]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_both_yaml_readers_agree_on_every_data_file(path):
    text = path.read_text(encoding="utf-8")
    assert yaml_data.read(text) == YAML(typ="safe", pure=True).load(text)


def test_a_key_that_stands_twice_is_refused_with_its_line():
    with pytest.raises(yaml_data.DataError, match=r"'a' stands twice(.|\n)*line 1"):
        yaml_data.read("a: 1\nb: 2\na: 3\n")


def test_a_document_that_is_not_yaml_is_refused_with_its_line():
    with pytest.raises(yaml_data.DataError, match="line 2"):
        yaml_data.read("a: 1\n b: [2\n")
