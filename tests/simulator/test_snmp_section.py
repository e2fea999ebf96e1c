"""The SNMP section of a site file, and the agent that a running site makes of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.buses.snmp.agents import ask, message, pdu
from virtual_digiware.buses.snmp.alarms import AlarmNotice
from virtual_digiware.buses.snmp.ber import GAUGE32, GET, INTEGER, SET, integer, oid_content, tlv
from virtual_digiware.buses.snmp.settings import Community, Destination, User
from virtual_digiware.devices.alarms.events import AlarmChange, AlarmEvent
from virtual_digiware.devices.records import Record, Refusal
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.clock import Anchor
from virtual_digiware.simulator.endpoints import Endpoints
from virtual_digiware.simulator.journal import Identity, Journal
from virtual_digiware.simulator.listening import WantedPort, wanted_ports
from virtual_digiware.simulator.opening import TimeOptions, open_site
from virtual_digiware.simulator.run_report import print_report
from virtual_digiware.simulator.running import Options, RunningSite
from virtual_digiware.simulator.site_file import parse_site
from virtual_digiware.simulator.snmp_agents import BOOTS_EPOCH_MS, engine_boots, snmp_agent
from virtual_digiware.simulator.snmp_alarms import MOST_AT_ONCE, SnmpAlarms
from virtual_digiware.simulator.yaml_text import FileFaults

SITE = """\
site: plant
sources: {mains: {voltage_v: 400}}
boards:
  main:
    source: mains
    circuits:
      light: {loads: [{class: office-lighting, power_kw: 6}]}
gateways:
  - name: gate
    product: M-70
    snmp: SNMP
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-35, circuits: [{circuit: light}]}
      - {name: io, product: IO-10}
