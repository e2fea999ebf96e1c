"""Direct-current boards: Ohm's law by hand, energies that add up, batteries through outages, the sun."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virtual_digiware.profiles.dc.installation import (
    Battery,
    DcBoard,
    DcCircuit,
    DcInstallation,
    Outage,
    Rectifier,
    Sun,
)
from virtual_digiware.profiles.dc.loads import DcLoadClassUnknown
from virtual_digiware.profiles.dc.sun import clear_sky_w_m2, sine_of_elevation
from virtual_digiware.profiles.dc.truth import DcError, DcTruth
from virtual_digiware.profiles.pulses import STEP_MS
from virtual_digiware.profiles.solution import IntArray

AT = 1_772_445_600_000  # 2026-03-02T10:00:00Z
HOUR = 3_600_000
RECTIFIER = Rectifier(rated_w=12_000, float_v=53.5, mains="mains")
BATTERY = Battery(capacity_ah=200, full_v=51.0, empty_v=43.5, cut_off_v=43.2, resistance_ohm=0.005)
HEATER = DcCircuit("heater", "bus", load_class="dc-heater", nominal_w=1070.0)


def plant(
    *circuits: DcCircuit, battery: Battery | None = None, rectifier: Rectifier = RECTIFIER
) -> DcInstallation:
    return DcInstallation("test", (DcBoard("bus", rectifier, battery),), circuits)


FULL = plant(
    DcCircuit("in", "bus", "incomer"),
    DcCircuit("cells", "bus", "battery"),
    DcCircuit("radio", "bus", load_class="telecom-48v", nominal_w=3000, resistance_ohm=0.004),
    DcCircuit("router", "bus", load_class="dc-server", nominal_w=1200),
    DcCircuit("lamps", "bus", load_class="dc-lighting", nominal_w=200),
    battery=BATTERY,
)


def one(truth: DcTruth, circuit: str, t_ms: int) -> tuple[float, float]:
    """Voltage and current of a circuit."""
    solution = truth.at(np.array([t_ms]))
    board = truth.board_index[FULL.boards[0].name]
    return float(solution.voltage_v[0, board]), float(solution.current_a[0, truth.circuit_index[circuit]])


def steps_mj(truth: DcTruth, first: int, count: int) -> IntArray:
    """Energies (T, K) of base steps."""
    edges = truth.boundaries(first * STEP_MS, (first + count) * STEP_MS)
    pieces = truth.energies_mj(edges)
    return np.add.reduceat(pieces, np.searchsorted(edges[:-1], np.arange(first, first + count) * STEP_MS))


def test_a_heater_draws_what_ohms_law_says():
    # 1070 W at 53.5 V are 20 A through 2.675 ohm; a stiff rectifier holds 53.5 V.
    truth = DcTruth(plant(HEATER, rectifier=Rectifier(12_000, 53.5, droop=0.0)), 1)
    assert one(truth, "heater", AT) == pytest.approx((53.5, 20.0))
    # With a droop of 10 % at 12 kW the source has 0.0239 ohm: 53.5 / (2.675 + 0.02385) = 19.823 A, 53.027 V.
    soft = DcTruth(plant(HEATER, rectifier=Rectifier(12_000, 53.5, droop=0.1)), 1)
    assert one(soft, "heater", AT) == pytest.approx((53.0272, 19.8233), rel=1e-4)


def test_a_feeder_drops_voltage_and_the_board_pays_for_it():
    # A constant 500 W behind 0.1 ohm at 50 V: I = (50 - sqrt(2500 - 200)) / 0.2 = 10.208 A.
    server = DcCircuit("far", "bus", load_class="dc-server", nominal_w=500, resistance_ohm=0.1)
    truth = DcTruth(plant(server, rectifier=Rectifier(1e6, 50.0, droop=0.0)), 1)
    near = DcTruth(
        plant(
            DcCircuit("far", "bus", load_class="dc-server", nominal_w=500),
            rectifier=Rectifier(1e6, 50.0, droop=0.0),
        ),
        1,
    )
    voltage, current = one(truth, "far", AT)
    wanted = one(near, "far", AT)[1] * 50
    assert voltage == 50.0
    assert current == pytest.approx((50 - np.sqrt(2500 - 0.4 * wanted)) / 0.2)
    assert (voltage - 0.1 * current) * current == pytest.approx(wanted)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 40 * 24 * HOUR), min_size=1, max_size=20), st.integers(0, 2**32))
def test_currents_add_up_and_no_time_depends_on_the_others(offsets, seed):
    outages = (Outage("mains", AT + HOUR, AT + 3 * HOUR), Outage("other", AT, None))
    truth = DcTruth(FULL, seed, outages)
    t_ms = AT + np.array(offsets)
    solution = truth.at(t_ms)
    place = truth.circuit_index
    carried = [place[name] for name in ("cells", "radio", "router", "lamps")]
    assert solution.current_a[:, place["in"]] == pytest.approx(
        solution.current_a[:, carried].sum(axis=1), abs=1e-9
    )
    assert solution.power_w == pytest.approx(solution.voltage_v * solution.current_a)
    alone = [DcTruth(FULL, seed, outages).at(np.array([one])) for one in t_ms]
    assert np.concatenate([one.current_a for one in alone]).tobytes() == solution.current_a.tobytes()
    assert np.concatenate([one.voltage_v for one in alone]).tobytes() == solution.voltage_v.tobytes()


def test_booked_energies_add_up_to_the_last_millijoule():
    truth = DcTruth(FULL, 5, (Outage("mains", AT + HOUR, AT + 2 * HOUR),))
    booked = steps_mj(truth, AT // STEP_MS, 2000)
    place = truth.circuit_index
    carried = [place[name] for name in ("cells", "radio", "router", "lamps")]
    assert (booked[:, place["in"]] == booked[:, carried].sum(axis=1)).all()
    halves = [steps_mj(truth, AT // STEP_MS + start, 1000) for start in (0, 1000)]
    assert np.concatenate(halves).tobytes() == booked.tobytes()


def test_an_outage_puts_the_loads_on_the_battery_until_it_is_empty_and_recharges_it():
    truth = DcTruth(FULL, 5, (Outage("mains", AT, AT + 4 * HOUR),))
    before, during, late, after = (
        one(truth, "cells", AT + offset) for offset in (-1, 60_000, 4 * HOUR - 1, 4 * HOUR + 60_000)
    )
    assert before[1] == 0
    assert before[0] > 53
    assert during[1] < -60  # some 4 kW at 51 V
    assert one(truth, "in", AT + 60_000)[1] == pytest.approx(0, abs=1e-9)
    assert late == (pytest.approx(one(truth, "lamps", AT + 4 * HOUR - 1)[0]), 0.0)  # 200 Ah are not enough
    assert one(truth, "radio", AT + 4 * HOUR - 1)[1] == 0
    assert 0 < after[1] <= 20.0  # a tenth of the capacity
    assert one(truth, "radio", AT + 4 * HOUR + 60_000)[1] > 0
    assert one(truth, "cells", AT + 48 * HOUR)[1] == 0


def test_an_incomer_beside_a_battery_that_nobody_measures_carries_it_all_the_same():
    circuits = DcCircuit("in", "bus", "incomer"), HEATER
    truth = DcTruth(plant(*circuits, battery=BATTERY), 5, (Outage("mains", AT, AT + HOUR),))
    for first, brings in ((AT // STEP_MS - 1, True), (AT // STEP_MS + 1, False)):
        booked, heater = steps_mj(truth, first, 1)[0]
        assert (booked, heater > 0) == ((heater, True) if brings else (0, True))
    recharging = steps_mj(truth, (AT + HOUR) // STEP_MS + 1, 1)[0]
    assert recharging[0] > recharging[1] * 1.4  # 20 A and half of the missing 19 Ah in an hour


@pytest.mark.parametrize("load_class", ["telecom-48v", "dc-lighting", "dc-heater"])
def test_what_leaves_a_battery_is_what_is_put_back(load_class: str):
    cells = DcCircuit("cells", "bus", "battery")
    load = DcCircuit("load", "bus", load_class=load_class, nominal_w=3000, resistance_ohm=0.004)
    truth = DcTruth(plant(cells, load, battery=BATTERY), 5, (Outage("mains", AT + 3333, AT + 2 * HOUR),))
    edges = truth.boundaries(AT, AT + 48 * HOUR)
    middles = np.minimum(edges[:-1] // STEP_MS * STEP_MS + STEP_MS // 2, edges[1:] - 1)
    current = truth.at(middles).current_a[:, 0] * np.diff(edges) / HOUR
    out, back = -current[current < 0].sum(), current[current > 0].sum()
    assert out > 90
    assert back == pytest.approx(out, rel=1e-3)


def test_recharging_takes_only_what_the_rectifier_has_left():
    small = Rectifier(rated_w=5_000, float_v=53.5, mains="mains")
    load = DcCircuit("load", "bus", load_class="dc-heater", nominal_w=4500)
    circuits = DcCircuit("in", "bus", "incomer"), DcCircuit("cells", "bus", "battery"), load
    truth = DcTruth(plant(*circuits, battery=BATTERY, rectifier=small), 5, (Outage("mains", AT, AT + HOUR),))
    _, brought = one(truth, "in", AT + HOUR + 60_000)
    _, charging = one(truth, "cells", AT + HOUR + 60_000)
    assert brought == pytest.approx(5_000 / 53.5, abs=0.05)
    assert 0 < charging < 20.0
    assert one(truth, "cells", AT + 72 * HOUR)[1] == 0  # full in the end


def test_a_mains_that_never_comes_back_leaves_the_board_dark():
    truth = DcTruth(FULL, 5, (Outage("mains", AT, None),))
    for days in (1, 13, 15, 400):
        assert one(truth, "radio", AT + days * 24 * HOUR)[1] == 0


def test_without_a_battery_everything_is_dark_in_an_outage():
    truth = DcTruth(plant(HEATER), 1, (Outage("mains", AT, None),))
    assert one(truth, "heater", AT) == (0.0, 0.0)


def test_the_sun_stands_where_the_almanac_has_it():
    # Strasbourg, 48.58 N 7.75 E, at the summer solstice near solar noon: 90 - 48.58 + 23.44 = 64.9 degrees.
    noon = int(datetime(2026, 6, 21, 11, 30, tzinfo=UTC).timestamp() * 1000)
    sine = sine_of_elevation(np.array([noon]), 48.58, 7.75)
    assert np.rad2deg(np.arcsin(sine[0])) == pytest.approx(64.86, abs=0.05)
    # Haurwitz at 64.9 degrees: 1098 x 0.9054 x exp(-0.059 / 0.9054) = 931 W/m2.
    assert clear_sky_w_m2(sine)[0] == pytest.approx(931.4, abs=1)


def test_strings_feed_in_by_day_and_sleep_at_night():
    roof = DcInstallation(
        "test",
        (DcBoard("roof", sun=Sun(800.0)),),
        (
            DcCircuit("out", "roof", "incomer"),
            *(DcCircuit(f"s{n}", "roof", "string", nominal_a=10) for n in range(3)),
        ),
    )
    truth = DcTruth(roof, 1)
    noon = truth.at(np.array([AT + HOUR]))
    assert 560 < noon.voltage_v[0, 0] < 720
    assert (noon.current_a[0, 1:] < 0).all()
    assert noon.current_a[0, 0] == pytest.approx(-noon.current_a[0, 1:].sum())
    assert np.ptp(noon.current_a[0, 1:]) / abs(noon.current_a[0, 1:]).mean() < 0.02
    night = truth.at(np.array([AT - 8 * HOUR]))
    assert not night.voltage_v.any()
    assert not night.current_a.any()
    booked = steps_mj(truth, AT // STEP_MS, 10)
    assert (booked[:, 0] == -booked[:, 1:].sum(axis=1)).all()


@pytest.mark.parametrize(
    ("installation", "error"),
    [
        (plant(DcCircuit("x", "bus", load_class="telekom", nominal_w=1)), DcLoadClassUnknown),
        (plant(DcCircuit("x", "bus", "string", nominal_a=1)), DcError),
        (plant(DcCircuit("x", "bus", "battery")), DcError),
        (plant(DcCircuit("x", "bus", "incomer"), DcCircuit("y", "bus", "incomer")), DcError),
        (DcInstallation("t", (DcBoard("bus"),), ()), DcError),
        (DcInstallation("t", (DcBoard("bus", RECTIFIER),), (DcCircuit("x", "other", "incomer"),)), DcError),
    ],
)
def test_what_cannot_be_is_refused(installation, error):
    with pytest.raises(error):
        DcTruth(installation, 1)
