"""The demo site's modules as a careful engineer checks them: values belong together, and samples agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.devices.sites import HOUR, MINUTE, at, energy_wh
from virtual_digiware.devices.block import PlacedBlock
from virtual_digiware.devices.layout import SiteLayout
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.unit import Unit
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import load_site

MONDAY_NOON_MS = 1_772_449_200_000
"""2026-03-02T11:00:00Z, which is noon where the site stands."""
CIRCUITS = (
    ("m70/i35", 0),
    *(("m70/i60", slot) for slot in range(4)),
    ("m70/s135", 0),
    ("m70/i31", 0),
    *(("c31/i30", slot) for slot in range(3)),
)
PHASES = ("l1", "l2", "l3")


@pytest.fixture(scope="module")
def building() -> Building:
    return Building(load_site("demo"), MONDAY_NOON_MS)


def sampled(layout: SiteLayout) -> SiteLayout:
    return replace(
        layout,
        gateways=tuple(
            replace(
                gateway, modules=tuple(replace(module, measurement="sampled") for module in gateway.modules)
            )
            for gateway in layout.gateways
        ),
    )


def model_of(building: Building, layout: SiteLayout) -> SiteModel:
    return SiteModel(building.truth, layout, building.products, building.file.seed, MONDAY_NOON_MS)


def block_values(unit: Unit, name: str, slot: int) -> Mapping[str, float]:
    """Points of one block; those that the product does not show are missing."""
    where = next(one for one in unit.product.blocks if one.block.name == name and one.slot == slot)
    return {row.point: float(value) for row, value in zip(where.block.rows, unit.read(where), strict=True)}  # type: ignore[arg-type]


def measured_blocks(model: SiteModel) -> Iterator[tuple[Unit, PlacedBlock]]:
    for unit in model.units.values():
        for where in unit.product.blocks:
            if where.block.table.startswith(("circuit.", "network.")):
                yield unit, where


@pytest.fixture(scope="module", params=[0, 4 * HOUR + 123], ids=["noon", "afternoon"])
def model(building: Building, request: pytest.FixtureRequest) -> SiteModel:
    return at(model_of(building, building.layout), MONDAY_NOON_MS + 20 * MINUTE + request.param)


@pytest.mark.parametrize(("path", "slot"), CIRCUITS)
def test_powers_currents_and_voltages_of_a_circuit_belong_together(
    model: SiteModel, path: str, slot: int
) -> None:
    now = block_values(model.units[path], "load_instantaneous", slot)
    first = block_values(model.units[path], "load_fundamental", slot)
    active, reactive, apparent = (now[f"{kind}_power_total"] for kind in ("active", "reactive", "apparent"))
    assert np.hypot(active, reactive) == pytest.approx(apparent, rel=1e-9)
    assert now["power_factor_total"] == pytest.approx(active / apparent)
    assert now["power_factor_total_type"] == (1 if active * reactive < 0 else 2)
    assert now["reactive_power_total_lagging"] + now["reactive_power_total_leading"] == reactive
    for phase in PHASES:
        current, voltage = now[f"current_{phase}"], now[f"voltage_{phase}_n"]
        if np.isnan(current) or f"apparent_power_{phase}" not in now:
            continue
        assert now[f"apparent_power_{phase}"] == pytest.approx(voltage * current)
        assert abs(now[f"power_factor_{phase}"]) <= 1.0
        assert first[f"current_{phase}_h1"] <= current
        angle = np.deg2rad(first[f"displacement_angle_{phase}"])
        assert np.cos(angle) == pytest.approx(first[f"cos_phi_{phase}"])
        assert first[f"active_power_{phase}_h1"] == pytest.approx(
            first[f"voltage_{phase}_n_h1"] * first[f"current_{phase}_h1"] * np.cos(angle)
        )


def test_a_six_pulse_drive_gives_back_a_little_harmonic_power(model: SiteModel) -> None:
    now = block_values(model.units["m70/s135"], "load_instantaneous", 0)
    first = block_values(model.units["m70/s135"], "load_fundamental", 0)
    assert first["thd_current_l1"] > 20
    share = (now["active_power_total"] - first["active_power_total_h1"]) / now["active_power_total"]
    assert -0.02 < share < 0.001


def test_the_feeders_of_the_board_add_up_to_its_incomer_in_power_and_in_energy(model: SiteModel) -> None:
    incomer, *feeders = [one for one in CIRCUITS if one[0].startswith("m70")]
    power = [
        block_values(model.units[path], "load_instantaneous", slot)["active_power_total"]
        for path, slot in (incomer, *feeders)
    ]
    assert sum(power[1:]) == pytest.approx(power[0], rel=1e-9)
    energy = [
        energy_wh(model.units[path], "active_energy_import", slot) for path, slot in (incomer, *feeders)
    ]
    assert sum(energy[1:]) == pytest.approx(energy[0], abs=0.1 * len(feeders))


def test_what_is_shown_lies_between_its_minimum_and_its_maximum(model: SiteModel) -> None:
    for path, slot in CIRCUITS:
        unit = model.units[path]
        now = block_values(unit, "load_instantaneous", slot)
        highest = block_values(unit, "load_instantaneous_maximum", slot)
        lowest = block_values(unit, "load_instantaneous_minimum", slot)
        for point in now.keys() & highest.keys() - {"load_status"}:
            if point.endswith("_type") or np.isnan(now[point]):
                continue
            assert lowest[point] <= now[point] <= highest[point], (path, point)
            assert 0 < highest[f"{point}_date"] <= now["timestamp"], (path, point)


def test_a_demo_site_that_samples_shows_the_same_registers(building: Building) -> None:
    """Each value within 1e-6, or within one unit of its register."""
    phasor, samples = (
        at(model_of(building, layout), MONDAY_NOON_MS + 20 * MINUTE + 700)
        for layout in (building.layout, sampled(building.layout))
    )
    compared = 0
    for unit, where in measured_blocks(phasor):
        shown, taken = unit.read(where), samples.units[unit.path].read(where)
        for row, one, other in zip(where.block.rows, shown, taken, strict=True):
            name = (unit.path, where.block.name, row.point)
            assert np.isnan(one) == np.isnan(other), name  # type: ignore[arg-type]
            if not np.isnan(one):  # type: ignore[arg-type]
                assert other == pytest.approx(one, rel=1e-6, abs=row.scale), name
                compared += 1
    assert compared > 2000
