"""A 48 V board on a running site: mbpoll, net-snmp and BAC0 read it, in an outage, a fault, a restart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.external import require_program
from tests.simulator.line_sites import AT, Running, mbpoll, running, running_file
from tests.simulator.test_collected_on_every_protocol import bacnet_inputs, output_of
from virtual_digiware.buses.mqtt.settings import MqttSettings
from virtual_digiware.buses.mqtt.telemetry import Telemetry
from virtual_digiware.simulator.site_file import parse_site

SITE = """\
site: exchange
commissioned: "2026-03-02T06:00:00Z"
sources: {mains: {}}
boards:
  main: {source: mains, circuits: {lamp: {loads: [{class: office-lighting, power_kw: 2}]}}}
dc:
  dc48:
    rectifier: {rated_kw: 9, mains: mains}
    battery: {capacity_ah: 400}
    circuits:
      feed: {incomer: true}
      cells: {battery: true}
      radio: {class: telecom-48v, power_kw: 3}
      heater: {class: dc-heater, power_kw: 0.48}
lines: {field: {pty: FOLDER/field}}
gateways:
  - name: dc
    product: M-70
    bacnet: {network: 2001}
    snmp: {}
    rs485: {line: field}
    bus:
      - {name: udc, product: U-31dc, board: dc48}
      - {name: loads, product: I-30dc, circuits: [{circuit: radio}, {circuit: heater}]}
      - {name: feeds, product: I-35dc, circuits: [{circuit: feed}, {circuit: cells}]}
