"""What a meter shows of one circuit, by values somebody set: counters that roll over, signs, sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from virtual_digiware.devices.asked_tables import Slots
from virtual_digiware.devices.block import Block, Row
from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.devices.meter_values import Meter, is_meter_point, unit_of
from virtual_digiware.devices.points import Table, table_of
from virtual_digiware.devices.scale_factors import exponent


@dataclass
class Shown:
    """Tables of a snapshot with the points that a test sets; all others are missing."""

    points: dict[str, float]
    time_ms: int = 3_600_000

    def table(self, name: str, slots: Slots) -> Table:
        return table_of({point: np.array([value]) for point, value in self.points.items()})


def value(point: str, encoding: str, scale: float, **points: float) -> float:
    row = Row(point, 0, encoding, ENCODINGS[encoding].words or 1, scale)
    block = Block("b", "b", "meter.measured", 0, row.words, "read", (row,), "extension", "a test")
    return float(Meter(0, 0).values(block, Shown(points), 0)[0])


@pytest.mark.parametrize(
    ("encoding", "scale", "kwh", "wh", "shown"),
    [
        ("U32", 10, 12, 345.6, 12_340.0),
        ("U32", 1000, 12, 999.9, 12_000.0),
        ("U32", 10, 42_949_672, 959.9, 42_949_672_950.0),  # the last step before it rolls over
        ("U32", 10, 42_949_672, 960.0, 0.0),  # 2 ** 32 steps
        ("U16", 1_000_000, 65_535_999, 0.0, 65_535_000_000.0),
        ("U16", 1_000_000, 65_537_500, 0.0, 1_000_000.0),
        ("S64", 1, 65_537_500, 7.9, 65_537_500_007.0),
        ("F32", 1000, 65_537_500, 7.5, 65_537_500_007.5),
    ],
)
def test_a_counter_is_cut_to_its_step_and_rolls_over_at_the_width_of_its_register(
    encoding: str, scale: float, kwh: float, wh: float, shown: float
) -> None:
    points = {"active_energy_import": kwh, "active_energy_import_residual": wh}
    assert value("active_energy_import", encoding, scale, **points) == pytest.approx(shown, abs=0.01)


def test_a_balance_has_a_sign() -> None:
    points = {
        "active_energy_import": 1.0,
        "active_energy_import_residual": 500.0,
        "active_energy_export": 3.0,
        "active_energy_export_residual": 0.0,
    }
    assert value("active_energy_net", "S32", 10, **points) == -1500
    assert value("active_energy_both", "F32", 1000, **points) == 4500


def test_a_power_factor_by_load_is_negative_for_a_capacitive_one_whatever_the_direction() -> None:
    leading, lagging = 1.0, 2.0
    for factor in (0.9, -0.9):
        for kind, sign in ((leading, -1), (lagging, 1)):
            points = {"power_factor_l1": factor, "power_factor_l1_type": kind}
            assert value("power_factor_l1_by_load", "S32", 0.001, **points) == sign * 0.9


@pytest.mark.parametrize(
    ("full_scale", "power"), [(3 * 63, -2), (21_000, 0), (45_000, 1), (400, -1), (1e6, 2)]
)
def test_a_scale_factor_is_the_finest_with_room_for_half_as_much_again(full_scale: float, power: int) -> None:
    assert exponent(full_scale) == power
    assert 1.5 * full_scale / 10.0**power <= 32767


def test_points_are_known_with_their_suffixes_and_units() -> None:
    assert is_meter_point("current_l1_demand_maximum")
    assert not is_meter_point("curent_l1")
    assert not is_meter_point("active_energy_import_demand")
    assert unit_of("partial_reactive_energy_export") == "varh"
    assert unit_of("power_factor_total") == ""
