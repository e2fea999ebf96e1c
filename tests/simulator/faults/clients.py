"""A site in operation with faults, and points of its units read over Modbus by name."""

from __future__ import annotations

from pathlib import Path

from tests.simulator.test_running import MANUAL, Run
from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.simulator.opening import Opened, TimeOptions, open_site
from virtual_digiware.simulator.site_file import parse_site


def opened_site(text: str, time: TimeOptions = MANUAL, journal: Path | None = None) -> Opened:
    return open_site(parse_site(text, Path("site.yaml")), time, journal)


async def point(run: Run, path: str, name: str, table: str = "circuit.instantaneous", slot: int = 0) -> float:
    """A point in its own unit as the client reads it; 0 where nothing is measured."""
    unit = run.site.building.model.units[path]
    placed, row = next(
        (placed, row)
        for placed in unit.product.blocks
        if placed.block.table == table and placed.slot == slot
        for row in placed.block.rows
        if row.point == name
    )
    assert unit.address is not None
    words = await run.read(unit.address, placed.base + row.offset, row.words)
    return int.from_bytes(words, "big", signed=ENCODINGS[row.encoding].is_signed) * row.scale
