"""The pytest plugin in the project of a user: a process of its own, with only what the user would write."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.user_project import PLUGIN, TOP, run_pytest

POWER = 18476

READ = """
from pymodbus.client import ModbusTcpClient

def read(site, unit, address):
    client = ModbusTcpClient(site.modbus().host, port=site.modbus().port)
    assert client.connect()
    try:
        words = client.read_holding_registers(address, count=2, device_id=site.unit_id(unit)).registers
    finally:
        client.close()
    return client.convert_from_registers(words, client.DATATYPE.INT32)
"""

SHOP = """\
site: shop
sources: {grid: {voltage_v: 400, transformer_kva: 100}}
boards: {main: {source: grid, circuits: {oven: {loads: [{class: resistive, power_kw: 6}]}}}}
gateways:
  - name: m
    product: M-70
    bus:
      - {name: u, product: U-10, address: 4}
      - {name: i, product: I-30, address: 3, circuits: [{circuit: oven, nominal_a: 63}]}
"""


class Project:
    """A folder with the files of a user, whose tests are run as the user runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("pytest.ini", "[pytest]\nfilterwarnings = error\n")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *options: str, passed: int = 0, failed: int = 0, errors: int = 0) -> str:
        """Run pytest and expect a result; returns all that it printed."""
        printed, last = run_pytest(self.folder, *options)
        assert ("passed" in last, "failed" in last, "error" in last) == (
            passed > 0,
            failed > 0,
            errors > 0,
        ), printed
        for count, word in ((passed, "passed"), (failed, "failed"), (errors, "error")):
            assert not count or f"{count} {word}" in last, printed
        return printed


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_the_package_declares_the_plugin():
    declared = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert declared == {"digiware": PLUGIN}


def test_a_test_run_that_wants_no_site_loads_nothing_of_the_simulator(project):
    project.write(
        "test_none.py",
        """
import sys

def test_nothing_is_loaded(pytestconfig):
    ours = {name for name in sys.modules if name.startswith("virtual_digiware")}
    assert ours == {"virtual_digiware", "virtual_digiware.pytest_plugin"}
    assert not {"numpy", "pydantic", "ruamel", "pymodbus"} & set(sys.modules)
""",
    )
    project.run(passed=1)


def test_every_test_has_a_demo_site_of_its_own(project):
    project.write(
        "test_demo.py",
        READ
        + f"""
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_it_begins_afresh(digiware_site, n):
    assert digiware_site.now.isoformat() == "2026-03-02T10:00:00+00:00"
    right = digiware_site.truth("incomer", "active_power_total")
    assert read(digiware_site, "i35", {POWER}) == round(right)
    digiware_site.inject("ct_reversed", "m70/i35")
    digiware_site.advance("1 h")
    assert digiware_site.truth("incomer", "active_power_total") < 0
""",
    )
    project.run(passed=2)


def test_a_project_with_devices_of_its_own_chooses_its_own_site(project):
    project.write("devices/__init__.py", "OVEN = 'oven'\n")
    project.write("sites/shop.yaml", SHOP)
    project.write("pytest.ini", "[pytest]\nfilterwarnings = error\ndigiware_site = sites/shop.yaml\n")
    project.write("tests/beside.yaml", SHOP.replace("site: shop", "site: beside"))
    project.write(
        "tests/test_shop.py",
        READ
        + f"""
import pytest
from devices import OVEN

def test_the_site_of_the_ini_option(digiware_site):
    assert digiware_site.description.site == "shop"
    assert read(digiware_site, "i", {POWER}) == round(digiware_site.truth(OVEN, "active_power_total"))

@pytest.mark.digiware_site("beside.yaml", at="2026-07-01T12:00:00+02:00", seed=5)
def test_the_site_of_the_marker(digiware_site):
    assert digiware_site.description.site == "beside"
    assert digiware_site.now.isoformat() == "2026-07-01T10:00:00+00:00"

@pytest.mark.digiware_site(clock="real", rate=60)
def test_the_marker_without_a_site(digiware_site):
    begin = digiware_site.now
    while digiware_site.now == begin:
        pass

@pytest.mark.digiware_site("single")
def test_a_shipped_site(digiware_site):
    assert digiware_site.description.site == "single"
""",
    )
    project.run("tests", passed=4)


