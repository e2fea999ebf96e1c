"""Foreign devices: refused unless a setting lets them in, and then served for the time they register for."""

from __future__ import annotations

import pytest

from tests.buses.bacnet.cabinet import CLIENT, Cabinet, broadcast
from virtual_digiware.buses.bacnet.directory import BacnetSettings

REGISTER = bytes.fromhex("81 05 00 06 00 3c")  # for 60 s
READ_TABLE = bytes.fromhex("81 06 00 04")
WHO_IS = bytes.fromhex("01 20 ff ff 00 ff 10 08 09 64 19 64")
DISTRIBUTE = bytes.fromhex("81 09 00 10") + WHO_IS
OTHER = ("127.0.0.8", 40000)


@pytest.fixture
def open_cabinet() -> Cabinet:
    return Cabinet(BacnetSettings(foreign_devices=True))


@pytest.mark.parametrize(
    ("datagram", "refusal"),
    [
        ("81 01 00 04", "00 10"),
        ("81 02 00 04", "00 20"),
        ("81 05 00 06 00 3c", "00 30"),
        ("81 06 00 04", "00 40"),
        ("81 08 00 0a 7f 00 00 09 ba c0", "00 50"),
        (DISTRIBUTE.hex(), "00 60"),
    ],
)
def test_a_device_that_is_no_broadcast_manager_refuses_what_only_one_does(standing, datagram, refusal):
    assert standing.ask(bytes.fromhex(datagram)) == [bytes.fromhex("81 00 00 06" + refusal)]


def test_results_are_taken_and_nothing_follows(standing):
    assert standing.ask(bytes.fromhex("81 00 00 06 00 00")) == []


def test_a_registered_device_has_its_broadcasts_distributed_and_hears_those_of_others(open_cabinet):
    done = bytes.fromhex("81 00 00 06 00 00")
    assert open_cabinet.ask(REGISTER) == [done]
    assert open_cabinet.ask(REGISTER, OTHER) == [done]
    answers = open_cabinet.ask(DISTRIBUTE)
    sent = {address: datagram for datagram, address in open_cabinet.sent}
    assert len(answers) == 2
    assert sent[CLIENT][6:8] == bytes.fromhex("10 00")  # I-Am
    assert sent[OTHER] == bytes.fromhex("81 04 00 16 7f 00 00 09 ba c0") + WHO_IS
    open_cabinet.ask(broadcast(WHO_IS), ("127.0.0.7", 1))
    assert {address for _, address in open_cabinet.sent} == {("127.0.0.7", 1), CLIENT, OTHER}


def test_the_table_shows_time_to_live_and_what_is_left_of_it(open_cabinet):
    open_cabinet.ask(REGISTER)
    open_cabinet.now_s = 20.0
    (table,) = open_cabinet.ask(READ_TABLE, OTHER)
    assert table == bytes.fromhex("81 07 00 0e 7f 00 00 09 ba c0 00 3c 00 46")  # 60 s, 70 s with the grace


def test_a_registration_ends_with_its_time_and_by_deletion(open_cabinet):
    open_cabinet.ask(REGISTER)
    open_cabinet.now_s = 91.0
    assert open_cabinet.ask(READ_TABLE) == [bytes.fromhex("81 07 00 04")]
    assert open_cabinet.ask(DISTRIBUTE) == [bytes.fromhex("81 00 00 06 00 60")]
    open_cabinet.ask(REGISTER)
    delete = bytes.fromhex("81 08 00 0a 7f 00 00 09 ba c0")
    assert open_cabinet.ask(delete) == [bytes.fromhex("81 00 00 06 00 00")]
    assert open_cabinet.ask(delete) == [bytes.fromhex("81 00 00 06 00 50")]


def test_registrations_are_bounded(open_cabinet):
    for number in range(128):
        open_cabinet.ask(REGISTER, ("127.0.0.8", 1000 + number))
    assert open_cabinet.ask(REGISTER, OTHER) == [bytes.fromhex("81 00 00 06 00 30")]
    assert open_cabinet.ask(REGISTER, ("127.0.0.8", 1000)) == [bytes.fromhex("81 00 00 06 00 00")]


def test_a_forwarded_broadcast_is_answered_to_whom_it_came_from(standing):
    forwarded = bytes.fromhex("81 04 00 16 7f 00 00 08 9c 40") + WHO_IS
    assert len(standing.ask(forwarded)) == 1
    assert standing.sent[0][1] == OTHER
