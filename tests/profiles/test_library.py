"""The shipped load classes, spectra and days: what the sources say, and refusals of what cannot be meant."""

import numpy as np
import pytest

from virtual_digiware.profiles.daily_profiles import (
    NODES,
    ProfileUnknown,
    daily_profiles,
    hourly_mean_weights,
    nodes_from_hourly_means,
    parse_daily_profiles,
)
from virtual_digiware.profiles.library import daily_profile, load_classes, parse_load_classes
from virtual_digiware.profiles.package_text import LibraryError
from virtual_digiware.profiles.solution import ORDERS
from virtual_digiware.profiles.spectra import parse_spectra, spectra

CLASSES = pytest.mark.parametrize("name", sorted(load_classes()))
PROFILES = pytest.mark.parametrize("name", sorted(daily_profiles()))
HOUR = hourly_mean_weights()

# BDEW G1, hourly means of a winter workday
NIGHT, DAY, EVENING = (
    ".15 .15 .15 .14 .14 .15 .19",
    "1.14 2.42 2.68 2.64 2.57 2.25 1.73 1.76 1.86",
    "1.48 .89 .50",
)
G1 = f"{NIGHT} {DAY} {EVENING} .31 .22 .19 .16 .15"


def test_the_library_holds_every_kind_of_load():
    names = """
        office-lighting office-sockets hvac-vsd hvac-motor server-room ups ev-ac ev-dc lift
        motor-dol motor-vsd welding kitchen pv battery data-centre-hall hospital factory
        street-lighting resistive constant
    """
    assert set(load_classes()) == set(names.split())


# Days -----------------------------------------------------------------------------------------------------


def test_an_office_day_keeps_the_published_hourly_means():
    published = np.array([float(value) for value in G1.split()])
    hourly = HOUR @ daily_profile("G1")[0, 0]
    assert hourly == pytest.approx(published / published.mean(), abs=1e-12)


@PROFILES
def test_a_winter_workday_has_mean_one_and_no_day_is_negative(name):
    days = daily_profile(name)
    assert days.shape == (3, 2, NODES)
    assert days[0, 0].mean() == pytest.approx(1, abs=1e-12)
    assert days.min() >= 0


@pytest.mark.parametrize(
    ("name", "saturday", "sunday", "summer"),
    [
        ("G0", 0.83, 0.49, 0.92),
        ("G1", 0.19, 0.16, 0.72),
        ("G2", 0.97, 0.83, 0.78),
        ("G3", 0.91, 0.79, 0.99),
        ("G4", 0.84, 0.49, 0.94),
        ("G5", 0.99, 0.41, 0.97),
        ("H0", 1.13, 1.05, 1.10),
    ],
)
def test_weekends_and_summers_have_their_published_means(name, saturday, sunday, summer):
    means = daily_profile(name).mean(axis=-1)
    assert means[:, 0] == pytest.approx([1, saturday, sunday])
    assert means[:, 1] == pytest.approx(summer * means[:, 0])


def test_the_sun_is_up_longer_and_stands_higher_in_summer():
    winter, summer = daily_profile("sun")[0]
    assert np.count_nonzero(winter) / 4 == pytest.approx(8.8, abs=0.5)  # hours at 48 degrees north
    assert np.count_nonzero(summer) / 4 == pytest.approx(15.2, abs=0.5)
    # Haurwitz at noon: 1098 s exp(-0.059 / s) with s = sin(90 - 48 -+ 20 degrees)
    assert summer.max() / winter.max() == pytest.approx(900.6 / 350.6, rel=0.02)


def test_street_lamps_burn_by_night_and_at_half_after_midnight():
    night = daily_profile("dusk-to-dawn")[0, 0]
    assert night[4 * 12] == 0
    assert night[4 * 3] == pytest.approx(night[4 * 20] / 2)


