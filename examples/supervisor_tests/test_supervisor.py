"""Ten things to test in a supervisor. Every test has a site of its own, whose clock stands until told."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from supervisor import Supervisor

METERS = ("incomer", "lighting", "compressor", "oven")


@pytest.fixture
def supervisor(digiware_site):
    units = {name: digiware_site.unit_id(name) for name in METERS}
    supervisor = Supervisor(*digiware_site.modbus("m70"), units, timezone="Europe/Paris")
    yield supervisor
    supervisor.close()


def test_values_are_those_of_the_meters(digiware_site, supervisor):
    supervisor.poll()
    for name in METERS:
        assert supervisor.readings[name].power_w == round(digiware_site.truth(name, "active_power_total"))


def test_scales_are_right(digiware_site, supervisor):
    supervisor.poll()
    oven = supervisor.readings["oven"]
    assert oven.voltage_l1_v == pytest.approx(digiware_site.truth("oven", "voltage_l1_n"), abs=0.01)
    assert oven.current_l1_a == pytest.approx(digiware_site.truth("oven", "current_l1"), abs=0.001)
    # A scale that is wrong everywhere in the same way would still pass; the network is one of 230 V.
    assert 220 < oven.voltage_l1_v < 240


def test_the_high_word_comes_first(digiware_site, supervisor):
    digiware_site.inject("ct_wrong_ratio", "incomer", factor=10)  # so large that both words count
    supervisor.poll()
    assert supervisor.readings["incomer"].power_w > 0xFFFF
    expected_w = round(digiware_site.truth("incomer", "active_power_total"))
    assert supervisor.readings["incomer"].power_w == expected_w


def test_power_that_flows_back_is_negative(digiware_site, supervisor):
    with digiware_site.inject("ct_reversed", "oven"):
        supervisor.poll()
        assert supervisor.readings["oven"].power_w < -10_000
        assert supervisor.suspects() == {"oven"}
    supervisor.poll()
    assert supervisor.suspects() == set()


def test_old_values_are_stale(digiware_site, supervisor):
    supervisor.poll()
    assert not supervisor.is_stale("oven", digiware_site.now)
    digiware_site.advance("2 min")
    assert supervisor.is_stale("oven", digiware_site.now)
    supervisor.poll()
    assert not supervisor.is_stale("oven", digiware_site.now)


def test_one_device_is_offline_and_the_others_go_on(digiware_site, supervisor):
    supervisor.poll()
    before = supervisor.readings["oven"]
    with digiware_site.inject("module_dead", "m70/oven"):
        digiware_site.advance("5 min")
        supervisor.poll()
        assert supervisor.offline == {"oven"}
        assert supervisor.readings["oven"] == before
        assert supervisor.is_stale("oven", digiware_site.now)
        assert not any(supervisor.is_stale(name, digiware_site.now) for name in METERS if name != "oven")
    digiware_site.advance("10 s")
    supervisor.poll()
    assert supervisor.offline == set()


def test_an_energy_counter_goes_on_after_a_restart(digiware_site, supervisor):
    digiware_site.advance("1 h")
    supervisor.poll()
    before_wh = supervisor.readings["oven"].energy_wh
    digiware_site.restart()
    digiware_site.advance("1 h")
    supervisor.poll()  # the connection was lost; the supervisor makes a new one
    assert supervisor.offline == set()
    after_wh = supervisor.readings["oven"].energy_wh
    assert after_wh > before_wh > 5000
    assert after_wh == pytest.approx(digiware_site.truth("oven", "active_energy_import") * 1000, abs=0.1)


def test_an_alarm_is_seen_while_it_lasts(digiware_site, supervisor):
    u30 = digiware_site.unit_id("u30")
    digiware_site.inject("dip", "grid", residual=0.8, duration="1 min")
    assert not supervisor.has_undervoltage(u30)  # it has a start delay of 5 s
    digiware_site.advance("10 s")
    assert supervisor.has_undervoltage(u30)
    digiware_site.advance("1 min")
    assert not supervisor.has_undervoltage(u30)


@pytest.mark.digiware_site(at="2026-10-24T22:00:00Z")  # midnight in Paris
def test_the_day_on_which_clocks_go_back_has_25_hours(digiware_site, supervisor):
    for _ in range(51):  # the meters remember five periods of 10 minutes
        digiware_site.advance("30 min", exact=False)
        supervisor.poll()
        if digiware_site.now.isoformat() == "2026-10-25T23:00:00+00:00":
            expected_wh = digiware_site.truth("oven", "active_energy_import") * 1000
    counted_wh = supervisor.consumption_wh("oven", date(2026, 10, 25), period=timedelta(minutes=10))
    assert counted_wh == pytest.approx(expected_wh, rel=0.001)


def test_a_wrong_current_transformer_shows_in_the_balance(digiware_site, supervisor):
    supervisor.poll()
    assert abs(supervisor.unexplained_w("incomer")) < 100
    digiware_site.inject("ct_wrong_ratio", "compressor", factor=0.5)
    supervisor.poll()
    assert supervisor.unexplained_w("incomer") > 5000
