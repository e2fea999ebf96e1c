"""The truth as a whole: the same for every asker, exact books, and events that hit all at once."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.profiles.installations import CABLE, HOUR_MS, MONDAY_MS, campus, classes, one_board
from virtual_digiware.profiles.events import EventError
from virtual_digiware.profiles.installation import (
    PHASES,
    Board,
    Circuit,
    Event,
    Installation,
    Load,
    Recording,
    Source,
)
from virtual_digiware.profiles.solution import Solution
from virtual_digiware.profiles.truth import Truth

STEP_MS = 10_000
MORNING_MS = MONDAY_MS + 8 * HOUR_MS
EVENTS = (
    Event(MORNING_MS + 3_456, MORNING_MS + 3_856, "dip", "T1", residual=0.4),
    Event(MORNING_MS + 12_001, MORNING_MS + 31_007, "interruption", "T2"),
    Event(MORNING_MS + 5_000, MORNING_MS + 45_678, "open", "circuit 2"),
    Event(MORNING_MS + 50_000, None, "open", "to office"),
)
ARRAYS = [field.name for field in fields(Solution) if field.name != "current_spectrum"]


@pytest.fixture(scope="module")
def truth():
    return Truth(campus(), 7)


@pytest.fixture(scope="module")
def eventful(truth):
    return truth.with_events(EVENTS)


def means(subject, start_ms, end_ms):
    edges = subject.boundaries(start_ms, end_ms)
    return subject.mean(edges[:-1], edges[1:])


def assert_same(found: Solution, expected: Solution, rows=slice(None)):
    for name in ARRAYS:
        assert np.array_equal(getattr(found, name), getattr(expected, name)[rows]), name


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-100_000, 100_000), min_size=1, max_size=12))
def test_an_instant_does_not_depend_on_its_batch_or_on_earlier_questions(eventful, offsets):
    times = MORNING_MS + np.array(offsets)
    batch = eventful.at(times)
    spectra = batch.current_spectrum(np.arange(12))
    fresh = Truth(campus(), 7, EVENTS)
    for row in range(times.size):
        alone = fresh.at(times[row : row + 1])
        assert_same(alone, batch, slice(row, row + 1))
        assert np.array_equal(alone.current_spectrum(np.arange(12)), spectra[row : row + 1])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 60_000), st.integers(1, 60_000))
def test_a_mean_does_not_depend_on_its_batch(eventful, offset, length):
    batch = means(eventful, MORNING_MS + offset, MORNING_MS + offset + length)
    for row in range(batch.start_ms.size):
        alone = eventful.mean(batch.start_ms[row : row + 1], batch.end_ms[row : row + 1])
        assert_same(alone, batch, slice(row, row + 1))


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_batches_of_any_size_agree_to_the_last_bit(count):
    truth = Truth(campus(count), 7)
    times = MORNING_MS + np.arange(2000) * 7_777
    batch = truth.at(times)
    for first, last in ((0, 1), (5, 7), (100, 133), (1999, 2000)):
        assert_same(truth.at(times[first:last]), batch, slice(first, last))


@st.composite
def small_sites(draw):
    """Sites whose arrays have one or two entries somewhere: where a library's short cuts would show."""
    depth = draw(st.integers(1, 3))
    boards = [Board("b0", source="T1")]
    circuits = [Circuit("incomer", "b0", kind="incomer")]
    for level in range(1, depth):
        feeder = f"f{level}"
        circuits.append(Circuit(feeder, f"b{level - 1}", kind="feeder", cable=CABLE))
        boards.append(Board(f"b{level}", feeder=feeder))
    names = sorted(classes())
    loads = []
    for index in range(draw(st.integers(1, 3))):
        board = draw(st.sampled_from(boards)).name
        phases = draw(st.sampled_from([("L1",), ("L3",), ("L1", "L2"), PHASES]))
        circuits.append(Circuit(f"c{index}", board))
        is_between = len(phases) > 1 and draw(st.booleans())
        kind = draw(st.sampled_from(names))
        loads.append(Load(f"l{index}", f"c{index}", kind, 4000.0, phases=phases, line_to_line=is_between))
    return Installation("small", (Source("T1"),), tuple(boards), tuple(circuits), tuple(loads))


@settings(max_examples=40, deadline=None)
@given(small_sites(), st.integers(2, 20))
def test_the_smallest_sites_do_not_depend_on_the_batch_either(site, count):
    truth = Truth(site, 3, classes=classes())
    times = MORNING_MS + np.arange(count) * 7_001
    every = np.arange(len(site.circuits))
    batch = truth.at(times)
    spectra = batch.current_spectrum(every)
    for row in (0, count - 1):
        alone = truth.at(times[row : row + 1])
        assert_same(alone, batch, slice(row, row + 1))
        assert np.array_equal(alone.current_spectrum(every), spectra[row : row + 1])


