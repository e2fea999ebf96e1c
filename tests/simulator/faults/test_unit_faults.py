"""Faults of modules, of their bus and of their counters: injected, read by clients, cleared, read again."""

from __future__ import annotations

import struct

import pytest

from tests.simulator.faults.clients import opened_site, point
from tests.simulator.test_running import AT, UNLOCK, Run, running
from tests.simulator.test_time_control import energy_wh, opened
from virtual_digiware.simulator.faults.parameters import FaultRefused

MINUTE, HOUR = 60_000, 3_600_000
CHAIN = """\
site: chain
sources: {mains: {}}
boards:
  main:
    source: mains
    circuits:
      a: {loads: [{class: resistive, power_kw: 6}]}
      b: {loads: [{class: resistive, power_kw: 9}]}
gateways:
  - name: gate
    product: M-70
    sensors: [{name: room}]
    bus:
      - {name: u, product: U-30, cable_m: 1}
      - {name: i, product: I-35, cable_m: 5, circuits: [{circuit: a}]}
      - {name: rep, product: C-32, cable_m: 50, supply: P15}
      - {name: j, product: I-35, cable_m: 5, circuits: [{circuit: b}]}
"""
POWER = "active_power_total"


async def answers(run: Run, path: str) -> bool:
    unit = run.site.building.model.units[path]
    address = unit.state.address
    assert address is not None
    return (await run.ask(address, struct.pack(">BHH", 3, 50000, 2)))[0] == 3


async def who_answers(run: Run) -> str:
    return " ".join([name for name in "uij" if await answers(run, f"gate/{name}")])


@pytest.mark.parametrize(
    ("kind", "target", "parameters", "left"),
    [
        ("cable_cut", "gate", {"position_m": 3}, "u"),
        ("cable_cut", "gate", {"position_m": 30}, "u i"),
        ("repeater_lost", "gate/rep", {}, "u i"),
        ("supply_overloaded", "gate", {"watts": 3.9}, "u j"),
        ("voltage_module_lost", "gate/u", {}, "i j"),
    ],
)
async def test_a_bus_that_is_cut_loses_what_lies_behind_and_gets_it_back(kind, target, parameters, left):
    async with running(opened_site(CHAIN)) as run:
        assert await who_answers(run) == "u i j"
        run.site.faults.inject(kind, target, **parameters)
        assert await who_answers(run) == left
        run.site.faults.clear_all()
        assert await who_answers(run) == "u i j"


async def test_without_its_voltage_module_a_bus_has_currents_and_no_powers():
    async with running(opened_site(CHAIN)) as run:
        before = [await point(run, "gate/i", name) for name in ("current_l1", POWER)]
        run.site.faults.inject("voltage_module_lost", "gate/u")
        assert [await point(run, "gate/i", name) for name in ("current_l1", POWER)] == [before[0], 0]
        run.site.faults.clear_all()
        assert [await point(run, "gate/i", name) for name in ("current_l1", POWER)] == before


async def test_a_module_with_the_address_of_another_silences_both_and_nobody_has_its_own():
    async with running(opened_site(CHAIN)) as run:
        address = run.site.building.model.units["gate/i"].state.address
        run.site.faults.inject("duplicate_address", "gate/j", address=address)
        assert await who_answers(run) == "u"
        run.site.faults.clear_all()
        assert await who_answers(run) == "u i j"


async def test_swapped_modules_answer_for_each_other():
    async with running(opened_site(CHAIN)) as run:
        powers = {path: await point(run, path, POWER) for path in ("gate/i", "gate/j")}
        addresses = {path: run.site.building.model.units[path].address for path in powers}
        run.site.faults.inject("modules_swapped", "gate/i", partner="gate/j")
        units = run.site.building.model.units
        assert {path: units[path].address for path in powers} == {
            "gate/i": addresses["gate/j"],
            "gate/j": addresses["gate/i"],
        }
        assert {path: await point(run, path, POWER) for path in powers} == powers
        run.site.faults.clear_all()
        assert {path: units[path].address for path in powers} == addresses


async def test_a_module_that_says_it_is_another_product():
    async with running(opened_site(CHAIN)) as run:
        assert await name_of(run) == "I-35"
        run.site.faults.inject("other_product", "gate/i", product_name="I-30")
        assert await name_of(run) == "I-30"
        run.site.faults.clear_all()
        assert await name_of(run) == "I-35"


