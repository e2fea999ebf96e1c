"""The network: hand calculations, Kirchhoff at every bus, and loads that stay finite in the deepest dip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.profiles.installations import HOUR_MS, MONDAY_MS, QUIET, campus, classes, one_board, quiet
from virtual_digiware.profiles.installation import (
    Board,
    Cable,
    Circuit,
    Event,
    Installation,
    Load,
    Source,
)
from virtual_digiware.profiles.tree import InstallationError, source_impedance
from virtual_digiware.profiles.truth import Truth

NOON = np.array([MONDAY_MS + 11 * HOUR_MS])
A = np.exp(2j * np.pi / 3)


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(campus(), 7)


@pytest.fixture(scope="module")
def solution(truth):
    return truth.at(MONDAY_MS + 8 * HOUR_MS + np.arange(60) * 61_777)


def test_source_impedance_follows_from_the_transformer_plate():
    # 400 kVA, 4 %, 1.1 % of load loss: 0.04 * 3 * 230^2 / 400e3 = 15.87 mOhm, of which 4.364 mOhm resistance.
    impedance = source_impedance(Source("T1"))
    assert abs(impedance) == pytest.approx(0.01587)
    assert impedance.real == pytest.approx(0.00436425)


def test_a_resistance_behind_a_transformer_is_a_voltage_divider():
    load = Load("heater", "c", "heater", 100e3, phases=("L1",))
    truth = Truth(one_board(load), 1, classes=classes(heater=quiet(kp=2.0, kq=2.0)))
    solution = truth.at(NOON)
    open_circuit = Truth(one_board(), 1).at(NOON).voltage_v[0, 0, 0, 0]
    resistance = 230**2 / 100e3
    expected = open_circuit * resistance / (resistance + source_impedance(Source("T1")))
    assert solution.voltage_v[0, 0, 0, 0] == pytest.approx(expected, rel=1e-6)
    assert solution.current_a[0, 1, 0] == pytest.approx(expected / resistance, rel=1e-6)


@pytest.mark.parametrize(
    ("phases", "is_between", "per_phase_w", "neutral"),
    [
        (("L1", "L2", "L3"), False, (3000, 3000, 3000), 0.0),
        (("L2",), False, (0, 9000, 0), 1.0),
        (("L1", "L3"), False, (4500, 0, 4500), 1.0),
        (("L1", "L2", "L3"), True, (3000, 3000, 3000), 0.0),
    ],
)
def test_a_load_spreads_over_the_conductors_that_it_is_connected_to(phases, is_between, per_phase_w, neutral):
    load = Load("l", "c", "quiet", 9000.0, phases=phases, line_to_line=is_between)
    solution = Truth(one_board(load), 1, classes=classes()).at(NOON)
    # The source is a little unbalanced, so phases of a delta and the neutral are so too.
    assert solution.active_w[0, 1] == pytest.approx(np.array(per_phase_w, dtype=float), rel=0.02)
    total = abs(solution.current_a[0, 1].sum())
    assert total == pytest.approx(neutral * np.abs(solution.current_a[0, 1]).max(), rel=0.02, abs=0.3)


def test_a_load_between_two_phases_returns_through_the_other_phase():
    load = Load("l", "c", "quiet", 9000.0, phases=("L3", "L1"), line_to_line=True, power_factor=0.8)
    solution = Truth(one_board(load), 1, classes=classes()).at(NOON)
    current = solution.current_a[0, 1]
    assert current[0] == -current[2]
    assert current[1] == 0
    assert abs(current[0]) == pytest.approx(9000 / 0.8 / (3**0.5 * 234), rel=0.02)
    assert solution.active_w[0, 1].sum() == pytest.approx(9000, rel=1e-6)
    assert solution.reactive1_var[0, 1].sum() == pytest.approx(6750, rel=1e-6)
    assert solution.neutral_current_rms_a[0, 1] == 0


def test_currents_of_a_board_add_up_to_its_incomer(truth, solution):
    spectra = solution.current_spectrum(np.arange(len(truth.circuit_index)))
    for incomer, board in (("incomer 1", "hall"), ("incomer 2", "plant"), ("floor incomer", "floor")):
        branches = [
            truth.circuit_index[c.name]
            for c in truth.installation.circuits
            if c.board == board and c.kind != "incomer"
        ]
        total = spectra[:, branches].sum(axis=1)
        assert np.abs(spectra[:, truth.circuit_index[incomer]] - total).max() < 1e-11


def test_a_feeder_carries_what_its_board_draws_and_drops_by_its_impedance(truth, solution):
    feeder = truth.circuit_index["to floor"]
    incomer = truth.circuit_index["floor incomer"]
    spectra = solution.current_spectrum(np.array([feeder, incomer]))
    assert np.array_equal(spectra[:, 0], spectra[:, 1])
    orders = np.arange(1, 50, 2)
    cable = truth.installation.circuits[feeder].cable
    phase = cable.resistance_ohm + 1j * orders * cable.reactance_ohm
    neutral = cable.neutral_resistance_ohm + 1j * orders * cable.neutral_reactance_ohm
    rise = neutral * spectra[:, 0].sum(axis=1)
    above = solution.voltage_v[:, truth.board_index["hall"]]
    below = solution.voltage_v[:, truth.board_index["floor"]]
    assert np.abs(above - phase * spectra[:, 0] - rise[:, None] - below).max() < 1e-11
    assert solution.neutral_voltage_v[:, truth.board_index["floor"]] == pytest.approx(rise, abs=1e-11)
    assert np.abs(solution.neutral_voltage_v[:, truth.board_index["hall"]]).max() == 0


def test_feeders_deliver_all_but_their_loss(truth, solution):
    floor = truth.circuit_index["to floor"]
    incomer = truth.circuit_index["floor incomer"]
    delivered = solution.active_w[:, incomer].sum(axis=-1)
    taken = solution.active_w[:, floor].sum(axis=-1)
    assert taken == pytest.approx(delivered + solution.loss_w[:, floor], rel=1e-12)
    assert solution.loss_w[:, floor].min() > 0


def test_line_voltages_close_with_phase_voltages(solution):
    phase = solution.voltage_v[..., 0]
    line = phase[:, :, 0] - phase[:, :, 1]
    angle = np.angle(phase[:, :, 0] / np.where(phase[:, :, 1] == 0, 1, phase[:, :, 1]))
    first, second = np.abs(phase[:, :, 0]), np.abs(phase[:, :, 1])
    cosine_rule = first**2 + second**2 - 2 * first * second * np.cos(angle)
    assert np.abs(line) ** 2 == pytest.approx(cosine_rule, rel=1e-12)


def test_loads_draw_what_they_want_at_nominal_voltage(truth):
    start = MONDAY_MS + 8 * HOUR_MS
    steps = start + np.arange(100) * 10_000
    load = Load("l", "c", "quiet", 60e3, power_factor=0.8)
    solution = Truth(one_board(load), 1, classes=classes()).mean(steps, steps + 10_000)
    assert solution.active_w[:, 1].sum(axis=-1) == pytest.approx(60e3, rel=1e-6)
    assert solution.reactive1_var[:, 1].sum(axis=-1) == pytest.approx(45e3, rel=1e-6)


def test_power_follows_voltage_and_frequency_by_the_exponents():
    kind = quiet(kp=1.5, kq=3.0, kf=2.0, power_factor=0.8, part_load=((1.0, 0.8),))
    load = Load("l", "c", "kind", 30e3, phases=("L1",))
    solution = Truth(one_board(load), 1, classes=classes(kind=kind)).at(NOON)
    voltage = abs(solution.voltage_v[0, 0, 0, 0]) / 230
    frequency = solution.frequency_hz[0, 0] / 50
    assert solution.active_w[0, 1, 0] == pytest.approx(30e3 * voltage**1.5 * frequency**2, rel=1e-5)
    assert solution.reactive1_var[0, 1, 0] == pytest.approx(22.5e3 * voltage**3, rel=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.lists(st.sampled_from(["L1", "L2", "L3"]), min_size=1, unique=True))
def test_currents_stay_finite_in_every_dip(residual, phases):
    event = Event(int(NOON[0]), None, "dip", "T1", residual, tuple(sorted(phases)))
    solution = Truth(campus(), 7, [event]).at(NOON)
    healthy = Truth(campus(), 7).at(NOON)
    for field in ("current_a", "current_rms_a", "active_w", "reactive1_var", "voltage_v"):
        assert np.all(np.isfinite(getattr(solution, field)))
    # Constant power at 0.7 of the voltage takes 1/0.7 of the current, and never more.
    assert solution.current_rms_a.max() <= healthy.current_rms_a.max() * 1.7


def test_a_load_is_an_impedance_below_the_guard():
    load = Load("l", "c", "quiet", 1000.0, phases=("L1",))
    truth = Truth(one_board(load), 1, classes=classes())

    def current_over_voltage(residual):
        solution = truth.with_events([Event(int(NOON[0]), None, "dip", "T1", residual)]).at(NOON)
        return abs(solution.current_a[0, 1, 0] / solution.voltage_v[0, 0, 0, 0])

    assert current_over_voltage(0.2) == pytest.approx(current_over_voltage(0.5), rel=1e-9)
    assert current_over_voltage(0.2) == pytest.approx(1000 / 230**2 / 0.49, rel=1e-6)


def test_an_overloaded_transformer_does_not_break_the_arithmetic():
    load = Load("l", "c", "quiet", 40e6)
    solution = Truth(one_board(load), 1, classes=classes()).at(NOON)
    assert np.all(np.isfinite(solution.current_rms_a))
    assert np.abs(solution.voltage_v[..., 0]).max() < 2000


def test_a_single_phase_feeder_feeds_one_phase_only(truth, solution):
    corridor = np.abs(solution.voltage_v[:, truth.board_index["corridor"], :, 0])
    assert corridor[:, 1].min() > 200
    assert corridor[:, [0, 2]].max() == 0
    feeder = solution.current_rms_a[:, truth.circuit_index["to corridor"]]
    assert feeder[:, 1].min() > 0
    assert feeder[:, [0, 2]].max() == 0


def test_sources_do_not_feel_each_other(truth):
    loads = tuple(
        load
        for load in campus().loads
        if truth.installation.circuits[truth.circuit_index[load.circuit]].board == "plant"
    )
    alone = Truth(
        Installation("campus", campus().sources, campus().boards, campus().circuits, loads, "Europe/Paris"), 7
    )
    plant = truth.board_index["plant"]
    # To rounding: products over fewer kinds of spectra are grouped otherwise.
    assert alone.at(NOON).voltage_v[:, plant] == pytest.approx(truth.at(NOON).voltage_v[:, plant], rel=1e-12)
    hall = np.abs(alone.at(NOON).voltage_v[0, truth.board_index["hall"], :, 0])
    assert hall.min() > np.abs(truth.at(NOON).voltage_v[0, truth.board_index["hall"], :, 0]).min()


def test_two_boards_of_one_source_share_its_impedance():
    def build(*boards):
        described = tuple(Board(name, source="T1") for name in ("a", "b"))
        circuits = tuple(Circuit(f"c{board}", board) for board in ("a", "b"))
        loads = tuple(Load(f"l{board}", f"c{board}", "quiet", 100e3) for board in boards)
        return Truth(Installation("site", (Source("T1"),), described, circuits, loads), 1, classes=classes())

    both = build("a", "b").at(NOON).voltage_v[0, :, 0, 0]
    one = build("a").at(NOON).voltage_v[0, :, 0, 0]
    assert both[0] == both[1]
    assert one[0] == one[1]
    assert abs(both[0]) < abs(one[0]) - 0.5


def test_boards_may_be_described_in_any_order(truth):
    site = campus()
    shuffled = Truth(
        Installation(
            site.name, site.sources, site.boards[::-1], site.circuits[::-1], site.loads[::-1], site.timezone
        ),
        7,
    )
    first, second = truth.at(NOON), shuffled.at(NOON)
    assert np.array_equal(first.voltage_v, second.voltage_v[:, ::-1])
    assert np.array_equal(first.active_w, second.active_w[:, ::-1])
    assert np.array_equal(truth.board_source, shuffled.board_source[::-1])
    assert np.array_equal(truth.circuit_source, shuffled.circuit_source[::-1])


SITE = campus(6)
LOAD = SITE.loads[0]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"boards": (*SITE.boards, Board("x"))}, "x"),
        ({"boards": (*SITE.boards, Board("x", source="T1", feeder="to floor"))}, "x"),
        ({"boards": (*SITE.boards, Board("x", source="T9"))}, "x"),
        ({"boards": (*SITE.boards, Board("x", feeder="spare"))}, "x"),
        ({"boards": (*SITE.boards, Board("x", feeder="to floor"))}, "to floor"),
        ({"boards": (*SITE.boards, Board("hall", source="T1"))}, "hall"),
        ({"circuits": (*SITE.circuits, Circuit("x", "nowhere"))}, "x"),
        ({"circuits": (*SITE.circuits, Circuit("x", "hall", kind="incomer"))}, "x"),
        (
            {
                "circuits": (*SITE.circuits, Circuit("loop", "x", kind="feeder")),
                "boards": (*SITE.boards, Board("x", feeder="loop")),
            },
            "x",
        ),
        (
            {
                "sources": (*SITE.sources, Source("x", load_loss_percent=5.0)),
                "boards": (*SITE.boards, Board("y", source="x")),
            },
            "x",
        ),
        ({"loads": (*SITE.loads, LOAD)}, LOAD.name),
        ({"loads": (Load("x", "nowhere", "quiet", 1.0),)}, "x"),
        ({"loads": (Load("x", "to floor", "quiet", 1.0),)}, "x"),
        ({"loads": (Load("x", "spare", "perpetuum mobile", 1.0),)}, "x"),
        ({"loads": (Load("x", "spare", "quiet", 0.0),)}, "x"),
        ({"loads": (Load("x", "spare", "quiet", 1.0, phases=()),)}, "x"),
        ({"loads": (Load("x", "spare", "quiet", 1.0, phases=("L1",), line_to_line=True),)}, "x"),
        ({"loads": (Load("x", "circuit 4", "quiet", 1.0),)}, "x"),
        ({"loads": (Load("x", "spare", "quiet", 1.0, power_factor=1.2),)}, "x"),
    ],
)
def test_a_description_that_cannot_be_is_refused_by_name(changes, name):
    parts = {field: getattr(SITE, field) for field in ("sources", "boards", "circuits", "loads")} | changes
    with pytest.raises(InstallationError) as refused:
        Truth(Installation("campus", **parts), 1, classes=classes())
    assert refused.value.name == name


def test_an_installation_without_loads_has_voltage_and_nothing_else():
    truth = Truth(Installation("empty", SITE.sources, SITE.boards, SITE.circuits, ()), 1)
    solution = truth.at(NOON + np.arange(3))
    assert np.abs(solution.voltage_v[:, truth.board_index["office"], 0, 0]).min() > 220
    assert solution.current_rms_a.max() == 0
    assert not truth.book(truth.mean(NOON, NOON + 1000)).any()
    assert solution.current_spectrum(np.arange(4)).shape == (3, 4, 3, 25)


def test_an_empty_batch_of_times_gives_empty_arrays(truth):
    solution = truth.at(np.array([], dtype=np.int64))
    assert solution.voltage_v.shape == (0, 6, 3, 25)
    assert solution.active_w.shape == (0, len(truth.circuit_index), 3)
    assert solution.current_spectrum(np.array([0, 8])).shape == (0, 2, 3, 25)


def test_a_class_of_ones_own_needs_no_library():
    load = Load("l", "c", "mine", 5000.0)
    solution = Truth(one_board(load), 1, classes={"mine": QUIET}).at(NOON)
    assert solution.active_w[0, 1].sum() == pytest.approx(5000, rel=1e-6)


def test_cables_without_neutral_impedance_lift_no_neutral():
    site = campus()
    circuits = tuple(
        Circuit(c.name, c.board, c.kind, c.phases, Cable(0.02, 0.01) if c.kind == "feeder" else Cable())
        for c in site.circuits
    )
    solution = Truth(
        Installation(site.name, site.sources, site.boards, circuits, site.loads, site.timezone), 7
    ).at(NOON)
    assert np.abs(solution.neutral_voltage_v).max() == 0
