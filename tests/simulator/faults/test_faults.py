"""Faults injected into a running site: seen by a client, undone cleanly, kept by the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulator.test_running import AT, HEATER_POWER, Run, running
from tests.simulator.test_time_control import opened
from virtual_digiware.simulator.faults.kinds import fault_kinds, themes
from virtual_digiware.simulator.faults.parameters import FaultRefused

MINUTE = 60_000
U1_N, I1 = 36873, 18458
HEATER_L = [18466 + 2 * phase for phase in range(3)]
UNIT_U, UNIT_I, UNIT_M = 2, 3, 4


async def power_w(run: Run, unit: int = UNIT_I) -> int:
    return await run.signed(unit, HEATER_POWER)


async def test_a_reversed_sensor_shows_a_third_of_the_power_until_it_is_cleared():
    async with running(opened()) as run:
        right = await power_w(run)
        (fault,) = run.site.faults.inject("ct_reversed", "i", circuit="heater", sensors=[1])
        assert await power_w(run) == pytest.approx(right / 3, rel=0.02)
        assert [one.number for one in run.site.faults.active] == [fault.number] == [1]
        run.site.faults.clear(fault.number)
        assert await power_w(run) == right
        assert run.site.faults.active == ()


async def test_a_fault_hits_its_target_only():
    async with running(opened()) as run:
        before = [await run.read(unit, 18432, 70) for unit in (UNIT_U + 1, UNIT_M)]
        assert before[1] is not None
        run.site.faults.inject("ct_reversed", "gate/i", circuit="heater")
        assert await run.read(UNIT_M, 18432, 70) == before[1]
        assert await power_w(run) < 0


async def test_a_fault_with_a_duration_ends_at_its_time_and_one_with_a_start_begins_then():
    async with running(opened()) as run:
        right = await power_w(run)
        run.site.faults.inject("ct_open", "i", circuit="heater", start_ms=AT + MINUTE, duration_ms=MINUTE)
        seen = []
        for _ in range(4):
            seen.append(await power_w(run) > right / 10)
            await run.site.time.step(MINUTE // 2, exact=True)
        seen.append(await power_w(run) > right / 10)
        assert seen == [True, True, False, False, True]


async def test_a_leap_over_a_whole_fault_counts_what_it_did_to_the_energy():
    async with running(opened()) as run, running(opened()) as well:
        run.site.faults.inject("breaker_open", "heater", start_ms=AT + MINUTE, duration_ms=30 * MINUTE)
        for one in (run, well):
            await one.site.time.step(60 * MINUTE)
        counted = [one.site.building.model.snapshot.imported_mj("heater") for one in (run, well)]
        assert counted[0] / counted[1] == pytest.approx(0.5, abs=0.02)


async def test_an_interruption_that_is_cleared_early_is_over_then():
    async with running(opened()) as run:
        (fault,) = run.site.faults.inject("interruption", "mains", duration_ms=60 * MINUTE)
        assert await run.signed(UNIT_U, U1_N) == 0
        await run.site.time.step(MINUTE)
        run.site.faults.clear(fault.number)
        assert await run.signed(UNIT_U, U1_N) > 22_000
        await run.site.time.step(MINUTE)
        assert await run.signed(UNIT_U, U1_N) > 22_000


async def test_a_dead_module_is_silent_and_the_others_answer():
    async with running(opened()) as run:
        (fault,) = run.site.faults.inject("module_dead", "gate/i")
        assert await run.ask(UNIT_I, bytes.fromhex("03482c0002")) == b"\x83\x0b"
        assert await power_w(run, UNIT_M) > 0
        run.site.faults.clear(fault.number)
        assert await power_w(run) > 0


async def test_faults_survive_a_restart_with_their_ends(tmp_path: Path):
    journal = tmp_path / "journal"
    async with running(opened(journal=journal)) as run:
        right = await power_w(run)
        run.site.faults.inject("ct_reversed", "i", circuit="heater", duration_ms=2 * MINUTE)
        run.site.faults.inject("module_dead", "gate/m")
        await run.site.time.step(MINUTE)
        wrong = await power_w(run)
        assert wrong < 0
    async with running(opened(journal=journal)) as run:
        assert [fault.kind for fault in run.site.faults.active] == ["ct_reversed", "module_dead"]
        assert await power_w(run) == wrong
        await run.site.time.step(MINUTE)
        assert await power_w(run) == pytest.approx(right, rel=0.1)
        assert run.site.faults.clear_all() == 1
        assert await power_w(run, UNIT_M) > 0


@pytest.mark.parametrize(
    ("kind", "target", "options", "message"),
    [
        ("ct_revresed", "i", {}, "Did you mean ct_reversed"),
        ("ct_reversed", "nobody", {}, "a current module: gate/i, gate/m"),
        ("ct_reversed", "i", {"sensors": [7]}, "1 to 4"),
        ("ct_reversed", "i", {"circuit": "haeter"}, "heater"),
        ("ct_reversed", "i", {"factor": 2}, "sensors, circuit"),
        ("ct_wrong_ratio", "i", {}, "measured over true"),
        ("dip", "mains", {}, "always ends"),
        ("dip", "mains", {"duration_ms": 0}, "above 0"),
        ("dip", "mains", {"duration_ms": 10, "start_ms": AT - 1}, "not passed"),
        ("dip", "mains", {"duration_ms": 10, "residual": 3}, "0 to 1"),
        ("dip", "mains", {"duration_ms": 10, "phases": ["L4"]}, "L1, L2, L3"),
    ],
)
async def test_what_cannot_be_injected_says_what_would_be_right(kind, target, options, message):
    async with running(opened()) as run:
        before = len(run.site.journal.records)
        with pytest.raises(FaultRefused, match=message):
            run.site.faults.inject(kind, target, **options)
        assert len(run.site.journal.records) == before


def test_every_kind_says_what_it_does_and_what_a_client_sees():
    assert set(themes()) >= {"electrical", "commissioning", "modules"}
    for kind in fault_kinds().values():
        assert kind.does
        assert kind.shows
        assert not set(kind.fixed) & set(kind.parameters)
