"""Clients that others wrote find, read and write a gateway and its modules; tshark understands them."""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.buses.bacnet.cabinet import (
    ANALOG_INPUT,
    CLIENT,
    DEVICE,
    I60,
    IO10,
    Cabinet,
    to_module,
    write_property,
)
from tests.capture import Capture
from tests.external import require_file, require_module, require_program
from tests.ports import free_ports
from virtual_digiware.buses.bacnet.directory import BacnetSettings
from virtual_digiware.buses.bacnet.gateway import BacnetGateway

CLIENTS = Path(__file__).parent / "clients"
PATIENCE_S = 30.0
GATEWAY_PORT = 47808  # as tshark knows it; the real port is a free one
DEVICES = [100, 102, 103, 104, 105, 106, 107, 108]

Captured = list[tuple[bytes, tuple[str, int], tuple[str, int]]]


class Bench:
    """A gateway on a free loopback port, all its datagrams kept."""

    def __init__(self, **settings: bool) -> None:
        self.cabinet = Cabinet(BacnetSettings(**settings))  # type: ignore[arg-type]
        self.gateway = BacnetGateway(self.cabinet.collection, self.cabinet.settings, self.cabinet.writes)
        self.captured: Captured = []
        self.host, self.port = "", 0

    def capture(self) -> None:
        """Keep what comes in and goes out."""
        router = self.gateway._router
        assert router is not None
        own = (self.host, GATEWAY_PORT)
        receive, send = router.receive, router._send

        def received(datagram: bytes, source: tuple[str, int], is_broadcast: bool = False) -> None:
            self.captured.append((datagram, source, ("127.255.255.255", own[1]) if is_broadcast else own))
            receive(datagram, source, is_broadcast)

        def sent(datagram: bytes, address: tuple[str, int]) -> None:
            self.captured.append((datagram, own, address))
            send(datagram, address)

        router.receive, router._send = received, sent  # type: ignore[method-assign]

    def value(self, mac: int, table: str, point: str, slot: int) -> float:
        unit = self.cabinet.collection.unit_at(mac)
        assert unit is not None
        return struct.unpack(
            ">f", struct.pack(">f", self.cabinet.collection.column(unit, table, (point,))[0, slot])
        )[0]


@asynccontextmanager
async def bench(**settings: bool) -> AsyncIterator[Bench]:
    made = Bench(**settings)
    made.host, made.port = await made.gateway.start("127.0.0.1", 0)
    made.capture()
    try:
        yield made
    finally:
        await made.gateway.close()


async def run(*command: str, env: dict[str, str] | None = None) -> Any:
    """The JSON in the last line that a program prints; it has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=env
    )
    printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0, printed.decode()
    return json.loads(printed.decode().strip().splitlines()[-1])


def object_list(made: Bench) -> list[list[int]]:
    device = made.cabinet.directory.at(I60)
    assert device is not None
    return [[number >> 22, number & 0x3FFFFF] for number in device.object_ids()]


async def test_bac0_finds_reads_and_writes(tmp_path: Path) -> None:
    require_module("BAC0")
    async with bench(foreign_devices=True) as made:
        seen = await run(
            sys.executable, str(CLIENTS / "bac0_client.py"), made.host, str(made.port), str(free_ports())
        )
        power = made.value(I60, "circuit.instantaneous", "active_power_total", 0)
        assert seen["devices"] == DEVICES
        assert seen["power"] == power
        assert float(seen["several"][0]) == power
        assert seen["several"][1:] == ["L1.TotalPowerActive", "watts"]
        assert seen["objects"] == object_list(made)
        assert seen["in_segments"] == len(seen["objects"])
        assert seen["output"] == "active"
        assert made.cabinet.writes.taken == [("m70/io10", 16, 11284, (0, 2))]
        assert made.gateway.counters.bad_datagrams == made.gateway.counters.failures == 0
        segments = [one for one, *_ in made.captured if one[10:11] in (b"\x3c", b"\x38")]
        assert len(segments) >= 5
        assert dissect(made.captured, tmp_path) == len(made.captured)


async def test_node_bacnet_finds_reads_and_writes(tmp_path: Path) -> None:
    node = require_program("node")
    require_file(CLIENTS / "node_modules" / "node-bacnet", "run `npm install` in tests/buses/bacnet/clients")
    async with bench() as made:
        seen = await run(node, str(CLIENTS / "node_client.js"), made.host, str(made.port), str(free_ports()))
        power = made.value(I60, "circuit.instantaneous", "active_power_total", 0)
        assert seen["devices"] == DEVICES
        assert seen["power"] == power
        assert [name for _, name in seen["several"]] == [
            "L1.VoltageV1",
            "L1.CurrentI1",
            "L1.TotalPowerActive",
        ]
        assert seen["several"][2][0] == power
        assert seen["objects"] == object_list(made)
        assert seen["output"] == 1
        assert seen["refusal"] == "BacnetError Class: OBJECT (1) Code: UNKNOWN_OBJECT (31)"
        assert made.gateway.counters.broadcasts == 1
        assert dissect(made.captured, tmp_path) == len(made.captured)


async def test_tshark_understands_every_kind_of_answer(tmp_path: Path) -> None:
    from tests.buses.bacnet.test_bacnet_hostile import SANE

    require_program("tshark")
    cabinet = Cabinet(BacnetSettings(foreign_devices=True))
    captured: Captured = []
    device = cabinet.directory.at(I60)
    assert device is not None
    reads = [
        to_module(I60, bytes((2, 0x75, 9, 14)) + b"\x0c" + number.to_bytes(4, "big") + b"\x1e\x09\x08\x1f")
        for number in [*device.object_ids()][:60]
    ]
    writes = [
        to_module(IO10, write_property(kind, 100, 85, b"\x91\x01")) for kind in (ANALOG_INPUT, DEVICE, 4)
    ]
    for datagram in [*SANE, *reads, *writes]:
        for answer in cabinet.ask(datagram):
            captured.append((answer, ("127.0.0.1", GATEWAY_PORT), CLIENT))
        cabinet.router.close()
    assert len(captured) > 70
    assert dissect(captured, tmp_path) == len(captured)


def test_tshark_is_not_blind(tmp_path: Path) -> None:
    require_program("tshark")
    cut = to_module(I60, bytes.fromhex("02 75 01 0c 0c 00 00"))
    with pytest.raises(AssertionError):
        dissect([(cut, CLIENT, ("127.0.0.1", GATEWAY_PORT))], tmp_path)


def dissect(captured: Captured, folder: Path) -> int:
    """How many datagrams tshark takes for BACnet without complaint; without tshark, all of them."""
    capture = Capture()
    for datagram, source, destination in captured:
        capture.datagram(datagram, source, destination)
    return capture.understood(folder, "bvlc", f"udp.port=={GATEWAY_PORT},bvlc")
