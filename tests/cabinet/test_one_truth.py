"""One event is one id and one time, and one lost module is lost at once, on every protocol of a gateway."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.buses.bacnet.test_bacnet_clients import CLIENTS
from tests.buses.bacnet.test_bacnet_clients import run as run_client
from tests.buses.mqtt.brokers import broker, subscribed
from tests.buses.snmp.agents import run as run_net_snmp
from tests.buses.snmp.test_traps import Receiver
from tests.external import require_file, require_program
from tests.ports import free_ports
from tests.simulator import test_running
from tests.simulator.test_running import AT, HEATER_POWER, Run, running
from virtual_digiware.buses.mqtt.telemetry import instant

UNIT_U, UNIT_I, UNIT_M = 2, 3, 4
THRESHOLD_STATUS, LOG_HEADER, ACKNOWLEDGE = 39248, 39648, 39616
ACTIVE, FINISHED, ACKNOWLEDGED = 1, 2, 3
HIGH_LIMIT, NORMAL = 3, 0
FAULT_FLAG = 1
NO_FAULT, COMMUNICATION_FAILURE = 0, 12
TOPIC = "digiware/shop/gate"
SECONDS_1970_TO_2000 = 946_684_800


@asynccontextmanager
async def integrated(broker_port: int, trap_port: int) -> AsyncIterator[Run]:
    """The site of `test_running` on all protocols, with an alarm on the whole power."""
    watched = "name: in use, quantity: active_power, circuit: incomer, high: 4000, acknowledge: modbus"
    traps = f"[{{host: 127.0.0.1, port: {trap_port}, version: v2c, community: watchers}}]"

    def change(text: str) -> str:
        services = f"bacnet: {{}}\n    snmp: {{traps: {traps}}}\n    mqtt: {{port: {broker_port}}}"
        text = text.replace("product: M-70", f"product: M-70\n    {services}")
        alarms = f"{{circuit: incomer}}], alarms: [{{type: threshold, {watched}}}]"
        return text.replace("{circuit: incomer}]", alarms)

    async with running(test_running.opened(change=change)) as run:
        yield run


async def bacnet(run: Run, address: int) -> dict[str, Any]:
    """What node-bacnet reads of a module's alarms."""
    node = require_program("node")
    require_file(CLIENTS / "node_modules" / "node-bacnet", "run `npm install` in tests/buses/bacnet/clients")
    where = run.content["gateways"][0]["bacnet"]
    script = str(CLIENTS / "node_alarm.js")
    found: dict[str, Any] = await run_client(
        node, script, where["host"], str(where["port"]), str(free_ports()), str(address)
    )
    return found


async def snmp(run: Run, *objects: str) -> list[str]:
    where = run.content["gateways"][0]["snmp"]
    status, printed, errors = await run_net_snmp(
        "snmpget", "-v2c", "-c", "publicv2", "-Ovq", f"{where['host']}:{where['port']}",
        *(f"VIRTUAL-DIGIWARE-MIB::{one}" for one in objects),
    )  # fmt: skip
    assert status == 0, errors
    return printed.splitlines()


async def words(run: Run, unit: int, address: int, count: int) -> list[int]:
    data = await run.read(unit, address, count)
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


def date_and_time(t_ms: int) -> str:
    """A DateAndTime of the second of March 2026 as net-snmp prints it."""
    of_day_s, ms = divmod(t_ms % 86_400_000, 1000)
    return f"2026-3-2,{of_day_s // 3600}:{of_day_s // 60 % 60}:{of_day_s % 60}.{ms // 100},+0:0"


