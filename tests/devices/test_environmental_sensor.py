"""Bluetooth environmental sensors: what a head hears of them, and when it gives them up."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.devices.environmental_sensor import (
    DAY_MS,
    HEARD,
    LOST,
    MISSED_PERIODS,
    PERIOD_MS,
    WAITING,
    EnvironmentalSensor,
)
from virtual_digiware.devices.io_drives import DriveError
from virtual_digiware.devices.layout import SensorLayout
from virtual_digiware.profiles.environment import humidity_percent, room_c, saturation_hpa
from virtual_digiware.profiles.local_time import LocalTime

START = 1_772_445_600_000  # 2026-03-02T10:00:00Z


def sensor(**changes: object) -> EnvironmentalSensor:
    return EnvironmentalSensor(SensorLayout("s", 9, **changes), "key", "UTC", START)  # type: ignore[arg-type]


MAGNUS = [(0, 6.112), (20, 23.33), (40, 73.8)]  # degC, hPa; WMO guide no. 8, annex 4.B


@pytest.mark.parametrize(("temperature", "pressure"), MAGNUS)
def test_saturated_air_has_the_pressure_of_the_formula(temperature, pressure):
    assert saturation_hpa(temperature) == pytest.approx(pressure, rel=2e-3)


def test_air_gets_drier_as_it_warms():
    assert humidity_percent(22) == pytest.approx(45)
    assert humidity_percent(32) == pytest.approx(45 * saturation_hpa(22) / saturation_hpa(32))
    assert humidity_percent(-10) == 100


def test_a_room_is_warmest_in_the_afternoon_of_its_own_clock():
    day = [room_c(START + hour * 3_600_000, LocalTime("Europe/Paris")) for hour in range(24)]
    assert day.index(max(day)) == 4  # 14 UTC is 15 in Paris
    assert (min(day), max(day)) == (pytest.approx(20), pytest.approx(24))


def test_an_advertisement_comes_every_minute_and_holds_until_the_next():
    one = sensor(temperature="sine 10 30 3600")
    heard = [one.heard_ms(START + second * 1000) for second in range(60, 360)]
    assert None not in heard
    times = sorted(set(heard))
    assert [later - earlier for earlier, later in pairwise(times)] == [PERIOD_MS] * (len(times) - 1)
    first = times[1]
    assert one.values(first)["temperature"] == one.values(first + PERIOD_MS - 1)["temperature"]
    assert one.values(first)["temperature"] != one.values(first + PERIOD_MS)["temperature"]


def test_before_the_first_advertisement_nothing_is_known():
    shown = sensor().values(START)
    assert shown["sensor_state"] == WAITING
    assert math.isnan(shown["temperature"])


def test_a_silenced_sensor_is_lost_after_ten_missed_periods_and_keeps_its_last_values():
    one = sensor(temperature="sine 10 30 3600")
    silenced = START + 600_000
    last = one.heard_ms(silenced)
    assert last is not None
    lost = last + (MISSED_PERIODS + 1) * PERIOD_MS
    before, after = one.values(lost - 1, silenced), one.values(lost, silenced)
    assert (before["sensor_state"], after["sensor_state"]) == (HEARD, LOST)
    assert after["missed_periods"] == MISSED_PERIODS + 1
    assert after["temperature"] == one.values(silenced)["temperature"]
    assert one.values(lost + 60_000)["sensor_state"] == HEARD  # had it not been silenced


def test_a_battery_runs_down_and_takes_the_sensor_with_it():
    one = sensor(battery_percent=50.0, battery_days=10.0)
    assert one.values(START + 60_000)["battery"] == pytest.approx(50, abs=0.1)
    assert one.values(START + 3 * DAY_MS)["battery"] == pytest.approx(20, abs=0.1)
    assert one.values(START + 6 * DAY_MS)["sensor_state"] == LOST


def test_the_signal_falls_with_distance_and_wavers():
    near, far = sensor(distance_m=1.0), sensor(distance_m=10.0)
    signals = [near.values(START + minute * 60_000)["signal_strength"] for minute in range(1, 40)]
    assert -62 <= min(signals) < max(signals) <= -56
    assert all(
        far.values(START + minute * 60_000)["signal_strength"] == pytest.approx(signal - 20)
        for minute, signal in enumerate(signals, 1)
    )


@pytest.mark.parametrize("text", ["warm", "circuit a active_power_total 0 10", "sine 30 10 60"])
def test_a_drive_that_cannot_be_is_refused(text):
    with pytest.raises(DriveError):
        sensor(temperature=text)


@given(st.integers(0, 400 * DAY_MS), st.floats(-60, 90), st.integers(0, 400 * DAY_MS))
def test_what_is_shown_is_in_the_range_of_its_registers(after, temperature, silenced):
    shown = sensor(temperature=str(temperature)).values(START + after, START + silenced)
    assert shown["sensor_state"] in (WAITING, HEARD, LOST)
    if not math.isnan(shown["temperature"]):
        assert -20 <= shown["temperature"] <= 60
        assert 0 <= shown["humidity"] <= 100
        assert 0 <= shown["battery"] <= 100