def test_hourly_means_become_a_calm_day():
    flat = nodes_from_hourly_means(np.full(24, 3.0))
    assert flat == pytest.approx(np.full(NODES, 3.0))
    rng = np.random.default_rng(5)
    hourly = rng.uniform(1, 2, size=24)
    nodes = nodes_from_hourly_means(hourly)
    assert HOUR @ nodes == pytest.approx(hourly, abs=1e-12)
    assert np.abs(np.diff(nodes)).max() < 1.5


def test_an_unknown_profile_is_refused_with_the_known_names():
    with pytest.raises(ProfileUnknown, match="known: G0, G1"):
        daily_profile("G9")


@pytest.mark.parametrize(
    ("row", "key", "reason"),
    [
        ("hours: 1 2 3", "x.hours", "24"),
        (f"hours: {G1}\n  saturday: .5", "x.saturday", "mean/swing"),
        ("workday: 0 1, 5", "x.workday", "hour and level"),
        ("workday: 0 1, 24 2", "x.workday", "below 24"),
        ("workday: 5 1, 4 2", "x.workday", "ascend"),
        ("workday: 0 1, 5 high", "x.workday", "'high'"),
        ("workday: 0 1, 5 -1", "x", "negative"),
        ("workdays: 0 1", "x.workdays", "known: hours"),
    ],
)
def test_a_day_that_cannot_be_meant_is_refused_by_file_and_key(row, key, reason):
    with pytest.raises(LibraryError, match=reason) as error:
        parse_daily_profiles(f"x:\n  source: somebody\n  {row}\n")
    assert (error.value.file, error.value.key) == ("daily_profiles.yaml", key)


# Spectra --------------------------------------------------------------------------------------------------


def thd_percent(name: str) -> list[float]:
    values = spectra()[name].values[0]
    return (100 * np.sqrt(np.sum(np.abs(values[:, 1:]) ** 2, axis=-1))).tolist()


@pytest.mark.parametrize(
    ("name", "percent"),
    [
        ("six-pulse-choke-3", (77, 53, 41)),
        ("six-pulse-choke-5", (60, 33)),
        ("six-pulse-no-choke", (118, 96)),
        ("smps", (166,)),
        ("smps-choke", (114,)),
        ("led", (25, 12)),
        ("office-electronics", (40, 15)),
        ("pfc-supply", (12, 4)),
        ("active-front-end", (8, 3)),
        ("ev-charger", (12, 3)),
        ("dc-charger", (10, 4)),
        ("welder", (20,)),
        ("kitchen", (5,)),
        ("motor", (2,)),
        ("linear", (0,)),
    ],
)
def test_spectra_have_the_distortion_of_their_kind(name, percent):
    assert thd_percent(name) == pytest.approx(percent, rel=0.03, abs=1.0)


def test_the_choke_puts_the_fifth_between_90_and_150_degrees():
    # IEC 61000-3-12 gives that range for rectifiers with a choke
    fifth = spectra()["six-pulse-choke-3"].values[0, -1, ORDERS.index(5)]
    assert fifth == pytest.approx(0.38 * np.exp(1j * np.deg2rad(98)))


def test_orders_that_are_not_listed_follow_the_decay_law():
    values = spectra()["six-pulse-choke-3"].values[0, -1]
    for order in (23, 25, 29, 49):
        size, below = (abs(values[ORDERS.index(h)]) for h in (order, order - 6))
        assert size == pytest.approx(below * ((order - 6) / order) ** 2)
    assert all(values[ORDERS.index(order)] == 0 for order in range(3, 50, 6))  # no triplen in three wires


