"""Threshold alarms: levels, hysteresis, delays, phases, averages, by tables and beside a slow twin."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.devices.alarms.alarmed import log, metered, offices, spans
from tests.devices.sites import MINUTE, SECOND, START, at, read
from virtual_digiware.devices.alarms.description import (
    AlarmError,
    ConsumptionAlarm,
    InrushAlarm,
    ThresholdAlarm,
)

OVERLOAD = ThresholdAlarm(
    quantity="current",
    circuit="c0",
    logic="any",
    high=10.0,
    hysteresis_percent=10.0,
    start_delay_s=2.0,
    end_delay_s=3.0,
)

DRAWN = [  # seconds, A from there on, state that the register shows when the second has passed
    (0, 5.0, 0),
    (10, 11.0, 0),  # above 10 A: the delay of 2 s begins
    (11, 9.5, 0),  # below 10 A but not below 9 A: still inside
    (12, 9.5, 1),  # 2 s are over
    (20, 8.9, 1),  # below 9 A: the delay of 3 s begins
    (22, 8.9, 1),
    (23, 8.9, 3),  # 3 s are over; nobody has to acknowledge
    (30, 12.0, 3),
    (32, 5.0, 3),  # gone when the 2 s are over: nothing has happened
    (40, 10.0, 3),  # not above
    (50, 10.5, 3),
    (52, 10.5, 1),
    (60, 5.0, 1),
    (62, 11.0, 1),  # back before the 3 s are over: the same alarm goes on
    (70, 11.0, 1),
]


def test_an_overload_alarm_goes_through_the_drawn_table() -> None:
    model = metered([(s, a) for s, a, _ in DRAWN], OVERLOAD)
    unit = model.units["M1/i0"]
    for second, _, state in DRAWN:
        at(model, START + second * SECOND + 500)
        assert read(unit, "threshold_alarm_status", "alarm_state") == state, second
    assert spans(model, "M1/i0") == [(12.0, 23.0), (52.0, None)]


def test_a_jump_over_the_whole_table_finds_the_same_alarms() -> None:
    model = at(metered([(s, a) for s, a, _ in DRAWN], OVERLOAD), START + 70 * SECOND)
    assert spans(model, "M1/i0") == [(12.0, 23.0), (52.0, None)]
    first, second = log(model, "M1/i0")
    assert (first.id, second.id) == (1, 2)
    assert first.state == "acknowledged"
    assert second.state == "active"
    assert first.value == pytest.approx(11.0)
    assert first.extreme == pytest.approx(11.0)
    assert (first.threshold, first.type, first.cause) == (10.0, "high", 3)
    assert first.text == "c0: current above 10 A"


def test_status_registers_show_the_alarm_with_its_settings_and_the_highest_value() -> None:
    model = at(metered([(0, 5.0), (10, 11.0), (20, 14.0), (30, 12.0)], OVERLOAD), START + 40 * SECOND)
    unit = model.units["M1/i0"]
    shown = {
        point: read(unit, "threshold_alarm_status", point)
        for point in ("acknowledge_id", "alarm_state", "alarm_cause", "criticality", "alarm_duration")
    }
    assert shown == {
        "acknowledge_id": 1,
        "alarm_state": 1,
        "alarm_cause": 3,
        "criticality": 1,
        "alarm_duration": 28,
    }
    assert read(unit, "threshold_alarm_status", "alarm_start") == (START + 12_000) // 1000 - 946_684_800
    assert read(unit, "threshold_alarm_status", "monitored_variable") == 10000
    assert read(unit, "threshold_alarm_status", "startup_delay") == 4
    assert read(unit, "threshold_alarm_status", "dropout_delay") == 6
    assert read(unit, "threshold_alarm_status", "hysteresis") == 100
    assert read(unit, "threshold_alarm_status", "threshold") == 10_000
    assert read(unit, "threshold_alarm_status", "extreme") == 14_000
    assert read(unit, "threshold_alarm_status", "alarm_state", slot=1) == 0


def test_a_low_limit_watches_the_other_side_with_the_hysteresis_above_it() -> None:
    low = ThresholdAlarm(quantity="current", circuit="c0", low=10.0, hysteresis_percent=10.0)
    steps = [(0, 12.0), (10, 9.0), (20, 10.5), (30, 11.5)]
    model = at(metered(steps, low), START + 60 * SECOND)
    assert spans(model, "M1/i0") == [(10.0, 30.0)]
    event = log(model, "M1/i0")[0]
    assert (event.type, event.cause) == ("low", 4)
    assert event.extreme == pytest.approx(9.0)


def test_one_alarm_with_both_limits_tells_which_one_was_passed() -> None:
    band = ThresholdAlarm(quantity="current", circuit="c0", high=10.0, low=5.0)
    model = at(metered([(0, 7.0), (10, 11.0), (20, 4.0), (30, 7.0)], band), START + 60 * SECOND)
    assert [event.type for event in log(model, "M1/i0")] == ["high", "low"]
    assert spans(model, "M1/i0") == [(10.0, 20.0), (20.0, 30.0)]
    assert {event.number for event in log(model, "M1/i0")} == {1}


@pytest.mark.parametrize(("logic", "expected"), [("any", True), ("all", False)])
def test_one_of_three_phases_is_enough_for_any_and_not_for_all(logic: str, expected: bool) -> None:
    now = at(offices({}), START + MINUTE).snapshot.table("circuit.instantaneous", (4,))
    currents = [float(now[f"current_l{n}"][0]) for n in (1, 2, 3)]
    between = (max(currents) + min(currents)) / 2
    assert min(currents) < between < max(currents)
    alarm = ThresholdAlarm(quantity="current", circuit="roof", logic=logic, high=between)  # type: ignore[arg-type]
    model = at(offices({"C1/pv": [alarm]}), START + MINUTE)
    active = model.snapshot.alarms.of("C1/pv").active
    assert bool(active) == expected


def test_an_average_alarm_follows_the_closed_demand_blocks() -> None:
    average = ThresholdAlarm(quantity="current", circuit="c0", high=10.0, average=True)
    steps = [(0, 5.0), (600, 12.0), (1200, 5.0), (1500, 25.0), (1800, 5.0)]
    model = at(metered(steps, average), START + 50 * MINUTE)
    # Means of the blocks: 5, 12, root of (25 + 625) / 2 = 18, 5; each shown from its end on.
    assert spans(model, "M1/i0") == [(1200.0, 2400.0)]
    event = log(model, "M1/i0")[0]
    assert event.value == pytest.approx(12.0)
    assert event.extreme == 18.028, "root of 325, in whole mA as registers have it"


def test_consumption_counts_the_energy_of_a_demand_block() -> None:
    # 10 A are 6900 W, so 1150 Wh in ten minutes.
    alarm = ConsumptionAlarm(circuit="c0", high_wh=1149.0)
    model = at(metered([(0, 9.9), (600, 10.0), (1200, 9.9)], alarm), START + 40 * MINUTE)
    assert spans(model, "M1/i0") == [(1200.0, 1800.0)]
    assert log(model, "M1/i0")[0].value == pytest.approx(1150.0)


def test_inrush_is_a_current_above_the_share_of_in_that_is_set() -> None:
    # In is 160 A and the threshold 150 %, back below 140 %.
    model = at(
        metered([(0, 200.0), (10, 245.0), (12, 230.0), (14, 223.0)], InrushAlarm(circuit="c0")),
        START + MINUTE,
    )
    assert spans(model, "M1/i0") == [(10.0, 14.0)]
    unit = model.units["M1/i0"]
    assert read(unit, "inrush_alarm_status", "alarm_state") == 3
    assert read(unit, "inrush_alarm_status", "alarm_load") == 0


def slow_twin(
    amperes: list[int], high: int, hysteresis: int, start: int, end: int
) -> list[tuple[float, float | None]]:
    """One step of half a second after the other, as somebody with a stop watch would do it."""
    inside = False
    active_since: float | None = None
    deadline: int | None = None
    found: list[tuple[float, float | None]] = []
    for tick in range(2 * len(amperes)):
        if tick % 2 == 0:
            value = amperes[tick // 2]
            was = inside
            if value > high:
                inside = True
            elif value <= high * (1 - hysteresis / 100):
                inside = False
            if inside != was:
                is_active = active_since is not None
                deadline = None if inside == is_active else tick + (start if inside else end)
        if deadline is not None and tick >= deadline:
            deadline = None
            if active_since is None:
                active_since = tick / 2
            else:
                found.append((active_since, tick / 2))
                active_since = None
    if active_since is not None:
        found.append((active_since, None))
    return found


@settings(max_examples=60, deadline=None)
@given(
    amperes=st.lists(st.integers(4, 16), min_size=2, max_size=40),
    hysteresis=st.sampled_from([0, 10, 20, 30]),
    start=st.integers(0, 8),
    end=st.integers(0, 8),
    jumps=st.lists(st.integers(0, 40_000), max_size=6),
)
@example(amperes=[5, 11, 5, 11, 5], hysteresis=0, start=1, end=3, jumps=[1500])
def test_thresholds_agree_with_a_slow_twin_however_often_somebody_looks(
    amperes: list[int], hysteresis: int, start: int, end: int, jumps: list[int]
) -> None:
    alarm = ThresholdAlarm(
        quantity="current",
        circuit="c0",
        logic="all",
        high=10.0,
        hysteresis_percent=float(hysteresis),
        start_delay_s=start / 2,
        end_delay_s=end / 2,
    )
    model = metered([(second, float(value)) for second, value in enumerate(amperes)], alarm)
    last = START + len(amperes) * SECOND - 500
    for jump in sorted(jumps):
        if START + jump < last:
            at(model, START + jump)
    at(model, last)
    expected = slow_twin(amperes, 10, hysteresis, start, end)
    assert spans(model, "M1/i0") == expected[-23:]


WRONG = [
    (ThresholdAlarm(quantity="noise", circuit="c0", high=1.0), "noise"),
    (ThresholdAlarm(quantity="current", circuit="c9", high=1.0), "c9"),
    (ThresholdAlarm(quantity="current", circuit="c0"), "no limit"),
    (ThresholdAlarm(quantity="frequency", circuit="c0", high=1.0, logic="any"), "any"),
    (ThresholdAlarm(quantity="thd_current", circuit="c0", high=1.0, average=True), "thd_current"),
]


@pytest.mark.parametrize(("alarm", "found"), WRONG)
def test_an_alarm_that_cannot_be_is_refused_with_what_was_found(alarm: ThresholdAlarm, found: str) -> None:
    with pytest.raises(AlarmError) as refused:
        metered([(0, 1.0)], alarm)
    assert refused.value.found == found
    assert refused.value.right


def test_a_module_takes_no_more_alarms_than_its_table_has_places() -> None:
    with pytest.raises(AlarmError, match="8 threshold alarms at most"):
        metered([(0, 1.0)], *[OVERLOAD] * 9)
