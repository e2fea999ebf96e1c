"""Mistakes of the installer, read over Modbus: what each does to a balanced load of cos phi 0.9.

Expected values relative to the right ones, on symmetric voltages, were computed apart from this code: with
phasors on paper. Two decimals, as they are printed. Reactive power is the sum over the phases, which is what
the `budeanu` method gives without harmonics.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np
import pytest

from tests.simulator.faults.clients import opened_site, point
from tests.simulator.test_running import Run, running
from virtual_digiware.profiles import mains
from virtual_digiware.profiles.mains_data import mains_data

SITE = """\
site: commissioning
reactive_method: budeanu
sources: {mains: {}}
boards:
  main:
    source: mains
    circuits:
      load: {loads: [{class: resistive, power_kw: 60, power_factor: 0.9}]}
      other: {loads: [{class: resistive, power_kw: 60, power_factor: 0.9}]}
gateways:
  - name: gate
    product: M-70
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-35, circuits: [{circuit: load}]}
      - {name: j, product: I-35, circuits: [{circuit: other}]}
"""
REVERSED, RATIO, OPEN = "ct_reversed", "ct_wrong_ratio", "ct_open"
PLACED, TAPS, FUSE = "ct_wrong_phase", "voltage_taps_swapped", "voltage_fuse_blown"
Injected = tuple[tuple[str, str, dict[str, Any]], ...]


@dataclass(frozen=True)
class Row:
    """Active and reactive power and the power factor, power by phase, sequences and neutral current."""

    faults: Injected
    p: float
    q: float
    pf: float
    phases: tuple[float, float, float]
    inverse: float = 0.0
    neutral: float = 0.0
    voltages: dict[str, float] = field(default_factory=dict)


def ct(kind: str, **parameters: Any) -> tuple[str, str, dict[str, Any]]:
    return kind, "gate/i", parameters


def taps(kind: str, **parameters: Any) -> tuple[str, str, dict[str, Any]]:
    return kind, "gate/u", parameters


TABLE = {
    "CT1 reversed": Row((ct(REVERSED, sensors=[1]),), 0.33, 0.33, 0.30, (-1, 1, 1), 2.0, 2.0),
    "CT1 and CT2 reversed": Row(
        (ct(REVERSED, sensors=[1, 2]),), -0.33, -0.33, -0.30, (-1, -1, 1), 2.0, 2.0
    ),
    "all reversed": Row((ct(REVERSED),), -1, -1, -0.90, (-1, -1, -1)),
    "CT1 and CT2 exchanged": Row((ct(PLACED, order=[2, 1, 3]),), 0, 0, 0, (-0.92, -0.08, 1), inf),
    "V1 and V2 exchanged": Row(
        (taps(TAPS, order=[2, 1, 3]),), 0, 0, 0, (-0.08, -0.92, 1), voltages={"unbalance": inf}
    ),
    "sensors rotated 1-2-3": Row((ct(PLACED, order=[3, 1, 2]),), -0.08, -2.29, -0.07, (-0.08,) * 3),
    "sensors rotated 1-3-2": Row((ct(PLACED, order=[2, 3, 1]),), -0.92, 1.29, -0.83, (-0.92,) * 3),
    "CT1 and CT2 exchanged, CT3 reversed": Row(
        (ct(PLACED, order=[2, 1, 3]), ct(REVERSED, sensors=[3])),
        -0.67, -0.67, -0.60, (-0.92, -0.08, -1), 0.5, 2.0,
    ),
    "CT1 open": Row((ct(OPEN, sensors=[1]),), 0.67, 0.67, 0.90, (0, 1, 1), 0.5, 1.0),
    "CT1 of half the ratio": Row(
        (ct(RATIO, sensors=[1], factor=0.5),), 0.83, 0.83, 0.90, (0.5, 1, 1), 0.2, 0.5
    ),
    "all ratios a tenth": Row((ct(RATIO, factor=0.1),), 0.1, 0.1, 0.90, (0.1, 0.1, 0.1)),
    "fuse of V1 blown": Row(
        (taps(FUSE, phases=["L1"]),), 0.67, 0.67, 0.90, (0, 1, 1),
        voltages={"voltage_l1_n": 0.0, "voltage_l2_n": 1.0, "unbalance": 0.5},
    ),
    # Sequences go by the order of the terminals, so all of a reversed rotation is negative sequence.
    "V and CT of 2 and 3 exchanged": Row(
        (taps("phases_swapped", order=[1, 3, 2]),), 1, 1, 0.90, (1, 1, 1), inf, voltages={"unbalance": inf}
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def symmetric_voltages(monkeypatch):
    """Mains without unbalance, distortion and wandering phases."""
    data = mains_data()
    symmetric = replace(
        data, unbalance=(0.0, 0.0), voltage_phase=(0.0, 600_000.0), background=0 * data.background
    )
    monkeypatch.setattr(mains, "mains_data", lambda: symmetric)


async def values(run: Run, path: str = "gate/i") -> dict[str, float]:
    names = ["active_power_total", "reactive_power_total", "power_factor_total", "current_n"]
    names += [f"{kind}_l{phase}" for kind in ("active_power", "current") for phase in (1, 2, 3)]
    names += ["current_positive_sequence", "current_negative_sequence"]
    read = {name: await point(run, path, name) for name in names}
    for name in ("voltage_l1_n", "voltage_l2_n", "voltage_ln_unbalance"):
        read[name] = await point(run, "gate/u", name, "network.instantaneous")
    return read


def share(part: float, whole: float) -> float:
    return inf if whole < 0.02 * part else part / whole


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
async def test_a_wrong_connection_shows_what_the_table_prints(row: Row):
    async with running(opened_site(SITE)) as run:
        right, neighbour = await values(run), await values(run, "gate/j")
        for kind, target, parameters in row.faults:
            run.site.faults.inject(kind, target, **parameters)
        wrong = await values(run)
        for name, expected in (("active_power_total", row.p), ("reactive_power_total", row.q)):
            assert wrong[name] / right[name] == pytest.approx(expected, abs=0.006), name
        assert wrong["power_factor_total"] == pytest.approx(row.pf, abs=0.006)
        for phase, expected in enumerate(row.phases, start=1):
            name = f"active_power_l{phase}"
            assert wrong[name] / right[name] == pytest.approx(expected, abs=0.006), name
        sequences = wrong["current_negative_sequence"], wrong["current_positive_sequence"]
        assert share(*sequences) == pytest.approx(row.inverse, abs=0.05)
        assert wrong["current_n"] / right["current_l2"] == pytest.approx(row.neutral, abs=0.05)
        for name, expected in row.voltages.items():
            if name == "unbalance":  # a ratio without an end is not available, and reads 0
                assert wrong["voltage_ln_unbalance"] / 100 == pytest.approx(
                    0 if expected == inf else expected, abs=0.005
                )
            else:
                assert wrong[name] / right[name] == pytest.approx(expected, abs=0.006), name
        if all(target == "gate/i" for _, target, _ in row.faults):
            assert await values(run, "gate/j") == neighbour
        run.site.faults.clear_all()
        assert await values(run) == right


async def test_a_circuit_set_to_one_phase_shows_a_third_and_reads_back_so():
    async with running(opened_site(SITE)) as run:
        right = await values(run)
        wiring = await point(run, "gate/i", "wiring", "settings")
        run.site.faults.inject("wrong_load_type", "gate/i", network="1P+N", circuit="load")
        wrong = await values(run)
        assert wrong["active_power_total"] == pytest.approx(right["active_power_total"] / 3, rel=0.01)
        assert wrong["active_power_l2"] == 0 < right["active_power_l2"]
        assert await point(run, "gate/i", "wiring", "settings") == 1
        run.site.faults.clear_all()
        assert await values(run) == right
        assert await point(run, "gate/i", "wiring", "settings") == wiring == 8


async def test_a_voltage_module_set_to_a_network_without_neutral_has_no_phase_voltages():
    async with running(opened_site(SITE)) as run:
        right = await values(run)
        run.site.faults.inject("wrong_network_type", "gate/u", network="3P")
        wrong = await values(run)
        assert wrong["voltage_l1_n"] == 0 < right["voltage_l1_n"]
        run.site.faults.clear_all()
        assert await values(run) == right


async def test_saturated_sensors_show_a_clipped_sine():
    async with running(opened_site(SITE)) as run:
        right = await values(run)
        share = 0.5
        unit = run.site.building.model.units["gate/i"]
        nominal_a = run.site.building.model.snapshot.table("circuit.instantaneous", unit.slots)
        nominal_a = float(nominal_a["apparent_power_nominal"][0]) / 3 / 230
        at = share * right["current_l1"] / nominal_a
        run.site.faults.inject("ct_saturated", "gate/i", at=at)
        wrong = await values(run)
        # A sine clipped at half its peak, by the integrals of its square and of its product with it.
        angle = np.arcsin(share)
        square = 2 / np.pi * (angle - np.sin(2 * angle) / 2) + 4 / np.pi * share**2 * (np.pi / 2 - angle)
        first = 2 / np.pi * (angle - np.sin(2 * angle) / 2 + 2 * share * np.cos(angle))
        assert wrong["current_l1"] / right["current_l1"] == pytest.approx(np.sqrt(square), rel=0.002)
        assert wrong["active_power_total"] / right["active_power_total"] == pytest.approx(first, rel=0.002)
        assert await point(run, "gate/i", "thd_current_l1", "circuit.fundamental") > 10
        assert (await values(run, "gate/j"))["current_l1"] > 1.3 * wrong["current_l1"]
        run.site.faults.clear_all()
        assert await values(run) == right
