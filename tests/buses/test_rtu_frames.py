"""Finding RTU requests in a stream: whole, in pieces, and between noise."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.buses.wire import crc, read_pdu, rtu
from virtual_digiware.buses.modbus.counters import Counters
from virtual_digiware.buses.modbus.rtu_frames import FrameCutter

READ = rtu(read_pdu(18434, 2))
WRITE = rtu("10 e200 0002 04 00a1 0001")
IDENTIFY = rtu("2b 0e 01 00")
UNKNOWN = rtu("41 01 02 03")


@pytest.fixture
def cutter() -> FrameCutter:
    return FrameCutter(Counters())


def bad_frames(cutter: FrameCutter) -> int:
    return cutter._counters.bad_frames


def test_the_crc_of_the_tests_is_that_of_the_specification() -> None:
    # MODBUS over Serial Line V1.02, section 6.2.2: slave 02, function 07 gives 41 12
    assert crc(b"\x02\x07") == b"\x41\x12"


@pytest.mark.parametrize("frame", [READ, WRITE, IDENTIFY, rtu("11"), rtu("17 0000 0001 0000 0001 02 0000")])
def test_a_whole_frame_is_taken_at_once(cutter: FrameCutter, frame: bytes) -> None:
    assert cutter.feed(frame) == [frame]
    assert not cutter.is_waiting
    assert bad_frames(cutter) == 0


def test_frames_in_one_chunk_are_taken_in_order(cutter: FrameCutter) -> None:
    assert cutter.feed(READ + WRITE + IDENTIFY + READ[:3]) == [READ, WRITE, IDENTIFY]
    assert cutter.is_waiting
    assert cutter.feed(READ[3:]) == [READ]


def test_a_frame_may_come_byte_by_byte(cutter: FrameCutter) -> None:
    for frame in (READ, WRITE, IDENTIFY):
        taken = [cutter.feed(bytes((byte,))) for byte in frame]
        assert taken == [[]] * (len(frame) - 1) + [[frame]]
    assert bad_frames(cutter) == 0


@pytest.mark.parametrize(
    "noise",
    [
        b"\0",
        b"\xff" * 7,
        b"\x04",
        b"\x04\x03",
        b"\x00\x00\x00\x00",
        READ[:5],
        READ[:-1] + b"\x00",
        b"\x04\x83\x02",
        rtu("83 02"),
    ],
)
def test_a_good_frame_behind_noise_is_found_at_once(cutter: FrameCutter, noise: bytes) -> None:
    assert cutter.feed(noise + READ) == [READ]
    assert bad_frames(cutter) == 1
    assert cutter.feed(READ) == [READ]
    assert bad_frames(cutter) == 1


def test_noise_that_looks_like_a_long_frame_gives_way_at_the_next_silence(cutter: FrameCutter) -> None:
    noise = bytes.fromhex("04 10 0000 0010 20 0000")
    assert cutter.feed(noise + READ) == []
    assert cutter.silence() == [READ]
    assert bad_frames(cutter) == 1
    assert not cutter.is_waiting


def test_a_wrong_crc_is_no_frame(cutter: FrameCutter) -> None:
    assert cutter.feed(READ[:-1] + bytes((READ[-1] ^ 1,))) == []
    assert cutter.silence() == []
    assert bad_frames(cutter) == 1
    assert cutter.feed(READ) == [READ]


def test_a_partial_frame_is_dropped_at_silence(cutter: FrameCutter) -> None:
    assert cutter.feed(WRITE[:-1]) == []
    assert cutter.silence() == []
    assert bad_frames(cutter) == 1
    assert cutter.feed(READ) == [READ]


def test_a_frame_of_unknown_length_ends_at_silence(cutter: FrameCutter) -> None:
    assert cutter.feed(UNKNOWN[:4]) == []
    assert cutter.feed(UNKNOWN[4:]) == []
    assert cutter.silence() == [UNKNOWN]
    assert bad_frames(cutter) == 0


def test_silence_on_a_silent_line_means_nothing(cutter: FrameCutter) -> None:
    assert cutter.silence() == []
    assert bad_frames(cutter) == 0


def test_a_frame_longer_than_256_bytes_is_noise(cutter: FrameCutter) -> None:
    long = rtu(bytes.fromhex("10 0000 007c f8") + bytes(248))
    assert len(long) == 257
    assert cutter.feed(long) == []
    assert cutter.silence() == []
    assert cutter.feed(rtu(bytes.fromhex("10 0000 007b f6") + bytes(246))) != []


def test_endless_noise_is_not_kept_and_silence_ends_the_deafness(cutter: FrameCutter) -> None:
    for _ in range(100):
        assert cutter.feed(b"\xa5" * 700) == []
    assert len(cutter._buffer) == 0
    assert cutter.is_waiting
    assert bad_frames(cutter) == 1
    assert cutter.feed(READ) == []
    assert cutter.silence() == []
    assert not cutter.is_waiting
    assert cutter.feed(READ) == [READ]


def test_a_frame_inside_the_data_of_a_longer_one_is_not_a_request(cutter: FrameCutter) -> None:
    carrier = rtu(bytes.fromhex("10 0000 0004 08") + READ)
    for byte in carrier[:-1]:
        assert cutter.feed(bytes((byte,))) == []
    assert cutter.feed(carrier[-1:]) == [carrier]


FRAMES = st.sampled_from(
    [READ, WRITE, IDENTIFY, rtu("06 0001 0003"), rtu("01 0000 0001"), rtu(read_pdu(0, 1), 9)]
)


@given(st.lists(FRAMES, min_size=1, max_size=6), st.data())
def test_frames_are_found_however_the_stream_is_cut(frames: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=12)))
    cutter = FrameCutter(Counters())
    found = [
        frame for start, end in pairwise([0, *cuts, len(stream)]) for frame in cutter.feed(stream[start:end])
    ]
    assert found == frames
    assert not cutter.is_waiting


@given(st.lists(st.binary(min_size=1, max_size=60) | FRAMES, max_size=12))
@settings(max_examples=300)
def test_after_a_silence_every_line_is_in_step_again(chunks: list[bytes]) -> None:
    cutter = FrameCutter(Counters())
    for chunk in chunks:
        cutter.feed(chunk)
    cutter.silence()
    assert not cutter.is_waiting
    assert cutter.feed(READ) == [READ]