async def test_one_alarm_is_one_id_and_one_time_from_its_begin_to_its_acknowledgement(tmp_path: Path):
    async with (
        broker(tmp_path) as one,
        Receiver(tmp_path) as receiver,
        subscribed(one.port, f"{TOPIC}/alarms") as events,
        integrated(one.port, receiver.port) as run,
    ):
        # It is active from the start, so what follows is told: an interruption ends it, and it begins anew.
        await run.site.advance_to(AT + 1000)
        run.site.faults.inject("interruption", "mains", start_ms=AT + 1500, duration_ms=2000)
        await run.site.advance_to(AT + 2000)
        ended = await events.until(lambda got: got.payload["end"] is not None)
        assert "alarmOff" in await receiver.line()
        assert (await words(run, UNIT_M, THRESHOLD_STATUS, 2)) == [ended.payload["id"], FINISHED]

        await run.site.advance_to(AT + 5000)
        began = await events.until(lambda got: got.payload["state"] == "active")
        number, start_ms = began.payload["id"], AT + 3500
        assert number == ended.payload["id"] + 1
        assert began.payload["time"] == began.payload["start"] == instant(start_ms)

        status = await words(run, UNIT_M, THRESHOLD_STATUS, 8)
        assert status[:2] == [number, ACTIVE]
        assert (status[4] << 16 | status[5]) + SECONDS_1970_TO_2000 == start_ms // 1000
        header = await words(run, UNIT_M, LOG_HEADER, 21)
        assert (header[5] << 16 | header[6]) + SECONDS_1970_TO_2000 == start_ms // 1000

        trap = await receiver.line()
        assert f"alarmText.{number}" in trap
        assert date_and_time(start_ms) in trap
        assert await snmp(run, f"alarmState.{number}", f"alarmTime.{number}") == [
            "active",
            date_and_time(start_ms),
        ]

        seen = await bacnet(run, UNIT_M)
        assert seen["36"] == [HIGH_LIMIT]
        assert seen["4090"] == [number]
        assert _of_day_ms(seen["4091"][1]) == start_ms % 86_400_000

        run.site.faults.inject("breaker_open", "heater")
        await run.site.advance_to(AT + 8000)
        over = await events.until(lambda got: got.payload["state"] == "finished")
        assert over.payload["id"] == number
        assert await run.set(UNIT_M, ACKNOWLEDGE, number) == 0
        acknowledged = await events.until(lambda got: got.payload["state"] == "acknowledged")
        assert acknowledged.payload["id"] == number
        assert (await words(run, UNIT_M, THRESHOLD_STATUS, 2)) == [number, ACKNOWLEDGED]
        assert await snmp(run, f"alarmState.{number}") == ["acknowledged"]
        seen = await bacnet(run, UNIT_M)
        assert seen["36"] == [NORMAL]


def _of_day_ms(text: str) -> int:
    """Time of day of a BACnet time, which node-bacnet gives as a date in the local zone of its machine."""
    from datetime import datetime

    moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone()
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1000 + moment.microsecond // 1000


async def test_a_module_pulled_off_the_bus_is_lost_on_every_protocol_within_a_collection_cycle(
    tmp_path: Path,
):
    async with (
        broker(tmp_path) as one,
        Receiver(tmp_path) as receiver,
        subscribed(one.port, f"{TOPIC}/#") as messages,
        integrated(one.port, receiver.port) as run,
    ):
        cycle_ms = run.site.building.stations["gate"].bus.cycle_ms
        await messages.until(lambda got: got.topic.endswith("circuits/heater"))
        before_ms = AT + 1000
        await run.site.advance_to(before_ms)
        run.site.faults.inject("module_dead", "gate/i")
        lost_ms = -(-before_ms // cycle_ms) * cycle_ms
        lost_ms += cycle_ms if lost_ms == before_ms else 0
        await run.site.advance_to(lost_ms)

        # The module is silent, and a request to another unit, behind it in the same segment, is answered.
        for unit, transaction in ((UNIT_I, 1), (UNIT_M, 2)):
            run.writer.write(struct.pack(">HHHBBHH", transaction, 0, 6, unit, 3, HEATER_POWER, 2))
        assert await run.reader.readexactly(9) == bytes.fromhex("0001 0000 0003 03 83 0b")
        assert (await run.reader.readexactly(13))[:9] == bytes.fromhex("0002 0000 0007 04 03 04")

        seen = await bacnet(run, UNIT_I)
        assert seen["103"] == [COMMUNICATION_FAILURE]
        assert seen["111"][0]["value"][0] & 1 << FAULT_FLAG
        assert (await bacnet(run, UNIT_M))["103"] == [NO_FAULT]

        assert await snmp(
            run, f"productCommunicationState.{UNIT_I}", f"productCommunicationState.{UNIT_M}"
        ) == ["lost", "communicating"]

        status = await messages.until(
            lambda got: got.topic == f"{TOPIC}/status" and got.payload["units"]["i"]["state"] == "lost"
        )
        assert status.payload["time"] == instant(lost_ms)
        assert status.payload["units"]["i"]["time"] == instant(before_ms)
        assert status.payload["units"]["m"]["state"] == "good"

        [alarm] = [got for got in messages.seen if got.topic == f"{TOPIC}/alarms"]
        assert alarm.payload["type"] == "module lost"
        assert alarm.payload["start"] == instant(lost_ms)
        assert alarm.payload["unit"] == "gate"
        trap = await receiver.line()
        while f"alarmText.{alarm.payload['id']}" not in trap:
            trap = await receiver.line()
        assert "alarmOn" in trap

        run.site.faults.clear_all()
        await run.site.advance_to(lost_ms + cycle_ms)
        assert await run.signed(UNIT_I, HEATER_POWER) > 0
        assert (await bacnet(run, UNIT_I))["103"] == [NO_FAULT]
        back = await messages.until(
            lambda got: got.topic == f"{TOPIC}/status" and got.payload["units"]["i"]["state"] == "good"
        )
        assert back.payload["time"] == instant(lost_ms + cycle_ms) or back.payload["time"] == instant(lost_ms)
