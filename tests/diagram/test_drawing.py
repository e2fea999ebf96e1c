"""The picture as a file: what a reader of SVG finds in it, and what a printer gets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

import virtual_digiware
from tests.diagram.hard_sites import large_site
from tests.external import require_program
from virtual_digiware.devices.vocabulary import FAMILIES
from virtual_digiware.simulator.cli import app
from virtual_digiware.simulator.diagram.drawing import site_svg
from virtual_digiware.simulator.diagram.gallery import gallery
from virtual_digiware.simulator.diagram.panels import FAMILIES as LEGEND
from virtual_digiware.simulator.diagram.text_fit import cut, text_width, wrap
from virtual_digiware.simulator.site_file import load_site, parse_site, shipped_sites

SVG = "{http://www.w3.org/2000/svg}"
DOCS = Path(virtual_digiware.__file__).parents[1] / "docs"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", shipped_sites())
def test_a_picture_names_every_device_of_its_site_with_product_and_address(name):
    site = load_site(name).site
    shown = texts(site_svg(load_site(name)))
    devices = [*site.gateways, *(module for one in site.gateways for module in one.bus), *site.meters]
    for product in {one.product for one in devices}:
        assert shown.count(product) == sum(one.product == product for one in devices)
    assert {one.name for one in devices} <= set(shown)
    assert {sensor.name for one in site.gateways for sensor in one.sensors} <= set(shown)
    for one in devices:
        assert one.address is None or f"address {one.address}" in shown
    assert {*site.sources, *site.boards, *site.dc} <= set(shown)


def test_every_family_of_the_catalogue_has_a_colour_and_words_in_the_legend():
    drawn = {"head" if family in ("gateway", "interface") else family for family in FAMILIES}
    svg = site_svg(load_site("demo"))
    assert drawn <= set(LEGEND)
    assert all(f".band.{family}" in svg for family in drawn)


def test_a_title_is_text_whatever_is_in_it():
    text = (
        'site: s\ntitle: "<b> & \\"co\\""\nsources: {mains: {}}\n'
        "boards: {main: {source: mains, circuits: {a: {loads: [{class: resistive, power_kw: 1}]}}}}\n"
        "gateways: [{name: m, product: M-50}]\n"
    )
    assert '<b> & "co"' in texts(site_svg(parse_site(text)))


def test_the_same_site_gives_the_same_bytes_in_every_process():
    program = "import sys; from virtual_digiware.simulator.cli import app; app(['diagram', 'fig-13'])"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=30,
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {site_svg(load_site("fig-13")).encode()}


@pytest.mark.parametrize("kind", ["fig-15", "large"])
def test_a_printer_gets_a_sheet_of_a4_across(kind, tmp_path):
    file = large_site(with_clients=True) if kind == "large" else load_site(kind)
    (tmp_path / "site.svg").write_text(site_svg(file), encoding="utf-8")
    rsvg = require_program("rsvg-convert")
    arguments = [rsvg, "--format", "pdf", "--output", "site.pdf", "site.svg"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", (tmp_path / "site.pdf").read_bytes())
    assert box is not None
    assert [float(side) / 72 * 25.4 for side in box.groups()] == pytest.approx([297, 210], abs=0.01)


def test_diagram_writes_a_file_or_prints(tmp_path):
    runner = CliRunner()
    printed = runner.invoke(app, ["diagram", "fig-01"])
    written = runner.invoke(app, ["diagram", "fig-01", "-o", str(tmp_path / "one.svg")])
    assert printed.exit_code == written.exit_code == 0
    assert (tmp_path / "one.svg").read_text(encoding="utf-8") == printed.output
    assert written.output == ""


def test_diagram_writes_nothing_but_svg(tmp_path):
    refused = CliRunner().invoke(app, ["diagram", "fig-01", "-o", str(tmp_path / "one.png")])
    assert refused.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_diagram_knows_the_nearest_name_of_a_site():
    refused = CliRunner().invoke(app, ["diagram", "dmo"])
    assert refused.exit_code == 2
    assert "demo" in refused.output


def test_the_gallery_of_the_documentation_is_up_to_date():
    expected = dict(gallery())
    actual = {str(path.relative_to(DOCS)) for path in (DOCS / "architectures").glob("*")}
    assert actual | {"architectures.md"} == set(expected)
    for path, text in expected.items():
        assert (DOCS / path).read_text(encoding="utf-8") == text, f"{path}: run `make gallery`"


def test_widths_are_those_of_the_font():
    # DejaVu Sans 2.37, table hmtx, 2048 units to the em: H 1540, a 1255, i 569, W 2025; bold W 2259.
    assert text_width("H", 1000) == pytest.approx(1540 / 2.048, abs=0.5)
    assert text_width("aiW", 1000) == pytest.approx((1255 + 569 + 2025) / 2.048, abs=1.5)
    assert text_width("W", 1000, is_bold=True) == pytest.approx(2259 / 2.048, abs=0.5)


def test_text_that_does_not_fit_ends_with_an_ellipsis():
    assert cut("incomer", 100, 10) == "incomer"
    short = cut("incomer of the main switchboard", 100, 10)
    assert short.endswith("…")
    assert text_width(short, 10) <= 100
    assert wrap("one two three", 1000, 10) == ["one two three"]
    assert len(wrap("word " * 50, 100, 10)) == 2
    assert wrap("", 100, 10) == []
