"""Values to registers: examples that others computed, then whatever hypothesis finds."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.buses.fakes import block, row
from virtual_digiware.buses.modbus.codec import BlockPlan, NotEncodable, encode_value
from virtual_digiware.devices.encodings import ENCODINGS

SIGNED = {"S16": ">h", "S32": ">i", "S64": ">q"}
UNSIGNED = {
    "U16": ">H",
    "U16_HEX": ">H",
    "U32": ">I",
    "U32_HEX": ">I",
    "U32_IP": ">I",
    "DATETIME": ">I",
    "U64": ">Q",
    "U64_HEX": ">Q",
    "DATETIME_MS": ">Q",
}

EXAMPLES = [  # encoding, words, value, scale, bytes
    ("STRING_16", 4, "SOCO", 1, "0053 004f 0043 004f"),  # product identification, MODBUS tables of DIRIS B-30
    ("STRING_NORM", 8, "SOCOMEC", 1, "534f 434f 4d45 4300 0000 0000 0000 0000"),  # same, vendor name
    ("U16", 1, 1.34, 0.01, "0086"),
    ("U32", 2, 230.5, 0.01, "0000 5a0a"),
    ("U32", 2, 655.36, 0.01, "0001 0000"),  # the high word comes first
    ("S32", 2, -1, 1, "ffff ffff"),
    ("S16", 1, -0.5, 0.001, "fe0c"),
    ("S64", 4, -2, 1, "ffff ffff ffff fffe"),
    ("F32", 2, 230.5, 1, "4366 8000"),  # IEEE 754
    ("F32", 2, 1.0, 1, "3f80 0000"),
    ("U32_IP", 2, "192.168.0.4", 1, "c0a8 0004"),
    ("DATETIME", 2, 820540800, 1, "30e8 7580"),  # 2026-01-01 00:00:00 by date(1)
    ("DATETIME_MS", 4, 820540800.25, 0.001, "0000 00bf 0c0a fcfa"),
    ("DATETIME_3", 3, "2018-03-29T12:34:56", 1, "1203 1d0c 2238"),
    ("DATETIME_3", 3, 0x12031D0C2238, 1, "1203 1d0c 2238"),
]


@pytest.mark.parametrize(("encoding", "words", "value", "scale", "expected"), EXAMPLES)
def test_a_value_reads_as_the_tables_say(
    encoding: str, words: int, value: float | str, scale: float, expected: str
) -> None:
    assert encode_value(encoding, words, value, scale) == (bytes.fromhex(expected), False)


@pytest.mark.parametrize(("encoding", "words", "value", "scale", "expected"), EXAMPLES)
def test_a_block_encodes_each_row_as_the_row_alone(
    encoding: str, words: int, value: float | str, scale: float, expected: str
) -> None:
    plan = BlockPlan(block("b", 0, words + 2, [row("point", 1, encoding, words, scale)]))
    framed = b"\0\0" + bytes.fromhex(expected) + b"\0\0"
    assert plan.encode((value,)).data == framed
    if not isinstance(value, str) and value < 2**53:
        assert plan.encode(np.array([float(value)])).data == framed


@pytest.mark.parametrize("encoding", [name for name, known in ENCODINGS.items() if known.kind == "integer"])
def test_what_a_type_cannot_hold_reads_as_its_limit_and_is_counted(encoding: str) -> None:
    known = ENCODINGS[encoding]
    assert known.words is not None
    plan = BlockPlan(block("b", 0, known.words, [row("point", 0, encoding, known.words)]))
    for value, limit in (
        (math.inf, known.maximum),
        (1e30, known.maximum),
        (-math.inf, known.minimum),
        (-1e30, known.minimum),
    ):
        expected = (limit & (1 << 16 * known.words) - 1).to_bytes(2 * known.words, "big")
        if known.is_low_word_first:
            expected = b"".join(expected[at : at + 2] for at in reversed(range(0, len(expected), 2)))
        assert plan.encode(np.array([value])) == (expected, 1)
        assert plan.encode((value,)) == (expected, 1)


def test_a_float_beyond_single_precision_reads_as_its_limit() -> None:
    plan = BlockPlan(block("b", 0, 4, [row("high", 0, "F32", 2), row("low", 2, "F32", 2)]))
    assert plan.encode(np.array([1e300, -math.inf])) == (bytes.fromhex("7f7fffff ff7fffff"), 2)


def test_what_is_not_available_reads_zero() -> None:
    rows = [
        row("a", 0, "U32", 2),
        row("b", 2, "F32", 2),
        row("c", 4, "S64", 4),
        row("d", 8, "STRING_NORM", 2),
    ]
    plan = BlockPlan(block("b", 0, 10, rows))
    assert plan.encode((None, None, None, None)) == (bytes(20), 0)
    assert plan.encode((math.nan, math.nan, math.nan, None)) == (bytes(20), 0)
    numbers = BlockPlan(block("b", 0, 8, rows[:3]))
    assert numbers.encode(np.array([math.nan] * 3)) == (bytes(16), 0)


@pytest.mark.parametrize(
    ("value", "register"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (2.51, 3)]
)
def test_halves_are_rounded_to_even(value: float, register: int) -> None:
    plan = BlockPlan(block("b", 0, 1, [row("point", 0, "S16", 1)]))
    assert plan.encode(np.array([value])).data == struct.pack(">h", register)
    assert encode_value("S16", 1, value)[0] == struct.pack(">h", register)


def test_reserved_rows_and_words_without_row_read_zero() -> None:
    rows = [row("a", 1, "U16", 1), row("gone", 2, "U16", 1, reserved=True), row("c", 4, "U16", 1)]
    plan = BlockPlan(block("b", 0, 6, rows))
    expected = struct.pack(">6H", 0, 7, 0, 0, 9, 0)
    assert plan.encode(np.array([7.0, 8.0, 9.0])).data == expected
    assert plan.encode((7, 8, 9), raw=True).data == expected


def test_raw_registers_are_not_scaled() -> None:
    plan = BlockPlan(block("b", 0, 2, [row("point", 0, "U32", 2, 0.01)]))
    assert plan.encode((5,), raw=True).data == struct.pack(">I", 5)
    assert plan.encode((5,)).data == struct.pack(">I", 500)


def test_a_long_text_is_cut_and_a_written_one_kept_as_registers() -> None:
    assert encode_value("STRING_NORM", 2, "DIRIS I-30")[0] == b"DIRI"
    assert encode_value("STRING_16", 2, "DIRIS")[0] == b"\0D\0I"
    assert encode_value("STRING_NORM", 2, "Küche")[0] == "Küch".encode("latin-1")
    assert encode_value("STRING_NORM", 2, 0x41424344)[0] == b"ABCD"


@pytest.mark.parametrize(
    ("encoding", "value"),
    [
        ("U16", "12"),
        ("STRING_NORM", 1.5),
        ("BCD", 1),
        ("U32_IP", "nowhere"),
        ("DATETIME_3", "soon"),
        ("F32", "1"),
    ],
)
def test_a_value_of_the_wrong_kind_is_our_mistake_and_says_which(encoding: str, value: float | str) -> None:
    with pytest.raises(NotEncodable) as refusal:
        encode_value(encoding, 2, value)
    assert refusal.value.encoding == encoding
    assert refusal.value.value == value


def test_a_device_must_give_one_value_for_each_row() -> None:
    plan = BlockPlan(block("b", 0, 2, [row("point", 0, "U16", 1)]))
    with pytest.raises(ValueError, match="1 rows, 2 values"):
        plan.encode(np.zeros(2))


@given(st.data())
def test_every_integer_survives_the_wire(data: st.DataObject) -> None:
    encoding, layout = data.draw(st.sampled_from(sorted((SIGNED | UNSIGNED).items())))
    known = ENCODINGS[encoding]
    assert known.words is not None
    value = data.draw(st.integers(known.minimum, known.maximum))
    encoded, is_clipped = encode_value(encoding, known.words, value)
    assert struct.unpack(layout, encoded) == (value,)
    assert not is_clipped
    plan = BlockPlan(block("b", 0, known.words, [row("point", 0, encoding, known.words)]))
    assert plan.encode((value,), raw=True).data == encoded
    if known.words <= 2:
        assert plan.encode(np.array([float(value)])).data == encoded


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float32_survives_the_wire(value: float) -> None:
    plan = BlockPlan(block("b", 0, 2, [row("point", 0, "F32", 2)]))
    assert struct.unpack(">f", plan.encode(np.array([value])).data) == (value,)
    assert plan.encode((value,)).data == plan.encode(np.array([value])).data


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["U8", "U16", "S16", "U32", "S32", "S64", "U64", "F32", "DATETIME"]),
            st.sampled_from([1.0, 0.1, 0.01, 0.001, 10.0]),
            st.floats(-1e12, 1e12) | st.just(math.nan) | st.integers(-70000, 70000).map(float),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_the_fast_way_and_the_slow_way_give_the_same_bytes(cells: list[tuple[str, float, float]]) -> None:
    rows, offset = [], 0
    for number, (encoding, scale, _) in enumerate(cells):
        words = ENCODINGS[encoding].words
        assert words is not None
        rows.append(row(f"p{number}", offset, encoding, words, scale))
        offset += words
    plan = BlockPlan(block("b", 0, offset, rows))
    values = [value for _, _, value in cells]
    assert plan.encode(np.array(values)) == plan.encode(values)


@given(st.floats(-1e6, 1e6), st.sampled_from([0.001, 0.01, 0.1, 1.0]))
def test_a_register_is_never_further_than_half_a_step_from_the_value(value: float, scale: float) -> None:
    plan = BlockPlan(block("b", 0, 2, [row("point", 0, "S32", 2, scale)]))
    (register,) = struct.unpack(">i", plan.encode(np.array([value])).data)
    step = Fraction(scale)
    assert abs(register * step - Fraction(value)) <= step / 2 * (1 + Fraction(1, 10**6))