async def name_of(run: Run) -> str:
    unit = run.site.building.model.units["gate/i"]
    placed, row = next(
        (placed, row)
        for placed in unit.product.blocks
        for row in placed.block.rows
        if row.point == "product_name"
    )
    assert unit.address is not None
    return (await run.read(unit.address, placed.base + row.offset, row.words)).strip(b"\0 ").decode()


async def test_frozen_values_stand_still_while_time_goes_on_and_are_true_again_then(tmp_path):
    journal = tmp_path / "journal"
    async with running(opened(journal=journal)) as run:
        run.site.faults.inject("values_frozen", "gate/m", start_ms=AT + 30 * MINUTE)
        await run.site.time.step(30 * MINUTE)
        frozen, free = await run.read(4, 18432, 70), await run.read(3, 18432, 70)
        await run.site.time.step(30 * MINUTE)
        assert await run.read(4, 18432, 70) == frozen
        assert await run.read(3, 18432, 70) != free
    async with running(opened(journal=journal)) as run:
        assert await run.read(4, 18432, 70) == frozen
        run.site.faults.clear_all()
        assert await run.read(4, 18432, 70) != frozen
        async with running(opened()) as well:
            await well.site.time.step(HOUR)
            assert await run.read(4, 18432, 70) == await well.read(4, 18432, 70)


async def test_a_restarting_module_is_away_for_a_time_and_forgets_what_was_not_saved():
    async with running(opened()) as run:
        hours = [await point(run, "gate/i", "operating_time_total", "unit.operating_hours")]
        assert await run.set(3, UNLOCK, 1000) == 0
        assert await run.set(3, 57344, 40) == 0  # a new address, not saved
        run.site.faults.inject("module_rebooting", "gate/i", duration_ms=MINUTE)
        assert (await run.ask(3, bytes.fromhex("03482c0002"))) == b"\x83\x0b"
        await run.site.time.step(10 * MINUTE)
        hours.append(await point(run, "gate/i", "operating_time_total", "unit.operating_hours"))
        assert hours[1] - hours[0] == 9 * 60
        assert int.from_bytes(await run.read(3, 57344, 1), "big") == 3
        assert await run.set(3, 57344, 40) == 1  # locked again


async def test_counters_that_were_reset_count_on_from_zero_and_recover(tmp_path):
    journal = tmp_path / "journal"
    async with running(opened(journal=journal)) as run:
        await run.site.time.step(HOUR)
        first = await energy_wh(run)
        run.site.faults.inject("counter_reset", "gate/i")
        assert await energy_wh(run) == 0
        await run.site.time.step(HOUR)
        since = await energy_wh(run)
        assert 0.9 * first < since < 1.1 * first
    async with running(opened(journal=journal)) as run:
        assert await energy_wh(run) == since
        run.site.faults.clear_all()
        assert await energy_wh(run) == pytest.approx(first + since, abs=0.2)


async def test_counters_reset_for_a_time_recover_by_themselves():
    async with running(opened()) as run:
        await run.site.time.step(HOUR)
        run.site.faults.inject("counter_reset_and_recovery", "gate/i", duration_ms=MINUTE)
        assert await energy_wh(run) == 0
        await run.site.time.step(MINUTE)
        assert await energy_wh(run) > 5000


async def test_counters_roll_over_at_the_width_of_their_register():
    async with running(opened()) as run:
        before = await energy_wh(run)
        run.site.faults.inject("counter_rollover", "gate/i", margin=2)
        assert await energy_wh(run) // 1000 == 2**32 - 2
        await run.site.time.step(HOUR)
        assert 3 <= await energy_wh(run) // 1000 <= 5
        run.site.faults.clear_all()
        assert 5000 < await energy_wh(run) - before < 7000


async def test_counters_can_stand_still_while_power_flows():
    async with running(opened()) as run:
        await run.site.time.step(HOUR)
        frozen = await energy_wh(run)
        run.site.faults.inject("counter_frozen", "gate/i")
        await run.site.time.step(HOUR)
        assert await energy_wh(run) == frozen
        assert await point(run, "gate/i", POWER) > 5000
        run.site.faults.clear_all()
        assert await energy_wh(run) > 1.9 * frozen


