"""Datagrams that no manager would send: nothing raises, the next manager is answered, all is counted."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.buses.snmp.agents import BothPaths, ask, message, pdu, v3_message
from virtual_digiware.buses.snmp import agent as agent_module
from virtual_digiware.buses.snmp.ber import GET, GET_BULK, SET, integer, tlv

NAME = (1, 3, 6, 1, 2, 1, 1, 5, 0)
GOOD = message(1, "publicv2", pdu(GET, [NAME]))
BOTH = BothPaths()
V3 = v3_message(BOTH.users["aes"], pdu(GET, [NAME]), boots=3, time=0)


def with_length(data: bytes, length: bytes) -> bytes:
    return data[:1] + length + data[2:]


HOSTILE = {
    "nothing": b"",
    "one octet": b"\x30",
    "not a sequence": b"GET / HTTP/1.1\r\n\r\n",
    "only zeros": bytes(64),
    "a length of 4 GiB": with_length(GOOD, b"\x84\xff\xff\xff\xff"),
    "a length of 127 octets": with_length(GOOD, b"\xff" + b"\xff" * 127),
    "an indefinite length": with_length(GOOD, b"\x80"),
    "a length that is too short": with_length(GOOD, b"\x05"),
    "a version of 8 octets": tlv(0x30, b"\x02\x08" + b"\x7f" * 8 + GOOD[5:]),
    "version 2 (SNMPv2u)": message(2, "publicv2", pdu(GET, [NAME])),
    "version 255": message(255, "publicv2", pdu(GET, [NAME])),
    "a negative version": message(-1, "publicv2", pdu(GET, [NAME])),
    "an empty community": message(1, "", pdu(GET, [NAME])),
    "no PDU": tlv(0x30, integer(1) + tlv(4, b"publicv2")),
    "an unknown PDU": message(1, "publicv2", tlv(0xAF, pdu(GET, [NAME])[2:])),
    "a response nobody asked for": message(1, "publicv2", pdu(0xA2, [NAME])),
    "a trap": message(1, "publicv2", pdu(0xA7, [NAME])),
    "an inform": message(1, "publicv2", pdu(0xA6, [NAME])),
    "a report": message(1, "publicv2", pdu(0xA8, [NAME])),
    "a name of nothing": message(
        1, "publicv2", tlv(GET, integer(1) + integer(0) * 2 + tlv(0x30, tlv(0x30, b"\6\0\5\0")))
    ),
    "a name that never ends": message(
        1, "publicv2", tlv(GET, integer(1) + integer(0) * 2 + tlv(0x30, tlv(0x30, b"\6\3\x2b\xff\xff\5\0")))
    ),
    "a name of 2000 numbers": message(1, "publicv2", pdu(GET, [(1, 3) + (1,) * 2000])),
    "a million repetitions": message(1, "publicv2", pdu(GET_BULK, [(1, 3)] * 30, second=2**31 - 1)),
    "negative repetitions": message(1, "publicv2", pdu(GET_BULK, [(1, 3)], first=-5, second=-5)),
    "hundreds of names": message(1, "publicv2", pdu(GET, [NAME] * 220)),
    "deeply nested sequences": b"\x30\x80" * 1500,
    "a SET of nothing": message(1, "privatev2", pdu(SET, [])),
    "v3 and then nothing": tlv(0x30, integer(3)),
    "v3 cut in its security parameters": V3[:50],
    "v3 with an empty digest": V3.replace(V3[-70:-58], b""),
    "more than the agent reads": b"\x30" * 9000,
}


def cuts() -> dict[str, bytes]:
    return {
        f"{name} cut after {at}": data[:at]
        for name, data in (("v2c", GOOD), ("v3", V3))
        for at in range(len(data))
    }


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_datagram_disturbs_nobody(listening, data):
    agent = listening.agent
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as manager:
        manager.sendto(data, (listening.host, listening.port))
    reply = await ask((listening.host, listening.port), GOOD)
    assert reply == agent.short_reply(GOOD)
    counters = agent.counters
    assert counters.in_packets == 2
    assert counters.short + counters.full + counters.oversized == 2
    assert counters.failures == 0


async def test_datagrams_cut_anywhere_are_counted_and_not_answered(listening):
    pieces = cuts()
    assert listening.agent.library is not None  # made now, so that nothing waits for it
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as manager:
        manager.setblocking(False)
        manager.connect((listening.host, listening.port))
        for data in pieces.values():
            manager.send(data)
            await asyncio.sleep(0)
        for _ in range(3):
            await ask((listening.host, listening.port), GOOD)
        with pytest.raises(BlockingIOError):
            manager.recv(4096)
    counters = listening.agent.counters
    assert counters.in_packets == len(pieces) + 3
    assert counters.short == 3
    assert counters.failures == 0
    assert counters.library("snmpInASNParseErrs") > 0


@given(data=st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_the_short_path_never_raises(data):
    BOTH.short(data)


@given(
    at=st.integers(0, 300),
    octets=st.binary(max_size=4),
    base=st.sampled_from([GOOD, V3]),
    cut=st.integers(0, 4),
)
@settings(max_examples=300, deadline=None)
def test_a_changed_request_never_raises_and_is_answered_alike(at, octets, base, cut):
    data = base[:at] + octets + base[at + cut :]
    short = BOTH.short(data)
    assert short is None or base is V3 or short == BOTH.full(data)


async def test_requests_wait_for_pysnmps_engine_while_others_are_answered(listening):
    address = (listening.host, listening.port)
    missing = message(1, "publicv2", pdu(GET, [(1, 3, 6, 1, 2, 1, 1, 99, 0)]))
    full = asyncio.create_task(ask(address, missing))
    for _ in range(20):
        assert await ask(address, GOOD) == listening.agent.short_reply(GOOD)
    assert b"\x80\x00" in await full
    assert listening.agent.counters.full == 1


async def test_no_more_requests_wait_for_pysnmps_engine_than_there_is_room_for(listening, monkeypatch):
    monkeypatch.setattr(agent_module, "_MAX_WAITING", 2)
    used = []
    for number in range(4):
        listening.agent.with_library(lambda library, number=number: used.append(number))
    await listening.agent._making
    assert used == [0, 1]
    assert listening.agent.counters.dropped == 2


async def test_many_requests_at_once_are_all_answered(listening):
    loop = asyncio.get_running_loop()
    requests = {
        number: message(1, "publicv2", pdu(GET, [NAME], request_id=number)) for number in range(100, 160)
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as manager:
        manager.setblocking(False)
        manager.connect((listening.host, listening.port))
        for data in requests.values():
            manager.send(data)
        replies = {await loop.sock_recv(manager, 4096) for _ in requests}
    assert replies == {listening.agent.short_reply(data) for data in requests.values()}


async def test_a_peer_that_is_gone_is_no_trouble(listening):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        peer = gone.getsockname()
    for _ in range(3):
        listening.agent.send(b"\x30\x00", peer)
        await ask((listening.host, listening.port), GOOD)
    assert listening.agent.counters.short == 3
