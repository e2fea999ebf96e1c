"""The bounds of what waits for a broker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.buses.mqtt.outbox import Message, MqttCounters, Outbox


def message(number: int, is_event: bool = False, size: int = 1) -> Message:
    return Message(f"t{number}", b"x" * size, 1, retain=False, is_event=is_event)


async def test_the_oldest_telemetry_makes_room_before_any_event():
    counters = MqttCounters()
    outbox = Outbox(3, 10_000, counters)
    for number, is_event in enumerate([True, False, False, True, False]):
        outbox.put(message(number, is_event))
    assert [one.topic for one in outbox.first(9)] == ["t0", "t3", "t4"]
    assert counters.dropped == 2


async def test_a_message_larger_than_the_bound_is_dropped_itself():
    counters = MqttCounters()
    outbox = Outbox(10, 100, counters)
    outbox.put(message(1, size=200))
    assert len(outbox) == outbox.octets == 0
    assert not outbox.filled.is_set()
    assert counters.dropped == 1


async def test_what_was_dropped_while_it_was_on_its_way_is_not_taken_twice():
    outbox = Outbox(2, 1000, MqttCounters())
    outbox.put(message(1))
    on_their_way = outbox.first(1)
    outbox.put(message(2))
    outbox.put(message(3))
    outbox.taken(on_their_way)
    assert [one.topic for one in outbox.first(9)] == ["t2", "t3"]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.booleans())),
    st.integers(1, 8),
    st.integers(10, 200),
)
def test_nothing_is_lost_but_what_is_counted_and_the_bounds_hold(steps, most, octets):
    import asyncio

    async def play() -> None:
        counters = MqttCounters()
        outbox = Outbox(most, octets, counters)
        taken = 0
        for number, (is_event, size, takes) in enumerate(steps):
            outbox.put(message(number, is_event, size))
            assert len(outbox) <= most
            assert outbox.octets <= octets
            if takes:
                first = outbox.first(1)
                outbox.taken(first)
                taken += len(first)
            assert outbox.octets == sum(one.size for one in outbox.first(most))
            assert outbox.filled.is_set() == bool(len(outbox))
        assert taken + counters.dropped + len(outbox) == len(steps)

    asyncio.run(play())
