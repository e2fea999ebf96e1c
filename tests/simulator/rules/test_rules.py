"""Every rule of the architecture: a site that obeys it, one that breaks it, and what a user is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from virtual_digiware.simulator.cli import app
from virtual_digiware.simulator.rules.book import RULES, Finding, findings, rules_table
from virtual_digiware.simulator.site_file import load_site, parse_site, shipped_sites

BASE: dict[str, Any] = {
    "site": "rules",
    "sources": {"mains": {}, "other": {}},
    "boards": {
        "main": {
            "source": "mains",
            "circuits": {"light": {"loads": [{"class": "office-lighting", "power_kw": 2}]}},
        },
        "spare": {
            "source": "other",
            "circuits": {"pump": {"loads": [{"class": "motor-dol", "power_kw": 3}]}},
        },
    },
}
CASES = YAML(typ="safe", pure=True).load(Path(__file__).with_name("cases.yaml"))
IDS = [f"{case['rule']}: {case['found']}" for case in CASES]
DOCS = Path(__file__).parents[3] / "docs"


def repeated(value: Any) -> Any:
    """A case with `times: n` written out: the same entry n times, with numbered names."""
    if isinstance(value, dict):
        return {key: repeated(one) for key, one in value.items()}
    if not isinstance(value, list):
        return value
    found = []
    for one in value:
        times = one.get("times") if isinstance(one, dict) else None
        if times is None:
            found.append(repeated(one))
            continue
        plain = {key: repeated(inner) for key, inner in one.items() if key != "times"}
        found += [{**plain, "name": f"{plain['name']}{number}"} for number in range(1, times + 1)]
    return found


def text_of(parts: dict[str, Any]) -> str:
    return json.dumps({**BASE, **repeated(parts)})


def told(parts: dict[str, Any], rule: str) -> list[Finding]:
    return [one for one in findings(parse_site(text_of(parts))) if one.rule.id == rule]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_site_that_obeys_a_rule_is_not_told_of_it(case):
    assert told(case["passes"], case["rule"]) == []


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_site_that_breaks_a_rule_is_told_where_and_what_to_change(case):
    (finding,) = told(case["fails"], case["rule"])
    assert finding.key == case["key"]
    assert case["found"] in finding.found
    assert case["change"] in finding.change


def test_every_rule_has_a_case_an_id_of_its_own_and_a_basis():
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert {case["rule"] for case in CASES} == set(ids)
    for rule in RULES:
        assert re.search(r"figures? \d|pages? \d|glossary", rule.basis), rule.id
        assert rule.says.endswith("."), rule.id


@pytest.mark.parametrize("name", sorted(shipped_sites()))
def test_shipped_sites_break_no_rule(name):
    assert [str(one) for one in findings(load_site(name)) if one.rule.severity != "note"] == []


def test_the_table_of_rules_is_the_one_of_the_program():
    text = (DOCS / "rules.md").read_text(encoding="utf-8")
    between = text.split("<!-- rules:begin -->\n")[1].split("<!-- rules:end -->")[0]
    assert between == rules_table(), "put the output of `vdigiware rules` between the markers"
    assert CliRunner().invoke(app, ["rules"]).stdout == rules_table()


BROKEN = {
    "gateways": [
        {
            "name": "d",
            "product": "D-50",
            "supply": {"watts": 30},
            "bus": [
                {"name": "u", "product": "U-30", "board": "main"},
                {"name": "i", "product": "I-35", "circuits": [{"circuit": "pump"}]},
            ],
        }
    ]
}


def command(tmp_path: Path, *arguments: str) -> Result:
    site = tmp_path / "site.yaml"
    site.write_text(text_of(BROKEN), encoding="utf-8")
    return CliRunner().invoke(app, [arguments[0], str(site), *arguments[1:]])


def test_the_check_fails_with_errors_and_shows_the_watts_of_each_segment(tmp_path):
    result = command(tmp_path, "check")
    assert result.exit_code == 2
    assert "error voltage-source: pump, fed by other" in result.stdout
    assert "warning power-supply" in result.stdout
    assert "note bus-termination" not in result.stdout
    assert "d: 2 modules, 3.770 of 30 W, 1 of 100 m of bus cable\n" in result.stdout
    assert "1 error and 1 warning; 1 gateway with 2 modules" in result.stdout


def test_a_verbose_check_lists_notes_and_the_items_of_the_budget(tmp_path):
    text = command(tmp_path, "check", "-v").stdout
    assert "note bus-termination" in text
    assert re.search(r"^    u +0\.720 W \+ +0\.015 W of cable$", text, re.MULTILINE)


def test_the_check_is_there_for_machines(tmp_path):
    content = json.loads(command(tmp_path, "check", "--json").stdout)
    assert [(one["rule"], one["severity"]) for one in content["findings"]] == [
        ("voltage-source", "error"),
        ("power-supply", "warning"),
        ("bus-termination", "note"),
    ]
    assert content["findings"][0]["line"] == 1
    assert content["segments"] == [
        {
            "gateway": "d",
            "feeder": "d",
            "supply_w": 30.0,
            "total_w": 3.77,
            "length_m": 1.0,
            "has_estimates": False,
            "modules": ["u", "i"],
            "past_limit": [],
        }
    ]


def test_a_site_that_breaks_rules_does_not_run(tmp_path):
    result = command(tmp_path, "run", "--port-base", "0")
    assert result.exit_code == 2
    assert "error voltage-source" in result.stderr
    assert "1 broken rule; --force runs the site all the same" in result.stderr
