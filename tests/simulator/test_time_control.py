"""Time of a running site in its user's hands: frozen, stepped, faster, in one leap; kept by the journal."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest

from tests.simulator import test_running
from tests.simulator.test_running import AT, HEATER_ENERGY, HEATER_POWER, MANUAL, Run, running
from virtual_digiware.devices.points import Table
from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.opening import Opened, TimeOptions
from virtual_digiware.simulator.time_control import TimeRefused

HOUR, DAY = 3_600_000, 86_400_000


def opened(time: TimeOptions = MANUAL, journal: Path | None = None, timezone: str = "UTC") -> Opened:
    """The site of `test_running`, refreshed every five seconds: a day of it is computed in no time."""
    settings = f"refresh_ms: 5000\ntimezone: {timezone}"
    return test_running.opened(time, journal, lambda text: text.replace("refresh_ms: 50", settings))


def table(run: Run, name: str, unit: str = "gate/m") -> Table:
    model = run.site.building.model
    return model.snapshot.table(name, model.units[unit].slots)


async def energy_wh(run: Run, unit: int = 3) -> float:
    kilo, residual = struct.unpack(">IH", await run.read(unit, HEATER_ENERGY, 3))
    return kilo * 1000 + residual / 10


async def test_a_frozen_site_goes_on_at_the_rate_it_is_told():
    async with running(opened(TimeOptions("real", at_ms=AT))) as run:
        frozen = await run.site.time.freeze()
        assert run.site.now_ms() == frozen.time_ms >= AT
        assert run.site.time.status.as_data()["frozen"] is True
        await run.site.time.pass_at(100_000.0)
        while run.site.now_ms() < frozen.time_ms + HOUR:  # clients are served meanwhile
            assert await run.signed(3, HEATER_POWER) > 0
            await asyncio.sleep(0)
        again = await run.site.time.freeze()
        assert again.time_ms >= frozen.time_ms + HOUR
        assert run.site.building.model.snapshot.time_ms == again.time_ms


async def test_a_leap_shows_the_energies_of_every_step_on_the_way():
    async with running(opened()) as leaping, running(opened()) as stepping:
        await leaping.site.time.step(DAY)
        for _ in range(24):
            await stepping.site.time.step(HOUR, exact=True)
        assert leaping.site.now_ms() == stepping.site.now_ms() == AT + DAY
        assert await energy_wh(leaping) == await energy_wh(stepping) > 100_000
        assert await leaping.signed(3, HEATER_POWER) == await stepping.signed(3, HEATER_POWER)
        leapt, stepped = (table(run, "circuit.average").values for run in (leaping, stepping))
        assert leapt.tobytes() == stepped.tobytes()


async def test_extremes_of_a_leap_enclose_what_is_shown_and_lie_close_to_those_of_every_refresh():
    async with running(opened()) as leaping, running(opened()) as exact:
        await leaping.site.time.step(DAY, exact=False)
        await exact.site.time.step(DAY, exact=True)
        leapt, all_seen = (table(run, "circuit.maximum")["active_power_total"][0] for run in (leaping, exact))
        assert table(leaping, "circuit.instantaneous")["active_power_total"][0] <= leapt <= all_seen
        assert leapt == pytest.approx(all_seen, rel=0.05)


async def test_a_restart_finds_the_time_and_the_extremes_of_a_leap(tmp_path: Path):
    def everything(run: Run) -> tuple[object, ...]:
        return (
            run.site.now_ms(),
            table(run, "circuit.maximum").values.tobytes(),
            table(run, "circuit.minimum").values.tobytes(),
            table(run, "circuit.average_maximum").values.tobytes(),
        )

    journal = tmp_path / "journal"
    async with running(opened(journal=journal)) as run:
        await run.site.time.step(DAY)
        before = everything(run), await energy_wh(run)
    async with running(opened(journal=journal)) as run:
        assert (everything(run), await energy_wh(run)) == before


async def test_time_never_goes_backwards_nor_at_a_negative_rate():
    async with running(opened()) as run:
        with pytest.raises(TimeRefused, match="in the past"):
            await run.site.time.jump(AT - 1)
        with pytest.raises(TimeRefused, match="right would be 0"):
            await run.site.time.pass_at(-1.0)
        assert run.site.now_ms() == AT


async def test_the_journal_keeps_every_change_of_time():
    async with running(opened()) as run:
        await run.site.time.step(HOUR)
        await run.site.time.step(DAY)
        await run.site.time.pass_at(60.0)
        await run.site.time.freeze()
        kept = [(record.kind, record.data.get("rate")) for record in run.site.journal.records[1:]]
    assert kept == [
        ("clock", 0.0),
        ("clock", 0.0),
        ("survey", None),
        *[("clock", rate) for rate in (0.0, 60.0, 0.0)],
    ]


async def test_the_load_curve_keeps_its_marks_on_the_local_clock_when_summer_time_begins():
    night = parse_instant("2026-03-29T00:30:00Z")  # 01:30 in Paris, whose clocks go from 2 to 3 at 01:00 UTC
    async with running(opened(TimeOptions("manual", at_ms=night), timezone="Europe/Paris")) as run:
        await run.site.time.step(2 * HOUR, exact=True)
        start_ms, end_ms = run.site.building.model.snapshot.average_span_ms
        assert (start_ms, end_ms) == (night + 2 * HOUR - 600_000, night + 2 * HOUR)
        assert await energy_wh(run) > 0
