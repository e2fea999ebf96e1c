"""What meters remember: energies, demand blocks and extremes, the same however often somebody looks."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.sites import (
    HOUR,
    MINUTE,
    SECOND,
    START,
    all_values,
    at,
    energy_wh,
    office,
    office_model,
    read,
    scripted_model,
    write,
)
from virtual_digiware.devices import energies
from virtual_digiware.devices.demand import LocalBlocks
from virtual_digiware.devices.extremes import Extremes
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.profiles.truth import Truth

UNLOCK, PARTIAL_RESET, EXTREMES_RESET, HISTORY_RESET = 58112, 20096, 20097, 544
DAY_2000_S = 946_684_800


def script(*pieces: tuple[int, float, float]) -> list[tuple[int, float, float]]:
    """Pieces that begin some ms after START; what comes first also held before."""
    first = pieces[0]
    return [(START - HOUR, first[1], first[2]), *((START + t, p, q) for t, p, q in pieces)]


def test_3600_watts_for_1000_seconds_are_one_kilowatt_hour() -> None:
    model = scripted_model(script((0, 3600.0, 0.0)))
    unit = model.units["M1/i0"]
    at(model, START + 1000 * SECOND - 1)
    assert energy_wh(unit, "active_energy_import") == 999.9
    at(model, START + 1000 * SECOND)
    assert read(unit, "load_energy", "active_energy_import") == 1.0
    assert read(unit, "load_energy", "active_energy_import_residual") == 0.0
    at(model, START + 1000 * SECOND + 100)
    assert read(unit, "load_energy", "active_energy_import_residual") == 0.1


@pytest.mark.parametrize(
    ("active_w", "reactive_var", "grown"),
    [  # IEC quadrants: import or export by P, lagging where P and Q have one sign
        (
            3600.0,
            1800.0,
            {"active_energy_import", "reactive_energy_import", "reactive_energy_import_lagging"},
        ),
        (
            -3600.0,
            1800.0,
            {"active_energy_export", "reactive_energy_import", "reactive_energy_import_leading"},
        ),
        (
            -3600.0,
            -1800.0,
            {"active_energy_export", "reactive_energy_export", "reactive_energy_export_lagging"},
        ),
        (
            3600.0,
            -1800.0,
            {"active_energy_import", "reactive_energy_export", "reactive_energy_export_leading"},
        ),
    ],
)
def test_each_quadrant_moves_its_own_counters(active_w: float, reactive_var: float, grown: set[str]) -> None:
    model = at(scripted_model(script((0, active_w, reactive_var))), START + 1000 * SECOND)
    unit = model.units["M1/i0"]
    moved = {point: energy_wh(unit, point) for point in energies.SHOWN}
    expected = {point: 1000.0 if point.startswith("active") else 500.0 for point in grown}
    assert moved.pop("apparent_energy") == pytest.approx(np.hypot(1000.0, 500.0), abs=0.1)
    assert {point: wh for point, wh in moved.items() if wh} == pytest.approx(expected)


def test_phases_are_summed_before_import_and_export_are_told_apart() -> None:
    counters = energies.split(np.array([[-5]]), np.array([[0]]), np.array([[5]]))[:, 0, 0]
    assert dict(zip(energies.COUNTERS, counters.tolist(), strict=True))["active_export"] == 5


powers = st.lists(
    st.tuples(st.integers(0, 60_000), st.floats(-5e4, 5e4), st.floats(-5e4, 5e4)), min_size=1, max_size=6
)


@settings(max_examples=25, deadline=None)
@given(powers, st.lists(st.integers(0, 65_000), min_size=2, max_size=12))
def test_no_counter_ever_falls_back(pieces: list[tuple[int, float, float]], times: list[int]) -> None:
    """Also while power turns round inside a base step that is then booked net."""
    # Powers change on whole seconds at most twice a step, as pulses of loads do.
    kept = {t // 5000 * 5000: (p, q) for t, p, q in pieces}
    model = scripted_model(script((0, 100.0, 0.0), *((t, p, q) for t, (p, q) in sorted(kept.items()))))
    seen = dict.fromkeys(energies.SHOWN, 0.0)
    for t in sorted(times):
        at(model, START + t)
        now = {point: energy_wh(model.units["M1/i0"], point) for point in energies.SHOWN}
        assert all(now[point] >= seen[point] for point in now)
        seen = now


def test_a_circuit_that_only_exports_inside_a_step_shows_no_import_that_is_taken_back() -> None:
    model = scripted_model(script((0, 10_000.0, 0.0), (5 * SECOND, -30_000.0, 0.0)))
    unit = model.units["M1/i0"]
    at(model, START + 5 * SECOND)
    assert energy_wh(unit, "active_energy_import") == 0.0
    at(model, START + 10 * SECOND)
    assert energy_wh(unit, "active_energy_export") == pytest.approx(100_000 / 3600, abs=0.1)


def test_apparent_energy_waits_while_the_net_power_of_a_step_passes_zero() -> None:
    model = scripted_model(script((0, 41_062.0, 0.0), (5 * SECOND, -46_699.0, 0.0)))
    seen = [energy_wh(at(model, START + t).units["M1/i0"], "apparent_energy") for t in range(0, 10_001, 250)]
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx((46_699 - 41_062) * 5 / 3600, abs=0.1)


def test_the_incomer_counts_what_its_circuits_and_cables_count_to_the_last_millijoule() -> None:
    installation = office()
    truth = Truth(installation, seed=7)
    edges = truth.boundaries(START, START + 10 * MINUTE)
    booked = truth.book(truth.mean(edges[:-1], edges[1:])).sum(axis=0)
    model = at(office_model(), START + 10 * MINUTE)
    net = {}
    for path, slot, circuit in (("M1/i1", 0, "incomer"), ("M1/i1", 1, "to floor"), ("M1/i2", 0, "chiller")):
        unit = model.units[path]
        counters = model.snapshot._moment.counters_mj[:, unit.slots[slot]]
        net[circuit] = int(counters[0] - counters[1])
        assert net[circuit] == booked[truth.circuit_index[circuit]]
    assert net["incomer"] == net["to floor"] + net["chiller"]


def test_demand_blocks_times_their_length_are_the_index_difference() -> None:
    model = office_model()
    unit = model.units["M1/i2"]
    begin = at(model, START + 10 * MINUTE).snapshot._moment.counters_mj.copy()
    for block in range(1, 5):
        at(model, START + (10 + 10 * block) * MINUTE)
    end = model.snapshot._moment.counters_mj
    mean_w = [read(unit, "load_energy_history", f"load_curve_{n}_active_power_import") for n in (1, 2, 3, 4)]
    assert all(power and power > 0 for power in mean_w)
    gained = (end - begin)[0, unit.slots[0]]
    assert round(sum(mean_w) * 600_000) == gained  # type: ignore[arg-type]


def test_the_average_current_is_the_root_of_the_mean_of_squares() -> None:
    """10 A for half a block and 20 A for the other half: sqrt((100 + 400) / 2) = 15.811 A."""
    ampere = 3 * 230.0
    model = scripted_model(script((0, 10 * ampere, 0.0), (5 * MINUTE, 20 * ampere, 0.0)))
    at(model, START + 12 * MINUTE)
    unit = model.units["M1/i0"]
    assert read(unit, "load_average", "current_l1") == pytest.approx(15.8114, abs=1e-4)
    assert read(unit, "load_average", "active_power_total") == pytest.approx(15 * ampere)
    assert read(unit, "load_average", "integration_time") == 600.0
    assert read(unit, "load_average", "timestamp") == (START + 10 * MINUTE) // 1000 - DAY_2000_S


def test_averages_show_the_last_complete_block_and_before_it_the_running_one() -> None:
    model = scripted_model(script((0, 1000.0, 0.0), (7 * MINUTE, 5000.0, 0.0)), start_ms=START + 3 * MINUTE)
    unit = model.units["M1/i0"]
    seen = {}
    for minute in (5, 9, 15, 20, 25):
        at(model, START + minute * MINUTE)
        seen[minute] = read(unit, "load_average", "active_power_total")
    assert seen[5] == pytest.approx(1000.0)
    assert seen[9] == pytest.approx((4 * 1000 + 2 * 5000) / 6)
    assert seen[15] == seen[20] == seen[25] == pytest.approx(5000.0)


def test_the_first_short_block_is_flagged_and_sets_no_extremes() -> None:
    model = scripted_model(script((0, 9000.0, 0.0), (8 * MINUTE, 1000.0, 0.0)), start_ms=START + 3 * MINUTE)
    unit = model.units["M1/i0"]
    at(model, START + 12 * MINUTE)
    assert read(unit, "load_energy_history", "load_curve_1_flag") == 1.0
    assert np.isnan(read(unit, "load_average_maximum", "active_power_total"))  # type: ignore[arg-type]
    at(model, START + 20 * MINUTE)
    assert read(unit, "load_energy_history", "load_curve_1_flag") == 0.0
    assert read(unit, "load_average_maximum", "active_power_total") == pytest.approx(1000.0)
    assert (
        read(unit, "load_average_maximum", "active_power_total_date")
        == (START + 20 * MINUTE) // 1000 - DAY_2000_S
    )


def test_blocks_stand_on_the_marks_of_the_local_clock() -> None:
    """Calcutta is 5 h 30 min ahead, so its hours begin at half past of UTC."""
    blocks = LocalBlocks(3600, "Asia/Kolkata")
    assert blocks.start(START) == START - 30 * MINUTE
    assert blocks.end(START + 30 * MINUTE) == START + 90 * MINUTE


def test_blocks_stay_whole_when_the_clock_goes_forward() -> None:
    before_change = 1_774_745_400_000  # 2026-03-29T00:50:00Z, ten minutes before Paris goes to summer time
    blocks = LocalBlocks(1800, "Europe/Paris")
    assert blocks.end(before_change) == before_change + 10 * MINUTE
    assert blocks.end(blocks.end(before_change)) == before_change + 40 * MINUTE


@pytest.mark.parametrize("period_s", [0, 7, 700, 7200])
def test_a_demand_period_that_does_not_fit_an_hour_is_refused(period_s: int) -> None:
    with pytest.raises(ValueError, match="does not divide an hour"):
        LocalBlocks(period_s, "UTC")


def test_predicted_power_goes_on_with_what_flows_now() -> None:
    model = scripted_model(script((0, 1000.0, 0.0), (14 * MINUTE, 4000.0, 0.0)))
    at(model, START + 16 * MINUTE)
    unit = model.units["M1/i0"]
    assert read(unit, "load_energy_history", "period_time_left") == 240.0
    assert read(unit, "load_energy_history", "predicted_active_power_import") == pytest.approx(
        (4 * 1000 + 6 * 4000) / 10
    )
    assert read(unit, "load_energy_history", "predicted_power_trend") == 0.0


def test_maxima_carry_the_date_of_the_refresh_in_which_they_were_reached() -> None:
    model = scripted_model(
        script(
            (0, 1000.0, 0.0), (61 * SECOND, 9000.0, 0.0), (63 * SECOND, -500.0, 0.0), (70 * SECOND, 0.0, 0.0)
        )
    )
    at(model, START + 2 * MINUTE)
    unit = model.units["M1/i0"]
    assert read(unit, "load_instantaneous_maximum", "active_power_total") == pytest.approx(9000.0)
    assert (
        read(unit, "load_instantaneous_maximum", "active_power_total_date")
        == (START + 61 * SECOND) // 1000 - DAY_2000_S
    )
    assert read(unit, "load_instantaneous_minimum", "active_power_total") == pytest.approx(-500.0)
    assert (
        read(unit, "load_instantaneous_minimum", "active_power_total_date")
        == (START + 63 * SECOND) // 1000 - DAY_2000_S
    )


def test_what_is_shown_never_passes_its_maximum_or_minimum() -> None:
    model = office_model()
    unit = model.units["M1/i1"]
    points = ("active_power_total", "voltage_l1_n", "current_n", "power_factor_total", "frequency")
    generator = random.Random(5)
    t = START
    for _ in range(60):
        t += generator.randrange(1, 60_000)
        at(model, t)
        for kind in ("instantaneous", "average"):
            if kind == "average" and t < START + 10 * MINUTE:
                continue  # no block is complete yet
            for point in points:
                shown = read(unit, f"load_{kind}", point)
                assert read(unit, f"load_{kind}_minimum", point) <= shown  # type: ignore[operator]
                assert shown <= read(unit, f"load_{kind}_maximum", point)  # type: ignore[operator]
    for point in points:
        for extreme, sign in (("maximum", 1.0), ("minimum", -1.0)):
            of_instants = read(unit, f"load_instantaneous_{extreme}", point)
            of_blocks = read(unit, f"load_average_{extreme}", point)
            assert sign * of_instants >= sign * of_blocks  # type: ignore[operator]


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32))
def test_registers_do_not_depend_on_when_somebody_looked(seed: int) -> None:
    """Bit for bit: every value of every unit, after ticks of any length or none."""
    generator = random.Random(seed)
    ticked, jumped = office_model(), office_model()
    end = START + 21 * MINUTE + generator.randrange(60_000)
    t = START
    while t < end:
        ticked.compute(t)
        t += generator.choice([1, 137, 1000, 9_999, 10_000, 61_000, generator.randrange(1, 400_000)])
    assert all_values(at(ticked, end)) == all_values(at(jumped, end))


def test_a_partial_counter_starts_again_inside_a_base_step_and_the_previous_period_stays() -> None:
    model = at(scripted_model(script((0, 3600.0, 0.0))), START + 103_500)
    unit = model.units["M1/i0"]
    write(model, "M1/i0", UNLOCK, 1000, now_ms=START + 103_500)
    write(model, "M1/i0", PARTIAL_RESET, 0x003F, now_ms=START + 103_500)
    at(model, START + 203_500)
    block = "extension_partial_energy"
    assert energy_wh(unit, "partial_active_energy_import", block=block) == 100.0
    assert energy_wh(unit, "previous_partial_active_energy_import", block=block) == 103.5
    assert read(unit, block, "partial_operating_time") == 100.0
    assert read(unit, block, "previous_partial_operating_time") == 103.5
    assert read(unit, block, "previous_partial_reset_date") == (START + 103_500) // 1000 - DAY_2000_S
    assert energy_wh(unit, "active_energy_import") == 203.5


def test_a_partial_mask_clears_only_its_counters() -> None:
    model = at(scripted_model(script((0, 3600.0, 3600.0))), START + 100 * SECOND)
    unit = model.units["M1/i0"]
    write(model, "M1/i0", UNLOCK, 1000, now_ms=START + 100 * SECOND)
    write(model, "M1/i0", PARTIAL_RESET, 0x0002, now_ms=START + 100 * SECOND)
    at(model, START + 100 * SECOND)
    block = "extension_partial_energy"
    assert energy_wh(unit, "partial_active_energy_import", block=block) == 0.0
    assert energy_wh(unit, "partial_reactive_energy_import", block=block) == 100.0


def test_cleared_extremes_start_with_the_value_that_is_shown() -> None:
    model = scripted_model(script((0, 9000.0, 0.0), (30 * SECOND, 1000.0, 0.0)))
    unit = model.units["M1/i0"]
    at(model, START + 60 * SECOND + 300)
    write(model, "M1/i0", EXTREMES_RESET, 0, 0x0030, now_ms=START + 60 * SECOND + 300)
    at(model, START + 60 * SECOND + 300)
    assert read(unit, "load_instantaneous_maximum", "active_power_total") == pytest.approx(1000.0)
    assert read(unit, "load_instantaneous_maximum", "current_l1") == pytest.approx(9000 / 690)


def test_average_extremes_are_cleared_by_their_own_mask() -> None:
    model = scripted_model(script((0, 9000.0, 0.0), (10 * MINUTE, 1000.0, 0.0)))
    unit = model.units["M1/i0"]
    at(model, START + 15 * MINUTE)
    write(model, "M1/i0", EXTREMES_RESET, 0xFFFF, 0, now_ms=START + 15 * MINUTE)
    at(model, START + 15 * MINUTE)
    assert np.isnan(read(unit, "load_average_maximum", "active_power_total"))  # type: ignore[arg-type]
    assert read(unit, "load_instantaneous_maximum", "active_power_total") == pytest.approx(9000.0)
    at(model, START + 20 * MINUTE)
    assert read(unit, "load_average_maximum", "active_power_total") == pytest.approx(1000.0)


def test_load_curves_can_be_cleared() -> None:
    model = at(scripted_model(script((0, 1000.0, 0.0))), START + 35 * MINUTE)
    unit = model.units["M1/i0"]
    assert read(unit, "load_energy_history", "load_curve_3_active_power_import") == pytest.approx(1000.0)
    write(model, "M1/i0", UNLOCK, 1000, now_ms=START + 35 * MINUTE)
    write(model, "M1/i0", HISTORY_RESET, 8, now_ms=START + 35 * MINUTE)
    at(model, START + 45 * MINUTE)
    assert read(unit, "load_energy_history", "load_curve_1_active_power_import") == pytest.approx(1000.0)
    assert np.isnan(read(unit, "load_energy_history", "load_curve_2_date"))  # type: ignore[arg-type]


def test_history_does_not_go_back() -> None:
    model: SiteModel = at(scripted_model(script((0, 1.0, 0.0))), START + 5000)
    with pytest.raises(ValueError, match="cannot go back"):
        model.compute(START + 4999)


@given(
    st.lists(
        st.lists(st.one_of(st.floats(-9, 9), st.just(np.nan)), min_size=2, max_size=2),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_extremes_are_the_same_however_the_times_are_cut(
    rows: list[list[float]], data: st.DataObject
) -> None:
    values = np.array(rows).T[:, :, None]
    t_ms = np.arange(len(rows), dtype=np.int64) * 1000
    whole = Extremes(("a", "b"), 1).including(t_ms, values)
    cut = data.draw(st.integers(0, len(rows)))
    parts = (
        Extremes(("a", "b"), 1).including(t_ms[:cut], values[:, :cut]).including(t_ms[cut:], values[:, cut:])
    )
    slots = np.array([0])
    for which in ("maximum", "minimum"):
        for name, column in whole.columns(which, slots).items():
            np.testing.assert_array_equal(column, parts.columns(which, slots)[name])
    known = values[0, ~np.isnan(values[0, :, 0]), 0]
    if known.size:
        assert whole.columns("maximum", slots)["a"][0] == known.max()
        first = int(np.flatnonzero(values[0, :, 0] == known.max())[0])
        assert whole.columns("maximum", slots)["a_date"][0] == first - DAY_2000_S


def test_the_type_of_a_power_factor_is_kept_with_its_extreme() -> None:
    extremes = Extremes(("power_factor", "type"), 1, {"power_factor": "type"})
    values = np.array([[[0.5], [0.9], [0.7]], [[2.0], [1.0], [2.0]]])
    columns = extremes.including(np.arange(3, dtype=np.int64), values).columns("maximum", np.array([0]))
    assert columns["power_factor"][0] == 0.9
    assert columns["type"][0] == 1.0
    assert "type_date" not in columns
