"""Property values become the bytes of the standard's examples, and those that bacpypes3 makes of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.buses.bacnet import values
from virtual_digiware.buses.bacnet.codec import encode
from virtual_digiware.buses.bacnet.endpoint import _Encoded
from virtual_digiware.buses.bacnet.values import Tag, Value, Values

STANDARD_EXAMPLES = [  # ASHRAE 135, 20.2.2 to 20.2.14
    ((values.NULL,), "00"),
    (values.boolean(False), "10"),
    (values.boolean(True), "11"),
    (values.unsigned(72), "21 48"),
    (values.signed(72), "31 48"),
    (values.real(72.0), "44 42 90 00 00"),
    (values.text("This is a BACnet string!"), "75 19 00 54 68 69 73 20 69 73 20 61 20 42 41 43 6e 65 74"
     " 20 73 74 72 69 6e 67 21"),
    (values.text("Français"), "75 0a 00 46 72 61 6e c3 a7 61 69 73"),
    (values.bits((True, False, True, False, True)), "82 03 a8"),
    (values.enumerated(0), "91 00"),
    (values.moment(datetime(1991, 1, 24, 17, 35, 45, 170_000, UTC)), "a4 5b 01 18 04 b4 11 23 2d 11"),
    (values.object_id(3 << 22 | 15), "c4 00 c0 00 0f"),
]  # fmt: skip

NUMBERS = st.integers(0, 2**32 - 1)
OCTETS = st.tuples(*[st.integers(0, 255)] * 4)
CONTENTS = {
    Tag.NULL: st.none(),
    Tag.BOOLEAN: st.booleans(),
    Tag.UNSIGNED: NUMBERS,
    Tag.SIGNED: st.integers(-(2**31), 2**31 - 1),
    Tag.REAL: st.floats(width=32, allow_nan=False),
    Tag.TEXT: st.text(max_size=300),
    Tag.BITS: st.lists(st.booleans(), max_size=80).map(tuple),
    Tag.ENUMERATED: NUMBERS,
    Tag.DATE: OCTETS,
    Tag.TIME: OCTETS,
    Tag.OBJECT: NUMBERS,
}
VALUES = st.sampled_from(Tag).flatmap(lambda tag: CONTENTS[tag].map(lambda content: Value(tag, content)))


@pytest.mark.parametrize(("value", "expected"), STANDARD_EXAMPLES)
def test_a_value_is_encoded_as_in_the_examples_of_the_standard(value: Values, expected: str) -> None:
    assert encode(value).hex(" ") == expected


@given(st.lists(VALUES, max_size=4))
def test_values_are_encoded_as_the_library_encodes_them(several: list[Value]) -> None:
    assert encode(tuple(several)) == bytes(_Encoded(tuple(several)).encode().encode().pduData)


def test_what_is_not_available_reads_zero_and_no_date() -> None:
    assert encode(values.real(float("nan"))).hex(" ") == "44 00 00 00 00"
    assert encode(values.date_and_time(float("nan"))).hex(" ") == "a4 ff ff ff ff b4 ff ff ff ff"
    assert encode(values.date_and_time(0.0)).hex(" ") == "a4 ff ff ff ff b4 ff ff ff ff"


def test_a_date_register_becomes_a_date_and_a_time() -> None:
    # 2000-01-02 was a Sunday.
    assert encode(values.date_and_time(86_400 + 3_600 + 61)).hex(" ") == "a4 64 01 02 07 b4 01 01 01 00"
