"""A transfer really moves the load: voltages, currents, frequencies and energies on both sides of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.transfer_switch.double_source import OTHER, T0, at, coupled_truth, lost, order, truth
from virtual_digiware.devices.transfer_switch.controller import ORDERS
from virtual_digiware.profiles.installation import Event
from virtual_digiware.profiles.truth import Truth

LOSS = (lost(60, 300),)


def moments(*seconds):
    return np.array([at(one) for one in seconds], dtype=np.int64)


def total_w(solution, subject, circuit):
    return solution.active_w[:, subject.circuit_index[circuit]].sum(axis=1)


def voltage_v(solution, subject, board):
    return np.abs(solution.voltage_v[:, subject.board_index[board], 0, 0])


def booked(subject, start_s, end_s):
    edges = subject.boundaries(at(start_s), at(end_s))
    energy = subject.book(subject.mean(edges[:-1], edges[1:]))
    return {name: energy[:, index] for name, index in subject.circuit_index.items()}


def test_the_load_is_on_the_mains_then_dead_then_on_the_generating_set_then_back():
    subject = truth(LOSS)
    solution = subject.at(moments(59, 62, 75, 120, 481, 484))
    pump = total_w(solution, subject, "pump")
    assert list(pump > 1000) == [True, False, False, True, False, True]
    first, second = total_w(solution, subject, "to ats 1"), total_w(solution, subject, "to ats 2")
    assert list(first > 1000) == [True, False, False, False, False, True]
    assert list(second > 1000) == [False, False, False, True, False, False]
    assert voltage_v(solution, subject, "essential")[[1, 2, 4]] == pytest.approx(0)


def test_the_board_has_the_frequency_and_phase_of_the_source_it_is_on():
    subject = truth(LOSS)
    solution = subject.at(moments(50, 120, 481, 500))
    column = subject.board_source[subject.board_index["essential"]]
    seen = solution.frequency_hz[:, column]
    assert seen[0] == solution.frequency_hz[0, 0]
    assert seen[1] == solution.frequency_hz[1, 1]
    assert 48.5 < seen[1] < 49.9
    assert seen[2] == 0
    assert seen[3] == solution.frequency_hz[3, 0]


def test_a_generating_set_at_rest_has_neither_voltage_nor_frequency():
    subject = truth(())
    solution = subject.at(moments(10))
    assert voltage_v(solution, subject, "reserve")[0] == 0
    assert solution.frequency_hz[0, 1] == 0


def test_the_harmonics_of_the_voltage_rise_on_the_generating_set():
    subject = truth(LOSS)
    voltage = np.abs(subject.at(moments(50, 120)).voltage_v[:, subject.board_index["essential"], 0])
    distortion = np.sqrt((voltage[:, 1:] ** 2).sum(axis=1)) / voltage[:, 0]
    assert distortion[1] != pytest.approx(distortion[0], rel=0.05)
    assert 0.01 < distortion[1] < 0.08


def test_taking_the_load_dips_the_frequency_of_the_generating_set_and_it_recovers():
    subject = truth(LOSS, timers_s={"2AT": 60})
    closed = next(
        edge
        for edge, state in zip(subject.course.edges_ms, subject.course.states[1:], strict=True)
        if state.positions == (2,)
    )
    hz = subject.at(np.array([closed + 700, closed + 15_000], dtype=np.int64)).frequency_hz[:, 1]
    load = total_w(subject.at(np.array([closed + 700], dtype=np.int64)), subject, "essential incomer")[0]
    # 13 % for the whole rating; the shape e^(-x/1.5) - e^(-x/0.3) is 0.53 after 0.7 s.
    assert hz[1] - hz[0] == pytest.approx(50 * 0.13 * load / 100e3 * 0.53, abs=0.1)


def test_energies_before_the_switch_add_up_to_those_behind_it_to_the_last_digit():
    energy = booked(truth(LOSS), 0, 700)
    essential = energy["pump"] + energy["light"]
    assert np.array_equal(energy["essential incomer"], essential)
    assert np.array_equal(energy["to ats 1"] + energy["to ats 2"], essential)
    assert np.array_equal(energy["main incomer"], energy["to ats 1"] + energy["office"])
    assert np.array_equal(energy["reserve incomer"], energy["to ats 2"])
    assert energy["to ats 1"].sum() > 0
    assert energy["to ats 2"].sum() > 0


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(1, 200), st.sampled_from(["mains", "genset"])), max_size=3
    ),
    st.lists(st.tuples(st.integers(0, 600), st.sampled_from(ORDERS)), max_size=5),
)
def test_energies_add_up_whatever_happens(losses, orders):
    events = [lost(start, start + length, source) for start, length, source in losses]
    events += [order(start, text) for start, text in orders]
    energy = booked(truth(events), 0, 700)
    essential = energy["pump"] + energy["light"]
    assert np.array_equal(energy["essential incomer"], essential)
    assert np.array_equal(energy["to ats 1"] + energy["to ats 2"], essential)
    assert not np.any((energy["to ats 1"] != 0) & (energy["to ats 2"] != 0))
    assert np.array_equal(energy["main incomer"], energy["to ats 1"] + energy["office"])


def test_no_energy_is_counted_in_the_dead_time():
    subject = truth(LOSS)
    energy = booked(subject, 480, 483)
    assert energy["pump"].sum() == 0
    assert energy["main incomer"].sum() == energy["office"].sum() > 0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 700_000), min_size=1, max_size=12),
    st.integers(1000, 200_000),
)
def test_a_time_tells_the_same_in_any_company(offsets, length):
    subject = truth((lost(60, 60 + length / 1000),))
    times = np.array([T0 + one for one in offsets], dtype=np.int64)
    together = subject.at(times)
    every = np.arange(len(subject.circuit_index))
    spectra = together.current_spectrum(every)
    for place, t_ms in enumerate(times):
        alone = truth((lost(60, 60 + length / 1000),)).at(np.array([t_ms]))
        for name in ("frequency_hz", "voltage_v", "active_w", "current_rms_a", "loss_w"):
            assert np.array_equal(getattr(alone, name)[0], getattr(together, name)[place]), name
        assert np.array_equal(alone.current_spectrum(every)[0], spectra[place])


def test_what_is_not_switched_is_as_without_a_switch():
    subject = truth((order(1, "manual"), order(2, "position_0")))
    solution = subject.at(moments(100))
    plain = Truth(_without_switch(subject.installation), 1)
    # Sums over other loads are rounded otherwise; nothing more differs while the switch is open.
    assert solution.active_w[0, subject.circuit_index["office"]] == pytest.approx(
        plain.at(moments(100)).active_w[0, plain.circuit_index["office"]], rel=1e-12
    )


def _without_switch(installation):
    circuits = tuple(one for one in installation.circuits if one.name in ("main incomer", "office"))
    return replace(
        installation,
        boards=installation.boards[:1],
        circuits=circuits,
        loads=installation.loads[:1],
        transfers=(),
        sources=installation.sources[:1],
    )


def test_an_order_that_comes_later_does_not_change_what_was_before():
    before, after = truth(LOSS), truth((*LOSS, order(400, "manual"), order(410, "position_0")))
    times = moments(*range(0, 400, 7))
    assert np.array_equal(before.at(times).active_w, after.at(times).active_w)
    assert total_w(after.at(moments(420)), after, "pump")[0] == 0


def test_a_shifted_frequency_is_seen_and_turns_the_controller_away_when_it_is_too_much():
    subject = truth((Event(at(60), at(400), "frequency", "mains", shift_hz=-3.0),), OTHER)
    solution = subject.at(moments(61, 100))
    assert solution.frequency_hz[0, 0] == pytest.approx(47, abs=0.15)
    assert total_w(solution, subject, "to ats 2")[1] > 1000


def test_a_coupler_takes_over_the_board_that_lost_its_source():
    subject = coupled_truth((lost(60, 300, "other"),))
    solution = subject.at(moments(50, 61, 70, 485))
    assert list(total_w(solution, subject, "right load") > 100) == [True, False, True, True]
    assert list(total_w(solution, subject, "tie") > 100) == [False, False, True, False]
    assert list(total_w(solution, subject, "right incomer") > 100) == [True, False, False, True]
    energy = booked(subject, 0, 700)
    assert np.array_equal(energy["left incomer"], energy["left load"] + energy["tie"])
    assert np.array_equal(energy["right incomer"] + energy["tie"], energy["right load"])


def test_power_to_the_first_board_counts_negative_in_the_coupler():
    subject = coupled_truth((lost(60, 300, "mains"),))
    solution = subject.at(moments(70))
    tie = subject.circuit_index["tie"]
    assert total_w(solution, subject, "tie")[0] == pytest.approx(
        -total_w(solution, subject, "left load")[0], rel=1e-9
    )
    spectrum = solution.current_spectrum(np.array([tie]))[0, 0, :, 0]
    assert spectrum == pytest.approx(solution.current_a[0, tie])
    energy = booked(subject, 0, 700)
    assert np.array_equal(energy["left incomer"], energy["left load"] + energy["tie"])
    assert np.array_equal(energy["right incomer"], energy["right load"] - energy["tie"])


def test_somebody_who_closes_the_coupler_makes_both_boards_share_the_first_source():
    subject = coupled_truth((Event(at(60), at(120), "coupled", "tie"),))
    solution = subject.at(moments(50, 60.2, 70, 130))
    assert list(total_w(solution, subject, "right incomer") > 100) == [True, False, False, True]
    assert list(total_w(solution, subject, "right load") > 100) == [True, False, True, True]
    column = subject.board_source[subject.board_index["right"]]
    assert solution.frequency_hz[2, column] == solution.frequency_hz[2, 0]
