"""What a gateway has collected: the published values, and the last ones of modules that fell silent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from virtual_digiware.devices.collection import GatewayCollection
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.records import Record
from virtual_digiware.devices.unit import Unit
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import load_site

NOON_MS = 1_767_265_200_000
CYCLE_MS = 275


@pytest.fixture
def model() -> SiteModel:
    made = Building(load_site("demo"), NOON_MS).model
    made.publish(made.compute(NOON_MS + 60_000))
    return made


@pytest.fixture
def collection(model: SiteModel) -> GatewayCollection:
    return GatewayCollection(model, "m70", CYCLE_MS)


def registers(unit: Unit, block: str, slot: int, point: str) -> float:
    """The value as the unit gives it to Modbus, before it is encoded."""
    for placed in unit.product.blocks:
        if placed.block.name == block and placed.slot == slot:
            rows = [row.point for row in placed.block.rows]
            return float(unit.read(placed)[rows.index(point)])  # type: ignore[arg-type]
    raise AssertionError(block)


def advance(model: SiteModel, collection: GatewayCollection, t_ms: int) -> None:
    model.publish(model.compute(t_ms))
    collection.collect()


def plug(model: SiteModel, path: str, present: bool) -> None:
    model.apply(Record(model.snapshot.time_ms, "presence", path, {"present": present}))


def test_the_gateway_and_its_modules_stand_by_address(collection):
    assert [unit.path for unit in collection.units] == [
        "m70", "m70/u30", "m70/i35", "m70/i60", "m70/i31", "m70/s135", "m70/io10", "m70/io20",
    ]  # fmt: skip
    assert collection.unit_at(4) is collection.units[3]
    assert collection.unit_at(99) is None


@pytest.mark.parametrize(
    ("address", "block", "table", "point", "slot"),
    [
        (4, "load_instantaneous", "circuit.instantaneous", "current_l1", 0),
        (4, "load_instantaneous", "circuit.instantaneous", "active_power_total", 3),
        (4, "load_instantaneous", "circuit.instantaneous", "timestamp", 0),
        (3, "load_energy", "circuit.energy", "active_energy_import", 0),
        (2, "network_instantaneous", "network.instantaneous", "voltage_l1_l2", 0),
        (8, "analogue_inputs", "io.analogue_inputs", "analogue_input_value", 1),
        (7, "digital_inputs", "io.digital_inputs", "active_mask", 0),
        (7, "meters", "io.meters", "meter_total", 1),
    ],
)
def test_a_reading_is_what_the_unit_itself_shows(model, collection, address, block, table, point, slot):
    unit = collection.unit_at(address)
    reading = collection.reading(unit, table, point, slot)
    assert reading == (registers(unit, block, slot, point), "good", model.snapshot.time_ms)


def test_what_a_product_does_not_measure_is_not_available(collection):
    i31, u30 = collection.unit_at(5), collection.unit_at(2)
    assert not collection.measures(i31, "circuit.fundamental", "thd_current_l1")
    reading = collection.reading(i31, "circuit.fundamental", "thd_current_l1", 0)
    assert math.isnan(reading.value)
    assert reading.quality == "not_available"
    assert collection.column(u30, "circuit.instantaneous", ("current_l1",)).shape == (1, 0)
    assert collection.reading(u30, "circuit.instantaneous", "current_l1", 0).quality == "not_available"


def test_a_column_holds_points_by_slots(collection):
    i60 = collection.unit_at(4)
    column = collection.column(i60, "circuit.instantaneous", ("current_l1", "current_l2", "no_such_point"))
    assert column.shape == (3, 4)
    assert np.all(column[0] > 0)
    assert column[1, 0] > 0
    assert np.all(np.isnan(column[1, 1:]))
    assert np.all(np.isnan(column[2]))


def test_a_module_pulled_off_the_bus_keeps_its_last_values_and_is_lost_from_the_next_cycle(model, collection):
    i60 = collection.unit_at(4)
    before = collection.column(i60, "circuit.instantaneous", ("current_l1", "timestamp"))
    was_ms = model.snapshot.time_ms
    plug(model, "m70/i60", False)
    version = collection.version
    assert not collection.is_lost(i60)
    assert collection.reading(i60, "circuit.instantaneous", "current_l1", 0).quality == "good"
    cycle_end_ms = (was_ms // CYCLE_MS + 1) * CYCLE_MS
    advance(model, collection, cycle_end_ms - 1)
    assert not collection.is_lost(i60)
    advance(model, collection, cycle_end_ms)
    assert collection.is_lost(i60)
    assert collection.version > version
    assert np.array_equal(
        collection.column(i60, "circuit.instantaneous", ("current_l1", "timestamp")), before, equal_nan=True
    )
    assert collection.reading(i60, "circuit.instantaneous", "current_l1", 0) == (before[0, 0], "lost", was_ms)
    assert collection.unit_at(4) is i60
    assert not collection.is_lost(collection.unit_at(3))


def test_a_module_that_is_back_is_good_at_once(model, collection):
    i60 = collection.unit_at(4)
    plug(model, "m70/i60", False)
    advance(model, collection, NOON_MS + 70_000)
    plug(model, "m70/i60", True)
    advance(model, collection, NOON_MS + 80_000)
    assert collection.reading(i60, "circuit.instantaneous", "current_l1", 0).quality == "good"
    assert collection.reading(i60, "circuit.instantaneous", "current_l1", 0).time_ms == NOON_MS + 80_000


def test_inputs_of_a_lost_module_stand_still(model, collection):
    io20 = collection.unit_at(8)
    before = collection.reading(io20, "io.analogue_inputs", "analogue_input_value", 0).value
    plug(model, "m70/io20", False)
    advance(model, collection, NOON_MS + 6 * 3_600_000)
    assert collection.reading(io20, "io.analogue_inputs", "analogue_input_value", 0).value == before
    plug(model, "m70/io20", True)
    assert collection.reading(io20, "io.analogue_inputs", "analogue_input_value", 0).value != before


def test_a_module_that_was_never_heard_has_nothing_to_show(model):
    plug(model, "m70/i60", False)
    collection = GatewayCollection(model, "m70", CYCLE_MS)
    reading = collection.reading(collection.unit_at(4), "circuit.instantaneous", "current_l1", 0)
    assert math.isnan(reading.value)
    assert reading.time_ms == 0


def test_of_two_modules_with_one_address_neither_is_understood(model, collection):
    u30, i60 = collection.unit_at(2), collection.unit_at(4)
    address_row = next(p for p in i60.product.blocks if p.block.name == "modbus_address")
    i60.settings.set(address_row, address_row.block.rows[0], 2)
    advance(model, collection, NOON_MS + 70_000)
    advance(model, collection, NOON_MS + 71_000)
    assert i60.address == 2
    assert collection.unit_at(2) is None
    assert collection.is_lost(u30)
    assert collection.is_lost(i60)
    plug(model, "m70/i60", False)
    advance(model, collection, NOON_MS + 80_000)
    assert collection.unit_at(2) is u30
    assert not collection.is_lost(u30)
