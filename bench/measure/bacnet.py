"""BACnet/IP beside stock bacpypes3: ReadProperty, and ReadPropertyMultiple of 20 analog inputs."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from measure.machine import busy_seconds
from measure.places import BENCH, BUILD, CLIENT_CORE
from measure.processes import RunningServer, pinned_to
from measure.programs import DISTURBED_SHARE
from measure.report import table
from measure.servers import DEMO_SITE, REFRESH_MS, start_site

SEED = 20_260_303
CONNECTIONS = 16
WORK: Mapping[str, tuple[str, float]] = {
    "rp": ("ReadProperty", 25.0),
    "rpm": ("ReadPropertyMultiple of 20", 150.0),
}
"""What is asked, in words, and the ratio own / bacpypes3 to reach."""
OBJECTS, TOGETHER = 50, 20
ATTEMPTS = 3

_MODULE = "I-60"  # whose circuits are read
_MEASUREMENTS = range(1, 45)  # MM of the instances LLMM that follow every refresh
_PRESENT_VALUE = b"\x55"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the load generator saw in the counted seconds of one measurement."""

    rate: float
    replies: int
    bad: int
    lost: int
    idle: float
    p50_us: float
    p99_us: float
    strangers: float
    """Cores that everything but server and client used meanwhile."""


@dataclass(frozen=True, slots=True)
class Side:
    """One server with its requests: the same work, each in its own objects."""

    server: RunningServer
    port: int
    instances: Sequence[int]
    route: bytes
    """Network header of the requests: to the server itself, or to a device behind it."""


@dataclass(frozen=True, slots=True)
class BacnetRates:
    """All rounds: (server, work) -> what was seen."""

    rounds: tuple[dict[tuple[str, str], Seen], ...]

    def ratio(self, work: str) -> tuple[float, float, float]:
        """Median, smallest and largest over the rounds of the ratio of rates within a round."""
        ratios = [seen["own", work].rate / seen["bacpypes3", work].rate for seen in self.rounds]
        return median(ratios), min(ratios), max(ratios)


def measure_bacnet(rounds: int, seconds: float, say: Callable[[str], None]) -> BacnetRates:
    """Run all rounds, every server restarted in each, in shuffled order.

    Raises:
        ServerNotReady: A server does not start.
        ValueError: A server answers wrongly or not at all.
    """
    shuffle = random.Random(SEED)
    seen: list[dict[tuple[str, str], Seen]] = []
    for number in range(1, rounds + 1):
        order = list(_SERVERS)
        shuffle.shuffle(order)
        seen.append({})
        for name in order:
            side = _SERVERS[name]()
            with side.server:
                for work in WORK:
                    seen[-1][name, work] = _calmest(name, side, work, seconds)
        rates = ", ".join(f"{name} {work} {one.rate:,.0f}" for (name, work), one in seen[-1].items())
        say(f"round {number} of {rounds}, {CONNECTIONS} outstanding, replies/s: {rates}")
    return BacnetRates(tuple(seen))


def bacnet_section(seen: BacnetRates) -> str:
    """Rates and waits of both, then the ratios."""
    rows = []
    for work, (title, _) in WORK.items():
        for name, label in _LABELS.items():
            cells = [one[name, work] for one in seen.rounds]
            rates = [cell.rate for cell in cells]
            rows.append(
                [
                    f"{title}, {label}",
                    f"{median(rates):,.0f}",
                    f"{min(rates):,.0f} to {max(rates):,.0f}",
                    f"{median(cell.p50_us for cell in cells):,.0f}",
                    f"{median(cell.p99_us for cell in cells):,.0f}",
                    f"{median(cell.idle for cell in cells):.0%}",
                ]
            )
    rates_table = table(["", "replies/s", "over the rounds", "p50 µs", "p99 µs", "client idle"], rows)
    ratios = []
    for work, (title, goal) in WORK.items():
        ratio, low, high = seen.ratio(work)
        verdict = "yes" if ratio >= goal else "**no**"
        ratios.append([title, f"{ratio:.0f}", f"{low:.0f} to {high:.0f}", f">= {goal:.0f}", verdict])
    head = ["own / bacpypes3", "median", "over the rounds", "to reach", "reached"]
    return f"{rates_table}\n\n{table(head, ratios)}\n\n{_conditions(seen)}"