@pytest.mark.parametrize("name", sorted(spectra()))
def test_variants_differ_in_angle_only(name):
    spectrum = spectra()[name]
    assert np.all(spectrum.values[..., 0] == 1)
    assert spectrum.values.shape[1:] == (len(spectrum.levels), len(ORDERS))
    assert np.allclose(np.abs(spectrum.values), np.abs(spectrum.values[:1]))
    if name != "linear":
        assert (
            len({complex(values[-1, 2] * values[-1, 3]) for values in spectrum.values})
            == len(spectrum.values)
            >= 3
        )


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("1.0 5", "must list the orders"),
        ("order 3 4\n1.0 5 5\nangle 0 0", "odd orders"),
        ("order 5 3\n1.0 5 5\nangle 0 0", "ascending"),
        ("order 3 51\n1.0 5 5\nangle 0 0", "odd orders"),
        ("order 3 5\n1.0 5\nangle 0 0", "2 values"),
        ("order 3\n1.0 5\n0.3 6\nangle 0", "ascend"),
        ("order 3\n1.2 5\nangle 0", "0..1"),
        ("order 3\nangle 0", "levels"),
        ("order 3\n1.0 -5\nangle 0", "negative"),
        ("order 3\n1.0 5", "`angle`"),
        ("order 3\n1.0 5/30", "`delay`"),
        ("order 3\n0.3 5/30\n1.0 5\nangle 0", "`angle`"),
        ("order 3\n1.0 5%\nangle 0", "'5%'"),
    ],
)
def test_a_spectrum_that_cannot_be_meant_is_refused_by_file_and_key(table, reason):
    rows = "".join(f"    {line}\n" for line in table.splitlines())
    with pytest.raises(LibraryError, match=reason) as error:
        parse_spectra(f"x:\n  source: somebody\n  table: |\n{rows}")
    assert error.value.file == "spectra.yaml"
    assert error.value.key.startswith("x.table")


# Load classes ---------------------------------------------------------------------------------------------


@CLASSES
def test_a_load_stays_near_its_nominal_power_at_the_peak(name):
    load = load_classes()[name]
    steady = load.steady_level(daily_profile(load.profile))
    lasting = [
        max(abs(c.amplitude[0]), abs(c.amplitude[1])) * (c.inrush_multiple if c.inrush_tau_s > 10 else 1)
        for c in load.cycles
    ]
    assert 0.4 <= np.abs(steady).max() + max(lasting, default=0) <= 1.05


@CLASSES
def test_a_load_has_a_source_and_a_sane_place_on_the_network(name):
    load = load_classes()[name]
    assert load.source
    assert load.label
    assert load.name == name
    assert 0 < load.power_factor <= 1
    assert not (load.leading and load.power_factor == 1)
    assert dict(load.part_load)[1.0] == load.power_factor
    assert list(load.levels) == sorted(load.levels)
    assert all(c.period_s % 10 == 0 and c.duration_s[1] <= c.period_s for c in load.cycles)


def test_only_generation_and_storage_export():
    exporting = {
        name
        for name, load in load_classes().items()
        if load.steady_level(daily_profile(load.profile)).min() < 0
    }
    assert exporting == {"pv", "battery"}


def test_a_battery_returns_what_it_took_but_for_its_losses():
    load = load_classes()["battery"]
    level = load.steady_level(daily_profile("battery")[0, 0])
    taken, given = level[level > 0].sum(), -level[level < 0].sum()
    assert given / taken == pytest.approx(0.88, abs=0.02)


@pytest.mark.parametrize(("level", "cos_phi"), [(0.25, 0.5), (0.5, 0.75), (1.0, 0.87)])
def test_a_motor_loses_power_factor_at_part_load(level, cos_phi):
    assert dict(load_classes()["motor-dol"].part_load)[level] == cos_phi


@pytest.mark.parametrize("name", ["motor-dol", "hvac-motor"])
def test_a_motor_starts_at_six_to_seven_times_its_current(name):
    load = load_classes()[name]
    (cycle,) = load.cycles
    for amplitude in cycle.amplitude:
        start = amplitude * cycle.inrush_multiple
        cos_phi = np.interp(start, *zip(*load.part_load, strict=True))
        assert cos_phi == pytest.approx(0.3)
        assert 5.9 < (start / cos_phi) / (1 / load.power_factor) < 7