def test_the_order_of_loads_does_not_matter(truth):
    site = campus()
    for loads in (site.loads[::-1], site.loads[7:] + site.loads[:7]):
        other = Truth(replace(site, loads=loads), 7)
        assert_same(other.at(MORNING_MS + np.arange(5) * 3_333), truth.at(MORNING_MS + np.arange(5) * 3_333))
        start = MORNING_MS + np.arange(5) * STEP_MS
        first, second = other.mean(start, start + STEP_MS), truth.mean(start, start + STEP_MS)
        assert_same(first, second)
        assert np.array_equal(other.book(first), truth.book(second))


def test_another_seed_is_another_site(truth):
    other = Truth(campus(), 8)
    times = np.array([MORNING_MS])
    assert not np.allclose(other.at(times).active_w, truth.at(times).active_w, rtol=1e-3)
    assert other.at(times).frequency_hz[0, 0] != truth.at(times).frequency_hz[0, 0]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 89_999), max_size=6, unique=True))
def test_books_do_not_depend_on_when_somebody_looked(eventful, looks):
    whole = means(eventful, MORNING_MS, MORNING_MS + 90_000)
    expected = eventful.book(whole).sum(axis=0)
    for look in looks:  # reads inside a step are answered and forgotten
        eventful.at(np.array([MORNING_MS + look]))
        means(eventful, MORNING_MS, MORNING_MS + look)
    edges = whole.start_ms[::-1]
    total = sum(
        eventful.book(eventful.mean(edges[row : row + 1], whole.end_ms[::-1][row : row + 1]))[0]
        for row in range(edges.size)
    )
    assert np.array_equal(total, expected)


def test_books_add_up_to_the_last_millijoule(eventful):
    solution = means(eventful, MORNING_MS, MORNING_MS + 120_000)
    energy = eventful.book(solution)
    assert energy.dtype == np.int64
    site = eventful.installation
    index = eventful.circuit_index
    loss = np.rint(solution.loss_w * (solution.end_ms - solution.start_ms)[:, None]).astype(np.int64)
    of_board = {
        board.name: sum(
            energy[:, index[c.name]] for c in site.circuits if c.board == board.name and c.kind != "incomer"
        )
        for board in site.boards
    }
    for incomer, board in (("incomer 1", "hall"), ("incomer 2", "plant"), ("floor incomer", "floor")):
        assert np.array_equal(energy[:, index[incomer]], of_board[board])
    for board in site.boards:
        if board.feeder is not None:
            feeder = index[board.feeder]
            assert np.array_equal(energy[:, feeder], of_board[board.name] + loss[:, feeder])


def test_books_are_the_powers_of_the_means(eventful):
    solution = means(eventful, MORNING_MS, MORNING_MS + 120_000)
    energy = solution.active_w.sum(axis=-1) * (solution.end_ms - solution.start_ms)[:, None]
    # Each circuit below a board may have been rounded by half a millijoule.
    assert eventful.book(solution) == pytest.approx(energy, rel=1e-12, abs=0.5 * energy.shape[1])


def test_means_of_powers_add_up_at_every_board(truth):
    solution = means(truth, MORNING_MS, MORNING_MS + 600_000)
    total = solution.active_w.sum(axis=-1)
    index = truth.circuit_index
    for incomer, board in (("incomer 1", "hall"), ("floor incomer", "floor")):
        branches = [
            index[c.name] for c in truth.installation.circuits if c.board == board and c.kind != "incomer"
        ]
        assert total[:, index[incomer]] == pytest.approx(total[:, branches].sum(axis=1), rel=1e-9)
    feeder = index["to floor"]
    assert total[:, feeder] == pytest.approx(
        total[:, index["floor incomer"]] + solution.loss_w[:, feeder], rel=1e-9
    )


def test_the_mean_of_a_step_is_the_mean_of_its_instants(truth):
    sampled = truth.at(MORNING_MS + 2 + np.arange(0, STEP_MS, 5))
    mean = truth.mean(np.array([MORNING_MS]), np.array([MORNING_MS + STEP_MS]))
    expected = sampled.active_w.sum(axis=-1).mean(axis=0)
    # Solving at mean powers leaves out the second order of their ripple; pulses begin between samples.
    assert mean.active_w[0].sum(axis=-1) == pytest.approx(expected, rel=1e-3, abs=10.0)
    assert mean.frequency_hz[0] == pytest.approx(sampled.frequency_hz.mean(axis=0), abs=1e-5)
    assert np.abs(mean.voltage_v[0, ..., 0]) == pytest.approx(
        np.abs(sampled.voltage_v[..., 0]).mean(axis=0), rel=1e-4
    )


