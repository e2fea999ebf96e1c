"""A DATALOG H80 collects gateways over Modbus TCP, whatever stands behind them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.simulator.line_sites import AT, MASTER, running
from virtual_digiware.devices.datalogger import Datalogger, Target
from virtual_digiware.simulator.site_file import parse_site
from virtual_digiware.simulator.yaml_text import FileFaults

POWER = ("circuit.instantaneous", "active_power_total")
THIRD = """\
  - name: third
    product: M-50
    modbus_tcp: {host: 127.0.0.3}
    rtu_over_tcp: {host: 127.0.0.3}
    bus:
      - {name: u, product: U-30, address: 2}
      - {name: i, product: I-60, address: 3, circuits: [{circuit: light}, {circuit: heater}]}
"""
SITE = (
    MASTER
    + THIRD
    + """\
dataloggers:
  - name: h80
    period_s: 60
    reply_ms: 400
    collects: [{gateway: master}, {gateway: third}]
"""
)


async def test_it_holds_what_the_registers_show_of_every_device_behind_its_gateways():
    async with running(SITE) as site:
        logger = site.site.collectors.loggers["h80"]
        assert list(logger.devices) == [
            "master", "master/u", "master/i", "far/u", "far/i", "display", "display/u", "display/i",
            "third", "third/u", "third/i",
        ]  # fmt: skip
        assert {device.state for device in logger.devices.values()} == {"communicating"}
        assert logger.value("far/i", *POWER) == await site.mbpoll("master", 11)
        assert logger.value("display/i", *POWER) == await site.mbpoll("display", 22)
        assert logger.value("third/i", *POWER, slot=1) == await site.mbpoll("third", 3, 18476 + 2048)
        assert {device.collected_ms for device in logger.devices.values()} == {AT}
        assert site.content["dataloggers"][0]["collects"] == [{"gateway": "master"}, {"gateway": "third"}]


async def test_equal_addresses_behind_two_gateways_do_not_clash():
    async with running(SITE) as site:
        logger = site.site.collectors.loggers["h80"]
        assert logger.value("master/i", *POWER) == await site.mbpoll("master", 3)
        assert logger.value("third/i", *POWER) == await site.mbpoll("third", 3)
        assert logger.value("master/i", *POWER) != logger.value("third/i", *POWER)


async def test_it_polls_once_a_period_and_one_advance_completes_the_poll():
    async with running(SITE) as site:
        device = site.site.collectors.loggers["h80"].devices["third/i"]
        await site.site.advance_to(AT + 59_999)
        assert (device.polls, device.age_ms(AT + 59_999)) == (1, 59_999)
        await site.site.advance_to(AT + 60_000)
        assert (device.polls, device.collected_ms) == (2, AT + 60_000)
        await site.site.advance_to(AT + 200_000)
        assert device.collected_ms == AT + 180_000


async def test_a_silent_device_keeps_its_values_is_asked_less_and_less_and_delays_nobody():
    async with running(SITE) as site:
        logger = site.site.collectors.loggers["h80"]
        silent, other = logger.devices["far/i"], logger.devices["display/i"]
        before = silent.values
        site.unplug("far/i")
        for minute in range(1, 9):
            await site.site.advance_to(AT + minute * 60_000)
        assert silent.state == "offline"
        assert silent.values == before
        assert silent.collected_ms == AT
        assert silent.polls < other.polls == 9
        assert (other.failures, other.collected_ms) == (0, AT + 8 * 60_000)
        site.unplug("far/i", present=True)
        await site.site.advance_to(AT + 16 * 60_000)
        assert silent.state == "communicating"


def test_pauses_of_a_silent_device_double_up_to_sixteen_periods():
    target = Target("a", "gate", "I-30")
    logger = Datalogger("h80", 1, [target])
    polled = []
    for second in range(100):
        if logger.due(1000 * second):
            polled.append(second)
            logger.failed(target)
    assert polled == [0, 1, 2, 4, 8, 16, 32, 48, 64, 80, 96]


def test_two_hundred_devices_and_no_more():
    Datalogger("h80", 60, [Target(f"{number}", "gate", "I-30") for number in range(200)])
    with pytest.raises(ValueError, match="201 devices"):
        Datalogger("h80", 60, [Target(f"{number}", "gate", "I-30") for number in range(201)])


@pytest.mark.parametrize(
    ("found", "right"),
    [
        ("{gateway: thrd}", "Did you mean third?"),
        ("{gateway: far}", "a gateway with a Modbus TCP port"),
        ("{meter: nowhere}", "a meter with a Modbus TCP port"),
        ("{}", "exactly one of `gateway: name` and `meter: name`"),
    ],
)
def test_what_cannot_be_collected_is_refused(found: str, right: str):
    with pytest.raises(FileFaults, match="dataloggers") as refused:
        parse_site(SITE.replace("{gateway: third}", found), Path("site.yaml"))
    assert right in str(refused.value)


async def test_the_collected_file_shows_states_ages_and_values(tmp_path: Path):
    async with running(SITE, collected_file=tmp_path / "h80.json") as site:
        shown = json.loads((tmp_path / "h80.json").read_text())
        device = next(one for one in shown["dataloggers"][0]["devices"] if one["device"] == "far/i")
        assert (device["state"], device["age_s"], device["through"]) == ("communicating", 0.0, "master")
        power = device["values"]["circuit.instantaneous heater"]["active_power_total"]
        assert power == await site.mbpoll("master", 11)
