"""Small sites for tests of units and models, and reading points of them by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.devices.scripted_truth import Script, ScriptedTruth
from virtual_digiware.devices.block import PlacedBlock
from virtual_digiware.devices.catalogue import products
from virtual_digiware.devices.layout import Allocation, GatewayLayout, LineLayout, ModuleLayout, SiteLayout
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.records import Record
from virtual_digiware.devices.unit import Unit
from virtual_digiware.profiles.installation import (
    Board,
    Cable,
    Circuit,
    Installation,
    Load,
    Source,
)
from virtual_digiware.profiles.truth import Truth

START = 1_772_445_600_000
"""2026-03-02T10:00:00Z, a Monday."""
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000


def three_phase(circuit: str, first_input: int = 1, nominal_a: float = 160.0) -> Allocation:
    inputs = (first_input, first_input + 1, first_input + 2)
    return Allocation(circuit, "3P+N", inputs, ("L1", "L2", "L3"), (1, 1, 1), nominal_a)


def office() -> Installation:
    """Two boards with a cable between them; the incomer carries everything."""
    return Installation(
        "office",
        (Source("mains"),),
        (Board("main", source="mains"), Board("floor", feeder="to floor")),
        (
            Circuit("incomer", "main", "incomer"),
            Circuit("to floor", "main", "feeder", cable=Cable(0.02, 0.005, 0.02, 0.005)),
            Circuit("chiller", "main"),
            Circuit("sockets", "floor"),
            Circuit("roof", "floor"),
            Circuit("lamp", "floor", phases=("L2",)),
        ),
        (
            Load("compressor", "chiller", "hvac-motor", 12_000.0),
            Load("desks", "sockets", "office-sockets", 9_000.0),
            Load("panels", "roof", "pv", 8_000.0),
            Load("spot", "lamp", "resistive", 900.0, phases=("L2",)),
        ),
        timezone="Europe/Paris",
    )


def office_layout(**changes: object) -> SiteLayout:
    main = GatewayLayout(
        "M1",
        "M-70",
        1,
        (
            ModuleLayout("u", "U-30", 2, board="main"),
            ModuleLayout("i1", "I-60", 3, allocations=(three_phase("incomer"), three_phase("to floor", 4))),
            ModuleLayout("i2", "I-35", 4, allocations=(three_phase("chiller"),)),
            ModuleLayout("io", "IO-10", 5, inputs=("pulse of incomer 1", "on"), outputs=("off", "on")),
            ModuleLayout(
                "analogue", "IO-20", 6, inputs=("sine 0 100 60", "circuit chiller active_power_total 0 20000")
            ),
        ),
    )
    floor = GatewayLayout(
        "C1",
        "C-31",
        None,
        (
            ModuleLayout("u", "U-10", 10, board="floor"),
            ModuleLayout("i", "I-35", 11, allocations=(three_phase("sockets"),)),
            ModuleLayout("pv", "I-35", 12, allocations=(three_phase("roof"),)),
            ModuleLayout(
                "lamp", "I-31", 13, allocations=(Allocation("lamp", "1P+N", (1,), ("L2",), (1,), 40.0),)
            ),
        ),
        line="far",
    )
    layout = SiteLayout("office", (main, floor), lines=(LineLayout("far", 9600, "even", 2),))
    return replace(layout, **changes)  # type: ignore[arg-type]


def office_model(**changes: object) -> SiteModel:
    return SiteModel(Truth(office(), seed=7), office_layout(**changes), products(), 7, START)


def scripted_layout(circuits: Sequence[str], **changes: object) -> SiteLayout:
    modules = tuple(
        ModuleLayout(f"i{n}", "I-35", 3 + n, allocations=(three_phase(circuit),))
        for n, circuit in enumerate(circuits)
    )
    bus = (ModuleLayout("u", "U-30", 2, board="main"), *modules)
    layout = SiteLayout("bench", (GatewayLayout("M1", "M-70", 1, bus),))
    return replace(layout, **changes)  # type: ignore[arg-type]


def scripted_model(
    *scripts: Script, start_ms: int = START, timezone: str = "UTC", **changes: object
) -> SiteModel:
    """A U-30 and one I-35 for each script: units M1/u, M1/i0, M1/i1, ... measure circuits c0, c1, ..."""
    named = {f"c{n}": script for n, script in enumerate(scripts)}
    truth = ScriptedTruth(named, timezone=timezone)
    layout = scripted_layout(tuple(named), **changes)
    return SiteModel(truth, layout, products(), 7, start_ms)  # type: ignore[arg-type]


def at(model: SiteModel, t_ms: int) -> SiteModel:
    """The model, computed and published at `t_ms`."""
    model.publish(model.compute(t_ms))
    return model


def placed(unit: Unit, block: str, slot: int = 0) -> PlacedBlock:
    return next(one for one in unit.product.blocks if one.block.name == block and one.slot == slot)


def read(unit: Unit, block: str, point: str, slot: int = 0) -> float | int | str | None:
    """One point of a unit as `Unit.read` gives it."""
    where = placed(unit, block, slot)
    names = [row.point for row in where.block.rows]
    return unit.read(where)[names.index(point)]


def energy_wh(unit: Unit, point: str, slot: int = 0, block: str = "load_energy") -> float:
    """Kilo-unit register and residual together, in tenths of a unit as whole numbers would give them."""
    kilo, rest = read(unit, block, point, slot), read(unit, block, f"{point}_residual", slot)
    assert isinstance(kilo, float)
    assert isinstance(rest, float)
    return round(kilo * 1000 + rest, 1)


def write(
    model: SiteModel, path: str, address: int, *values: int, now_ms: int, function: int | None = None
) -> None:
    """A write that the unit must accept."""
    code = function or (6 if len(values) == 1 else 16)
    record = model.check_write(path, code, address, values, now_ms)
    assert isinstance(record, Record), record
    model.apply(record)


def all_values(model: SiteModel) -> list[tuple[str, str, int, tuple[object, ...]]]:
    """Everything that can be read of a site, with NaN as None so that equal is equal."""
    everything = []
    for unit in model.units.values():
        for where in unit.product.blocks:
            values = tuple(None if value != value else value for value in unit.read(where))
            everything.append((unit.path, where.block.name, where.slot, values))
    return everything