def test_a_dip_hits_all_loads_of_its_source_in_the_same_millisecond(truth, eventful):
    around = MORNING_MS + np.array([3_455, 3_456, 3_855, 3_856])
    voltage = np.abs(eventful.at(around).voltage_v[..., 0])
    undisturbed = np.abs(truth.at(around).voltage_v[..., 0])
    hit = np.flatnonzero(eventful.board_source == eventful.source_index["T1"])
    alive = undisturbed[0, hit] > 0
    ratio = (voltage[:, hit][:, alive] / undisturbed[:, hit][:, alive]).T
    assert ratio[:, [0, 3]] == pytest.approx(np.ones((len(ratio), 2)), abs=1e-12)
    assert ratio[:, [1, 2]] == pytest.approx(np.full((len(ratio), 2), 0.4), abs=0.02)
    spared = np.flatnonzero(eventful.board_source != eventful.source_index["T1"])
    assert np.array_equal(voltage[:, spared], undisturbed[:, spared])


def test_a_dip_may_spare_phases(truth):
    event = Event(MORNING_MS, MORNING_MS + 200, "dip", "T2", 0.5, ("L2",))
    voltage = np.abs(
        truth.with_events([event]).at(np.array([MORNING_MS])).voltage_v[0, truth.board_index["plant"], :, 0]
    )
    assert voltage[1] == pytest.approx(0.5 * voltage[0], rel=0.03)
    assert voltage[2] == pytest.approx(voltage[0], rel=0.03)


def test_of_two_dips_at_once_the_deeper_remains(truth):
    def at(*residuals):
        events = [Event(MORNING_MS, None, "dip", "T1", residual) for residual in residuals]
        return truth.with_events(events).at(np.array([MORNING_MS]))

    assert_same(at(0.6, 0.3), at(0.3))


def test_an_interruption_leaves_nothing(eventful):
    solution = eventful.at(MORNING_MS + np.array([12_000, 12_001, 31_006, 31_007]))
    source = eventful.source_index["T2"]
    board = eventful.board_index["plant"]
    circuits = np.flatnonzero(eventful.circuit_source == source)
    assert solution.frequency_hz[[1, 2], source].tolist() == [0, 0]
    assert solution.frequency_hz[[0, 3], source].min() > 49.5
    for row in (1, 2):
        assert np.abs(solution.voltage_v[row, board]).max() == 0
        for name in (
            "current_a",
            "current_rms_a",
            "neutral_current_rms_a",
            "active_w",
            "reactive1_var",
            "loss_w",
        ):
            assert np.abs(getattr(solution, name)[row, circuits]).max() == 0
    assert solution.active_w[[0, 3], eventful.circuit_index["incomer 2"]].min() > 0
    energy = eventful.book(means(eventful, MORNING_MS + 12_001, MORNING_MS + 31_007))
    assert not energy[:, circuits].any()


def test_an_open_breaker_takes_only_its_own_circuit(truth, eventful):
    times = np.array([MORNING_MS + 5_000])
    circuit = eventful.circuit_index["circuit 2"]
    assert eventful.at(times).current_rms_a[0, circuit].max() == 0
    assert truth.at(times).current_rms_a[0, circuit].max() > 0
    others = np.flatnonzero(np.arange(len(eventful.circuit_index)) != circuit)
    assert np.count_nonzero(eventful.at(times).current_rms_a[0, others]) >= np.count_nonzero(
        truth.at(times).current_rms_a[0, others]
    )


def test_an_open_incomer_kills_its_board_and_all_behind(truth):
    opened = truth.with_events([Event(MORNING_MS, None, "open", "floor incomer")])
    solution = opened.at(np.array([MORNING_MS]))
    for board, is_dead in (
        ("floor", True),
        ("office", True),
        ("corridor", True),
        ("hall", False),
        ("annex", False),
    ):
        assert (np.abs(solution.voltage_v[0, truth.board_index[board]]).max() == 0) == is_dead
    assert solution.current_rms_a[0, truth.circuit_index["to floor"]].max() == 0


def test_an_event_for_good_never_ends(eventful):
    solution = eventful.at(np.array([MORNING_MS + 50_000, MORNING_MS + 400 * 86_400_000]))
    assert np.abs(solution.voltage_v[:, eventful.board_index["office"]]).max() == 0


