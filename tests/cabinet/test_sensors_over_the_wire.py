"""Environmental sensors of a display, as clients that we did not write see them on every protocol."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from tests.external import require_module, require_program
from tests.ports import free_ports
from tests.site_process import site_process

SITE = """\
site: hall
commissioned: 2026-03-02T09:00:00Z                # an hour before it serves
sources: {mains: {}}
boards:
  main: {source: mains, circuits: {pump: {loads: [{class: motor-dol, power_kw: 4}]}}}
gateways:
  - name: d50
    product: D-50
    snmp: {}
    bacnet: {foreign_devices: true}
    sensors:
      - {name: hall, temperature: 21.5, humidity: 40}
      - {name: yard, temperature: -7.3, address: 40, battery_percent: 0}
    bus: [{name: u, product: U-30}]
"""


BAC0_CLIENT = """
import asyncio, sys, BAC0

async def main(host, port, own):
    register = {"bbmdAddress": f"{host}:{port}", "bbmdTTL": 60}
    async with BAC0.start(ip="127.0.0.98", mask=8, port=int(own), ping=False, **register) as client:
        await client.who_is(timeout=1)
        for number in (160, 161, 162):
            print("shown", await client.read(f"2001:3 analogInput {number} presentValue"))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    options = ("--clock", "manual", "--at", "2026-03-02T10:00:00Z")
    with site_process(tmp_path_factory.mktemp("sensors"), SITE, *options) as running:
        yield running.ready["gateways"][0]


def registers(gateway: dict[str, Any], address: int) -> list[int]:
    with ModbusTcpClient("127.0.0.1", port=gateway["modbus_tcp"]["port"]) as client:
        return client.read_holding_registers(63488, count=8, device_id=address).registers


def test_a_sensor_is_read_at_an_address_after_the_modules(gateway: dict[str, Any]):
    shown = registers(gateway, 3)
    assert shown[0] == 1
    assert shown[3] == 0
    assert shown[4:7] == [215, 40, 100]
    assert {"address": 3, "product": "environmental-sensor", "name": "hall", "circuits": []} in gateway[
        "units"
    ]


def test_a_sensor_without_battery_is_lost_but_still_answered_for(gateway: dict[str, Any]):
    assert registers(gateway, 40)[0] == 2


def test_net_snmp_reads_the_same_sensor(gateway: dict[str, Any]):
    where = f"127.0.0.1:{gateway['snmp']['port']}"
    oids = [f"1.3.6.1.4.1.4555.10.40.60.1.{column}.3.1" for column in (2, 3, 4)]
    done = subprocess.run(
        [require_program("snmpget"), "-v2c", "-c", "publicv2", "-Oqv", where, *oids],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stdout.split() == ["1", "215", "40"], done.stderr


def test_bac0_reads_the_same_sensor(gateway: dict[str, Any]):
    require_module("BAC0")
    own = str(free_ports())
    where = [str(gateway["bacnet"]["host"]), str(gateway["bacnet"]["port"])]
    done = subprocess.run(
        [sys.executable, "-c", BAC0_CLIENT, *where, own], capture_output=True, text=True, timeout=60
    )
    shown = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("shown ")]
    assert shown == pytest.approx([21.5, 40, 99.9], abs=0.1), done.stderr
