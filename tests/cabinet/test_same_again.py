"""Site file, seed, journal and time determine every byte: twice the same, in any ticks, and after a kill."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cabinet.cabinet import SITE, Cabinet, mbpoll
from tests.external import require_program
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import parse_site

COMMISSIONED_MS = 1_772_434_800_000  # 2026-03-02T07:00:00Z
HOUR_MS = 3_600_000
OUTPUT_STATES = 11282
OUTPUT_ON_COMMAND = 11285
LOAD_NAME = 46592
ACTIVE_ENERGY = 19841


def image_of(building: Building) -> dict[tuple[str, int], bytes]:
    """All readable blocks of all units, by unit and address."""
    images = Images(building.model)
    found = {}
    for path, unit in building.model.units.items():
        for placed in unit.product.blocks:
            data = images.of(unit).read(placed.base, placed.block.words)
            if data is not None:
                found[path, placed.base] = data
    return found


def built(seed: int | None = None) -> Building:
    text = SITE.format(pty="/tmp/not-opened")
    return Building(parse_site(text, Path("site.yaml"), seed), COMMISSIONED_MS)


def image_after(building: Building, ticks_ms: list[int]) -> dict[tuple[str, int], bytes]:
    for t_ms in ticks_ms:
        building.model.publish(building.model.compute(COMMISSIONED_MS + t_ms))
    return image_of(building)


def test_energies_and_all_else_do_not_depend_on_the_ticks_of_the_clock() -> None:
    end_ms = 25 * 60_000 + 3_400  # inside a base step, between two refreshes
    rng = np.random.default_rng(20260302)
    at_random = sorted({*rng.integers(1, end_ms, 40).tolist(), end_ms})
    once = image_after(built(), [end_ms])
    assert len(once) > 200
    assert image_after(built(), [*range(7_300, end_ms, 7_300), end_ms]) == once
    assert image_after(built(), at_random) == once


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    first, again, other = (image_after(built(seed), [HOUR_MS // 4]) for seed in (7, 7, 8))
    assert first == again
    measured = ("m70/i35", 18432)
    assert first[measured] != other[measured]


def test_two_processes_serve_the_same_bytes(demo: Cabinet, start: Callable[..., Cabinet]) -> None:
    require_program("mbpoll")
    twin = start()
    for address in (36864, 36992):
        assert registers(demo, 2, address, 37) == registers(twin, 2, address, 37)
    for unit in (3, 4, 5, 6):
        for address, count in ((18432, 92), (18560, 92), (18688, 84), (19841, 27)):
            assert registers(demo, unit, address, count) == registers(twin, unit, address, count)


def registers(cabinet: Cabinet, unit: int, address: int, count: int) -> list[int]:
    host, port = cabinet.tcp
    return mbpoll(["-m", "tcp", "-p", str(port), host], unit, address, count)


def write(cabinet: Cabinet, unit: int, address: int, *values: int) -> None:
    host, port = cabinet.tcp
    mbpoll(["-m", "tcp", "-p", str(port), host], unit, address, 1, values=values)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_site_continues_its_energies_and_keeps_what_was_written(
    start: Callable[..., Cabinet], tmp_path: Path, end: signal.Signals
) -> None:
    require_program("mbpoll")
    journal = "--journal", str(tmp_path / "journal")
    before = start(*journal, "--at", "2026-03-02T08:00:00Z", clock="real")
    write(before, 7, OUTPUT_ON_COMMAND, 0b10)
    write(before, 4, 58112, 1000)
    write(before, 4, LOAD_NAME, 0x4C75, 0x7800)  # "Lux"
    write(before, 4, 57856, 161)
    energy = registers(before, 3, ACTIVE_ENERGY, 3)
    before.stop(end)

    after = start(*journal, clock="real")
    assert registers(after, 7, OUTPUT_STATES, 1) == [0b10]
    assert registers(after, 4, LOAD_NAME, 2) == [0x4C75, 0x7800]
    assert energy[0:2] != [0, 0]
    assert registers(after, 3, ACTIVE_ENERGY, 3) >= energy
