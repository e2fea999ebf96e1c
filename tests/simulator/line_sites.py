"""Sites whose gateways talk over RS485 lines, run inside this process."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.opening import TimeOptions, open_site
from virtual_digiware.simulator.running import Options, RunningSite
from virtual_digiware.simulator.site_file import SiteFile, parse_site

AT = parse_instant("2026-03-02T10:00:00Z")
PATIENCE_S = 20.0
HEATER_POWER = 18476
"""Active power of load 1 of an I module, S32, W."""

SHOP = """\
site: shop
sources: {mains: {}}
boards:
  main:
    source: mains
    circuits:
      incomer: {incomer: true}
      heater: {loads: [{class: resistive, power_kw: 6}]}
      light: {phases: [L2], loads: [{class: office-lighting, power_kw: 2}]}
      pump: {loads: [{class: resistive, power_kw: 3}]}
"""

MASTER = (
    SHOP
    + """\
lines: {field: {}}
gateways:
  - name: master
    product: M-70
    rs485: {line: field, role: client, reply_ms: 30, retries: 1}
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-30, circuits: [{circuit: incomer}]}
  - name: far
    product: C-31
    rs485: {line: field}
    bus:
      - {name: u, product: U-30, address: 10}
      - {name: i, product: I-30, address: 11, circuits: [{circuit: heater}]}
  - name: display
    product: M-50
    address: 20
    modbus_tcp: {host: 127.0.0.2}
    rtu_over_tcp: {host: 127.0.0.2}
    rs485: {line: field}
    bus:
      - {name: u, product: U-30, address: 21}
      - {name: i, product: I-30, address: 22, circuits: [{circuit: pump}]}
"""
)


@dataclass
class Running:
    """A running site, and what its ready file says."""

    site: RunningSite
    content: dict[str, Any]

    def place(self, gateway: str, service: str = "modbus_tcp") -> tuple[str, int]:
        """Host and port of a service."""
        found = next(one for one in self.content["gateways"] if one["name"] == gateway)
        return found[service]["host"], int(found[service]["port"])

    async def mbpoll(self, gateway: str, unit: int, address: int = HEATER_POWER, kind: str = "4:int") -> int:
        """One value, read through a gateway by mbpoll."""
        host, port = self.place(gateway)
        values = await mbpoll("tcp", "-p", str(port), host, unit=unit, address=address, kind=kind)
        return values[0]

    def unplug(self, path: str, present: bool = False) -> None:
        from virtual_digiware.devices.records import Record

        model = self.site.building.model
        model.apply(Record(self.site.now_ms(), "presence", path, {"present": present}))
        self.site._refresher.recompute(self.site.now_ms())


async def mbpoll(
    mode: str,
    *where: str,
    unit: int,
    address: int,
    kind: str = "4:int",
    count: int = 1,
    patience_s: str = "5",
) -> list[int]:
    """Values as mbpoll prints them."""
    process = await asyncio.create_subprocess_exec(
        "mbpoll", "-m", mode, *where[:-1], "-a", str(unit), "-t", kind, "-B", "-0", "-1", "-o", patience_s,
        "-r", str(address), "-c", str(count), where[-1],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    text = printed.decode()
    assert process.returncode == 0, text
    return [
        int(line.split(":")[1].split("(")[0].strip()) for line in text.splitlines() if line.startswith("[")
    ]


def read(address: int = HEATER_POWER, count: int = 2) -> bytes:
    return struct.pack(">BHH", 3, address, count)


@asynccontextmanager
async def running(text: str, at_ms: int = AT, **options: Any) -> AsyncIterator[Running]:
    """The site with a manual clock, on free ports."""
    async with running_file(parse_site(text, Path("site.yaml")), at_ms, **options) as site:
        yield site


@asynccontextmanager
async def running_file(
    file: SiteFile, at_ms: int = AT, journal: Path | None = None, **options: Any
) -> AsyncIterator[Running]:
    """A site that was read before, with a manual clock, on free ports; `journal` outlives it."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[dict[str, Any]] = loop.create_future()
    opened = open_site(file, TimeOptions("manual", at_ms=at_ms), journal)
    site = RunningSite(
        opened.building,
        opened.clock,
        opened.journal,
        Options(port_base=0, **options),
        announce=lambda content, endpoints: loop.call_soon_threadsafe(ready.set_result, content),
    )
    task = asyncio.create_task(site.run())
    try:
        await asyncio.wait([ready, task], timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield Running(site, ready.result())
    finally:
        site.stop()
        await asyncio.wait_for(task, PATIENCE_S)
        opened.journal.close()