async def test_a_clock_that_jumped_is_right_again_when_cleared_or_set():
    async with running(opened()) as run:
        year = await point(run, "gate/i", "year", "unit.clock")
        (fault,) = run.site.faults.inject("clock_jump", "gate/i", shift_s=-365 * 86400)
        assert await point(run, "gate/i", "year", "unit.clock") == year - 1
        assert await point(run, "gate/m", "year", "unit.clock") == year
        run.site.faults.clear(fault.number)
        assert await point(run, "gate/i", "year", "unit.clock") == year


async def test_the_battery_of_a_sensor_runs_low_and_a_lost_sensor_is_missed():
    async with running(opened_site(CHAIN)) as run:
        await run.site.time.step(5 * MINUTE)
        table = "sensor.environment"
        full = await point(run, "gate/room", "battery", table)
        run.site.faults.inject("sensor_battery_low", "gate/room", percent=3)
        await run.site.time.step(2 * MINUTE)
        assert await point(run, "gate/room", "battery", table) == pytest.approx(3, abs=0.5) != full
        run.site.faults.clear_all()
        run.site.faults.inject("sensor_lost", "gate/room")
        await run.site.time.step(20 * MINUTE)
        assert await point(run, "gate/room", "sensor_state", table) == 2
        run.site.faults.clear_all()
        await run.site.time.step(2 * MINUTE)
        assert await point(run, "gate/room", "sensor_state", table) == 1
        assert await point(run, "gate/room", "battery", table) == pytest.approx(full, abs=1)


async def test_a_swell_raises_the_voltage_and_the_power_of_resistance_by_its_square():
    async with running(opened_site(CHAIN)) as run:
        names = (
            ("gate/u", "voltage_l1_n", "network.instantaneous"),
            ("gate/i", POWER, "circuit.instantaneous"),
        )
        before = [await point(run, *name) for name in names]
        (fault,) = run.site.faults.inject("swell", "mains", level=1.2, duration_ms=HOUR)
        during = [await point(run, *name) for name in names]
        assert during[0] / before[0] == pytest.approx(1.2, rel=0.002)
        assert during[1] / before[1] == pytest.approx(1.44, rel=0.004)
        run.site.faults.clear(fault.number)
        assert [await point(run, *name) for name in names] == before


async def test_an_unbalanced_supply_and_a_lost_phase():
    async with running(opened_site(CHAIN)) as run:
        network = "network.instantaneous"
        own = await point(run, "gate/u", "voltage_ln_unbalance", network)
        run.site.faults.inject("unbalance", "mains", percent=6)
        assert abs(await point(run, "gate/u", "voltage_ln_unbalance", network) - 6) < own + 0.1
        run.site.faults.clear_all()
        assert await point(run, "gate/u", "voltage_ln_unbalance", network) == own
        run.site.faults.inject("phase_loss", "mains", phases=["L3"])
        assert await point(run, "gate/u", "voltage_l3_n", network) == 0
        assert await point(run, "gate/u", "voltage_ln_unbalance", network) == pytest.approx(50, abs=1)
        assert await point(run, "gate/i", "active_power_l3") == 0
        run.site.faults.clear_all()
        assert await point(run, "gate/u", "voltage_ln_unbalance", network) == own


async def test_an_overloaded_circuit_draws_more_and_its_neighbour_does_not():
    async with running(opened_site(CHAIN)) as run:
        before = [await point(run, path, "current_l1") for path in ("gate/i", "gate/j")]
        run.site.faults.inject("overload", "a", factor=3)
        during = [await point(run, path, "current_l1") for path in ("gate/i", "gate/j")]
        assert during[0] / before[0] == pytest.approx(3, rel=0.01)
        assert during[1] / before[1] == pytest.approx(1, rel=0.01)
        run.site.faults.clear_all()
        assert [await point(run, path, "current_l1") for path in ("gate/i", "gate/j")] == before


@pytest.mark.parametrize(
    ("kind", "target", "parameters", "message"),
    [
        ("cable_cut", "gate", {"position_m": 90}, "less than 61 m"),
        ("supply_overloaded", "gate", {"watts": 90}, "which the segment draws"),
        ("modules_swapped", "gate/i", {"partner": "gate/x"}, "another module of the bus"),
        ("repeater_lost", "gate/i", {}, "gate/rep"),
    ],
)
async def test_a_fault_that_would_reach_nobody_is_refused(kind, target, parameters, message):
    async with running(opened_site(CHAIN)) as run:
        with pytest.raises(FaultRefused, match=message):
            run.site.faults.inject(kind, target, **parameters)
        assert run.site.faults.active == ()
