"""Dips, swells and interruptions: half-cycle values worked out by hand, polyphase rule, registers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.devices.alarms.alarmed import dip, log, offices
from tests.devices.sites import SECOND, START, at, read
from virtual_digiware.devices.alarms.description import VoltageEventAlarm
from virtual_digiware.devices.alarms.disturbances import CHANNELS, Disturbances, TapPlan, dip_class
from virtual_digiware.devices.alarms.half_cycles import Steps, half_cycles
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.points import FloatArray, IntArray

CLASSES = [  # EN 50160, table of dips: residual voltage %, duration ms, cell
    (85.0, 100, "A1"),
    (80.0, 200, "A1"),
    (79.9, 201, "B2"),
    (50.0, 700, "C3"),
    (40.0, 1000, "C3"),
    (39.9, 4000, "D4"),
    (5.0, 60_000, "D5"),
    (2.0, 60_000, "X5"),
    (85.0, 60_001, ""),
    (91.0, 100, ""),
]


@pytest.mark.parametrize(("residual", "duration", "cell"), CLASSES)
def test_dips_are_sorted_by_residual_voltage_and_duration(residual: float, duration: int, cell: str) -> None:
    assert dip_class(residual, duration) == cell


def test_the_half_cycle_values_of_a_dip_to_120_v_are_230_213_161_and_120() -> None:
    # The voltage steps 4 ms before a half cycle ends: shares of 0.2, 0.7 and 1 of the cycle lie behind it.
    steps = Steps(((0, np.array([230.0**2])), (96, np.array([120.0**2]))))
    ends = [exact for _, exact in half_cycles(80, 130, 50.0)]
    assert ends == [90.0, 100.0, 110.0, 120.0, 130.0]
    values = [float(steps.rms(end, 20.0)[0]) for end in ends if end <= 96]
    values += [float(steps.rms(end, 20.0)[0]) for end in ends if end > 96]
    assert values == pytest.approx(
        [230.0, math.sqrt(0.8 * 230**2 + 0.2 * 120**2), math.sqrt(0.3 * 230**2 + 0.7 * 120**2), 120.0, 120.0]
    )
    assert [round(value) for value in values] == [230, 213, 161, 120, 120]


def test_half_cycles_of_60_hz_end_between_milliseconds() -> None:
    assert [known for known, _ in half_cycles(0, 50, 60.0)] == [9, 17, 25, 34, 42, 50]


class _Supply:
    """One voltage module on a network whose voltages step: (from, V of L1, L2, L3)."""

    frequency_hz, nominal_voltage_v = 50.0, 230.0

    def __init__(self, *steps: tuple[int, tuple[float, float, float]]) -> None:
        self.steps = steps

    def voltages(self, t_ms: IntArray) -> FloatArray:
        rows = []
        for t in t_ms.tolist():
            phases = [volts for since, volts in self.steps if since <= t][-1]
            rows.append([[*phases, *[400.0] * 3]])
        return np.array(rows).reshape(len(t_ms), 1, CHANNELS)


PLAN = TapPlan("u", 0, False)


def watched(supply: _Supply, until_ms: int, cuts: tuple[int, ...] = ()) -> list[tuple[str, bool, int]]:
    """Kind, whether it begins, and when, of everything noticed."""
    seen, noticed = Disturbances().watching([PLAN], 0, supply)
    edges = np.array([since for since, _ in supply.steps if since > 0], np.int64)
    done = 0
    for cut in (*cuts, until_ms):
        own = edges[(edges > done) & (edges <= cut)]
        seen, more = seen.advanced(done, cut, own, supply)
        noticed = [*noticed, *more]
        done = cut
    return [(one.kind, one.begins, one.time_ms) for one in noticed]


FULL, LOW, NOTHING = (230.0,) * 3, (120.0,) * 3, (0.0,) * 3


def test_a_dip_begins_with_the_first_half_cycle_below_90_percent_and_ends_behind_the_hysteresis() -> None:
    # Down 213, 161, 120 V with the limit at 207 V; up 149, 203, 230 V with the limit at 211.6 V.
    supply = _Supply((0, FULL), (96, LOW), (306, FULL))
    assert watched(supply, 1000) == [("dip", True, 110), ("dip", False, 330)]


def test_a_dip_on_several_phases_is_one_from_the_first_to_the_last() -> None:
    supply = _Supply((0, FULL), (100, (150.0, 230.0, 230.0)), (200, (230.0, 230.0, 150.0)), (300, FULL))
    assert watched(supply, 1000) == [("dip", True, 110), ("dip", False, 320)]


def test_an_interruption_needs_all_phases_and_ends_with_the_first_that_is_back() -> None:
    supply = _Supply(
        (0, FULL), (100, (0.0, 0.0, 230.0)), (200, NOTHING), (300, (0.0, 0.0, 230.0)), (400, FULL)
    )
    assert watched(supply, 1000) == [
        ("dip", True, 110),
        ("interruption", True, 220),
        ("interruption", False, 310),
        ("dip", False, 420),
    ]


def test_a_swell_ends_two_percent_below_where_it_began() -> None:
    supply = _Supply((0, FULL), (100, (256.0, 230.0, 230.0)), (200, (250.0, 230.0, 230.0)), (300, FULL))
    # 110 % are 253 V: half a cycle of it is not enough. 250 V are below that but above 108 %, 248.4 V.
    assert watched(supply, 1000) == [("swell", True, 120), ("swell", False, 310)]


@given(st.lists(st.integers(1, 999), max_size=6), st.integers(90, 140), st.integers(5, 300))
def test_half_cycles_do_not_depend_on_how_time_is_cut(cuts: list[int], start: int, lasts: int) -> None:
    supply = _Supply((0, FULL), (start, LOW), (start + lasts, FULL))
    assert watched(supply, 1000, tuple(sorted(cuts))) == watched(supply, 1000)


def dipped() -> SiteModel:
    alarm = VoltageEventAlarm(event="dip", name="dip", criticality="critical", acknowledge="modbus")
    model = offices({"M1/u": [alarm, VoltageEventAlarm(event="interruption")]})
    model.apply(dip(START + 10_004, 300, 0.5))
    return model


def test_a_dip_of_the_mains_is_an_alarm_a_record_and_registers_of_the_voltage_module() -> None:
    model = at(dipped(), START + 10_200)
    unit = model.units["M1/u"]
    assert read(unit, "en50160_in_progress", "state", slot=1) == 1
    assert read(unit, "en50160_in_progress", "state", slot=0) == 0
    assert read(unit, "en50160_alarm_status", "alarm_state") == 1
    assert read(unit, "compact_en50160_in_progress", "event_count") == 1
    at(model, START + 20 * SECOND)
    assert read(unit, "en50160_in_progress", "state", slot=1) == 0
    assert read(unit, "en50160_alarm_status", "alarm_state") == 2
    assert read(unit, "en50160_alarm_status", "alarm_cause") == 10
    assert read(unit, "en50160_alarm_status", "event_type") == 2
    assert read(unit, "en50160_alarm_status", "alarm_state", slot=1) == 0
    event = log(model, "M1/u")[0]
    assert event.start_ms - START in (10_010, 10_020)
    assert 280 <= (event.end_ms or 0) - event.start_ms <= 310
    assert event.start_ms % 10 == 0
    assert read(unit, "quality_log_header", "item_count") == 1
    assert read(unit, "quality_log_data", "event_type") == 2
    assert read(unit, "quality_log_data", "event_start") == event.start_ms - 946_684_800_000
    assert read(unit, "quality_log_data", "event_end") == (event.end_ms or 0) - 946_684_800_000
    assert (read(unit, "quality_log_data", "line_mask"), read(unit, "quality_log_data", "trigger_ratio")) == (
        7,
        90,
    )
    residual = read(unit, "quality_log_data", "voltage_l1_n_extreme")
    assert isinstance(residual, int)
    assert 105 < residual * 0.02 < 125
    assert read(unit, "compact_en50160_log_header", "record_count") == 1
    assert read(unit, "compact_en50160_log_data", "duration") == (event.end_ms or 0) - event.start_ms
    assert read(unit, "compact_en50160_log_data", "nature_and_network_type") == 2 << 8 | 5


def test_the_voltage_module_of_another_board_sees_the_same_dip_at_the_same_time() -> None:
    model = dipped()
    at(model, START + 20 * SECOND)
    records = model.snapshot.alarms.of("M1/u").voltage_log
    assert [one.kind for one in records] == ["dip"]
    assert 45 < records[0].residual_percent < 55
    # A U-10 has no EN 50160 tables and keeps no record.
    assert model.snapshot.alarms.of("C1/u").voltage_log == ()


def test_an_interruption_is_also_the_deepest_of_dips() -> None:
    model = offices({})
    model.apply(dip(START + 5000, 2000, 0.0, kind="interruption"))
    at(model, START + 10 * SECOND)
    kinds = {one.kind: one for one in model.snapshot.alarms.of("M1/u").voltage_log}
    assert set(kinds) == {"dip", "interruption"}
    assert kinds["dip"].residual_percent == 0.0
    assert kinds["dip"].start_ms <= kinds["interruption"].start_ms
