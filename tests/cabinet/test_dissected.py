"""tshark's dissectors find nothing wrong in what gateways say to programs that others wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient

from tests.buses.mqtt.brokers import broker, subscribed
from tests.buses.mqtt.test_mosquitto import ALARMS, HEATER, STATUS, of_time, publishing
from tests.buses.snmp.agents import bench, run
from tests.buses.snmp.test_net_snmp import AES, AES256, BRANCH, OPEN, OUTPUT, PLAIN, SHA, V1, V2, V2_WRITE
from tests.capture import Capture, tcp_relay, udp_relay
from tests.external import require_program
from tests.simulator.test_running import AT, HEATER_POWER, opened, running

# With these tshark looks into what is encrypted: engine id, user, digest, password, cipher, password.
SECRETS = (
    '"","aes","SHA1","sha1password","AES","aespassword"',
    '"","aes256","SHA2-256","sha256password","AES256","aes256password"',
)


async def test_snmp_of_every_version(tmp_path: Path):
    own, capture = bench(), Capture()
    server = await own.agent.start("127.0.0.1", 0)
    async with udp_relay(capture, server) as (host, port):
        for program, security, *arguments in (
            ("snmpwalk", V1, "1.3.6.1.2.1"),
            ("snmpbulkwalk", V2, BRANCH),
            ("snmpset", V2_WRITE, OUTPUT, "i", "1"),
            ("snmpbulkwalk", OPEN, f"{BRANCH}.20.20"),
            ("snmpbulkwalk", AES, f"{BRANCH}.20.20"),
            ("snmpbulkwalk", AES256, f"{BRANCH}.20.30"),
        ):
            status, _, errors = await run(
                require_program(program), *security, *PLAIN, f"{host}:{port}", *arguments
            )
            assert status == 0, errors
        # Refusals as well: no such name, not writable, a wrong password, a user that nobody knows.
        for program, security, *arguments in (
            ("snmpget", V1, f"{BRANCH}.1.0"),
            ("snmpget", V2, f"{BRANCH}.1.0"),
            ("snmpset", V2_WRITE, f"{BRANCH}.20.20.1.10000.4.1", "u", "1"),
            ("snmpget", (*SHA[:-1], "another password"), f"{BRANCH}.1.0"),
            ("snmpget", ("-v3", "-u", "nobody", "-l", "noAuthNoPriv"), f"{BRANCH}.1.0"),
        ):
            await run(require_program(program), *security, *PLAIN, f"{host}:{port}", *arguments)
    await own.agent.close()
    assert len(capture) > 150
    users = [word for secret in SECRETS for word in ("-o", f"uat:snmp_users:{secret}")]
    assert capture.understood(tmp_path, "snmp", f"udp.port=={server[1]},snmp", *users) == len(capture)


async def test_modbus_tcp_and_rtu_over_tcp(tmp_path: Path):
    async with running(opened()) as run_:
        for service, framer, dissector in (
            ("modbus_tcp", FramerType.SOCKET, "mbtcp"),
            ("rtu_over_tcp", FramerType.RTU, "mbrtu"),
        ):
            server = tuple(run_.content["gateways"][0][service].values())
            capture = Capture()
            async with tcp_relay(capture, server) as (host, port):
                client = AsyncModbusTcpClient(host, port=port, framer=framer, timeout=5)
                assert await client.connect()
                for address, count in ((HEATER_POWER, 2), (18432, 92), (50000, 10)):
                    await client.read_holding_registers(address, count=count, device_id=3)
                assert (await client.read_holding_registers(1, count=2, device_id=3)).isError()
                assert (await client.read_coils(0, count=8, device_id=3)).isError()
                await client.write_register(58112, 1, device_id=3)
                client.close()
            assert len(capture) >= 12
            decode_as = f"tcp.port=={server[1]},{dissector}"
            preference = f"{dissector}.tcp.port:{server[1]}"  # tells requests from replies by it
            assert capture.understood(tmp_path, "modbus", decode_as, "-o", preference) == len(capture)


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_mqtt_of_both_versions(tmp_path: Path, version: str):
    capture = Capture()
    async with (
        broker(tmp_path) as one,
        tcp_relay(capture, ("127.0.0.1", one.port)) as (_, port),
        subscribed(one.port, "digiware/#") as subscriber,
    ):
        watched = "name: in use, quantity: active_power, circuit: incomer, high: 4000"
        alarm = f", alarms: [{{type: threshold, {watched}}}]"
        async with publishing(port, f", version: '{version}'", alarm) as run_:
            await subscriber.until(lambda got: got.topic == f"{ALARMS}/active")
            for step in range(1, 4):
                await run_.site.advance_to(AT + step * 1000)
                await subscriber.until(of_time(HEATER, AT + step * 1000))
        await subscriber.until(lambda got: got.topic == STATUS and got.payload["state"] == "offline")
    assert len(capture) > 10
    assert capture.understood(tmp_path, "mqtt", f"tcp.port=={one.port},mqtt") > 10