GOOD = {
    "label": "A load",
    "source": "somebody",
    "spectrum": "linear",
    "envelope": "profile flat, mean_level 1",
    "network": "power_factor 0.9",
    "cycles": '["period_s 60, duration_s 10..20, amplitude 0.5"]',
}


def load_file(**rows: str) -> str:
    return "x:\n" + "".join(f"  {key}: {value}\n" for key, value in {**GOOD, **rows}.items())


def test_a_small_load_class_needs_few_rows():
    load = parse_load_classes(load_file(), spectra())["x"]
    assert (load.mean_level, load.night_base, load.part_load) == (1, 0, ((1.0, 0.9),))
    assert load.cycles[0].amplitude == (0.5, 0.5)
    assert load.cycles[0].probability == 1


@pytest.mark.parametrize(
    ("rows", "key", "reason"),
    [
        ({"colour": "red"}, "x.colour", "known: cycles"),
        ({"source": "3"}, "x.source", "where the numbers come from"),
        ({"spectrum": "pink"}, "x.spectrum", "known: linear"),
        ({"envelope": "profile G9, mean_level 1"}, "x.envelope.profile", "known: G0"),
        ({"envelope": "profile flat, mean 1"}, "x.envelope.mean", "known: profile"),
        ({"envelope": "profile flat, mean_level high"}, "x.envelope.mean_level", "'high'"),
        ({"envelope": "profile flat, sigma 0.3"}, "x.envelope.sigma", "0.3"),
        ({"envelope": "profile flat, sigma 0.1"}, "x.envelope.tau_s", "correlation"),
        ({"envelope": "profile flat, profile flat"}, "x.envelope.profile", "twice"),
        ({"network": "power_factor 1.1"}, "x.network.power_factor", "1.1"),
        ({"network": "power_factor 0.9, part_load 1:0.8"}, "x.network.part_load", "0.9"),
        ({"network": "power_factor 0.9, part_load 1:0.9 0.5:0.7"}, "x.network.part_load", "ascending"),
        ({"network": "[]"}, "x.network", "text"),
        ({"cycles": "often"}, "x.cycles", "list"),
        ({"cycles": "[1]"}, "x.cycles[0]", "text"),
        ({"cycles": '["duration_s 1, amplitude 1"]'}, "x.cycles[0].period_s", "number"),
        ({"cycles": '["period_s 15, duration_s 1, amplitude 1"]'}, "x.cycles[0].period_s", "multiple"),
        ({"cycles": '["period_s 20, duration_s 1..30, amplitude 1"]'}, "x.cycles[0].duration_s", "longer"),
        ({"cycles": '["period_s 20, duration_s 5..3, amplitude 1"]'}, "x.cycles[0].duration_s", "least"),
        (
            {"cycles": '["period_s 20, duration_s 5, amplitude 1, probability 2"]'},
            "x.cycles[0].probability",
            "0..1",
        ),
        (
            {"cycles": '["period_s 20, duration_s 5, amplitude 1, inrush_multiple 2"]'},
            "x.cycles[0].inrush_tau_s",
            "time",
        ),
    ],
)
def test_a_load_class_that_cannot_be_meant_is_refused_by_file_and_key(rows, key, reason):
    with pytest.raises(LibraryError, match=reason) as error:
        parse_load_classes(load_file(**rows), spectra())
    assert (error.value.file, error.value.key) == ("load_classes.yaml", key)


@pytest.mark.parametrize("text", ["- a list", "x: 3", "x: [", ""])
def test_a_file_of_another_shape_is_refused(text):
    with pytest.raises(LibraryError):
        parse_load_classes(text, spectra())


def test_what_is_shipped_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        daily_profile("G0")[0, 0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        load_classes()["pv"].spectra[0, 0, 0] = 5
