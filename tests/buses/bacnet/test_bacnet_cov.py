"""Subscriptions to changes of value: taken, renewed, cancelled, refused; what others read of them."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path

import pytest

from tests.buses.bacnet.cabinet import (
    ANALOG_INPUT,
    BINARY_OUTPUT,
    CLIENT,
    DEVICE,
    I60,
    IO10,
    Cabinet,
    apdu_from,
    apdu_of,
    confirmed,
    context,
    object_id,
    read_property,
    to_gateway,
    to_module,
    value_of,
    write_property,
)
from tests.buses.bacnet.test_bacnet_clients import CLIENTS, PATIENCE_S, bench, dissect
from tests.external import require_file, require_program
from tests.ports import free_ports
from virtual_digiware.buses.bacnet.cov import MAX_SUBSCRIPTIONS
from virtual_digiware.buses.bacnet.directory import BacnetSettings
from virtual_digiware.buses.bacnet.notices import Notices
from virtual_digiware.buses.bacnet.peers import Peer

POWER = 118
COV = BacnetSettings(cov=True)
SIMPLE_ACK, ERROR, REJECT = 0x20, 0x50, 0x60
UNCONFIRMED_COV, CONFIRMED_COV = 2, 1


def subscribe(
    instance: int = POWER,
    *,
    process: int = 7,
    confirmation: bool | None = False,
    lifetime: int | None = 600,
    kind: int = ANALOG_INPUT,
) -> bytes:
    body = context(0, process) + b"\x1c" + object_id(kind, instance)
    body += b"" if confirmation is None else bytes((0x29, confirmation))
    body += b"" if lifetime is None else context(3, lifetime)
    return confirmed(5, body)


def pass_time(cabinet: Cabinet, seconds: int = 1) -> list[bytes]:
    """What is sent when a refresh later has been published."""
    cabinet.sent.clear()
    model = cabinet.model
    model.publish(model.compute(model.snapshot.time_ms + 1000 * seconds))
    cabinet.collection.collect()
    cabinet.router.notify()
    return [apdu_of(sent) for sent, _ in cabinet.sent]


def shown(apdu: bytes) -> float:
    """The Real in a notification."""
    return float(struct.unpack(">f", apdu[apdu.index(b"\x2e\x44") + 2 :][:4])[0])


def test_a_subscriber_hears_the_value_at_once_and_then_whenever_it_changes():
    cabinet = Cabinet(COV)
    taken, first = map(apdu_of, cabinet.ask(to_module(I60, subscribe())))
    assert taken == bytes((SIMPLE_ACK, 1, 5))
    assert first[:2] == bytes((0x10, UNCONFIRMED_COV))
    present = value_of(apdu_from(cabinet.ask(to_module(I60, read_property(ANALOG_INPUT, POWER, 85)))))
    assert struct.pack(">f", shown(first)) == present[1:]
    (second,) = pass_time(cabinet, 60)
    assert shown(second) != shown(first)
    cabinet.sent.clear()
    cabinet.router.notify()
    assert cabinet.sent == []


def test_changes_below_the_increment_are_not_told_but_add_up():
    cabinet = Cabinet(BacnetSettings(cov=True, cov_increment=1e9))
    cabinet.ask(to_module(I60, subscribe()))
    assert pass_time(cabinet, 3600) == []
    increment = read_property(ANALOG_INPUT, POWER, 22)
    assert value_of(apdu_from(cabinet.ask(to_module(I60, increment)))) == b"\x44" + struct.pack(">f", 1e9)


def test_a_lost_module_is_told_by_its_fault_flag():
    cabinet = Cabinet(BacnetSettings(cov=True, cov_increment=1e9))
    cabinet.ask(to_module(I60, subscribe()))
    cabinet.unplug("m70/i60")
    cabinet.sent.clear()
    cabinet.router.notify()
    (told,) = [apdu_of(sent) for sent, _ in cabinet.sent]
    assert b"\x82\x04\x40" in told  # status flags: fault


def test_an_output_that_is_switched_is_told():
    cabinet = Cabinet(COV)
    cabinet.ask(to_module(IO10, subscribe(200, kind=BINARY_OUTPUT)))
    cabinet.ask(to_module(IO10, write_property(BINARY_OUTPUT, 200, 85, b"\x91\x01")))
    cabinet.sent.clear()
    cabinet.router.notify()
    assert b"\x2e\x91\x01\x2f" in cabinet.sent[0][0]


@pytest.mark.parametrize("ending", ["cancelled", "expired"])
def test_a_subscription_ends(ending):
    cabinet = Cabinet(COV)
    cabinet.ask(to_module(I60, subscribe(lifetime=60)))
    if ending == "cancelled":
        answer = apdu_from(cabinet.ask(to_module(I60, subscribe(confirmation=None, lifetime=None))))
        assert answer[0] == SIMPLE_ACK
    else:
        assert len(pass_time(cabinet, 60)) == 1
        cabinet.now_s += 60
    assert pass_time(cabinet, 60) == []


def test_a_renewed_subscription_is_one_subscription():
    cabinet = Cabinet(COV)
    for _ in range(3):
        cabinet.ask(to_module(I60, subscribe()))
    cabinet.ask(to_module(I60, subscribe(process=8)))
    assert len(pass_time(cabinet, 60)) == 2


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (to_module(I60, subscribe(9999)), (ERROR, 1, 5, 0x91, 1, 0x91, 31)),
        (to_module(I60, subscribe(104, kind=DEVICE)), (ERROR, 1, 5, 0x91, 1, 0x91, 45)),
        (to_gateway(subscribe()), (ERROR, 1, 5, 0x91, 1, 0x91, 31)),
    ],
)
def test_what_cannot_be_subscribed_to_is_refused(request_, answer):
    assert apdu_from(Cabinet(COV).ask(request_)) == bytes(answer)


def test_subscriptions_are_bounded():
    cabinet = Cabinet(COV)
    for process in range(MAX_SUBSCRIPTIONS):
        assert apdu_of(cabinet.ask(to_module(I60, subscribe(process=process)))[0])[0] == SIMPLE_ACK
    answer = apdu_from(cabinet.ask(to_module(I60, subscribe(process=MAX_SUBSCRIPTIONS))))
    assert answer == bytes((ERROR, 1, 5, 0x91, 3, 0x91, 19))


def test_without_the_option_nobody_can_subscribe_and_nothing_says_so():
    cabinet = Cabinet()
    assert apdu_from(cabinet.ask(to_module(I60, subscribe()))) == bytes((REJECT, 1, 9))
    services = read_property(DEVICE, 104, 97)
    offered = value_of(apdu_from(cabinet.ask(to_module(I60, services))))
    offering = value_of(apdu_from(Cabinet(COV).ask(to_module(I60, services))))
    bit = 0x04  # number 5, in the first octet behind tag, length and unused bits
    assert not offered[3] & bit
    assert offering[3] & bit


async def test_a_confirmed_notification_is_sent_again_until_somebody_answers():
    sent: asyncio.Queue[bytes] = asyncio.Queue()
    peer = Peer(CLIENT)
    notices = Notices(lambda apdu, _: sent.put_nowait(apdu), timeout_s=0.001, retries=3, most=2)
    first = notices.invoke_id(peer)
    assert first is not None
    notices.send(peer, first, b"one")
    assert [await sent.get() for _ in range(2)] == [b"one"] * 2
    notices.answered(peer, first)
    second = notices.invoke_id(peer)
    assert second is not None
    notices.send(peer, second, b"two")
    assert [await sent.get() for _ in range(4)] == [b"two"] * 4
    while not notices.given_up:
        await asyncio.wait_for(_turn(), PATIENCE_S)
    assert sent.empty()
    notices.close()


async def _turn() -> None:
    await asyncio.sleep(0)


async def test_no_more_than_a_bounded_number_waits():
    notices = Notices(lambda apdu, _: None, timeout_s=60, retries=3, most=2)
    for port in (1, 2):
        peer = Peer(("127.0.0.1", port))
        invoke_id = notices.invoke_id(peer)
        assert invoke_id is not None
        notices.send(peer, invoke_id, b"")
    assert notices.invoke_id(Peer(("127.0.0.1", 3))) is None
    notices.close()


@pytest.mark.parametrize("kind", ["unconfirmed", "confirmed"])
async def test_node_bacnet_hears_of_changes(kind: str, tmp_path: Path) -> None:
    node = require_program("node")
    require_file(CLIENTS / "node_modules" / "node-bacnet", "run `npm install` in tests/buses/bacnet/clients")
    async with bench(cov=True) as made:
        process = await asyncio.create_subprocess_exec(
            node, str(CLIENTS / "node_cov.js"), made.host, str(made.port), str(free_ports()), kind,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            for _ in range(3):
                line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
                told = json.loads(line)
                power = made.value(I60, "circuit.instantaneous", "active_power_total", 0)
                assert told["values"][0] == [85, power]
                assert told["device"] == 104
                assert told["object"] == [ANALOG_INPUT, POWER]
                assert 590 < told["remaining"] <= 600
                model = made.cabinet.model
                model.publish(model.compute(model.snapshot.time_ms + 60_000))
                made.gateway.notify()
        finally:
            process.kill()
            await process.wait()
        assert dissect(made.captured, tmp_path) == len(made.captured)
        assert made.gateway.counters.bad_datagrams == made.gateway.counters.failures == 0