def test_a_site_can_live_as_long_as_the_session(project):
    project.write("pytest.ini", "[pytest]\nfilterwarnings = error\ndigiware_site_scope = session\n")
    project.write(
        "test_session.py",
        """
import pytest

def test_first(digiware_site):
    digiware_site.advance("1 h")

def test_second(digiware_site):
    assert digiware_site.now.hour == 11

@pytest.mark.digiware_site(scope="test")
def test_third(digiware_site):
    assert digiware_site.now.hour == 10
""",
    )
    project.run(passed=3)


def test_a_factory_starts_as_many_sites_as_a_test_wants(project):
    project.write(
        "test_factory.py",
        f"""
SHOP = '''{SHOP}'''

def test_two_sites(digiware_site_factory, tmp_path):
    demo, shop = digiware_site_factory(), digiware_site_factory(SHOP, seed=7)
    assert demo.modbus() != shop.modbus()
    assert shop.truth("oven", "active_power_total") > 5000
    assert demo.journal_file.is_relative_to(tmp_path)
    assert demo.line("line1").path.is_relative_to(tmp_path)
""",
    )
    project.run(passed=1)


def test_nothing_is_left_after_a_test(project):
    project.write(
        "test_residue.py",
        """
import asyncio
import gc
import os
import signal
import sys
import threading

import pytest

seen = []
before = signal.getsignal(signal.SIGINT), sys.getswitchinterval()

def state():
    return sorted(thread.name for thread in threading.enumerate()), len(os.listdir("/proc/self/fd"))

@pytest.mark.parametrize("n", range(3))
def test_a_site(digiware_site_factory, n):
    sites = [digiware_site_factory(), digiware_site_factory()]
    assert len({site.modbus() for site in sites}) == 2

@pytest.fixture(autouse=True)
def looked_at(request):
    yield
    gc.collect()
    seen.append(state())

def test_nothing_has_changed():
    assert seen[1] == seen[2] == state()
    assert seen[1][0] == ["MainThread"]
    assert (signal.getsignal(signal.SIGINT), sys.getswitchinterval()) == before
    assert gc.isenabled() and gc.get_freeze_count() == 0
""",
    )
    project.run(passed=4)


def test_workers_of_xdist_have_sites_of_their_own(project):
    project.write(
        "test_many.py",
        READ
        + f"""
import os
import pytest

@pytest.mark.parametrize("n", range(8))
def test_many(digiware_site, n, worker_id, tmp_path_factory):
    assert worker_id != "master"
    assert read(digiware_site, "i35", {POWER}) == round(digiware_site.truth("incomer", "active_power_total"))
    (tmp_path_factory.getbasetemp().parent / f"seen-{{worker_id}}").touch()

""",
    )
    base = project.folder / "base"
    project.run("-n", "2", "--dist", "each", "--basetemp", str(base), passed=16)
    assert sorted(path.name for path in base.glob("seen-*")) == ["seen-gw0", "seen-gw1"]


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        ('digiware_site("no.yaml")', "no.yaml\n    found: no such file\n    right: "),
        ('digiware_site(scope="module")', "scope 'module'; right would be test or session"),
        ("digiware_site(speed=2)", "no option `speed`; known are site, scope, at, clock, rate, seed"),
        ('digiware_site("demo", "single")', "right would be one site and named options"),
        ('digiware_site(at="noon")', "found 'noon'; right would be a time such as"),
    ],
)
def test_a_mistake_in_a_marker_is_an_error_of_its_test(project, marker, complaint):
    project.write(
        "test_mistake.py",
        f"""
import pytest

@pytest.mark.{marker}
def test_with_a_mistake(digiware_site):
    pass
""",
    )
    assert complaint in project.run(errors=1)


def test_the_fixtures_and_the_marker_are_listed_with_their_descriptions(project):
    project.write("test_none.py", "")
    assert "digiware_site_factory" in (listed := project.run("--fixtures"))
    assert "digiware_site(site, scope=" in project.run("--markers")
    assert "A running site" in listed
