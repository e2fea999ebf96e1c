"""Meters on the line of a gateway, of Socomec and of others: read through it, and collected by it."""

from __future__ import annotations

import pytest

from tests.buses.wire import connected, read_pdu, tcp
from tests.simulator.line_sites import MASTER, running

METERS = """\
meters:
  - {name: a40, product: A-40, address: 40, circuits: [{circuit: pump}], rs485: {line: field}}
  - {name: e23, product: E23, address: 41, circuits: [{circuit: heater}], rs485: {line: field}}
  - {name: sdm, product: SDM630, address: 42, circuits: [{circuit: heater}], rs485: {line: field}}
  - {name: own, product: SDM630, address: 1, circuits: [{circuit: heater}], modbus_tcp: {host: 127.0.0.9}}
dataloggers:
  - {name: h80, collects: [{gateway: master}, {meter: own}]}
"""


async def test_a_meter_is_read_through_the_master_of_its_line_as_it_would_answer_itself():
    async with running(MASTER + METERS) as site:
        sdm_read = read_pdu(0, 2, function=4)  # phase 1 line to neutral volts, float32
        async with connected(site.place("master")) as client:
            behind = await client.ask(tcp(sdm_read, 42))
        host, port = next(
            (meter["modbus_tcp"]["host"], meter["modbus_tcp"]["port"])
            for meter in site.content["meters"]
            if meter["name"] == "own"
        )
        async with connected((host, port)) as client:
            direct = await client.ask(tcp(sdm_read, 1))
        assert behind[7:] == direct[7:]
        assert behind[7] == 4


@pytest.mark.parametrize(("address", "circuit_unit"), [(40, 22), (41, 11), (42, 11)])
async def test_the_collection_of_the_master_shows_a_meter_as_the_module_that_measures_the_same(
    address: int, circuit_unit: int
):
    async with running(MASTER + METERS) as site:
        collection = site.site.building.collections["master"]
        meter, module = collection.unit_at(address), collection.unit_at(circuit_unit)
        assert meter is not None
        assert module is not None
        table, point = "circuit.instantaneous", "active_power_total"
        shown = collection.reading(meter, table, point, 0)
        assert shown.quality == "good"
        assert shown.value == pytest.approx(collection.reading(module, table, point, 0).value)


async def test_the_datalogger_decodes_what_meters_behind_the_line_and_on_ethernet_show():
    async with running(MASTER + METERS) as site:
        logger = site.site.collectors.loggers["h80"]
        assert {device.state for device in logger.devices.values()} == {"communicating"}
        module = logger.value("far/i", "circuit.instantaneous", "active_power_total")
        for meter in ("sdm", "own", "e23"):
            values = logger.devices[meter].values
            power = next(value for (_, _, point), value in values.items() if point == "active_power_total")
            assert power == pytest.approx(module, rel=2e-3)
