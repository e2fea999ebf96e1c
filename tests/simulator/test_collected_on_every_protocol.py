"""Units beyond a gateway's own bus on BACnet, SNMP and MQTT of that gateway."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.external import require_program
from tests.ports import free_ports
from tests.simulator.line_sites import MASTER, PATIENCE_S, Running, running
from tests.simulator.test_cascade import SITE as CASCADE
from virtual_digiware.buses.mqtt.settings import MqttSettings
from virtual_digiware.buses.mqtt.telemetry import Telemetry

SERVICES = "product: M-70\n    bacnet: {}\n    snmp: {}"
READER = Path(__file__).parents[1] / "cabinet" / "bacnet_reader.py"


async def output_of(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, errors = await asyncio.wait_for(process.communicate(), 3 * PATIENCE_S)
    assert process.returncode == 0, errors.decode()
    return printed.decode()


async def snmp_products(site: Running, gateway: str) -> dict[int, tuple[str, str]]:
    """Name and communication state of every product that net-snmp finds, by index."""
    host, port = site.place(gateway, "snmp")
    found: dict[int, list[str]] = {}
    for column in (1, 5):
        printed = await output_of(
            require_program("snmpwalk"), "-v2c", "-c", "publicv2", "-Oqn", f"{host}:{port}",
            f"1.3.6.1.4.1.4555.10.10.1.{column}",
        )  # fmt: skip
        for line in printed.splitlines():
            oid, _, value = line.partition(" ")
            found.setdefault(int(oid.rpartition(".")[2]), []).append(value.strip('"'))
    return {index: (name, state) for index, (name, state) in found.items()}


async def bacnet_inputs(site: Running, gateway: str, number: int) -> dict[str, float]:
    """Present values of all analog inputs of one product, as BAC0 reads them."""
    host, port = site.place(gateway, "bacnet")
    own_port = free_ports(host="127.0.0.98")
    printed = await output_of(
        sys.executable, str(READER), "analogInput", host, str(port), "2001", str(own_port), str(number)
    )
    inputs: dict[str, float] = json.loads(printed.splitlines()[-1])[str(number)]
    return inputs


async def test_units_of_a_line_stand_beside_those_of_the_bus():
    async with running(MASTER.replace("product: M-70", SERVICES)) as site:
        products = await snmp_products(site, "master")
        assert {index: name for index, (name, _) in products.items()} == {
            1: "master", 2: "u", 3: "i", 10: "u", 11: "i", 20: "display", 21: "u", 22: "i",
        }  # fmt: skip
        heater = await site.mbpoll("master", 11)
        assert heater in {round(value) for value in (await bacnet_inputs(site, "master", 11)).values()}


async def test_units_of_a_cascade_have_the_numbers_of_the_simulator():
    async with running(CASCADE.replace("product: M-70", SERVICES)) as site:
        site.unplug("m50_c/i")
        for step in range(1, 6):
            await site.site.advance_to(site.site.now_ms() + 5000 * step)
        products = await snmp_products(site, "m70")
        assert list(products) == [1, 2, 3, *range(101, 109)]
        assert products[103] == ("i", "1")
        assert products[106] == ("i", "2")
        values = {round(value) for value in (await bacnet_inputs(site, "m70", 103)).values()}
        assert await site.mbpoll("m50_b", 3) in values


async def test_mqtt_tells_equal_names_of_two_cabinets_apart():
    async with running(CASCADE) as site:
        collection = site.site.building.collections["m70"]
        telemetry = Telemetry(collection, MqttSettings("127.0.0.1", 1883, "m70", "site/m70"))
        status = json.loads(telemetry.status().payload)
        assert {"u", "i", "m50_b.i", "m50_c.i", "hut.i"} <= set(status["units"])
        topics = [message.topic for message in telemetry.messages()]
        assert len(topics) == len(set(topics))
        assert any(topic.startswith("site/m70/units/m50_b.i/") for topic in topics)