"""
FILE = Path("plant.yaml")
NOON_MS = 1_767_265_200_000
NUMBERS = (INTEGER, GAUGE32)
OUTPUT = (1, 3, 6, 1, 4, 1, 4555, 10, 40, 20, 1, 2, 4, 1)
BOOTS = (1, 3, 6, 1, 6, 3, 10, 2, 1, 2, 0)


def site_with(snmp: str, **replaced: str) -> str:
    text = SITE.replace("snmp: SNMP", f"snmp: {snmp}")
    for old, new in replaced.items():
        text = text.replace(f"{old}:", new, 1)
    return text


def agent_settings(snmp: str):
    section = parse_site(site_with(snmp), FILE).site.gateways[0].snmp
    assert section is not None
    return section.settings()


def test_a_section_says_who_may_do_what():
    settings = agent_settings(
        "{communities: [{name: ours, version: v2c, access: write}], location: cellar, trap_period_s: 60,"
        " users: [{name: reader, auth: SHA256, auth_password: secret12,"
        " priv: AES128, priv_password: secret34}],"
        " traps: [{host: 127.0.0.1, community: alarms},"
        " {host: 127.0.0.2, version: v3, user: reader, inform: true}]}"
    )
    assert settings.communities == (Community("ours", "v2c", "write"),)
    assert settings.users == (User("reader", "read", "SHA256", "secret12", "AES128", "secret34"),)
    assert settings.destinations == (
        Destination("127.0.0.1", 162, "v2c", "alarms"),
        Destination("127.0.0.2", 162, "v3", "reader", True),
    )
    assert (settings.location, settings.repeat_s) == ("cellar", 60)


def snmp_ports(text: str) -> list[WantedPort]:
    return [wanted for wanted in wanted_ports(parse_site(text, FILE).site) if wanted.service == "snmp"]


def test_snmp_is_off_until_the_file_says_so():
    services = [
        wanted.service for wanted in wanted_ports(parse_site(SITE.replace("snmp: SNMP", ""), FILE).site)
    ]
    assert "snmp" not in services
    (wanted,) = (one for one in wanted_ports(parse_site(site_with("{}"), FILE).site) if one.service == "snmp")
    assert (wanted.host, wanted.port, wanted.alternative) == ("127.0.0.1", 161, 1161)


@pytest.mark.parametrize(
    ("snmp", "replaced", "key", "right"),
    [
        (
            "{traps: [{host: 10.0.0.9}]}",
            {},
            "gateways[0].snmp.traps[0].host",
            "a loopback address, or a `host:`",
        ),
        (
            "{users: [{name: a, auth: SHA1, auth_password: short}]}",
            {},
            "gateways[0].snmp.users[0]",
            "8 characters",
        ),
        (
            "{users: [{name: a, priv: DES, priv_password: longenough}]}",
            {},
            "gateways[0].snmp.users[0]",
            "authentication",
        ),
        ("{users: [{name: a, auth: SHA3}]}", {}, "gateways[0].snmp.users[0].auth", "one of MD5, SHA1"),
        ("{traps: [{host: here}]}", {}, "gateways[0].snmp.traps[0].host", "the IP address of a manager"),
        ("{traps: [{host: 127.0.0.1, version: v3}]}", {}, "gateways[0].snmp.traps[0]", "`user` with v3"),
        (
            "{traps: [{host: 127.0.0.1, version: v3, user: a}]}",
            {},
            "gateways[0].snmp",
            "no user of the agent",
        ),
        (
            "{traps: [{host: 127.0.0.1, version: v1, inform: true}]}",
            {},
            "gateways[0].snmp.traps[0]",
            "no informs",
        ),
        ("{port: 161, agent: yes}", {}, "gateways[0].snmp.agent", "port"),
    ],
)
def test_a_mistake_in_the_section_is_named(snmp, replaced, key, right):
    with pytest.raises(FileFaults) as caught:
        parse_site(site_with(snmp, **replaced), FILE)
    (fault,) = caught.value.faults
    assert fault.key == key
    assert right in fault.right


def test_every_gateway_on_loopback_has_port_161_on_an_address_of_its_own():
    second = SITE[SITE.index("  - name: gate") :].replace("gate", "other").replace("SNMP", "{}")
    text = site_with("{}") + second.replace("[{circuit: light}]", "[{circuit: light}]")
    off = "\n".join(f"    {service}: {{enabled: false}}" for service in ("modbus_tcp", "rtu_over_tcp"))
    text = text.replace("name: other\n", f"name: other\n{off}\n")
    hosts = [one.host for one in snmp_ports(text)]
    assert hosts == ["127.0.0.1", "127.0.0.2"]


def journal_of(*starts_ms: int) -> Journal:
    journal = Journal(Identity("plant", "x", 1))
    for wall_ms in starts_ms:
        journal.append(Record(NOON_MS, "clock", "", Anchor(NOON_MS, wall_ms, 1.0).as_data()))
    return journal


ALARMS_ACTIVE = (1, 3, 6, 1, 4, 1, 4555, 10, 30, 1, 0)


async def test_a_module_that_is_gone_is_an_alarm_in_the_table_and_a_trap(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as manager:
        manager.bind(("127.0.0.1", 0))
        manager.setblocking(False)
        traps = f"{{traps: [{{host: 127.0.0.1, port: {manager.getsockname()[1]}}}]}}"
        async with running(tmp_path / "journal.jsonl", NOON_MS, traps) as (site, address):
            before = number(await ask(address, message(1, "publicv2", pdu(GET, [ALARMS_ACTIVE]))))
            gone = Record(NOON_MS, "presence", "gate/io", {"present": False})
            site.building.model.apply(gone)
            await site.advance_to(NOON_MS + 60_000)
            after = number(await ask(address, message(1, "publicv2", pdu(GET, [ALARMS_ACTIVE]))))
            trap = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(manager, 4096), 10)
        assert after == before + 1
        (event,) = (
            one
            for one in site.building.model.snapshot.alarms.active
            if one.unit in ("gate", "gate/io") and one.state == "active" and one.start_ms >= NOON_MS
        )
        assert event.text.encode() in trap
        assert integer(event.id)[2:] in trap


async def test_a_run_beyond_loopback_says_that_the_delivered_communities_do_not_work():
    site = parse_site(site_with("{host: 0.0.0.0}", site="listen: any\nsite:"), FILE)
    building = Building(site, NOON_MS)
    wanted = next(one for one in wanted_ports(site.site) if one.service == "snmp")
    agent = snmp_agent(building, wanted, Refusing(), 1)
    await agent.start("0.0.0.0", 0)
    console = Console(file=StringIO(), width=200)
    content = {"gateways": [], "meters": [], "lines": []}
    print_report(console, building, content, Endpoints(snmp_agents={"gate": agent}))
    assert "gate: SNMP lets nobody in" in console.file.getvalue()
    await agent.close()


class Refusing:
    def write(self, unit, function, address, values):
        return Refusal(4, "a test")


def test_boots_grow_with_every_start_even_when_the_machines_clock_is_set_back():
    assert engine_boots(journal_of(BOOTS_EPOCH_MS + 5_000)) == 5
    assert engine_boots(journal_of(BOOTS_EPOCH_MS + 5_000, BOOTS_EPOCH_MS + 9_000)) == 9
    assert engine_boots(journal_of(BOOTS_EPOCH_MS + 9_000, BOOTS_EPOCH_MS + 5_000)) == 10
    assert engine_boots(journal_of(BOOTS_EPOCH_MS - 9_000)) == 1


def number(reply: bytes) -> int:
    """The number of up to four octets that ends a reply."""
    size = next(size for size in range(1, 5) if reply[-size - 1] == size and reply[-size - 2] in NUMBERS)
    return int.from_bytes(reply[-size:], "big")


@asynccontextmanager
async def running(
    journal: Path, at_ms: int | None, snmp: str = "{}"
) -> AsyncIterator[tuple[RunningSite, tuple[str, int]]]:
    """The site on free ports, and where its agent is."""
    opened = open_site(parse_site(site_with(snmp), FILE), TimeOptions("manual", at_ms=at_ms), journal)
    loop = asyncio.get_running_loop()
    announced: asyncio.Future[dict[str, Any]] = loop.create_future()

    def announce(content: dict[str, Any], _: object) -> None:
        loop.call_soon_threadsafe(announced.set_result, content)

    site = RunningSite(opened.building, opened.clock, opened.journal, Options(port_base=0), announce)
    task = asyncio.create_task(site.run(), name="site")
    await asyncio.wait({task, announced}, return_when=asyncio.FIRST_COMPLETED)
    where = (await announced)["gateways"][0]["snmp"]
    try:
        yield site, (where["host"], where["port"])
    finally:
        site.stop()
        await task
        opened.journal.close()


async def test_a_running_site_answers_keeps_what_is_set_and_remembers_its_starts(tmp_path):
    journal = tmp_path / "journal.jsonl"
    boots = []
    for at_ms, is_on in ((NOON_MS, 0), (None, 1)):
        async with running(journal, at_ms) as (site, address):
            assert number(await ask(address, message(1, "publicv2", pdu(GET, [OUTPUT])))) == is_on
            boots.append(number(await ask(address, message(1, "publicv2", pdu(GET, [BOOTS])))))
            content = integer(1) + integer(0) * 2 + varbind(OUTPUT, integer(1))
            await ask(address, message(1, "privatev2", tlv(SET, content)))
            assert number(await ask(address, message(1, "publicv2", pdu(GET, [OUTPUT])))) == 1
            assert site.endpoints.snmp_agents["gate"].counters.failures == 0
    assert boots[1] > boots[0] >= 1


def varbind(oid: tuple[int, ...], value: bytes) -> bytes:
    return tlv(0x30, tlv(0x30, tlv(0x06, oid_content(oid)) + value))


@dataclass
class History:
    """Alarms of a site without the site: each change is an alarm that begins."""

    sequence: int = 0

    def alarm_changes_since(self, cursor: int) -> tuple[tuple[AlarmChange, ...], int]:
        changes = (AlarmChange(n, n, an_alarm(n)) for n in range(cursor + 1, self.sequence + 1))
        return tuple(changes), self.sequence


def an_alarm(number: int) -> AlarmEvent:
    unit = "gate/i" if number % 2 else "elsewhere/i"
    return AlarmEvent(
        id=number, unit=unit, address=3, slot=0, family="threshold", number=1, type="high", criticality=1,
        cause=1, start_ms=number, value=1.0, threshold=0.5, text=f"alarm {number}",
    )  # fmt: skip


class Listener:
    def __init__(self) -> None:
        self.told: list[AlarmNotice] = []
        self.recalled: list[AlarmNotice] = []

    def alarm(self, notice: AlarmNotice) -> None:
        self.told.append(notice)

    def recall(self, notice: AlarmNotice) -> None:
        self.recalled.append(notice)


def test_the_past_is_recalled_and_only_the_newest_of_many_changes_are_told():
    history, agent = History(4), Listener()
    alarms = SnmpAlarms(history, {"gate": agent})
    assert [notice.id for notice in agent.recalled] == [1, 3]
    alarms.tell()
    assert agent.told == []
    history.sequence = 6
    alarms.tell()
    assert agent.told == [AlarmNotice(5, 5, 3, 1, "threshold", 1, "active", "alarm 5")]
    history.sequence = 306
    alarms.tell()
    assert len(agent.told) == 1 + MOST_AT_ONCE // 2
    assert agent.told[-1].id == 305
    assert len(agent.recalled) == 2 + (300 - MOST_AT_ONCE) // 2
