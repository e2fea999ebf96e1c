"""The agent read and written by net-snmp's own programs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.buses.snmp.agents import NOON_MS, Bench, bench, run
from tests.external import require_program
from virtual_digiware.buses.snmp.settings import Community, SnmpSettings
from virtual_digiware.devices.records import Refusal

BRANCH = "1.3.6.1.4.1.4555.10"
CURRENT = f"{BRANCH}.20.20.1.10000.4.1"
OUTPUT = f"{BRANCH}.40.20.1.2.7.1"

V1, V1_WRITE = ("-v1", "-c", "public"), ("-v1", "-c", "Private")
V2, V2_WRITE = ("-v2c", "-c", "publicv2"), ("-v2c", "-c", "privatev2")
OPEN = ("-v3", "-l", "noAuthNoPriv", "-u", "open")
MD5 = ("-v3", "-l", "authNoPriv", "-u", "md5", "-a", "MD5", "-A", "md5password")
SHA = ("-v3", "-l", "authNoPriv", "-u", "sha", "-a", "SHA", "-A", "sha1password")
SHA256 = ("-v3", "-l", "authNoPriv", "-u", "sha256", "-a", "SHA-256", "-A", "sha256password")
SHA512 = ("-v3", "-l", "authNoPriv", "-u", "sha512", "-a", "SHA-512", "-A", "sha512password")
DES = (
    "-v3",
    "-l",
    "authPriv",
    "-u",
    "des",
    "-a",
    "MD5",
    "-A",
    "md5password",
    "-x",
    "DES",
    "-X",
    "despassword",
)
AES = (
    "-v3",
    "-l",
    "authPriv",
    "-u",
    "aes",
    "-a",
    "SHA",
    "-A",
    "sha1password",
    "-x",
    "AES",
    "-X",
    "aespassword",
)
AES256 = (
    "-v3", "-l", "authPriv", "-u", "aes256", "-a", "SHA-256", "-A", "sha256password",
    "-x", "AES-256", "-X", "aes256password",
)  # fmt: skip
VERSIONS = {
    "v1": V1,
    "v2c": V2,
    "v3": OPEN,
    "v3 MD5": MD5,
    "v3 SHA-1": SHA,
    "v3 SHA-256": SHA256,
    "v3 SHA-512": SHA512,
    "v3 MD5 DES": DES,
    "v3 SHA-1 AES": AES,
    "v3 SHA-256 AES-256": AES256,
}
PLAIN = ("-m", "", "-On", "-Oe", "-OU", "-OQ", "-r", "0", "-t", "5")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Bench]:
    """One agent for all tests that change nothing."""
    own = bench()
    own.host, own.port = await own.agent.start("127.0.0.1", 0)
    yield own
    await own.agent.close()


async def ask(program: str, own: Bench, security: tuple[str, ...], *arguments: str) -> str:
    status, out, err = await run(require_program(program), *security, *PLAIN, own.address, *arguments)
    assert status == 0, err
    return out


def register(own: Bench, block: str, point: str, unit: str, slot: int = 0) -> float:
    for placed in own.model.units[unit].product.blocks:
        if placed.block.name == block and placed.slot == slot:
            rows = [row.point for row in placed.block.rows]
            return float(own.model.units[unit].read(placed)[rows.index(point)])  # type: ignore[arg-type]
    raise AssertionError(block)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("security", VERSIONS.values(), ids=VERSIONS)
async def test_every_version_reads_the_same_current(shared, security):
    current_a = register(shared, "load_instantaneous", "current_l1", "m70/i60")
    out = await ask("snmpget", shared, security, CURRENT)
    assert out == f".{CURRENT} = {round(current_a * 1000)}\n"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_walk_is_the_same_by_every_way_of_walking(shared):
    walks = {
        "GETNEXT": await ask("snmpwalk", shared, V2, BRANCH),
        "GETBULK": await ask("snmpbulkwalk", shared, V2, BRANCH),
        "GETBULK of 50": await ask("snmpbulkwalk", shared, (*V2, "-Cr50"), BRANCH),
        "v3": await ask("snmpbulkwalk", shared, AES, BRANCH),
    }
    assert len(walks["GETNEXT"].splitlines()) > 850
    assert len(set(walks.values())) == 1
    assert shared.agent.counters.failures == 0


@pytest.mark.asyncio(loop_scope="module")
async def test_a_v1_manager_walks_past_what_it_cannot_understand(shared):
    fine = f".{BRANCH}.20.30.1.8002"
    v1 = (await ask("snmpwalk", shared, V1, BRANCH)).splitlines()
    v2 = (await ask("snmpwalk", shared, V2, BRANCH)).splitlines()
    counters_64 = [
        line for line in v2 if line.startswith((fine, f".{BRANCH}.40.50.1.2", f".{BRANCH}.40.50.1.3"))
    ]
    assert len(counters_64) == 5 * 7 + 2 * 4
    assert v1 == [line for line in v2 if line not in counters_64]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_system_group_introduces_the_gateway(shared):
    lines = (await ask("snmpwalk", shared, V2, "1.3.6.1.2.1.1")).splitlines()
    assert lines == [
        '.1.3.6.1.2.1.1.1.0 = "M-70, simulated by Virtual Digiware"',
        f".1.3.6.1.2.1.1.2.0 = .{BRANCH}",
        ".1.3.6.1.2.1.1.3.0 = 0:0:01:00.00",
        '.1.3.6.1.2.1.1.4.0 = ""',
        '.1.3.6.1.2.1.1.5.0 = "m70"',
        '.1.3.6.1.2.1.1.6.0 = "cabinet 1"',
        ".1.3.6.1.2.1.1.7.0 = 72",
    ]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("program", "security", "oid", "said"),
    [
        ("snmpget", V1, "1.3.6.1.2.1.1.99.0", "noSuchName"),
        ("snmpgetnext", V1, "1.3.7", "noSuchName"),
        ("snmpget", V2, "1.3.6.1.2.1.1.99.0", "No Such Object"),
        ("snmpget", V2, f"{BRANCH}.20.20.1.10000.4.9", "No Such Instance"),
        ("snmpgetnext", V2, "1.3.7", "No more variables"),
        ("snmpget", AES, f"{BRANCH}.20.20.1.10000.4.9", "No Such Instance"),
    ],
)
async def test_what_does_not_exist_is_told_in_the_words_of_the_version(shared, program, security, oid, said):
    _, out, err = await run(require_program(program), *security, *PLAIN, shared.address, oid)
    assert said in out + err


REFUSED = [
    (V2, OUTPUT, "i", "1", "noAccess"),
    (MD5, OUTPUT, "i", "1", "noAccess"),
    (V1, OUTPUT, "i", "1", "noSuchName"),
    (V2_WRITE, "1.3.6.1.2.1.1.6.0", "s", "here", "notWritable"),
    (V1_WRITE, "1.3.6.1.2.1.1.6.0", "s", "here", "noSuchName"),
    (V2_WRITE, CURRENT, "u", "1", "notWritable"),
    (V2_WRITE, OUTPUT, "s", "on", "wrongType"),
    (V2_WRITE, OUTPUT, "u", "1", "wrongType"),
    (V1_WRITE, OUTPUT, "s", "on", "badValue"),
    (V2_WRITE, OUTPUT, "i", "2", "wrongValue"),
    (V1_WRITE, OUTPUT, "i", "2", "badValue"),
    (V2_WRITE, f"{BRANCH}.40.20.1.2.7.3", "i", "1", "noCreation"),
    (V2_WRITE, f"{BRANCH}.40.20.1.2.99.1", "i", "1", "noCreation"),
    (V1_WRITE, f"{BRANCH}.40.20.1.2.7.3", "i", "1", "noSuchName"),
    (AES, f"{BRANCH}.40.20.1.2.7.3", "i", "1", "noCreation"),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("security", "oid", "kind", "value", "said"), REFUSED)
async def test_a_set_is_refused_in_the_words_of_the_version(shared, security, oid, kind, value, said):
    program = require_program("snmpset")
    status, _, err = await run(program, *security, *PLAIN, shared.address, oid, kind, value)
    assert status != 0
    assert re.search(rf"Reason: \(?{said}", err), err
    assert shared.handler.writes == []


@pytest.mark.parametrize("security", [V1_WRITE, V2_WRITE, SHA, AES])
async def test_an_output_is_switched_as_by_its_register(listening, security):
    await ask("snmpset", listening, security, OUTPUT, "i", "1")
    assert register(listening, "digital_outputs", "active_mask", "m70/io10") == 1
    assert await ask("snmpget", listening, V2, OUTPUT) == f".{OUTPUT} = 1\n"
    await ask("snmpset", listening, security, OUTPUT, "i", "0")
    assert register(listening, "digital_outputs", "active_mask", "m70/io10") == 0
    on, off = 11280 + 5, 11280 + 4
    assert listening.handler.writes == [("m70/io10", 6, on, (1,)), ("m70/io10", 6, off, (1,))]


async def test_a_reset_opens_the_lock_and_closes_it_again(listening):
    before = f".{BRANCH}.20.30.1.80040.4.1 = 0\n"
    listening.model.publish(listening.model.compute(NOON_MS + 1_800_000))
    assert await ask("snmpget", listening, V2, f"{BRANCH}.20.30.1.80040.4.1") != before
    await ask("snmpset", listening, V2_WRITE, f"{BRANCH}.15.1.3.4.1", "i", "1")
    assert listening.handler.writes == [
        ("m70/i60", 6, 58112, (1000,)),
        ("m70/i60", 6, 20096, (0x3F,)),
        ("m70/i60", 6, 58112, (0,)),
    ]
    assert not listening.model.units["m70/i60"].state.is_unlocked
    assert await ask("snmpget", listening, V2, f"{BRANCH}.20.30.1.80040.4.1") == before
    assert await ask("snmpget", listening, V2, f"{BRANCH}.15.1.3.4.1") == f".{BRANCH}.15.1.3.4.1 = 0\n"


async def test_a_reset_set_to_idle_changes_nothing(listening):
    await ask("snmpset", listening, V2_WRITE, f"{BRANCH}.15.1.4.4.1", "i", "0")
    assert listening.handler.writes == []


RESETS = [
    (f"{BRANCH}.15.1.4.4.2", "i", "1", ("m70/i60", 16, 20097 + 2048, (0, 0xFFFF))),
    (f"{BRANCH}.15.1.5.4.2", "i", "1", ("m70/i60", 16, 20097 + 2048, (0xFFFF, 0))),
    (f"{BRANCH}.10.1.8.2", "i", "1", ("m70/u30", 6, 37744, (0xFFFF,))),
    (f"{BRANCH}.10.1.9.4", "u", "12", ("m70/i60", 6, 39616, (12,))),
    (f"{BRANCH}.40.50.1.5.7.2", "i", "1", ("m70/io10", 16, 11318, (2, 0))),
]


@pytest.mark.parametrize(("oid", "kind", "value", "write"), RESETS)
async def test_resets_are_the_writes_of_their_registers(listening, oid, kind, value, write):
    await ask("snmpset", listening, V2_WRITE, oid, kind, value)
    assert write in listening.handler.writes


async def test_of_several_assignments_all_or_none_are_taken_and_the_wrong_one_is_named(listening):
    wrong = f"{BRANCH}.40.20.1.2.7.3"
    good = (OUTPUT, "i", "1", f"{BRANCH}.40.20.1.2.7.2", "i", "1")
    program = require_program("snmpset")
    status, _, err = await run(program, *V2_WRITE, *PLAIN, listening.address, *good, wrong, "i", "1")
    assert status != 0
    assert f"Failed object: .{wrong}" in err
    assert listening.handler.writes == []
    await ask("snmpset", listening, V2_WRITE, *good)
    assert register(listening, "digital_outputs", "active_mask", "m70/io10") == 3


async def test_a_write_that_cannot_be_kept_has_failed(listening):
    listening.handler.refusal = Refusal(4, "no room on the disk")
    program = require_program("snmpset")
    _, _, err = await run(program, *V2_WRITE, *PLAIN, listening.address, OUTPUT, "i", "1")
    assert "Reason: commitFailed" in err
    _, _, err = await run(program, *V1_WRITE, *PLAIN, listening.address, OUTPUT, "i", "1")
    assert "Reason: (genError)" in err


@pytest.mark.parametrize(
    ("security", "counter"),
    [
        (("-v2c", "-c", "public"), "snmpInBadCommunityNames"),
        (("-v1", "-c", "secret"), "snmpInBadCommunityNames"),
    ],
)
async def test_a_wrong_community_hears_nothing_and_is_counted(listening, security, counter):
    assert listening.agent.library is not None  # made now, so that nothing waits for it
    program = require_program("snmpget")
    _, _, err = await run(program, *security, "-r", "0", "-t", "0.2", listening.address, CURRENT)
    assert "Timeout" in err
    assert listening.agent.counters.library(counter) == 1


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("security", "said"),
    [
        (("-v3", "-l", "noAuthNoPriv", "-u", "nobody"), "Unknown user name"),
        (("-v3", "-l", "noAuthNoPriv", "-u", "aes"), "Unsupported security level"),
        ((*SHA[:-1], "wrongpassword"), "Authentication failure"),
        ((*AES[:-1], "wrongpassword"), r"Decryption error|Timeout"),
        ((*OPEN, "-n", "elsewhere"), "Bad context specified"),
    ],
)
async def test_security_reports_what_is_wrong_with_a_user(shared, security, said):
    program = require_program("snmpget")
    status, out, err = await run(program, *security, "-r", "0", "-t", "1", shared.address, CURRENT)
    assert status != 0
    assert re.search(said, out + err), out + err


async def test_beyond_loopback_the_delivered_communities_let_nobody_in():
    own = bench(SnmpSettings())
    own.host, own.port = await own.agent.start("0.0.0.0", 0)
    own.host = "127.0.0.1"
    try:
        program = require_program("snmpget")
        _, _, err = await run(program, *V2, "-r", "0", "-t", "0.2", own.address, CURRENT)
        assert "Timeout" in err
    finally:
        await own.agent.close()


async def test_beyond_loopback_a_sites_own_communities_count():
    own = bench(SnmpSettings(communities=(Community("ours", "v2c"),)))
    own.host, own.port = await own.agent.start("0.0.0.0", 0)
    own.host = "127.0.0.1"
    try:
        assert CURRENT in await ask("snmpget", own, ("-v2c", "-c", "ours"), CURRENT)
    finally:
        await own.agent.close()


async def test_on_loopback_the_delivered_communities_work():
    own = bench(SnmpSettings())
    own.host, own.port = await own.agent.start("127.0.0.1", 0)
    try:
        assert CURRENT in await ask("snmpget", own, V2, CURRENT)
    finally:
        await own.agent.close()
