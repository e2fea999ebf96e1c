"""A site with one of each product: what the listing says is what the registers show, word for word."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.devices.catalogue import products
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.points_listing import PointLine, Selection, format_points, point_lines
from virtual_digiware.simulator.site_file import load_site

FILE = Path(__file__).parent / "data" / "every_product.yaml"
AT = parse_instant("2026-03-02T10:00:00Z")


@pytest.fixture(scope="module")
def building() -> Building:
    return Building(load_site(str(FILE)), AT - 700_000)


@pytest.fixture(scope="module")
def lines(building: Building) -> list[PointLine]:
    return list(point_lines(building, AT, Selection(is_everything=True)))


def test_the_site_has_every_product():
    site = YAML(typ="safe", pure=True).load(FILE)
    named = [gateway["product"] for gateway in site["gateways"]]
    named += ["environmental-sensor" for gateway in site["gateways"] if "sensors" in gateway]
    named += [module["product"] for gateway in site["gateways"] for module in gateway["bus"]]
    named += [meter["product"] for meter in site["meters"]]
    assert set(named) == {*products(), "generic"}
    assert sorted(named) == sorted([*products(), "generic", "C-31", "C-31"])  # DC needs heads of its own


def shown(data: bytes, kind: str, scale: float) -> float | str:
    """A value as a client decodes it from the registers."""
    if kind.endswith("_LOW_FIRST"):
        words = [data[at : at + 2] for at in range(0, len(data), 2)]
        return shown(b"".join(reversed(words)), kind.removesuffix("_LOW_FIRST"), scale)
    if kind == "SUNSPEC_S16" and data == b"\x80\x00":
        return 0
    if kind == "F32":
        return float(struct.unpack(">f", data)[0]) * scale
    if kind == "STRING_16":
        return data.decode("utf-16-be").rstrip("\0")
    if kind == "STRING_NORM":
        return data.decode("latin-1").rstrip("\0")
    return int.from_bytes(data, "big", signed=kind.startswith("S") and "ACC" not in kind) * scale


def test_every_listed_value_is_the_one_in_its_registers(building: Building, lines: list[PointLine]):
    images = Images(building.model)
    different = []
    for line in lines:
        unit = building.model.units[f"{line.gateway}/{line.module}".rstrip("/")]
        data = images.of(unit).read(line.register, line.words, line.function)
        assert data is not None, line
        value = shown(data, line.type, line.scale)
        expected = (0 if isinstance(value, float | int) else "") if line.value is None else line.value
        if value != (pytest.approx(expected, rel=1e-6) if isinstance(expected, float | int) else expected):
            different.append((line, value))
    assert different == []
    assert len(lines) > 20_000


def test_a_listing_as_json_says_nothing_that_is_not_json(lines: list[PointLine]):
    text = format_points(lines, "json")
    assert [entry["register"] for entry in json.loads(text)] == [line.register for line in lines]
    assert "NaN" not in text
    assert "Infinity" not in text
