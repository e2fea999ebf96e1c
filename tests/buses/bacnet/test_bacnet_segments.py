"""Answers and requests that do not fit one datagram: windows, acknowledgements, losses, limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.buses.bacnet.cabinet import (
    ANALOG_INPUT,
    BINARY_OUTPUT,
    DEVICE,
    I60,
    IO10,
    OBJECT_LIST,
    Cabinet,
    apdu_of,
    object_id,
    read_multiple,
    read_property,
    to_module,
    write_property,
)

ONLY_50 = 0x70  # any number of segments, 50 octets each
OBJECTS = 197  # of the I-60 with four circuits, the device among them


@pytest.fixture
async def talking() -> Iterator[Cabinet]:  # type: ignore[misc]
    """A cabinet with a running loop, which timers of open exchanges need."""
    made = Cabinet()
    yield made
    made.router.close()


def ack(sequence: int, window: int, invoke: int = 1, flags: int = 0x40) -> bytes:
    return to_module(I60, bytes((flags, invoke, sequence, window)))


def object_list(**more: int) -> bytes:
    return to_module(I60, read_property(DEVICE, 104, OBJECT_LIST, **more))


def collect(cabinet: Cabinet, first: list[bytes], window: int) -> bytes:
    """Acknowledge windows until the last segment; the whole content."""
    content, expected, arrived = b"", 0, first
    while arrived:
        more, last = True, 0
        for datagram in arrived:
            apdu = apdu_of(datagram)
            more, last = bool(apdu[0] & 4), apdu[2]
            assert apdu[0] & 0xFB == 0x38
            assert last == expected
            assert len(apdu) <= 50
            content += apdu[5:]
            expected += 1
        arrived = cabinet.ask(ack(last, window))
        if not more:
            assert arrived == []
            break
    return content


@pytest.mark.parametrize("window", [1, 3, 16, 127])
async def test_a_long_object_list_arrives_in_windows_of_segments(talking, window):
    first = talking.ask(object_list(limits=ONLY_50))
    content = collect(talking, first, window)
    assert content.startswith(b"\x0c" + object_id(DEVICE, 104) + b"\x19\x4c\x3e")
    assert len(content) == 8 + 5 * OBJECTS + 1
    assert not talking.router._is_busy


async def test_the_first_segment_goes_alone_and_proposes_a_window(talking):
    (first,) = talking.ask(object_list(limits=ONLY_50))
    assert first[5] == 0x0C  # from the virtual network, an answer is expected
    assert apdu_of(first)[:5] == bytes((0x3C, 1, 0, 16, 12))
    segments = [apdu_of(one) for one in talking.ask(ack(0, 4))]
    assert [segment[2:4] for segment in segments] == [bytes((number, 4)) for number in (1, 2, 3, 4)]


async def test_a_window_may_shrink(talking):
    talking.ask(object_list(limits=ONLY_50))
    assert len(talking.ask(ack(0, 10))) == 10
    assert [apdu_of(one)[2] for one in talking.ask(ack(10, 2))] == [11, 12]


async def test_a_segment_lost_on_the_way_is_sent_again(talking):
    talking.ask(object_list(limits=ONLY_50))
    talking.ask(ack(0, 4))
    again = talking.ask(ack(2, 4, flags=0x42))  # negative: 2 is the last one in order
    assert [apdu_of(one)[2] for one in again] == [3, 4, 5, 6]


async def test_a_segment_lost_at_the_end_is_sent_again(talking):
    talking.ask(object_list(limits=ONLY_50))
    everything = talking.ask(ack(0, 127))
    last = apdu_of(everything[-1])[2]
    assert not apdu_of(everything[-1])[0] & 4
    again = talking.ask(ack(last - 2, 127, flags=0x42))
    assert [apdu_of(one)[2] for one in again] == [last - 1, last]
    assert talking.ask(ack(last, 127)) == []
    assert not talking.router._is_busy


async def test_segments_are_repeated_when_nobody_acknowledges_and_given_up_at_last(talking):
    talking.ask(object_list(limits=ONLY_50))
    _, layer = talking.router._layers["m70/i60"]
    (transaction,) = layer.serverTransactions
    talking.sent.clear()
    for _ in range(3):
        transaction.timer_expired()
    assert [apdu_of(datagram)[2] for datagram, _ in talking.sent] == [0, 0, 0]
    transaction.timer_expired()
    assert len(talking.sent) == 3
    assert not talking.router._is_busy
    assert talking.counters.failures == 0


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"flags": 0, "limits": ONLY_50}, 4),  # the client takes no segments
        ({"limits": 0x10}, 11),  # two segments of 50 octets are not enough
    ],
)
async def test_an_answer_that_the_client_cannot_take_is_aborted(talking, more, reason):
    (answer,) = talking.ask(object_list(**more))
    assert apdu_of(answer) == bytes((0x71, 1, reason))
    assert not talking.router._is_busy


async def test_no_answer_is_longer_than_the_client_takes(talking):
    for size, code in ((50, 0), (128, 1), (206, 2), (480, 3), (1024, 4), (1476, 5)):
        for count in range(1, 30):
            references = [(ANALOG_INPUT, 100 + index, [75, 77, 85]) for index in range(1, count + 1)]
            for answer in talking.ask(to_module(I60, read_multiple(*references, limits=0x70 | code))):
                assert len(apdu_of(answer)) <= size
            talking.router.close()


@pytest.mark.parametrize(("window", "reason"), [(0, 7), (128, 7)])
async def test_an_impossible_window_ends_the_exchange(talking, window, reason):
    talking.ask(object_list(limits=ONLY_50))
    (answer,) = talking.ask(ack(0, window))
    assert apdu_of(answer) == bytes((0x71, 1, reason))


async def test_an_abort_of_the_client_ends_the_exchange_without_an_answer(talking):
    talking.ask(object_list(limits=ONLY_50))
    assert talking.ask(to_module(I60, bytes((0x70, 1, 0)))) == []
    assert not talking.router._is_busy


async def test_acknowledgements_of_what_was_never_sent_do_nothing(talking):
    talking.ask(object_list(limits=ONLY_50))
    assert talking.ask(ack(9, 4)) == []
    assert talking.ask(ack(0, 4, invoke=2)) == []
    assert len(talking.ask(ack(0, 4))) == 4
    assert talking.counters.failures == 0


async def test_two_clients_and_two_devices_may_use_the_same_invoke_id(talking):
    talking.ask(object_list(limits=ONLY_50))
    assert len(talking.ask(object_list(limits=ONLY_50), ("127.0.0.8", 1))) == 1
    other = to_module(3, read_property(DEVICE, 103, OBJECT_LIST, limits=ONLY_50))
    assert len(talking.ask(other)) == 1


def segments_of(apdu: bytes, size: int) -> list[bytes]:
    """A confirmed request in segments."""
    body = apdu[4:]
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return [
        bytes((0x08 | (4 if number < len(pieces) - 1 else 0) | 2, apdu[1], apdu[2], number, 4, apdu[3]))
        + piece
        for number, piece in enumerate(pieces)
    ]


async def test_a_request_in_segments_is_put_together(talking):
    whole = write_property(BINARY_OUTPUT, 100, 85, b"\x91\x01", 8)
    answers = [
        [apdu_of(one) for one in talking.ask(to_module(IO10, segment))] for segment in segments_of(whole, 5)
    ]
    assert answers[0] == [bytes((0x41, 1, 0, 4))]
    assert answers[-1][-1] == bytes((0x20, 1, 15))
    assert talking.writes.taken == [("m70/io10", 16, 11284, (0, 1))]


async def test_a_request_of_endless_segments_is_aborted(talking):
    started = bytes((0x0E, 0x75, 1, 0, 4, 14)) + bytes(1400)
    talking.ask(to_module(I60, started))
    number, answer = 1, b""
    while not answer.startswith(b"\x71"):
        segment = bytes((0x0E, 0x75, 1, number % 256, 4, 14)) + bytes(1400)
        answers = talking.ask(to_module(I60, segment))
        answer = apdu_of(answers[-1]) if answers else b""
        number += 1
        assert number < 40
    assert answer == bytes((0x71, 1, 1))


@pytest.mark.parametrize(("sequence", "window", "reason"), [(3, 4, 2), (0, 0, 7), (0, 200, 7)])
async def test_a_request_that_begins_wrongly_is_aborted(talking, sequence, window, reason):
    segment = bytes((0x0E, 0x75, 1, sequence, window, 14)) + bytes(10)
    (answer,) = talking.ask(to_module(I60, segment))
    assert apdu_of(answer) == bytes((0x71, 1, reason))


async def test_begun_requests_are_bounded(talking):
    for number in range(80):
        talking.ask(to_module(I60, bytes((0x0E, 0x75, number, 0, 4, 14)) + bytes(10)))
    _, layer = talking.router._layers["m70/i60"]
    assert len(layer.serverTransactions) == 64
