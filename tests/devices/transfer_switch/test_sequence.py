"""Sequences of the manuals with their own times: loss, start, dead band, return, cooling, tests."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.transfer_switch.double_source import (
    GENSET,
    OTHER,
    T0,
    at,
    coupled_boards,
    gear,
    lost,
    order,
)
from virtual_digiware.devices.transfer_switch.controller import ORDERS
from virtual_digiware.devices.transfer_switch.settings import CouplerSettings
from virtual_digiware.devices.transfer_switch.switchgear import TransferGear
from virtual_digiware.profiles.installation import Event
from virtual_digiware.profiles.switching import BACKWARD, FORWARD, OPEN

LOSS = lost(60, 300)


def course(*events, second=GENSET, **choices):
    return gear(second, **choices).course(events)


def moves(of):
    """(seconds after T0, position) of every move."""
    return [
        ((edge - T0) / 1000, state.positions[0])
        for edge, state in zip(of.edges_ms, of.states[1:], strict=True)
    ]


def shown(of, seconds):
    return of.of("ats", at(seconds))


def test_between_two_mains_the_load_goes_over_after_the_failure_delay():
    """1FT 3 s, and the dead band of 3 s began with the loss; the breakers take 100 ms."""
    assert moves(course(LOSS, second=OTHER))[:2] == [(63.0, 0), (63.1, 2)]


def test_the_load_returns_after_180_s_and_is_dead_for_3_s():
    assert moves(course(LOSS, second=OTHER))[2:] == [(480.0, 0), (483.0, 1)]


def test_a_source_that_is_back_in_time_changes_nothing():
    assert moves(course(lost(60, 62.9), second=OTHER)) == []
    assert shown(course(lost(60, 62.9), second=OTHER), 63).sources == ("available", "available")


def test_the_generating_set_is_told_to_start_when_the_failure_delay_is_over():
    of = course(LOSS)
    assert not shown(of, 62.999).starts[1]
    assert shown(of, 63).starts == (False, True)
    assert of.runs["genset"][0].ordered_ms == at(63)


def test_the_load_goes_to_the_generating_set_5_s_after_it_is_within_its_limits():
    of = course(LOSS)
    states = of.shown["ats"]
    present = next(state.time_ms for state in states if state.sources[1] == "present")
    available = next(state.time_ms for state in states if state.sources[1] == "available")
    assert 63 + 2 + 5 < (present - T0) / 1000 < 63 + 4 + 10
    assert available - present == 5000
    assert [one for one, _ in moves(of)[:2]] == [(available - T0) / 1000, (available - T0) / 1000 + 0.1]


def test_the_generating_set_cools_down_for_180_s_after_the_return():
    of = course(LOSS)
    assert moves(of)[2:] == [(480.0, 0), (483.0, 1)]
    assert of.runs["genset"][0].stopped_ms == at(663)
    assert shown(of, 664).sources[1] == "lost"


def test_a_set_that_does_not_start_is_reported_after_30_s_and_the_sequence_goes_on():
    of = course(LOSS, Event(at(0), None, "no_start", "genset"))
    assert shown(of, 92.9).faults == frozenset()
    assert shown(of, 93).faults == {"start_failure"}
    assert moves(of) == []
    assert shown(of, 300).sources[0] == "available"  # the load never left it
    cleared = course(LOSS, Event(at(0), None, "no_start", "genset"), order(310, "reset_faults"))
    assert shown(cleared, 310).faults == frozenset()


def test_a_return_is_not_carried_out_when_the_source_fails_again():
    of = course(LOSS, lost(400, 500), second=OTHER)
    assert moves(of)[2:] == [(680.0, 0), (683.0, 1)]


def test_the_return_is_shortened_to_3_s_when_the_other_source_disappears():
    of = course(LOSS, lost(350, None, "other"), second=OTHER)
    assert moves(of)[2:] == [(356.0, 0), (356.1, 1)]


def test_a_set_that_fails_on_load_gives_the_load_back():
    of = course(LOSS, lost(310, None, "genset"))
    assert moves(of)[2:] == [(316.0, 0), (316.1, 1)]


def test_without_priority_the_load_stays_where_it_is():
    assert moves(course(LOSS, second=OTHER, priority=0)) == [(63.0, 0), (63.1, 2)]


def test_a_manual_retransfer_waits_for_somebody():
    waiting = course(LOSS, second=OTHER, has_manual_retransfer=True)
    assert moves(waiting) == [(63.0, 0), (63.1, 2)]
    assert shown(waiting, 600).waits_for_confirmation
    confirmed = course(LOSS, order(700, "confirm_return"), second=OTHER, has_manual_retransfer=True)
    assert moves(confirmed)[2:] == [(700.0, 0), (703.0, 1)]


def test_with_return_to_0_the_switch_opens_2_s_after_the_loss():
    assert moves(course(lost(60, 200), lost(60, 210, "other"), second=OTHER, has_return_to_0=True))[0] == (
        62.0,
        0,
    )


def test_a_test_on_load_starts_the_set_takes_the_load_and_gives_it_back():
    of = course(order(10, "test_on_load"), order(200, "end_test"))
    assert shown(of, 10).test == "on_load"
    assert of.runs["genset"][0].ordered_ms == at(10)
    positions = [position for _, position in moves(of)]
    assert positions == [0, 2, 0, 1]
    assert moves(of)[2:] == [(200.0, 0), (203.0, 1)]
    assert of.runs["genset"][0].stopped_ms == at(383)


def test_a_test_on_load_ends_by_itself_when_its_duration_is_set():
    of = course(order(10, "test_on_load"), timers_s={"TOT": 60, "T3T": 20})
    assert moves(of)[2] == (90.0, 0)


def test_a_test_off_load_leaves_the_load_where_it_is():
    of = course(order(10, "test_off_load"), timers_s={"TFT": 60})
    assert moves(of) == []
    assert [(run.ordered_ms, run.stopped_ms) for run in of.runs["genset"]] == [(at(10), at(70))]


def test_positions_are_obeyed_in_manual_mode_only():
    assert moves(course(order(10, "position_2"), second=OTHER)) == []
    of = course(order(9, "manual"), order(10, "position_2"), second=OTHER)
    assert moves(of) == [(10.0, 0), (13.0, 2)]


def test_an_inhibited_controller_does_nothing():
    assert moves(course(order(10, "inhibit"), LOSS, second=OTHER)) == []


def test_the_tenth_operation_within_a_minute_locks_the_switch_for_a_minute():
    orders = [order(9, "manual")]
    orders += [order(10 + 5 * n, f"position_{2 - n % 2}") for n in range(8)]
    of = course(*orders, second=OTHER, timers_s={"0DT": 0})
    assert len(moves(of)) == 10
    locked = moves(of)[-1][0]
    assert shown(of, locked).faults == {"too_many_operations"}
    assert shown(of, locked + 59.9).faults == {"too_many_operations"}
    assert shown(of, locked + 60).faults == frozenset()


def test_there_and_back_is_one_cycle_of_four_operations():
    last = course(LOSS, second=OTHER).shown["ats"][-1]
    assert (last.cycles, last.operations) == (1, 4)


@pytest.mark.parametrize(
    ("residual", "moved"), [(0.86, False), (0.84, True)], ids=["above 85 %", "below 85 %"]
)
def test_a_dip_is_a_loss_below_the_threshold(residual, moved):
    of = course(Event(at(60), at(300), "dip", "mains", residual), second=OTHER)
    assert bool(moves(of)) is moved


def test_the_coupler_closes_after_3_s_and_opens_after_180_s_never_with_both_sources():
    coupled = TransferGear(coupled_boards(), 1, [], [CouplerSettings("tie", ("mains", "other"))])
    of = coupled.course((lost(60, 300),))
    stands = [
        ((edge - T0) / 1000, state.couplers[0])
        for edge, state in zip(of.edges_ms, of.states[1:], strict=True)
    ]
    assert [(time, where) for time, where in stands if where in (OPEN, FORWARD, BACKWARD)] == [
        (63.5, BACKWARD),
        (480.5, OPEN),
    ]


intervals = st.lists(
    st.tuples(st.integers(0, 900), st.integers(1, 300), st.sampled_from(["mains", "genset"])), max_size=5
)
orders = st.lists(st.tuples(st.integers(0, 900), st.sampled_from(ORDERS)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(intervals, orders, st.integers(0, 1200))
def test_whatever_happens_moves_go_by_way_of_0_and_the_past_does_not_know_the_future(
    losses, given_orders, now
):
    events = [lost(start, start + length, source) for start, length, source in losses]
    events += [order(start, text) for start, text in given_orders]
    whole = course(*events)
    positions = [state.positions[0] for state in whole.states]
    assert all(0 in pair for pair in pairwise(positions))
    # What starts later is not known before: the course up to now is the same without it.
    known = course(*(one for one in events if one.start_ms <= at(now)))
    assert known.at(at(now)) == whole.at(at(now))
    assert shown(known, now).sources == shown(whole, now).sources
