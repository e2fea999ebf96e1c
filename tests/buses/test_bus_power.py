"""The power budget of a Digiware bus, by the maker's worked examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.buses.bus_power import Consumer, segments
from virtual_digiware.devices.catalogue import product

MANUAL_EXAMPLES = [
    # supply, current module, how many, total in W. DIRIS Digiware instruction manual 542875G, page 52:
    # a D-50, a U module, 50 m of cable and the current modules.
    (15, "I-35", 19, 14.60),
    (15, "I-45", 9, 14.845),
    # Printed as 19.30 W; the printed parts add up to half a watt more.
    (20, "I-35", 29, 19.80),
    (20, "I-45", 13, 19.345),
]


def watts(name: str) -> float:
    return float(product(name).features["consumption_w"])


@pytest.mark.parametrize(("supply_w", "current", "count", "total_w"), MANUAL_EXAMPLES)
def test_the_budget_is_the_one_of_the_manual(supply_w, current, count, total_w):
    cable_m = 50 / (count + 1)
    chain = [Consumer("d50", watts("D-50"), supply_w=supply_w), Consumer("u", watts("U-30"), cable_m)]
    chain += [Consumer(f"i{number}", watts(current), cable_m) for number in range(count)]
    (segment,) = segments(chain)
    assert segment.total_w == pytest.approx(total_w, abs=1e-9)
    assert segment.length_m == pytest.approx(50)
    assert not segment.is_overloaded
    assert segment.past_limit == ()
    one_more = Consumer("more", supply_w - segment.total_w + 0.001)
    (fuller,) = segments([*chain, one_more])
    assert fuller.is_overloaded
    assert fuller.past_limit == ("more",)


def test_a_coupler_draws_as_much_as_the_cable_that_it_counts_as():
    assert Consumer("i", 0.5, 1.0, 2).link_w == pytest.approx(0.23)
    assert Consumer("i", 0.5, 1.0, 2).link_m == pytest.approx(1 + 2 * 3.33, abs=0.01)


def test_a_repeater_feeds_what_follows_and_loads_only_its_own_supply():
    near, far = segments(
        [
            Consumer("m50", 2.5, supply_w=15),
            Consumer("u", 0.72, 0.5),
            Consumer("c32", 1.0, 60, supply_w=20),
            Consumer("i", 0.52, 50, is_estimate=True),
        ]
    )
    assert (near.feeder.name, near.total_w, near.length_m) == ("m50", pytest.approx(5.035), 60.5)
    assert (far.feeder.name, far.total_w, far.length_m) == ("c32", pytest.approx(3.02), 50)
    assert (near.has_estimates, far.has_estimates) == (False, True)


def test_a_bus_without_a_supply_is_a_mistake():
    with pytest.raises(ValueError, match="a head that has a supply"):
        segments([Consumer("u", 0.72)])


WATTS = st.floats(0.1, 3)


@given(st.lists(st.tuples(WATTS, st.floats(0, 30), st.one_of(st.none(), st.floats(1, 20))), max_size=20))
def test_segments_share_everything_out_and_only_the_far_end_browns_out(drawn):
    chain = [Consumer("head", 2.5, supply_w=15.0)]
    chain += [
        Consumer(f"m{i}", own_w, cable_m, 0, supply) for i, (own_w, cable_m, supply) in enumerate(drawn)
    ]
    found = segments(chain)
    assert [one for segment in found for one in (segment.feeder, *segment.modules)] == chain
    assert sum(one.total_w for one in found) == pytest.approx(sum(one.own_w + one.link_w for one in chain))
    for segment in found:
        names = [module.name for module in segment.modules]
        lost = segment.past_limit
        assert list(lost) == names[len(names) - len(lost) :]
        assert segment.is_overloaded or not lost
