"""Characters between devices whose serial settings differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.buses.modbus.line_timing import LineTiming
from virtual_digiware.buses.modbus.uart import as_heard

DATA = st.binary(min_size=1, max_size=40)
BAUDRATES = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


def test_a_byte_sent_at_half_the_speed_is_heard_as_its_bits_doubled():
    # 0x00 at 9600 is a low wire for nine bit times, eighteen at 19200: a start bit, zeros, and no stop bit.
    assert as_heard(b"\x00", LineTiming(9600), LineTiming(19200)) == b""
    # 0xFF is one low bit, two at double speed: a start bit and one zero in front of ones.
    assert as_heard(b"\xff", LineTiming(9600), LineTiming(19200)) == b"\xfe"


def test_a_parity_bit_drops_the_characters_it_does_not_fit():
    even, odd, none = (LineTiming(parity=parity) for parity in ("even", "odd", "none"))
    assert as_heard(b"\x01\x03", even, odd) == b""
    assert as_heard(b"\x01\x03", even, even) == b"\x01\x03"
    # Without parity the stop bit stands in its place, which even parity takes for a one.
    assert as_heard(b"\x01", none, even) == b"\x01"
    assert as_heard(b"\x03", none, even) == b""


def test_a_second_stop_bit_disturbs_nobody():
    one, two = LineTiming(stop_bits=1), LineTiming(stop_bits=2)
    assert as_heard(b"\x00\x55\xff", one, two) == as_heard(b"\x00\x55\xff", two, one) == b"\x00\x55\xff"


@given(DATA, st.sampled_from(BAUDRATES), st.sampled_from(BAUDRATES))
def test_another_speed_gives_other_bytes_and_always_the_same(data: bytes, sent: int, heard: int):
    first = as_heard(data, LineTiming(sent), LineTiming(heard))
    assert first == as_heard(data, LineTiming(sent), LineTiming(heard))
    assert (first == data) == (sent == heard)


@given(DATA)
def test_equal_settings_carry_everything(data: bytes):
    for parity in ("none", "even", "odd"):
        assert as_heard(data, LineTiming(parity=parity), LineTiming(parity=parity)) == data