"""
UDC, LOADS, FEEDS = 2, 3, 4
NETWORK_VOLTAGE = 64514
HEATER_OHM = 53.5**2 / 480
CIRCUIT, STRIDE = 64576, 64
VOLTAGE, CURRENT, POWER, IMPORTED, IMPORTED_REST, EXPORTED, EXPORTED_REST = 3, 5, 7, 9, 11, 12, 14
MINUTE, HOUR = 60_000, 3_600_000


async def signed(site: Running, unit: int, offset: int, slot: int = 0) -> int:
    return await site.mbpoll("dc", unit, CIRCUIT + STRIDE * slot + offset)


async def energy_tenths_wh(site: Running, unit: int, slot: int = 0, whole: int = IMPORTED) -> int:
    """Kilowatt-hours and the part below one, in 0.1 Wh."""
    rest = await site.mbpoll("dc", unit, CIRCUIT + STRIDE * slot + whole + 2, "4")
    return 10_000 * await signed(site, unit, whole, slot) + rest


async def test_mbpoll_reads_ohms_law_over_ethernet_and_over_the_line(text: str):
    async with running(text) as site:
        volts = await site.mbpoll("dc", UDC, NETWORK_VOLTAGE)
        assert 5320 < volts < 5350  # just below the float voltage of a 48 V exchange
        heater = [await signed(site, LOADS, offset, 1) for offset in (VOLTAGE, CURRENT, POWER)]
        assert heater[0] == volts
        assert heater[1] == pytest.approx(10 * volts / HEATER_OHM, abs=2)
        assert heater[2] == pytest.approx(volts**2 / 10_000 / HEATER_OHM, abs=1)
        line = site.content["lines"][0]
        serial = ("-b", str(line.get("baudrate", 38400)), "-P", "none", line["pty"])
        over_line = await mbpoll("rtu", *serial, unit=LOADS, address=CIRCUIT + STRIDE + VOLTAGE, count=3)
        assert over_line == heater


async def test_what_the_rectifier_brings_is_what_the_loads_and_the_battery_take(text: str):
    async with running(text) as site:
        brought, cells = [await signed(site, FEEDS, CURRENT, slot) for slot in (0, 1)]
        taken = [await signed(site, LOADS, CURRENT, slot) for slot in (0, 1)]
        assert brought == pytest.approx(cells + sum(taken), abs=2)
        before = [
            await energy_tenths_wh(site, FEEDS),
            *[await energy_tenths_wh(site, LOADS, at) for at in (0, 1)],
        ]
        await site.site.advance_to(AT + HOUR)
        after = [
            await energy_tenths_wh(site, FEEDS),
            *[await energy_tenths_wh(site, LOADS, at) for at in (0, 1)],
        ]
        gained = [one - other for one, other in zip(after, before, strict=True)]
        assert gained[0] == pytest.approx(gained[1] + gained[2], abs=3)
        assert gained[2] == pytest.approx(10 * await signed(site, LOADS, POWER, 1), rel=0.005)


async def test_a_loss_of_mains_puts_the_board_on_its_battery(text: str):
    async with running(text) as site:
        site.site.faults.inject("interruption", "mains", duration_ms=30 * MINUTE)
        await site.site.advance_to(AT + MINUTE)
        assert await signed(site, FEEDS, CURRENT) == 0
        carried = await signed(site, FEEDS, CURRENT, 1)
        taken = [await signed(site, LOADS, CURRENT, slot) for slot in (0, 1)]
        assert carried < 0
        assert carried == pytest.approx(-sum(taken), abs=2)
        assert 4800 < await site.mbpoll("dc", UDC, NETWORK_VOLTAGE) < 5100
        await site.site.advance_to(AT + 31 * MINUTE)
        assert await signed(site, FEEDS, CURRENT, 1) > 0
        assert await energy_tenths_wh(site, FEEDS, 1, EXPORTED) > 0


async def test_a_sensor_put_on_backwards_changes_the_sign_and_counts_the_other_way(text: str):
    async with running(text) as site:
        right = await signed(site, LOADS, POWER, 1)
        counted = await energy_tenths_wh(site, LOADS, 1)
        (fault,) = site.site.faults.inject("ct_reversed", "loads", circuit="heater")
        assert await signed(site, LOADS, POWER, 1) == -right
        await site.site.advance_to(AT + HOUR)
        assert await energy_tenths_wh(site, LOADS, 1) == counted
        exported = await energy_tenths_wh(site, LOADS, 1, EXPORTED)
        assert exported == pytest.approx(10 * right, abs=20)
        site.site.faults.clear(fault.number)
        assert await signed(site, LOADS, POWER, 1) == right
        assert await energy_tenths_wh(site, LOADS, 1, EXPORTED) == exported


async def test_without_its_voltage_module_a_current_module_shows_currents_only(text: str):
    async with running(text) as site:
        site.unplug("dc/udc")
        assert [await signed(site, LOADS, offset) for offset in (VOLTAGE, POWER)] == [0, 0]
        assert await signed(site, LOADS, CURRENT) > 0


async def test_snmp_bacnet_and_mqtt_show_what_the_registers_show(text: str):
    async with running(text) as site:
        table = "1.3.6.1.4.1.4555.10.20.20.1"
        host, port = site.place("dc", "snmp")
        walk = await output_of(
            require_program("snmpwalk"), "-v2c", "-c", "publicv2", "-Oqn", f"{host}:{port}", table
        )
        shown = dict(line.removeprefix(f".{table}.").split(" ") for line in walk.splitlines())
        inputs = {unit: (await bacnet_inputs(site, "dc", unit)).values() for unit in (LOADS, FEEDS)}
        collection = site.site.building.collections["dc"]
        telemetry = Telemetry(collection, MqttSettings("127.0.0.1", 1883, "dc", "exchange/dc"))
        sent = {message.topic: json.loads(message.payload) for message in telemetry.messages()}
        names = {LOADS: ("loads", "radio", "heater"), FEEDS: ("feeds", "feed", "cells")}
        for unit, (module, *circuits) in names.items():
            for slot, circuit in enumerate(circuits):
                message = sent[f"exchange/dc/units/{module}/circuits/{circuit}"]["points"]
                for column, offset, scale, point in (
                    (10200, CURRENT, 0.001, "current"),
                    (10201, VOLTAGE, 0.01, "voltage"),
                    (10202, POWER, 1, "active_power"),
                ):
                    register = await signed(site, unit, offset, slot)
                    assert shown[f"{column}.{unit}.{slot + 1}"] == str(register)
                    assert min(abs(value - register * scale) for value in inputs[unit]) <= 0.51 * scale
                    assert message[point]["value"] == pytest.approx(register * scale, abs=0.51 * scale)
        volts = await site.mbpoll("dc", UDC, NETWORK_VOLTAGE)
        assert shown[f"10201.{UDC}.0"] == str(volts)
        network = sent["exchange/dc/units/udc/network"]["points"]
        assert network["voltage"]["value"] == pytest.approx(volts / 100, abs=0.006)


@pytest.fixture
def text(tmp_path: Path) -> str:
    return SITE.replace("FOLDER", str(tmp_path))


async def all_energies(site: Running) -> list[int]:
    return [
        await energy_tenths_wh(site, unit, slot, whole)
        for unit in (LOADS, FEEDS)
        for slot in (0, 1)
        for whole in (IMPORTED, EXPORTED)
    ]


async def test_a_restart_shows_the_same_energies_with_a_fault_and_an_outage_behind(text: str, tmp_path: Path):
    file, journal = parse_site(text, Path("site.yaml")), tmp_path / "journal"
    async with running_file(file, AT, journal) as site:
        site.site.faults.inject("ct_reversed", "loads", circuit="radio", duration_ms=10 * MINUTE)
        site.site.faults.inject("interruption", "mains", duration_ms=5 * MINUTE)
        await site.site.advance_to(AT + 20 * MINUTE)
        before = await all_energies(site)
    async with running_file(file, AT + 20 * MINUTE, journal) as site:
        assert await all_energies(site) == before
    assert before[1] > 0  # counted backwards while the sensor was reversed
