"""The C programs: building them, and running the load generator."""

from __future__ import annotations

import json
import resource
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure.machine import busy_seconds
from measure.places import BENCH, BUILD, CLIENT_CORE
from measure.processes import RunningServer, pinned_to

DISTURBED_SHARE = 0.05
"""Share of a core used by strangers (other processes, the hypervisor) that makes a measurement doubtful."""
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Read:
    """One Modbus read; `unit` is the unit id, `address` as on the wire, `count` in words."""

    port: int
    unit: int
    address: int
    count: int
    function: int = 3


@dataclass(frozen=True, slots=True)
class Waits:
    """From request to whole reply, in microseconds; `slow` are those over 2 ms."""

    count: int
    slow: int
    mean_us: float
    p50_us: float
    p90_us: float
    p99_us: float
    p99_9_us: float
    max_us: float


@dataclass(frozen=True, slots=True)
class Load:
    """What the load generator saw in the counted seconds."""

    connections: int
    seconds: float
    replies: int
    rate: float
    changed: int
    bad: int
    lost: int
    unanswered: int
    idle: float
    """Share of the client's looks at a socket that found nothing."""
    waits: Waits
    waits_near_refresh: Waits
    """Those that met the 100 ms after a refresh was due, where that was asked for."""
    server_cpu: float
    """Cores that the server used while the load generator ran, warm-up included."""
    strangers: float
    """Cores that everything else on the machine used meanwhile."""

    @property
    def is_right(self) -> bool:
        """Every request was answered correctly."""
        return self.replies > 0 and self.bad == 0 and self.lost == 0 and self.unanswered == 0

    @property
    def is_disturbed(self) -> bool:
        """Somebody else used the machine."""
        return self.strangers > DISTURBED_SHARE


def build() -> None:
    """Compile the C programs into `bench/build`.

    Raises:
        subprocess.CalledProcessError: gcc, make or libmodbus-dev is missing; see the terminal.
    """
    subprocess.run(["make", "--silent", "-C", str(BENCH), f"OUT={BUILD}"], check=True)


def write_plan(path: Path, reads: Sequence[Read]) -> Path:
    """Write the plan file of the load generator: one read a line."""
    lines = (f"{read.port} {read.unit} {read.function} {read.address} {read.count}\n" for read in reads)
    path.write_text("".join(lines), encoding="ascii")
    return path


def load_once(
    server: RunningServer,
    reads: Sequence[Read],
    *,
    connections: int = 1,
    seconds: float = 1.0,
    warmup_s: float = 0.5,
    interval_us: float = 0.0,
    cycle_us: float = 0.0,
    refresh_ms: int = 0,
) -> Load:
    """Run the load generator on its own core; every connection repeats the reads of its port.

    Args:
        interval_us: From one read of a connection to its next; 0: as soon as the answer is there.
        cycle_us: From one round through all reads of a connection to its next, without pause inside; 0: none.
        refresh_ms: Of the server; tells the waits near a refresh from the others. 0: does not.
    """
    plan = write_plan(BUILD / "plan.txt", reads)
    command = [str(BUILD / "loadgen"), "--plan", str(plan), "--connections", str(connections)]
    command += ["--seconds", str(seconds), "--warmup", str(warmup_s), "--refresh-ms", str(refresh_ms)]
    command += ["--cycle-us", str(cycle_us)] if cycle_us else ["--interval-us", str(interval_us)]
    busy, own, client = busy_seconds(), server.cpu_seconds(), _children_seconds()
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + warmup_s + 30,
        preexec_fn=pinned_to(CLIENT_CORE),
    )
    own, client = server.cpu_seconds() - own, _children_seconds() - client
    elapsed = seconds + warmup_s
    strangers = max(0.0, busy_seconds() - busy - own - client) / elapsed
    seen = json.loads(done.stdout)
    seen.pop("bad_by_reason")
    waits, near = Waits(**seen.pop("waits")), Waits(**seen.pop("waits_near_refresh"))
    return Load(**seen, waits=waits, waits_near_refresh=near, server_cpu=own / elapsed, strangers=strangers)


def load(server: RunningServer, reads: Sequence[Read], **options: float) -> Load:
    """As `load_once`, repeated up to ATTEMPTS times while strangers disturb; the calmest attempt counts.

    Raises:
        ValueError: The server answers wrongly or not at all; figures of wrong answers mean nothing.
    """
    best: Load | None = None
    for _ in range(ATTEMPTS):
        attempt = load_once(server, reads, **options)  # type: ignore[arg-type]
        if not attempt.is_right:
            raise ValueError(f"{server.name} does not answer rightly: {attempt}")
        if best is None or attempt.strangers < best.strangers:
            best = attempt
        if not attempt.is_disturbed:
            break
    assert best is not None
    return best


def _children_seconds() -> float:
    """CPU time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
