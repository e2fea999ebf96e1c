"""What a unit shows at which address."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.buses.fakes import INSTANTANEOUS, FakeSite, FakeUnit, block, current_module, product, row
from virtual_digiware.buses.modbus.image import Images, RegisterImage


@pytest.fixture
def site() -> FakeSite:
    return FakeSite()


@pytest.fixture
def unit() -> FakeUnit:
    return current_module()


@pytest.fixture
def image(unit: FakeUnit, site: FakeSite) -> RegisterImage:
    return Images(site).of(unit)


def test_a_read_gives_the_registers_asked_for(image: RegisterImage) -> None:
    assert image.read(18434, 2) == struct.pack(">I", 1025)
    assert image.read(50000, 4) == b"\0S\0O\0C\0O"
    assert image.read(50067, 2) == bytes.fromhex("00c0ffee")


def test_a_read_may_span_reserved_words(image: RegisterImage) -> None:
    assert image.read(18432 + 90, 10) == struct.pack(">I16x", 45025)


def test_a_read_may_cross_from_one_block_into_the_next_one(image: RegisterImage) -> None:
    assert image.read(50067, 5) == bytes.fromhex("00c0ffee") + struct.pack(">3H", 11, 0, 13)


@pytest.mark.parametrize(
    ("address", "count"),
    [
        (0, 1),
        (18431, 1),
        (18431, 2),
        (18531, 2),
        (18532, 1),
        (50071, 2),
        (50072, 1),
        (65535, 1),
        (65535, 2),
        (58112, 1),  # write only
        (18432 + 6 * 2048, 1),  # seventh load of a module that has slots for six
        (18500, 125),  # from one block over a gap
    ],
)
def test_a_word_outside_every_block_is_not_there(image: RegisterImage, address: int, count: int) -> None:
    assert image.read(address, count) is None


def test_each_circuit_has_its_own_slot(site: FakeSite) -> None:
    image = Images(site).of(current_module(circuits=("lighting", "heating")))
    assert image.read(18434, 2) == struct.pack(">I", 1025)
    assert image.read(18434 + 2048, 2) == struct.pack(">I", 1125)
    assert image.read(18434 + 4096, 2) == struct.pack(">I", 1225)  # without a circuit, and there all the same


def test_a_block_is_encoded_once_for_each_version_however_often_it_is_read(
    image: RegisterImage, unit: FakeUnit, site: FakeSite
) -> None:
    for address in range(18432, 18480):
        image.read(address, 2)
    assert (image.encodings, unit.reads) == (1, 1)
    unit.values["value_1"] = 20.0
    assert image.read(18434, 2) == struct.pack(">I", 1025)
    site.version += 1
    assert unit.reads == 1  # nothing is encoded before somebody asks
    assert image.read(18434, 2) == struct.pack(">I", 2000)
    assert (image.encodings, unit.reads) == (2, 2)


def test_values_that_do_not_fit_are_counted(image: RegisterImage, unit: FakeUnit) -> None:
    unit.values["value_1"] = -1.0
    assert image.read(18434, 2) == bytes(4)
    assert image.saturated == 1


def test_units_have_images_of_their_own_and_share_plans(site: FakeSite) -> None:
    images = Images(site)
    first, second = current_module(), current_module("M-70/I-31", 5)
    second.values["value_1"] = 1.0
    assert images.of(first) is images.of(first)
    assert images.of(first).read(18434, 2) != images.of(second).read(18434, 2)


@given(st.integers(18400, 18560), st.integers(1, 125))
def test_a_read_is_there_exactly_when_all_its_words_are(address: int, count: int) -> None:
    unit = FakeUnit("unit", product("one", INSTANTANEOUS, block("far", 40000, 1, [row("x", 0, "U16", 1)])), 4)
    image = Images(FakeSite()).of(unit)
    words = [image.read(each, 1) for each in range(address, address + count)]
    expected = None if None in words else b"".join(word for word in words if word is not None)
    assert image.read(address, count) == expected