def test_boundaries_are_steps_and_edges(eventful):
    start = MORNING_MS + 1_000
    found = eventful.boundaries(start, MORNING_MS + 32_000) - MORNING_MS
    assert found.tolist() == [1_000, 3_456, 3_856, 5_000, 10_000, 12_001, 20_000, 30_000, 31_007, 32_000]
    assert eventful.boundaries(MORNING_MS + 3_456, MORNING_MS + 3_856).size == 2


@pytest.mark.parametrize(
    ("start", "end"), [(0, 0), (10, 5), (9_000, 10_001), (0, 20_000), (3_000, 4_000), (12_000, 12_002)]
)
def test_a_mean_over_a_boundary_is_refused(eventful, start, end):
    with pytest.raises(ValueError, match="interval"):
        eventful.mean(np.array([MORNING_MS + start]), np.array([MORNING_MS + end]))


@pytest.mark.parametrize(
    "event",
    [
        Event(0, 10, "dip", "T9", 0.5),
        Event(0, 10, "interruption", "incomer 1"),
        Event(0, 10, "open", "T1"),
        Event(10, 10, "open", "spare"),
        Event(0, 10, "dip", "T1", 1.5),
    ],
)
def test_an_event_that_cannot_happen_is_refused(truth, event):
    with pytest.raises(EventError) as refused:
        truth.with_events([event])
    assert refused.value.event is event


def test_events_of_one_truth_do_not_reach_another(truth, eventful):
    times = np.array([MORNING_MS + 3_500])
    before = truth.at(times)
    assert_same(eventful.with_events([]).at(times), before)


def test_a_recording_goes_through_the_same_network():
    recording = Recording((MORNING_MS, MORNING_MS + STEP_MS), (12_000.0, -3_000.0), (4_000.0, 500.0))
    load = Load("l", "c", "kitchen", 15e3, recording=recording)
    truth = Truth(one_board(load), 1, classes=classes())
    solution = means(truth, MORNING_MS, MORNING_MS + 4 * STEP_MS)
    assert solution.active_w[:, 1].sum(axis=-1) == pytest.approx([12_000, -3_000, 12_000, -3_000], rel=2e-3)
    assert solution.reactive1_var[:, 1].sum(axis=-1) == pytest.approx([4_000, 500, 4_000, 500], rel=1e-5)
    assert truth.book(solution).sum(axis=0)[1] == pytest.approx(2 * 9_000 * STEP_MS, rel=2e-3)


@pytest.mark.parametrize("day", ["2026-03-28T23:00", "2026-10-24T22:00"])
def test_a_day_of_23_or_25_hours_is_as_long_as_it_is(day):
    start = int(np.datetime64(day, "ms").astype(np.int64))
    hours = 23 if "03-" in day else 25
    load = Load("l", "c", "quiet", 1000.0, profile="G1")
    truth = Truth(one_board(load), 1, classes=classes())
    energy = truth.book(means(truth, start, start + hours * HOUR_MS)).sum(axis=0)
    assert energy[1] == pytest.approx(hours * HOUR_MS * 1000.0, rel=1e-6)
    assert energy[0] == energy[1]


def test_the_site_is_a_believable_supply(truth):
    solution = truth.at(MONDAY_MS + np.arange(0, 24 * HOUR_MS, 600_000))
    phase = solution.voltage_v[..., 0]
    three = np.flatnonzero(np.abs(phase[0]).min(axis=-1) > 0)
    magnitude = np.abs(phase[:, three])
    assert magnitude.min() > 0.9 * 230
    assert magnitude.max() < 1.1 * 230
    a = np.exp(2j * np.pi / 3)
    positive = phase[:, three] @ np.array([1, a, a**2]) / 3
    negative = phase[:, three] @ np.array([1, a**2, a]) / 3
    assert np.abs(negative / positive).max() < 0.02
    # All of a source hear one frequency, and the same second source too.
    assert np.array_equal(solution.frequency_hz[:, 0], solution.frequency_hz[:, 1])


def test_instants_and_intervals_solved_together_are_those_solved_apart(eventful):
    instant = np.array([MORNING_MS + 3_500, MORNING_MS + 60_001], np.int64)
    start, end = np.array([[MORNING_MS + 3_456], [MORNING_MS + 3_777]], np.int64)
    both = eventful.at_and_mean(instant, start, end)
    asked = np.arange(len(eventful.circuit_index))
    for together, apart in zip(both, (eventful.at(instant), eventful.mean(start, end)), strict=True):
        for name in ARRAYS:
            assert np.array_equal(getattr(together, name), getattr(apart, name)), name
        assert np.array_equal(together.current_spectrum(asked), apart.current_spectrum(asked))
