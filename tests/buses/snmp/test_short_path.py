"""The short path and pysnmp say the same, byte for byte, whatever the request."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.buses.snmp.agents import BothPaths, message, pdu, read_v3, v3_message
from virtual_digiware.buses.snmp.ber import GET, GET_BULK, GET_NEXT, SET, integer, tlv

BOTH = BothPaths()
TREE = BOTH.own.agent.tree


def every_oid():
    place = TREE.after((0,))
    while place is not None:
        if not TREE.is_volatile(place):  # counters and real time differ between two requests
            yield TREE.oid(place)
        place = TREE.next(place)


OIDS = list(every_oid())
TABLES = [oid for oid in OIDS if oid[:7] == (1, 3, 6, 1, 4, 1, 4555)]
COUNTERS_64 = [oid for oid in OIDS if TREE.value(TREE.place_of(oid))[0] == 0x46]

known = st.sampled_from(OIDS) | st.sampled_from(COUNTERS_64)
in_tables = st.sampled_from(TABLES)
near = st.builds(
    lambda oid, cut, last: (*oid[: max(2, cut)], last),
    in_tables,
    st.integers(8, 16),
    st.integers(0, 2**32 - 1),
)
behind = st.just((1, 3, 7)) | st.just(TABLES[-1])
request_ids = st.integers(-(2**31), 2**31 - 1)
plain = st.tuples(
    st.sampled_from([GET, GET_NEXT]),
    st.lists(known | near | behind, max_size=8),
    request_ids,
    st.just(0),
    st.just(0),
)
bulks = st.tuples(
    st.just(GET_BULK),
    st.lists(in_tables | near | behind, max_size=6),
    request_ids,
    st.integers(-2, 8),
    st.integers(-2, 40) | st.just(2**31 - 1),
)
requests = plain | bulks
communities = st.sampled_from([(0, "public"), (0, "Private"), (1, "publicv2"), (1, "privatev2")])


def built(request) -> bytes:
    kind, oids, request_id, first, second = request
    return pdu(kind, oids, request_id, first, second)


@given(request=requests, community=communities)
@settings(max_examples=300, deadline=None)
def test_both_paths_answer_a_community_alike(request, community):
    version, name = community
    data = message(version, name, built(request))
    short = BOTH.short(data)
    assert short is None or short == BOTH.full(data)


@given(request=requests, name=st.sampled_from(["open", "md5", "sha", "sha256", "sha512"]))
@settings(max_examples=120, deadline=None)
def test_both_paths_answer_an_authentic_user_alike(request, name):
    local = BOTH.users[name]
    data = v3_message(local, built(request), boots=3, time=0)
    short = BOTH.short(data)
    assert short is None or short == BOTH.full(data)


@given(request=requests, name=st.sampled_from(["aes", "aes256"]))
@settings(max_examples=80, deadline=None)
def test_both_paths_answer_a_private_user_alike(request, name):
    local = BOTH.users[name]
    data = v3_message(local, built(request), boots=3, time=0)
    short = BOTH.short(data)
    assert short is None or read_v3(local, short) == read_v3(local, BOTH.full(data))


@given(request=requests, max_size=st.integers(484, 1600))
@settings(max_examples=80, deadline=None)
def test_both_paths_respect_the_size_that_a_manager_takes(request, max_size):
    local = BOTH.users["aes"]
    data = v3_message(local, built(request), boots=3, time=0, max_size=max_size)
    full, short = BOTH.full(data), BOTH.short(data)
    assert len(full) <= max_size
    assert short is None or read_v3(local, short) == read_v3(local, full)


COMMON = [
    (0, "public", pdu(GET, OIDS[:3])),
    (1, "publicv2", pdu(GET, TABLES[:20])),
    (1, "privatev2", pdu(GET_NEXT, [(1, 3), *TABLES[:3]])),
    (1, "publicv2", pdu(GET_BULK, TABLES[:1], second=25)),
    (1, "publicv2", pdu(GET_BULK, TABLES[:3], first=1, second=10)),
]


@pytest.mark.parametrize(("version", "community", "content"), COMMON)
def test_what_managers_ask_most_takes_the_short_path(version, community, content):
    data = message(version, community, content)
    assert BOTH.short(data) == BOTH.full(data)
    assert BOTH.short(data) == BOTH.full(data)  # the second time from what was kept


@pytest.mark.parametrize("name", ["open", "md5", "sha", "sha256", "sha512", "aes", "aes256"])
def test_the_usual_algorithms_take_the_short_path(name):
    local = BOTH.users[name]
    assert BOTH.short(v3_message(local, pdu(GET, OIDS[:1]), boots=3, time=0)) is not None


LEFT_TO_PYSNMP = {
    "a SET": message(1, "privatev2", pdu(SET, OIDS[:1])),
    "an object that does not exist": message(1, "publicv2", pdu(GET, [(1, 3, 6, 1, 2, 1, 1, 99, 0)])),
    "the end of the tree": message(1, "publicv2", pdu(GET_NEXT, [(1, 4)])),
    "a Counter64 for v1": message(0, "public", pdu(GET, COUNTERS_64[:1])),
    "an unknown community": message(1, "secret", pdu(GET, OIDS[:1])),
    "a community of another version": message(0, "publicv2", pdu(GET, OIDS[:1])),
    "GETBULK in v1": message(0, "public", pdu(GET_BULK, OIDS[:1])),
    "an answer that is too long": message(1, "publicv2", pdu(GET, TABLES[:90])),
    "a value that is not NULL": message(
        1,
        "publicv2",
        tlv(GET, integer(1) * 1 + integer(0) * 2 + tlv(0x30, tlv(0x30, b"\x06\x01\x2b" + integer(5)))),
    ),
    "bytes behind the message": message(1, "publicv2", pdu(GET, OIDS[:1])) + b"\0",
    "an unknown version": message(2, "publicv2", pdu(GET, OIDS[:1])),
}


@pytest.mark.parametrize("data", LEFT_TO_PYSNMP.values(), ids=LEFT_TO_PYSNMP)
def test_what_is_not_plain_is_left_to_pysnmp(data):
    assert BOTH.short(data) is None


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("aes", {"boots": 2}),
        ("aes", {"time": 151}),
        ("aes", {"flags": 4}),
        ("aes", {"flags": 5}),
        ("aes", {"context": b"other"}),
        ("aes", {"context_engine": b"\x80\0\0\0\x01other"}),
        ("aes", {"max_size": 483}),
        ("des", {}),
        ("aes256short", {}),
    ],
)
def test_what_security_objects_to_is_left_to_pysnmp(name, changes):
    local = BOTH.users[name]
    values = {"boots": 3, "time": 0, **changes}
    if name in ("des", "aes256short"):
        assert not local.is_plain
        local = BOTH.users["sha"]
        data = v3_message(local, pdu(GET, OIDS[:1]), boots=3, time=0)
        assert BOTH.short(data.replace(b"\x04\x03sha", tlv(4, name.encode()))) is None
        return
    assert BOTH.short(v3_message(local, pdu(GET, OIDS[:1]), **values)) is None


@given(at=st.integers(0, 200), octet=st.integers(0, 255), name=st.sampled_from(["md5", "aes"]))
@settings(max_examples=150, deadline=None)
def test_a_message_changed_under_way_is_never_answered_as_authentic(at, octet, name):
    data = v3_message(BOTH.users[name], pdu(GET, OIDS[:1]), boots=3, time=0)
    assume(at < len(data) and data[at] != octet)
    assert BOTH.short(data[:at] + bytes((octet,)) + data[at + 1 :]) is None


def test_a_message_at_the_edge_of_the_time_window_is_answered():
    assert BOTH.short(v3_message(BOTH.users["sha"], pdu(GET, OIDS[:1]), boots=3, time=150)) is not None


def test_no_two_messages_are_encrypted_alike():
    data = v3_message(BOTH.users["aes"], pdu(GET, OIDS[:1]), boots=3, time=0)
    assert len({BOTH.short(data) for _ in range(50)}) == 50


def test_kept_replies_are_dropped_when_something_else_is_shown():
    own = BothPaths()
    data = message(1, "publicv2", pdu(GET, [oid for oid in OIDS if oid[-3:] == (10000, 4, 1)]))
    before = own.short(data)
    own.own.model.publish(own.own.model.compute(own.own.model.snapshot.time_ms + 60_000))
    assert own.short(data) != before
    assert own.short(data) == own.full(data)
