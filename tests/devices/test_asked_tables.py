"""Tables made for many units at once, because they were read before, show what they show made alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from virtual_digiware.devices.asked_tables import REMEMBERED, AskedTables
from virtual_digiware.devices.collection import GatewayCollection
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import parse_site

BEGIN_MS = 1_772_434_800_000  # 2026-03-02T07:00:00Z
TABLES = [
    "circuit.instantaneous", "circuit.average", "circuit.fundamental", "circuit.harmonic_current",
    "circuit.energy", "circuit.maximum", "circuit.quality_extremes", "circuit.energy_history",
]  # fmt: skip
POINTS = ("current_l1", "active_power_total", "power_factor_total")


def site(options: str) -> SiteModel:
    file = parse_site(f"extends: demo\nsite: demo\n{options}\n", Path("site.yaml"))
    return Building(file, BEGIN_MS).model


@pytest.mark.parametrize("options", ["", "measurement: sampled", "metrology: realistic"])
def test_tables_made_together_are_those_made_alone_to_the_last_bit(options):
    asked, alone = site(options), site(options)
    circuits = [unit.slots for unit in asked.units.values() if unit.slots]
    asked.publish(asked.compute(BEGIN_MS + 60_000))
    for name in TABLES:
        for slots in circuits:
            asked.snapshot.table(name, slots)
    for model in (asked, alone):
        model.publish(model.compute(BEGIN_MS + 61_000))
    for name in TABLES:
        for slots in circuits:
            together, by_itself = asked.snapshot.table(name, slots), alone.snapshot.table(name, slots)
            assert together.names == by_itself.names
            assert np.array_equal(together.values, by_itself.values, equal_nan=True), (name, slots)


def test_a_collection_that_asks_beforehand_finds_its_tables_made_for_all_units(monkeypatch):
    asking, alone = site(""), site("")
    for model in (asking, alone):
        model.publish(model.compute(BEGIN_MS + 60_000))
    collections = [GatewayCollection(model, "m70", 275) for model in (asking, alone)]
    collections[0].ask(["circuit.instantaneous", "io.meters"])
    asking.snapshot.prepare()
    expected = [collections[1].column(unit, "circuit.instantaneous", POINTS) for unit in collections[1].units]
    monkeypatch.setattr(type(asking.snapshot), "_made", None)  # nothing is left to make
    for unit, values in zip(collections[0].units, expected, strict=True):
        found = collections[0].column(unit, "circuit.instantaneous", POINTS)
        assert np.array_equal(found, values, equal_nan=True)


def test_what_nobody_reads_any_more_is_forgotten():
    asked = AskedTables()
    asked.add("circuit.energy", (1, 2))
    for _ in range(REMEMBERED):
        assert asked.for_next() == {"circuit.energy": [(1, 2)]}
    assert asked.for_next() == {}


def test_a_reader_that_comes_back_is_remembered_anew():
    asked = AskedTables()
    for _ in range(3):
        asked.add("circuit.energy", (1, 2))
        for _ in range(REMEMBERED):
            assert asked.for_next()
