"""BER as SNMP messages use it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ

from virtual_digiware.buses.snmp import ber

OIDS = [
    ((1, 3, 6, 1, 4, 1, 4555), "2b06010401a34b"),  # the vendor's number is 0x11CB
    ((1, 3, 6, 1, 2, 1, 1, 3, 0), "2b06010201010300"),  # sysUpTime.0
    ((2, 100, 3), "813403"),  # X.690, 8.19.5
]
INTEGERS = [(0, "00"), (127, "7f"), (128, "0080"), (256, "0100"), (-128, "80"), (-129, "ff7f"), (-1, "ff")]

numbers = st.integers(0, 0xFFFFFFFF)
oids = st.tuples(st.integers(0, 1), st.integers(0, 39)).flatmap(
    lambda head: st.lists(numbers, max_size=12).map(lambda rest: (*head, *rest))
)


@pytest.mark.parametrize(("oid", "octets"), OIDS)
def test_identifiers_are_written_as_in_the_standard(oid, octets):
    assert ber.oid_content(oid).hex() == octets
    assert ber.read_oid(bytes.fromhex(octets)) == oid


@pytest.mark.parametrize(("number", "octets"), INTEGERS)
def test_integers_take_as_few_octets_as_possible(number, octets):
    assert ber.integer_content(number).hex() == octets
    if number != -128:
        assert ber.read_integer(bytes.fromhex(octets)) == number


@given(oids)
def test_identifiers_are_what_pyasn1_makes_of_them(oid):
    encoded = encoder.encode(univ.ObjectIdentifier(oid))
    assert ber.tlv(ber.OBJECT_IDENTIFIER, ber.oid_content(oid)) == encoded
    begin, end = ber.read_tlv(encoded, 0, ber.OBJECT_IDENTIFIER)
    assert ber.read_oid(encoded[begin:end]) == oid


LOWEST = [-(2 ** (8 * size - 1)) for size in range(1, 9)]


@pytest.mark.parametrize("number", LOWEST)
def test_the_lowest_number_of_each_size_has_an_octet_less_than_pyasn1_gives_it(number):
    content = ber.integer_content(number)
    assert encoder.encode(univ.Integer(number)) == ber.tlv(ber.INTEGER, b"\xff" + content)
    with pytest.raises(ber.NotPlain):
        ber.read_integer(content)


@given(st.integers(-(2**63), 2**64 - 1).filter(lambda number: number not in LOWEST))
def test_integers_are_what_pyasn1_makes_of_them(number):
    assert ber.integer(number) == encoder.encode(univ.Integer(number))


@given(st.binary(max_size=3000))
def test_lengths_are_what_pyasn1_makes_of_them(content):
    assert ber.tlv(ber.OCTET_STRING, content) == encoder.encode(univ.OctetString(content))


@given(st.binary(max_size=40), st.integers(0, 45))
def test_reading_raises_nothing_but_not_plain(data, at):
    for read in (
        lambda: ber.read_oid(data),
        lambda: ber.read_integer(data),
        lambda: ber.read_tlv(data, at, data[0] if data else 0x30),
    ):
        try:
            read()
        except ber.NotPlain:
            continue


@given(st.binary(min_size=1, max_size=8))
def test_only_the_shortest_form_of_an_identifier_is_plain(content):
    try:
        oid = ber.read_oid(content)
    except ber.NotPlain:
        return
    assert ber.oid_content(oid) == content
    assert tuple(decoder.decode(ber.tlv(ber.OBJECT_IDENTIFIER, content))[0]) == oid


@pytest.mark.parametrize("content", ["", "80", "2b80", "2b8001", "2b9080808000"])
def test_unusual_identifiers_are_left_to_others(content):
    with pytest.raises(ber.NotPlain):
        ber.read_oid(bytes.fromhex(content))
