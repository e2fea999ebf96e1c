"""A loss of mains on a running site, read by mbpoll at the ATyS C65, the U module and the incomers."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulator.line_sites import AT, PATIENCE_S, Running, running
from virtual_digiware.devices.alarms.disturbances import VoltageRecord
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import load_site, parse_site
from virtual_digiware.simulator.yaml_text import FileFaults

SITE = """\
site: clinic
commissioned: "2026-03-02T09:59:00Z"
sources:
  mains: {transformer_kva: 250}
  genset: {kind: genset, rated_kva: 100}
  other: {transformer_kva: 160}
boards:
  main: {source: mains, circuits: {incomer: {incomer: true}, q1: {feeds: essential}}}
  reserve: {source: genset, circuits: {q2: {feeds: essential}}}
  essential: {transfer: ats, circuits: {wards: {loads: [{class: server-room, power_kw: 30}]}}}
  left: {source: mains, circuits: {ovens: {loads: [{class: resistive, power_kw: 3}]}}}
  right: {source: other, circuits: {lift: {loads: [{class: resistive, power_kw: 4}]}}}
transfers:
  ats: {sources: [mains, genset], timers: {1RT: 60, 2CT: 30}}
couplers:
  tie: {boards: [left, right]}
events:
  - {kind: interruption, source: mains, start: "2026-03-02T10:01:00Z", duration_s: 120}
gateways:
  - name: d70
    product: D-70
    bus:
      - {name: u, product: U-30, board: essential}
      - {name: i, product: I-30, circuits: [{circuit: wards}]}
      - {name: c65, product: ATyS-C65, transfer: ats}
  - name: m50
    product: M-50
    modbus_tcp: {host: 127.0.0.2}
    rtu_over_tcp: {host: 127.0.0.2}
    bus:
      - {name: u, product: U-30, board: main}
      - {name: i, product: I-30, circuits: [{circuit: q1}]}
  - name: m70
    product: M-70
    modbus_tcp: {host: 127.0.0.3}
    rtu_over_tcp: {host: 127.0.0.3}
    bus:
      - {name: u, product: U-30, board: left}
      - {name: i, product: I-60, circuits: [{circuit: tie}, {circuit: ovens}]}