def _conditions(seen: BacnetRates) -> str:
    cells = [cell for one in seen.rounds for cell in one.values()]
    disturbed = sum(cell.strangers > DISTURBED_SHARE for cell in cells)
    return (
        f"{len(seen.rounds)} rounds, {sum(cell.replies for cell in cells):,} replies checked, none wrong, "
        f"none missing. Measurements during which strangers used more than 5 % of a core: "
        f"{disturbed} of {len(cells)}."
    )


def _start_own() -> Side:
    server, ready, _ = start_site(DEMO_SITE)
    for gateway in ready["gateways"]:
        for unit in gateway["units"] if "bacnet" in gateway else ():
            if unit["product"] == _MODULE:
                loads = range(1, len(unit["circuits"]) + 1)
                instances = [100 * load + index for load in loads for index in _MEASUREMENTS][:OBJECTS]
                place = gateway["bacnet"]
                route = b"\x01\x24" + place["network"].to_bytes(2, "big") + bytes((1, unit["address"], 255))
                return Side(server, place["port"], instances, route)
    raise LookupError(f"the site has no {_MODULE} behind a gateway with BACnet/IP")


def _start_bacpypes3() -> Side:
    script = str(BENCH / "peers" / "bacpypes3_stock.py")
    server = RunningServer("bacpypes3", [sys.executable, script, "--refresh-ms", str(REFRESH_MS)])
    return Side(server, server.wait_for_port(), range(1, OBJECTS + 1), b"\x01\x04")


_SERVERS: Mapping[str, Callable[[], Side]] = {"own": _start_own, "bacpypes3": _start_bacpypes3}
_LABELS = {"own": "this project, demo site alive", "bacpypes3": "bacpypes3, stock device"}


def write_requests(path: Path, side: Side, work: str) -> int:
    """Write the file of the load generator; returns the size below which no answer can be right."""
    if work == "rp":
        bodies = [b"\x02\x75\0\x0c\x0c" + _input(one) + b"\x19" + _PRESENT_VALUE for one in side.instances]
    else:
        count = len(side.instances)
        groups = [
            [side.instances[(first + n) % count] for n in range(TOGETHER)] for first in range(0, count, 5)
        ]
        bodies = [
            b"\x02\x75\0\x0e"
            + b"".join(b"\x0c" + _input(one) + b"\x1e\x09" + _PRESENT_VALUE + b"\x1f" for one in group)
            for group in groups
        ]
    with path.open("wb") as file:
        for body in bodies:
            size = 4 + len(side.route) + len(body)
            head = b"\x81\x0a" + size.to_bytes(2, "big") + side.route
            file.write(size.to_bytes(2, "big") + bytes((len(head) + 2,)) + head + body)
    real = 5  # octets of an encoded Real, the least of every answer
    return 4 + 2 + 3 + (real + 8 if work == "rp" else TOGETHER * (real + 11))


def _input(instance: int) -> bytes:
    return instance.to_bytes(4, "big")  # the object type of an analog input is 0


def _calmest(name: str, side: Side, work: str, seconds: float) -> Seen:
    """The calmest of up to ATTEMPTS measurements."""
    seen = [_load(name, side, work, seconds)]
    while seen[-1].strangers > DISTURBED_SHARE and len(seen) < ATTEMPTS:
        seen.append(_load(name, side, work, seconds))
    return min(seen, key=lambda one: one.strangers)


def _load(name: str, side: Side, work: str, seconds: float, warmup_s: float = 0.5) -> Seen:
    path = BUILD / f"bacnet-{name}-{work}.requests"
    shortest = write_requests(path, side, work)
    command = [str(BUILD / "bacnetgen"), "--port", str(side.port), "--requests", str(path)]
    command += ["--connections", str(CONNECTIONS), "--bytes", str(shortest)]
    command += ["--seconds", str(seconds), "--warmup", str(warmup_s)]
    busy, own, client = busy_seconds(), side.server.cpu_seconds(), _children_seconds()
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + warmup_s + 30,
        preexec_fn=pinned_to(CLIENT_CORE),
    )
    own, client = side.server.cpu_seconds() - own, _children_seconds() - client
    strangers = max(0.0, busy_seconds() - busy - own - client) / (seconds + warmup_s)
    seen: dict[str, Any] = json.loads(done.stdout)
    if seen["bad"] or seen["lost"] or not seen["replies"]:
        raise ValueError(f"{name} does not answer {work} rightly: {done.stdout}")
    names = ("rate", "replies", "bad", "lost", "idle", "p50_us", "p99_us")
    return Seen(**{key: seen[key] for key in names}, strangers=strangers)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
