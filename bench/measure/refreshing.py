"""What the refresh costs: the share of a core, and how long a read waits while a refresh is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from measure.processes import RunningServer
from measure.programs import Load, Read, load
from measure.servers import start_site
from measure.sites import FUNDAMENTAL, HARMONICS, INSTANTANEOUS, Size, circuit_reads, write_site

MANY = Size(circuits=10_000)
SAMPLED = Size(
    circuits=256, module="I-35", circuits_per_module=1, phases=3, refresh_ms=200, measurement="sampled"
)
PHASOR = Size(
    circuits=256, module="I-35", circuits_per_module=1, phases=3, refresh_ms=200, measurement="phasor"
)

CPU_GOAL = 0.1
SAMPLED_CPU_GOAL = 0.3
POLL_INTERVAL_US = 1000.0
SETTLE_S = 2.0
WARM_UP_S = 2.5
"""Long enough for every circuit to have been read once."""
STANDING_STILL = ("--clock", "manual", "--at", "2026-03-02T10:00:00Z")


@dataclass(frozen=True, slots=True)
class ManyCircuits:
    """10,000 circuits at a refresh of 1 s. CPU shares in cores."""

    circuits: int
    gateways: int
    cpu_unread: float
    moving: Load
    """One connection, a read every millisecond, the site refreshing."""
    still: Load
    """The same on the manual clock: nothing is computed."""
    everything: Load
    """Every circuit of every gateway read once in each refresh."""

    @property
    def slow_by_chance(self) -> float:
        """How many waits near a refresh would be slow if refreshes had nothing to do with it."""
        near, all_moving, all_still = self.moving.waits_near_refresh, self.moving.waits, self.still.waits
        elsewhere = all_moving.count - near.count + all_still.count
        return near.count * (all_moving.slow - near.slow + all_still.slow) / max(elsewhere, 1)

    @property
    def is_refresh_unnoticed(self) -> bool:
        """Waits over 2 ms are no more frequent near a refresh than chance (two sigma) explains."""
        expected = self.slow_by_chance
        return self.moving.waits_near_refresh.slow <= expected + 2 * sqrt(expected)


@dataclass(frozen=True, slots=True)
class SampledCircuits:
    """256 three-phase circuits at a refresh of 200 ms, three blocks of each read in every refresh."""

    circuits: int
    cpu_unread: float
    sampled: Load
    phasor: Load
    """The same site and reads, measured from phasors."""


def measure_many_circuits(seconds: float) -> ManyCircuits:
    """Start the site three times: refreshing, standing still, refreshing and wholly read."""
    site = write_site("many-circuits", MANY)
    with_refresh, ready, _ = start_site(site, ports=MANY.gateways)
    with with_refresh as server:
        reads = circuit_reads(ready, MANY, INSTANTANEOUS)
        one_gateway = [read for read in reads if read.port == reads[0].port]
        server.cpu_share(SETTLE_S)
        cpu_unread = server.cpu_share(seconds)
        moving = _poll(server, one_gateway, seconds)
        everything = load(server, reads, seconds=seconds, warmup_s=WARM_UP_S, cycle_us=1000 * MANY.refresh_ms)
    without_refresh, ready, _ = start_site(site, *STANDING_STILL, ports=MANY.gateways)
    with without_refresh as server:
        reads = circuit_reads(ready, MANY, INSTANTANEOUS)
        one_gateway = [read for read in reads if read.port == reads[0].port]
        still = _poll(server, one_gateway, seconds)
    return ManyCircuits(MANY.circuits, MANY.gateways, cpu_unread, moving, still, everything)


def measure_sampled_circuits(seconds: float) -> SampledCircuits:
    """Start the site twice: measured from samples, and from phasors."""
    loads: dict[str, Load] = {}
    unread: dict[str, float] = {}
    for size in (SAMPLED, PHASOR):
        server, ready, _ = start_site(write_site(f"{size.measurement}-circuits", size), ports=size.gateways)
        with server:
            reads = circuit_reads(ready, size, INSTANTANEOUS, FUNDAMENTAL, HARMONICS)
            server.cpu_share(SETTLE_S)
            unread[size.measurement] = server.cpu_share(seconds)
            loads[size.measurement] = load(
                server, reads, seconds=seconds, warmup_s=WARM_UP_S, cycle_us=1000 * size.refresh_ms
            )
    return SampledCircuits(SAMPLED.circuits, unread["sampled"], loads["sampled"], loads["phasor"])


def _poll(server: RunningServer, reads: Sequence[Read], seconds: float) -> Load:
    return load(server, reads, seconds=seconds, interval_us=POLL_INTERVAL_US, refresh_ms=MANY.refresh_ms)
