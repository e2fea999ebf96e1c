"""The sites that the benchmark generates are sites that run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from virtual_digiware.simulator.rules.book import findings
from virtual_digiware.simulator.site_file import load_site

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that writes them, writing here."""
    monkeypatch.syspath_prepend(str(BENCH))
    from measure import sites

    monkeypatch.setattr(sites, "BUILD", tmp_path)
    yield sites
    for name in [name for name in sys.modules if name.partition(".")[0] == "measure"]:
        del sys.modules[name]


@pytest.mark.parametrize("all_protocols", [False, True])
def test_gateways_full_of_modules_keep_every_rule(sites: Any, all_protocols: bool):
    size = sites.Size(circuits=2 * 186, all_protocols=all_protocols)
    file = load_site(str(sites.write_site("full", size)))
    assert [one for one in findings(file) if one.rule.severity == "error"] == []
    site = file.site
    assert [sum(module.product != "C-32" for module in one.bus) for one in site.gateways] == [32, 32]
    assert {one.bacnet is not None and one.snmp is not None for one in site.gateways} == {all_protocols}


def test_a_gateway_is_as_small_as_it_is_asked_to_be(sites: Any):
    size = sites.Size(14, "I-35", 1, 3, modules_per_gateway=8, all_protocols=True)
    site = load_site(str(sites.write_site("small", size))).site
    assert [len(one.bus) for one in site.gateways] == [8, 8]
