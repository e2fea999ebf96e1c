"""Datagrams of careless and hostile clients: none raises, all are counted, and the next is answered."""

from __future__ import annotations

import asyncio
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.buses.bacnet.cabinet import (
    CLIENT,
    DEVICE,
    I60,
    Cabinet,
    read_multiple,
    read_property,
    to_gateway,
    to_module,
    unicast,
    write_property,
)

SANE = [
    to_gateway(read_property(DEVICE, 100, 77)),
    to_module(I60, read_multiple((0, 118, [8]), (0, 218, [85, 111]))),
    to_module(7, write_property(4, 100, 85, b"\x91\x02", 8)),
    unicast(bytes.fromhex("01 20 ff ff 00 ff 10 08 09 64 19 70")),
    unicast(bytes.fromhex("01 20 ff ff 00 ff 10 07 3d 08 00 4c 31 2e 46 6f 6f 6f")),
    unicast(bytes.fromhex("01 80 00 07 d1")),
    to_module(I60, bytes.fromhex("0e 75 01 00 04 0c 0c 00 00 00")),
    to_module(I60, bytes.fromhex("40 01 00 04")),
    to_module(I60, bytes.fromhex("70 01 04")),
    bytes.fromhex("81 04 00 18 7f 00 00 05 ba c0 01 20 ff ff 00 ff 10 08 09 00 1b 3f ff ff"),
    bytes.fromhex("81 05 00 06 00 3c"),
    bytes.fromhex("81 09 00 0c 01 20 ff ff 00 ff 10 08"),
]

BAD = [
    b"",
    b"\x81",
    b"\x81\x0a\x00\x04",
    b"\x82\x0a\x00\x08\x01\x00\x10\x08",
    b"\x81\x0a\x00\x09\x01\x00\x10\x08",  # length says one more
    b"\x81\x0a\x00\x07\x01\x00\x10\x08",  # and one less
    b"\x81\x77\x00\x08\x01\x00\x10\x08",  # no such function
    b"\x81\x0a\x00\x08\x02\x00\x10\x08",  # no such version
    unicast(b"\x01\x08\xff\xff\x00\x10\x08"),  # a broadcast as source
    unicast(b"\x01\x08\x07\xd1\x01\x04\x10\x08"),  # our own network as source
    unicast(b"\x01\x20\x07"),
    unicast(b"\x01\x00"),
    unicast(b"\x01\x04\xf0\x00"),  # no such type of APDU
    unicast(b"\x01\x04\x00\x05"),
]


async def alive(cabinet: Cabinet) -> None:
    assert cabinet.ask(SANE[0], ("127.0.0.250", 9)) != []


@pytest.mark.parametrize("datagram", BAD)
async def test_a_datagram_that_is_no_bacnet_is_counted_and_not_answered(standing, datagram):
    before = standing.counters.bad_datagrams
    assert standing.ask(datagram) == []
    assert standing.counters.bad_datagrams == before + 1
    await alive(standing)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(SANE), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=4))
def test_spoilt_datagrams_never_raise(standing, datagram, changes):
    spoilt = bytearray(datagram)
    for at, octet in changes:
        spoilt[at % len(spoilt)] = octet
    checked(standing, bytes(spoilt))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SANE), st.integers(0, 60), st.binary(max_size=12))
def test_cut_and_continued_datagrams_never_raise(standing, datagram, cut, tail):
    spoilt = datagram[:cut] + tail
    checked(standing, spoilt)
    if len(spoilt) >= 4:
        checked(standing, spoilt[:2] + struct.pack(">H", len(spoilt)) + spoilt[4:])


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 7), st.binary(max_size=40))
def test_noise_behind_a_right_header_never_raises(standing, kind, noise):
    checked(standing, to_module(I60, bytes((kind << 4 | 2, 0x75, 1)) + noise))
    checked(standing, to_module(I60, bytes((0x02, 0x75, 1, 14)) + noise))
    checked(standing, to_gateway(bytes((0x10, 8)) + noise))


def checked(cabinet: Cabinet, datagram: bytes) -> None:
    """Taken without a mistake of ours; an exchange of segments needs a loop, so there is one."""

    async def take() -> None:
        before = cabinet.counters.datagrams
        cabinet.ask(datagram)
        assert cabinet.counters.datagrams == before + 1
        cabinet.router.close()

    asyncio.run(take())
    assert cabinet.counters.failures == 0
    assert cabinet.model.version < 10


def test_a_mistake_of_ours_is_told_to_the_client_and_counted(cabinet, caplog):
    class Broken:
        def write(self, *_: object) -> None:
            raise RuntimeError("a mistake of ours")

    cabinet.router._handler = Broken()
    request = to_module(7, write_property(4, 100, 85, b"\x91\x01"))
    (answer,) = cabinet.ask(request)
    assert answer[10:] == bytes((0x71, 1, 0))
    assert cabinet.counters.failures == 1
    assert cabinet.ask(SANE[0], CLIENT) != []
