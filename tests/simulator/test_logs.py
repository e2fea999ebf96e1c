"""What a run writes on stderr when something fails."""

import json
from collections.abc import Iterator

import pytest

from virtual_digiware.simulator.logs import choose_format, log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    choose_format("text")


def fail() -> None:
    community = "not-for-the-log"
    try:
        raise ValueError(len(community))
    except ValueError:
        log().exception("something failed")


def test_a_failure_is_logged_with_its_place_and_without_the_values_of_variables(capsys):
    choose_format("text")
    fail()
    printed = capsys.readouterr().err
    assert "something failed" in printed
    assert "in fail" in printed
    assert "not-for-the-log" not in printed
    assert len(printed.splitlines()) < 12


def test_a_failure_is_one_line_of_json(capsys):
    choose_format("json")
    fail()
    [line] = capsys.readouterr().err.splitlines()
    assert "ValueError: 15" in json.loads(line)["exception"]
    assert "not-for-the-log" not in line