"""
CONTROLLER, WARDS = 4, 3
MODE, POSITION, START, FIRST_STATE = 20481, 20482, 20484, 20486
ORDERS, MODES, FAULTS = 1152, 63552, 63488
POWER = 18476


async def word(site: Running, address: int) -> int:
    return await site.mbpoll("d70", CONTROLLER, address, "4")


async def wards_w(site: Running) -> int:
    return await site.mbpoll("d70", WARDS, POWER, "4:int")


async def q1_w(site: Running) -> int:
    return await site.mbpoll("m50", 3, POWER, "4:int")


async def go(site: Running, seconds: float) -> None:
    await site.site.advance_to(AT + round(1000 * seconds))


async def write(site: Running, address: int, value: int) -> None:
    """A register of the controller, written by mbpoll with function 6."""
    host, port = site.place("d70")
    process = await asyncio.create_subprocess_exec(
        "mbpoll", "-m", "tcp", "-p", str(port), "-a", str(CONTROLLER), "-t", "4", "-0",
        "-r", str(address), host, str(value), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0, printed.decode()


def voltage_log(site: Running) -> tuple[VoltageRecord, ...]:
    """Interruptions in the log of the U module of the essential board, newest first."""
    snapshot = site.site.building.model.snapshot
    return tuple(one for one in snapshot.alarms.of("d70/u").voltage_log if one.kind == "interruption")


async def test_a_loss_of_mains_is_seen_at_the_controller_the_u_module_and_both_sides():
    async with running(SITE) as site:
        assert [await word(site, one) for one in (MODE, POSITION, START, FIRST_STATE)] == [16, 2, 0, 2]
        assert await wards_w(site) == pytest.approx(await q1_w(site), abs=1)
        await go(site, 62)
        assert [await word(site, one) for one in (POSITION, START, FIRST_STATE)] == [2, 0, 0]
        assert await wards_w(site) == 0
        await go(site, 64)
        assert await word(site, START) == 1
        await go(site, 110)
        assert await word(site, POSITION) == 3
        assert await wards_w(site) > 5000
        assert await q1_w(site) == 0
        await go(site, 241)
        assert await word(site, POSITION) == 1
        await go(site, 244)
        assert await word(site, POSITION) == 2
        assert await wards_w(site) == pytest.approx(await q1_w(site), abs=1)
        await go(site, 280)
        assert await word(site, START) == 0
        back, out = voltage_log(site)
        assert out.start_ms == pytest.approx(AT + 60_000, abs=30)
        assert back.start_ms == pytest.approx(AT + 240_000, abs=30)
        assert back.end_ms == pytest.approx(AT + 243_000, abs=30)


async def test_a_leap_over_everything_shows_what_would_have_happened():
    async with running(SITE) as stepping:
        for seconds in (62, 64, 110, 241, 244, 280):
            await go(stepping, seconds)
        energies = [await stepping.mbpoll("d70", WARDS, 19841 + word, "4") for word in range(3)]
        log = voltage_log(stepping)
    async with running(SITE) as leaping:
        await go(leaping, 280)
        assert [await leaping.mbpoll("d70", WARDS, 19841 + word, "4") for word in range(3)] == energies
        assert voltage_log(leaping) == log


async def test_orders_written_by_a_client_are_obeyed_as_the_mode_allows():
    async with running(SITE) as site:
        await write(site, ORDERS, 8)
        await go(site, 5)
        assert await word(site, POSITION) == 2  # automatic mode
        await write(site, MODES, 3)
        await write(site, ORDERS, 8)
        await go(site, 6)
        assert [await word(site, one) for one in (MODE, POSITION)] == [32, 1]
        assert await wards_w(site) == 0
        await write(site, ORDERS, 4)
        await go(site, 10)
        assert await word(site, POSITION) == 2
        assert await wards_w(site) > 5000


async def test_a_set_that_fails_to_start_is_reported_and_the_board_waits_for_the_mains():
    async with running(SITE) as site:
        site.site.faults.inject("genset_no_start", "genset")
        await go(site, 94)
        assert [await word(site, one) for one in (POSITION, START, FAULTS)] == [2, 1, 1]
        await go(site, 179)
        assert await wards_w(site) == 0
        await go(site, 181)
        assert await wards_w(site) > 5000
        await write(site, MODES, 9)
        await go(site, 182)
        assert await word(site, FAULTS) == 0


async def test_a_frequency_that_is_off_is_measured_and_drives_the_switch_away():
    async with running(SITE) as site:
        (fault,) = site.site.faults.inject("frequency_off", "mains", shift_hz=-2)
        await go(site, 1)
        frequency = site.site.building.model.snapshot.circuit_point("q1", "frequency", average=False)
        assert frequency == pytest.approx(48, abs=0.15)
        assert await word(site, FIRST_STATE) == 2
        site.site.faults.clear(fault.number)
        site.site.faults.inject("frequency_off", "mains", shift_hz=3)
        await go(site, 2)
        assert await word(site, FIRST_STATE) == 0
        await go(site, 40)
        assert await word(site, POSITION) == 3


async def test_a_coupler_is_metered_as_a_circuit_that_feeds_backwards_while_its_own_board_is_lost():
    async with running(SITE) as site:
        assert await site.mbpoll("m70", 3, POWER, "4:int") == 0
        await go(site, 70)
        tie, ovens = [await site.mbpoll("m70", 3, POWER + 2048 * slot, "4:int") for slot in (0, 1)]
        assert ovens > 500
        assert tie == pytest.approx(-ovens, abs=1)


MISTAKES = [
    ("transfer: ats, circuits", "transfer: atz, circuits", "boards.essential.transfer", "Did you mean ats?"),
    ("sources: [mains, genset]", "sources: [mains, mains]", "transfers.ats.sources", "two different"),
    (
        "sources: [mains, genset]",
        "sources: [mains, set]",
        "transfers.ats.sources[1]",
        "a source of this site",
    ),
    ("1RT: 60", "1RT: 4000", "transfers.ats.timers", "1RT from 0 to 3600 s"),
    ("boards: [left, right]", "boards: [left, main]", "couplers.tie.boards", "different sources"),
    ("boards: [left, right]", "boards: [left, essential]", "couplers.tie.boards[1]", "a `source` of its own"),
    ("product: ATyS-C65, transfer: ats", "product: ATyS-C65", "transfer", "the transfer switch it drives"),
    (
        "kind: genset, rated_kva: 100",
        "kind: genset, transformer_kva: 100",
        "sources.genset",
        "transformer_kva",
    ),
    ("kind: interruption, source: mains", "kind: no_start, source: mains", "source", "kind genset"),
    ("  tie: {boards", "  lift: {boards", "couplers.lift", "a name that no circuit"),
    ("q2: {feeds: essential}", "q2: {feeds: essential}, q3: {feeds: essential}", "q3.feeds", "one circuit"),
]


@pytest.mark.parametrize(("right", "wrong", "key", "advice"), MISTAKES, ids=[one[3] for one in MISTAKES])
def test_a_mistake_is_told_with_its_key_and_what_would_be_right(right, wrong, key, advice):
    parse_site(SITE)
    assert right in SITE
    with pytest.raises(FileFaults) as refusal:
        parse_site(SITE.replace(right, wrong, 1))
    assert any(key in str(fault) and advice in str(fault) for fault in refusal.value.faults), refusal.value


def test_a_site_without_double_sources_is_built_from_the_plain_truth():
    from virtual_digiware.profiles.truth import Truth

    building = Building(load_site("demo"), AT)
    assert building.gear is None
    assert type(building.truth) is Truth
    assert not building.truth.switching_ms


def test_events_and_orders_of_the_site_file_reach_the_switch():
    text = SITE.replace(
        "events:\n",
        "events:\n"
        '  - {kind: order, transfer: ats, order: manual, start: "2026-03-02T09:59:10Z"}\n'
        '  - {kind: order, transfer: ats, order: position_0, start: "2026-03-02T09:59:20Z"}\n'
        '  - {kind: frequency, source: other, shift_hz: 0.3, start: "2026-03-02T09:59:00Z", duration_s: 9}\n',
    )
    building = Building(parse_site(text), AT - 60_000)
    snapshot = building.model.compute(AT - 30_000)
    assert snapshot.transfers["ats"].state.position == 0
    assert snapshot.transfers["ats"].state.mode == "manual"
