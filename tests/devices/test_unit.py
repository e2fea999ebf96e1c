"""Units as the buses see them: every block of every product can be read, and says what its table promises."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.devices.scripted_truth import ScriptedTruth
from tests.devices.sites import (
    MINUTE,
    SECOND,
    START,
    at,
    office_layout,
    office_model,
    placed,
    read,
    scripted_model,
    three_phase,
    write,
)
from virtual_digiware.buses.modbus.codec import BlockPlan
from virtual_digiware.devices.catalogue import products
from virtual_digiware.devices.identification import identify
from virtual_digiware.devices.layout import Allocation, GatewayLayout, ModuleLayout, SiteLayout
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.unit import Unit

DAY_2000_S = 946_684_800
CONSTANT = [(START - 3_600_000, 6900.0, 0.0)]


def one_module(product: str) -> Unit:
    """A bus with a U-30 and one module of the product, at work for a while."""
    family = products()[product].family
    allocations = (three_phase("c0"),) if family == "current" else ()
    board = "main" if family == "voltage" else None
    module = ModuleLayout("it", product, 3, board=board, allocations=allocations)
    bus = (module,) if family == "voltage" else (ModuleLayout("u", "U-30", 2, board="main"), module)
    layout = SiteLayout("bench", (GatewayLayout("M1", "M-70", 1, bus),))
    truth = ScriptedTruth({"c0": CONSTANT})
    model = SiteModel(truth, layout, products(), 7, START)  # type: ignore[arg-type]
    return at(model, START + 11 * MINUTE).units["M1/it"]


@pytest.mark.parametrize(
    "name",
    [name for name in products() if products()[name].family in ("voltage", "current", "io", "repeater")],
)
def test_every_block_of_every_module_can_be_read_and_encoded(name: str) -> None:
    unit = one_module(name)
    for where in unit.product.blocks:
        values = unit.read(where)
        assert len(values) == len(where.block.rows)
        is_listed = where.block.table.startswith(("io.", "sensor."))
        assert isinstance(values, np.ndarray) != unit.is_raw(where.block) or is_listed
        encoded = BlockPlan(where.block).encode(values, raw=unit.is_raw(where.block))
        assert len(encoded.data) == 2 * where.block.words
        assert encoded.saturated == 0, where.block.name


@pytest.mark.parametrize("name", ["M-50", "M-70"])
def test_every_block_of_a_gateway_can_be_read_and_encoded(name: str) -> None:
    layout = SiteLayout(
        "bench", (GatewayLayout("M1", name, 1, (ModuleLayout("u", "U-30", 2, board="main"),)),)
    )
    truth = ScriptedTruth({"c0": CONSTANT})
    model = SiteModel(truth, layout, products(), 7, START)  # type: ignore[arg-type]
    unit = model.units["M1"]
    for where in unit.product.blocks:
        assert BlockPlan(where.block).encode(unit.read(where), raw=unit.is_raw(where.block)).saturated == 0


@pytest.mark.parametrize("name", [name for name in products() if products()[name].family == "current"])
def test_no_measured_point_of_a_current_module_is_forgotten(name: str) -> None:
    """Every row of every measured table is filled, but for what a three-phase load does not have."""
    unit = one_module(name)
    unmeasured = set()
    for where in unit.product.blocks:
        if where.slot == 0 and where.block.table.startswith("circuit."):
            table = unit._site.snapshot.table(where.block.table, unit.slots)
            unmeasured |= {
                row.point for row in where.block.rows if not row.reserved and row.point not in table.index
            }
    assert {point for point in unmeasured if "crest_factor" not in point} == set()


@pytest.mark.parametrize("name", ["U-10", "U-20", "U-30"])
def test_no_measured_point_of_a_voltage_module_is_forgotten(name: str) -> None:
    unit = one_module(name)
    for where in unit.product.blocks:
        if where.block.table.startswith("network."):
            table = unit._site.snapshot.table(where.block.table, unit.taps)
            missing = {row.point for row in where.block.rows if row.point not in table.index}
            assert {point for point in missing if "crest_factor" not in point} == set()


def test_a_balanced_load_reads_as_calculated_by_hand() -> None:
    """6.9 kW at 230 V and unity power factor are 10 A a phase."""
    unit = at(scripted_model(CONSTANT), START + 700 * SECOND).units["M1/i0"]
    expected = {
        "load_status": 1.0,
        "voltage_l1_n": 230.0,
        "voltage_l1_l2": 230.0 * math.sqrt(3),
        "current_l1": 10.0,
        "current_n": 0.0,
        "active_power_total": 6900.0,
        "active_power_l3": 2300.0,
        "reactive_power_total": 0.0,
        "apparent_power_total": 6900.0,
        "power_factor_total": 1.0,
        "power_factor_total_type": 0.0,
        "frequency": 50.0,
        "integration_time": 1.0,
        "timestamp": float((START + 700 * SECOND) // 1000 - DAY_2000_S),
        "apparent_power_nominal": 3 * 230.0 * 160.0,
    }
    for point, value in expected.items():
        assert read(unit, "load_instantaneous", point) == pytest.approx(value, abs=1e-3), point
    assert read(unit, "load_fundamental", "current_l1_h1") == pytest.approx(10.0)
    assert read(unit, "load_current_harmonics", "harmonic_current_l1_h5") == pytest.approx(0.0)


def test_a_slot_without_a_circuit_is_disabled_and_has_no_values() -> None:
    unit = at(scripted_model(CONSTANT), START + 60 * SECOND).units["M1/i0"]
    assert read(unit, "load_instantaneous", "load_status", slot=2) == 0.0
    assert np.isnan(read(unit, "load_instantaneous", "voltage_l1_n", slot=2))  # type: ignore[arg-type]
    assert read(unit, "load_settings", "enabled", slot=2) == 0


def test_instantaneous_values_hold_for_a_refresh() -> None:
    model = scripted_model([*CONSTANT, (START + 1500, 13_800.0, 0.0)])
    unit = model.units["M1/i0"]
    seen = []
    for t in (1000, 1600, 1999, 2000):
        at(model, START + t)
        seen.append(round(float(read(unit, "load_instantaneous", "current_l1"))))  # type: ignore[arg-type]
    assert seen == [10, 10, 10, 20]


def test_a_single_phase_load_reports_in_its_first_row() -> None:
    lamp = at(office_model(), START + 60 * SECOND).units["C1/lamp"]
    assert read(lamp, "load_instantaneous", "voltage_l1_n") == pytest.approx(230.0, rel=0.05)
    assert read(lamp, "load_instantaneous", "current_l1") > 1.0  # type: ignore[operator]
    assert np.isnan(read(lamp, "load_instantaneous", "current_l2"))  # type: ignore[arg-type]
    assert read(lamp, "load_settings", "wiring") == 1
    assert read(lamp, "current_sensors", "sensor_1_phase") == 1


def test_identification_begins_with_soco_and_names_the_product() -> None:
    unit = office_model().units["M1/i2"]
    values = dict(
        zip(
            [row.point for row in placed(unit, "identification").block.rows],
            unit.read(placed(unit, "identification")),
            strict=True,
        )
    )
    assert values["magic"] == "SOCO"
    assert values["product_order_id"] == 400
    assert values["vendor_name"] == "SOCOMEC"
    assert values["product_name"] == "I-35"
    assert values["net_id"] > 0


def test_serial_numbers_belong_to_seed_site_and_path() -> None:
    product = products()["I-35"]
    known = identify(product, 7, "office", "M1/i2")
    assert identify(product, 7, "office", "M1/i2") == known
    others = [(8, "office", "M1/i2"), (7, "factory", "M1/i2"), (7, "office", "M1/i3")]
    for seed, site, path in others:
        other = identify(product, seed, site, path)
        assert other["net_id"] != known["net_id"]
        assert (other["serial_order"], other["serial_aa_ss"]) != (
            known["serial_order"],
            known["serial_aa_ss"],
        )
    week = f"{known['serial_aa_ss']:04x}"
    assert week.isdecimal()
    assert 1 <= int(week[2:]) <= 52


def test_net_ids_of_a_site_differ() -> None:
    model = office_model()
    found = [read(unit, "identification", "net_id") for unit in model.units.values() if unit.product.blocks]
    assert len(set(found)) == len(found)


def test_settings_show_what_the_site_planned() -> None:
    model = office_model()
    incomer, far = model.units["M1/i1"], model.units["C1/i"]
    assert read(incomer, "load_name", "load_name") == "incomer"
    assert read(incomer, "load_name", "load_name", slot=1) == "to floor"
    assert read(incomer, "load_settings", "wiring") == 8
    assert read(incomer, "load_settings", "current_nominal") == 160
    assert read(incomer, "electrical_network", "network_type") == 5
    assert read(incomer, "electrical_network", "voltage_nominal") == 230
    assert read(incomer, "modbus_address", "modbus_address") == 3
    assert [read(far, "rs485", point) for point in ("baudrate", "stop_bits", "parity")] == [3, 1, 2]
    assert read(incomer, "power_settings", "instantaneous_integration_time") == 5
    assert read(incomer, "power_settings", "average_integration_time") == 10
    assert read(model.units["M1"], "gateway_slave_address", "modbus_address") == 1


def test_a_60_hz_site_says_so() -> None:
    unit = office_model(nominal_frequency_hz=60.0).units["M1/u"]
    assert read(unit, "electrical_network", "frequency_nominal") == 1


def test_hours_count_since_commissioning_and_since_their_reset() -> None:
    model = at(scripted_model(CONSTANT), START + 100 * SECOND)
    unit = model.units["M1/i0"]
    write(model, "M1/i0", 58112, 1000, now_ms=START + 100 * SECOND)
    write(model, "M1/i0", 528, 0, now_ms=START + 100 * SECOND)
    at(model, START + 130 * SECOND)
    assert read(unit, "operating_hours", "operating_time_total") == 130
    assert read(unit, "operating_hours", "operating_time_partial") == 30


def test_a_clock_that_was_set_moves_the_dates_of_its_own_unit_only() -> None:
    model = at(scripted_model(CONSTANT, CONSTANT), START + 60 * SECOND)
    unit, other = model.units["M1/i0"], model.units["M1/i1"]
    write(
        model, "M1/i0", 57600, 2, 3, 2026, 12, 0, 0, now_ms=START + 60 * SECOND
    )  # two hours less a minute ahead
    shift = 7200.0 - 60.0
    assert read(unit, "date_time", "hour") == 12
    for block, point in (
        ("load_instantaneous", "timestamp"),
        ("load_instantaneous_maximum", "current_l1_date"),
    ):
        assert read(unit, block, point) == read(other, block, point) + shift  # type: ignore[operator]
    assert np.isnan(read(unit, "load_average_maximum", "current_l1_date"))  # type: ignore[arg-type]


def test_a_c31_has_neither_address_nor_registers() -> None:
    unit = office_model().units["C1"]
    assert unit.address is None
    assert unit.product.blocks == ()


def test_reading_twice_gives_the_same_table() -> None:
    unit = at(office_model(), START + 5000).units["M1/i2"]
    where = placed(unit, "load_current_harmonics")
    assert np.array_equal(unit.read(where), unit.read(where), equal_nan=True)
    snapshot = unit._site.snapshot
    table = snapshot.table("circuit.harmonic_current", unit.slots)
    assert snapshot.table("circuit.harmonic_current", unit.slots) is table


def test_a_two_phase_load_is_a_known_wiring() -> None:
    layout = office_layout()
    welder = Allocation("chiller", "2P", (1,), ("L1",), (1,), 40.0)
    gateway = GatewayLayout(
        "M1",
        "M-70",
        1,
        (ModuleLayout("u", "U-30", 2, board="main"), ModuleLayout("i", "I-35", 3, allocations=(welder,))),
    )
    model = office_model(gateways=(gateway, *layout.gateways[1:]))
    assert read(model.units["M1/i"], "load_settings", "wiring") == 2
