"""Gateways publishing to a real Mosquitto: what subscribers receive, through outages, passwords and TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.buses.mqtt.brokers import Received, broker, certificates, subscribed
from tests.external import require_program
from tests.ports import free_ports
from tests.simulator import test_running
from tests.simulator.test_running import AT, HEATER_POWER, Run, running
from virtual_digiware.buses.mqtt.publisher import MqttPublisher
from virtual_digiware.simulator.instants import format_instant

HEATER = "digiware/shop/gate/units/i/circuits/heater"
STATUS = "digiware/shop/gate/status"
ALARMS = "digiware/shop/gate/alarms"


@asynccontextmanager
async def publishing(port: int, section: str = "", alarms: str = "") -> AsyncIterator[Run]:
    """The site of `test_running` with a broker."""

    def change(text: str) -> str:
        mqtt = f"product: M-70\n    mqtt: {{port: {port}, period_s: 1{section}}}"
        return text.replace("product: M-70", mqtt).replace(
            "{circuit: incomer}]", f"{{circuit: incomer}}]{alarms}"
        )

    async with running(test_running.opened(change=change)) as run:
        yield run


def publisher(run: Run) -> MqttPublisher:
    return run.site.endpoints.mqtt_publishers["gate"]


def of_time(topic: str, t_ms: int) -> Any:
    from virtual_digiware.buses.mqtt.telemetry import instant

    return lambda one: one.topic == topic and one.payload["time"] == instant(t_ms)


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_telemetry_says_what_the_registers_say(tmp_path: Path, version: str):
    async with (
        broker(tmp_path) as one,
        subscribed(one.port, "digiware/#", "-V", "5" if version == "5" else "311") as subscriber,
        publishing(one.port, f", version: '{version}'") as run,
    ):
        await subscriber.until(lambda got: got.topic == HEATER)
        for step in range(1, 4):
            await run.site.advance_to(AT + step * 1000)
            got = await subscriber.until(of_time(HEATER, AT + step * 1000))
            power = got.payload["points"]["active_power_total"]
            assert power == {"value": await run.signed(3, HEATER_POWER), "unit": "W", "quality": "good"}
            assert got.payload["unit"] == {"name": "i", "address": 3, "product": "I-60"}
            assert got.payload["circuit"] == "heater"


async def test_a_late_subscriber_finds_the_newest_values_and_the_gateway_online(tmp_path: Path):
    async with broker(tmp_path) as one, publishing(one.port) as run:
        async with subscribed(one.port, HEATER) as early:
            await early.until(lambda got: True)
        async with subscribed(one.port, "digiware/#") as late:
            status = await late.until(lambda got: got.topic == STATUS)
            assert status.payload["state"] == "online"
            assert status.payload["units"]["u"]["state"] == "good"
            await late.until(lambda got: got.topic == f"{ALARMS}/active")
        assert publisher(run).counters.dropped == publisher(run).counters.refused == 0


async def test_a_stop_says_offline_and_a_lost_connection_lets_the_broker_say_it(tmp_path: Path):
    async with broker(tmp_path) as one, subscribed(one.port, STATUS) as subscriber:
        async with publishing(one.port):
            await subscriber.until(lambda got: got.payload["state"] == "online")
        goodbye = await subscriber.until(lambda got: got.payload["state"] == "offline")
        assert goodbye.payload["time"]
        async with publishing(one.port) as run:
            await subscriber.until(lambda got: got.payload["state"] == "online")
            # Another client with this one's id: the broker throws ours out, as a network failure would.
            async with subscribed(one.port, "nothing", "-i", publisher(run).settings.client_id):
                await subscriber.until(lambda got: got.payload == {"state": "offline"})


async def test_a_broker_that_restarts_gets_everything_that_was_made_meanwhile(tmp_path: Path):
    async with broker(tmp_path) as one, publishing(one.port, ", retain: false") as run:
        async with subscribed(one.port, HEATER) as subscriber:
            await run.site.advance_to(AT + 1000)
            await subscriber.until(of_time(HEATER, AT + 1000))
        await one.stop()
        for step in range(2, 12):
            await run.site.advance_to(AT + step * 1000)
            assert await run.signed(3, HEATER_POWER) > 0  # clients of the site notice nothing
        await one.start()
        # The subscriber comes first: our own pauses grow, and nothing is retained.
        async with subscribed(one.port, HEATER) as subscriber:
            await subscriber.until(of_time(HEATER, AT + 11_000))
            times = [got.payload["time"] for got in subscriber.seen]
        expected = [format_instant(AT + step * 1000) for step in range(2, 12)]
        assert [time.replace(".000", "") for time in dict.fromkeys(times)] == expected
        assert publisher(run).counters.dropped == 0
        assert publisher(run).counters.connections == 2


async def test_an_absent_broker_costs_the_oldest_telemetry_and_counts_it():
    async with publishing(free_ports(), ", buffer_messages: 12") as run:
        for step in range(1, 10):
            await run.site.advance_to(AT + step * 1000)
        waiting = publisher(run).outbox
        assert len(waiting) == 12
        assert publisher(run).counters.dropped > 20
        newest = [message for message in waiting.first(12) if message.topic == HEATER]
        assert b"10:00:09" in newest[-1].payload


async def test_a_broker_that_never_answers_disturbs_nobody():
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(swallow, "127.0.0.1", 0)
    try:
        async with publishing(silent.sockets[0].getsockname()[1]) as run:
            for step in range(1, 6):
                await run.site.advance_to(AT + step * 1000)
                assert await run.signed(3, HEATER_POWER) > 0
            assert not publisher(run).is_connected
            assert publisher(run).counters.published == 0
    finally:
        silent.close()
        await silent.wait_closed()


async def test_a_module_off_the_bus_is_lost_in_the_status_and_in_its_telemetry(tmp_path: Path):
    async with (
        broker(tmp_path) as one,
        subscribed(one.port, "digiware/#") as subscriber,
        publishing(one.port) as run,
    ):
        await subscriber.until(lambda got: got.topic == HEATER)
        run.site.faults.inject("module_dead", "gate/i")
        await run.site.advance_to(AT + 1000)
        status = await subscriber.until(of_time(STATUS, AT + 1000))
        assert status.payload["units"]["i"]["state"] == "lost"
        assert status.payload["units"]["u"]["state"] == "good"
        heater = await subscriber.until(lambda got: got.topic == HEATER)
        assert heater.payload["quality"] == "lost"
        assert heater.payload["points"]["active_power_total"]["quality"] == "lost"
        run.site.faults.clear_all()
        await run.site.advance_to(AT + 2000)
        status = await subscriber.until(of_time(STATUS, AT + 2000))
        assert status.payload["units"]["i"]["state"] == "good"


async def test_alarms_are_events_with_the_id_of_the_log(tmp_path: Path):
    watched = "quantity: active_power, circuit: incomer, high: 4000"
    alarms = f", alarms: [{{type: threshold, name: in use, {watched}}}]"
    async with (
        broker(tmp_path) as one,
        subscribed(one.port, f"{ALARMS}/#") as subscriber,
        publishing(one.port, alarms=alarms) as run,
    ):
        await run.site.advance_to(AT + 1000)
        events = run.site.building.model.snapshot.alarms.active
        active = await subscriber.until(lambda got: got.topic == f"{ALARMS}/active" and got.payload["alarms"])
        assert [got["id"] for got in active.payload["alarms"]] == [event.id for event in events]
        run.site.faults.inject("breaker_open", "heater")
        await run.site.advance_to(AT + 3000)
        ended = await subscriber.until(lambda got: got.topic == ALARMS and got.payload["end"])
        (logged,) = run.site.building.model.snapshot.alarms.of("gate/m").log
        assert ended.payload["id"] == logged.id
        assert ended.payload["circuit"] == "incomer"
        assert ended.payload["end"][:19] == format_instant(logged.end_ms)[:19]


async def test_a_password_comes_from_a_file_and_is_never_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    passwords = tmp_path / "passwords"
    passwords.write_text("site:secret-word\n", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        require_program("mosquitto_passwd"), "-U", str(passwords), stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0
    (tmp_path / "secret").write_text("secret-word\n", encoding="utf-8")
    settings = f"allow_anonymous false\npassword_file {passwords}"
    credentials = f", username: site, password_file: {tmp_path / 'secret'}"
    async with broker(tmp_path, settings) as one:
        async with publishing(one.port) as run:
            await _refused(run)
            assert "secret" not in repr(publisher(run).settings)
        async with (
            subscribed(one.port, HEATER, "-u", "site", "-P", "secret-word") as subscriber,
            publishing(one.port, credentials) as run,
        ):
            await subscriber.until(lambda got: True)
            assert "secret-word" not in repr(publisher(run).settings)
    printed = capsys.readouterr()
    assert "secret-word" not in printed.err + printed.out


async def _refused(run: Run) -> None:
    async with asyncio.timeout(20):
        while not publisher(run).counters.failures:
            assert await run.signed(3, HEATER_POWER) > 0  # clients are served all the while


async def test_a_message_that_the_broker_refuses_is_counted_and_not_sent_for_ever(tmp_path: Path):
    rules = tmp_path / "rules"
    rules.write_text("topic write digiware/shop/gate/status\n", encoding="utf-8")
    async with (
        broker(tmp_path, f"allow_anonymous true\nacl_file {rules}") as one,
        publishing(one.port) as run,
    ):
        async with asyncio.timeout(20):
            while len(publisher(run).outbox) or not publisher(run).counters.refused:
                assert await run.signed(3, HEATER_POWER) > 0
        assert publisher(run).counters.refused >= 4
        assert publisher(run).is_connected


async def test_tls_trusts_only_the_authority_that_it_is_told(tmp_path: Path):
    certificates(tmp_path)
    settings = f"allow_anonymous true\ncertfile {tmp_path}/broker.crt\nkeyfile {tmp_path}/broker.key"
    async with broker(tmp_path, settings) as one:
        async with publishing(one.port, ", tls: {}") as run:
            await _refused(run)
            assert not publisher(run).is_connected
        async with (
            subscribed(one.port, HEATER, "--cafile", str(tmp_path / "ca.crt")) as subscriber,
            publishing(one.port, f", tls: {{ca: {tmp_path / 'ca.crt'}}}"),
        ):
            await subscriber.until(lambda got: isinstance(got, Received))
