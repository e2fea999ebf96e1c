"""The short path and bacpypes3 give the same bytes for every request that both can answer."""

from __future__ import annotations

import asyncio
from struct import pack

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.buses.bacnet.cabinet import (
    ANALOG_INPUT,
    BINARY_INPUT,
    BINARY_OUTPUT,
    CLIENT,
    DEVICE,
    I60,
    IO10,
    NETWORK,
    U30,
    Cabinet,
    confirmed,
    context,
    object_id,
    read_multiple,
    read_property,
    to_gateway,
    to_module,
    unicast,
)

MACS = st.sampled_from([None, *range(1, 10)])
INSTANCES = (
    st.sampled_from([100, 101, 107, 111, 126, 141, 150, 160, 170, 180, 200, 201, 300, 4194303])
    | st.integers(100, 110)
    | st.integers(0, 700)
)
OBJECTS = st.tuples(st.sampled_from([ANALOG_INPUT, BINARY_INPUT, BINARY_OUTPUT, DEVICE, 8, 2]), INSTANCES)
PROPERTIES = (
    st.sampled_from([85, 75, 76, 77, 79, 111, 103, 28, 117, 371, 87, 97, 96, 112, 372, 152, 149, 8, 80, 105])
    | st.integers(4000, 4024)
    | st.integers(0, 400)
)
INDICES = st.none() | st.integers(0, 3) | st.sampled_from([17, 250, 300, 70_000])
REFERENCES = st.tuples(PROPERTIES, INDICES)
HEADS = st.fixed_dictionaries(
    {
        "invoke": st.integers(0, 255),
        "limits": st.sampled_from([0x75, 0x05, 0x00, 0x73, 0x71, 0x14]),
        "flags": st.sampled_from([0, 2]),
    }
)


@st.composite
def apdus(draw: st.DrawFn) -> bytes:
    head = draw(HEADS)
    if draw(st.booleans()):
        (object_type, instance), (prop, index) = draw(OBJECTS), draw(REFERENCES)
        return read_property(object_type, instance, prop, index, **head)
    body = b""
    for (object_type, instance), references in draw(
        st.lists(st.tuples(OBJECTS, st.lists(REFERENCES, max_size=6)), max_size=4)
    ):
        body += b"\x0c" + object_id(object_type, instance) + b"\x1e"
        for prop, index in references:
            body += context(0, prop) + (b"" if index is None else context(1, index))
        body += b"\x1f"
    return confirmed(14, body, **head)


@st.composite
def datagrams(draw: st.DrawFn) -> bytes:
    """A read to the gateway or through it, perhaps from behind another router, with any priority."""
    mac, apdu = draw(MACS), draw(apdus())
    station = draw(st.none() | st.tuples(st.integers(1, 65534), st.binary(min_size=1, max_size=6)))
    control = draw(st.integers(0, 3)) | (0 if mac is None else 0x20) | (0 if station is None else 8)
    npdu = bytes((1, control | draw(st.sampled_from([0, 4]))))
    if mac is not None:
        npdu += pack(">HBB", NETWORK, 1, mac)
    if station is not None:
        npdu += pack(">HB", station[0], len(station[1])) + station[1]
    if mac is not None:
        npdu += bytes((draw(st.sampled_from([0, 1, 255])),))
    return unicast(npdu + apdu)


@settings(max_examples=600, deadline=None)
@given(datagrams())
@example(to_gateway(read_property(DEVICE, 4194303, 75)))
@example(to_gateway(read_multiple((DEVICE, 100, [8]), (DEVICE, 4194303, [105, 80]))))
@example(to_module(I60, read_multiple((ANALOG_INPUT, 118, [8]))))
@example(to_module(U30, read_multiple((ANALOG_INPUT, 101, [85]), (ANALOG_INPUT, 199, [85]))))
@example(to_module(IO10, read_multiple((BINARY_OUTPUT, 100, [8]), (BINARY_INPUT, 400, [8]))))
def test_both_paths_give_the_same_bytes(standing: Cabinet, datagram: bytes) -> None:
    short = standing.router._plain.reply(datagram)

    async def ask() -> list[bytes]:
        """In a loop, because of the timer of an answer in segments, which nobody acknowledges."""
        answers = standing.ask_library(datagram)
        standing.router.close()
        return answers

    full = asyncio.run(ask())
    if short is not None:
        assert [short] == full


def test_the_reads_that_clients_send_take_the_short_path(standing: Cabinet) -> None:
    plain = standing.router._plain
    for datagram in (
        to_gateway(read_property(DEVICE, 100, 77)),
        to_module(I60, read_property(ANALOG_INPUT, 118, 85)),
        to_module(I60, read_property(ANALOG_INPUT, 118, 9999)),
        to_module(I60, read_property(DEVICE, 104, 76, 3)),
        to_module(I60, read_multiple(*[(ANALOG_INPUT, 100 + index, [85]) for index in range(1, 21)])),
        to_module(I60, read_multiple((ANALOG_INPUT, 118, [8]))),
    ):
        assert plain.reply(datagram) is not None


def test_a_repeated_read_costs_no_reading_until_something_changes(cabinet: Cabinet) -> None:
    datagram = to_module(I60, read_property(ANALOG_INPUT, 118, 85))
    first = cabinet.ask(datagram)
    assert cabinet.ask(datagram) == first
    cabinet.model.publish(cabinet.model.compute(cabinet.model.snapshot.time_ms + 3_600_000))
    assert cabinet.ask(datagram) != first
    assert cabinet.counters.short == 3


async def test_the_short_path_keeps_out_of_the_way_of_an_exchange_of_segments(cabinet: Cabinet) -> None:
    long = to_module(I60, read_property(DEVICE, 104, 76, limits=0x70))
    assert cabinet.ask(long)[0][10] == 0x3C
    again = to_module(I60, read_property(DEVICE, 104, 77, limits=0x75))
    assert cabinet.ask(again) == []  # the same invoke id: a repetition while the answer is under way
    assert cabinet.ask(again, (CLIENT[0], 5)) != []
    cabinet.router.close()
