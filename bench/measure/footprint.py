"""Memory per gateway, time to readiness, and how fast simulated time can be made up for."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from measure.places import BUILD
from measure.processes import RunningServer
from measure.programs import load_once
from measure.servers import start_site
from measure.sites import INSTANTANEOUS, MODULES_PER_GATEWAY, Size, circuit_reads, write_site

FURTHER_START_GOAL_MS = 20.0
FURTHER_MEMORY_GOAL_MB = 1.0
GATEWAY_SIZES = {
    "8 modules, 7 three-phase circuits": Size(7, "I-35", 1, 3, modules_per_gateway=8, all_protocols=True),
    "32 modules, 186 circuits": Size(186, all_protocols=True),
}
PORTS_PER_GATEWAY = 4
CIRCUITS_PER_GATEWAY = 6 * (MODULES_PER_GATEWAY - 1)
START_GOAL = 3.0
_DAY_SITE = """\
# The shipped demo site, one simulated day old when it starts.
site: demo
extends: demo
commissioned: 2026-03-01T10:00:00Z
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of the site with one and with many gateways of 32 modules."""

    gateways: int
    one: int
    many: int
    one_read: int
    """After every circuit has been read once."""
    many_read: int

    @property
    def per_gateway(self) -> float:
        """Bytes that one more gateway costs while nobody reads it."""
        return (self.many - self.one) / (self.gateways - 1)

    @property
    def per_gateway_read(self) -> float:
        """Bytes that one more gateway costs once all its circuits are being read."""
        return (self.many_read - self.one_read) / (self.gateways - 1)


@dataclass(frozen=True, slots=True)
class Further:
    """What one more gateway costs that speaks every protocol, its MQTT broker absent; medians."""

    gateway: str
    start_ms: float
    bytes: float


@dataclass(frozen=True, slots=True)
class StartUp:
    """Medians, in seconds."""

    import_s: float
    demo_s: float
    single_s: float


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Seconds from start to readiness, without and with one simulated day to make up for; medians."""

    now_s: float
    day_later_s: float

    @property
    def speed(self) -> float:
        """Simulated seconds per second."""
        return 86_400 / max(self.day_later_s - self.now_s, 1e-3)


def measure_memory(gateways: int = 10) -> Memory:
    """Compare one gateway with several, before and after every circuit has been read."""
    seen: dict[int, tuple[int, int]] = {}
    for count in (1, gateways):
        size = Size(circuits=count * CIRCUITS_PER_GATEWAY)
        server, ready, _ = start_site(write_site(f"gateways-{count}", size), ports=count)
        with server:
            server.cpu_share(2.0)
            unread = server.rss_bytes()
            reads = circuit_reads(ready, size, INSTANTANEOUS)
            load_once(server, reads, seconds=2.0, cycle_us=1e6)
            seen[count] = unread, server.rss_bytes()
    return Memory(gateways, seen[1][0], seen[gateways][0], seen[1][1], seen[gateways][1])


def measure_further_gateways(runs: int, more: int = 10) -> list[Further]:
    """Alternate sites of one gateway with all protocols and of `more` further ones."""
    seen = []
    for number, (name, one) in enumerate(GATEWAY_SIZES.items()):
        many = replace(one, circuits=one.circuits * (1 + more))
        sites = [write_site(f"all-protocols-{number}-{size.gateways}", size) for size in (one, many)]
        costs = []
        for _ in range(runs):
            (one_s, one_bytes), (many_s, many_bytes) = (
                _start_and_memory(site, size) for site, size in zip(sites, (one, many), strict=True)
            )
            costs.append((1000 * (many_s - one_s) / more, (many_bytes - one_bytes) / more))
        start_ms, octets = np.median(costs, axis=0)
        seen.append(Further(name, float(start_ms), float(octets)))
    return seen


def _start_and_memory(site: Path, size: Size) -> tuple[float, int]:
    server, _, seconds = start_site(site, ports=PORTS_PER_GATEWAY * size.gateways)
    with server:
        server.cpu_share(2.0)  # what a start leaves for later is done by then
        return seconds, server.rss_bytes()


def measure_start_up(runs: int) -> StartUp:
    """Alternate the import of numpy and pymodbus with starts of the two shipped sites."""
    _import_seconds()  # once for nothing, lest the first one compiles modules and reads them from the disk
    _ready_seconds("demo")
    seconds: dict[str, list[float]] = {"import": [], "demo": [], "single": []}
    for _ in range(runs):
        seconds["import"].append(_import_seconds())
        for site in ("demo", "single"):
            seconds[site].append(_ready_seconds(site))
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    return StartUp(medians["import"], medians["demo"], medians["single"])


def measure_catch_up(runs: int) -> CatchUp:
    """Start the demo site at its commissioning and a day later."""
    site = BUILD / "demo-a-day-later.yaml"
    site.write_text(_DAY_SITE, encoding="ascii")
    days: dict[str, list[float]] = {"2026-03-01": [], "2026-03-02": []}
    for _ in range(runs):
        for day, seconds in days.items():
            seconds.append(_ready_seconds(str(site), "--clock", "manual", "--at", f"{day}T10:00:00Z"))
    return CatchUp(float(np.median(days["2026-03-01"])), float(np.median(days["2026-03-02"])))


def _ready_seconds(site: str, *options: str) -> float:
    server, _, seconds = start_site(site, *options)
    server.stop()
    return seconds


def _import_seconds() -> float:
    with RunningServer("import", [sys.executable, "-c", "import numpy, pymodbus"]) as process:
        return process.wait_for_end()
