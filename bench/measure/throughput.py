"""Side by side: every server in every round, in shuffled order, restarted each time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from measure.programs import Load, load
from measure.servers import SERVERS

SEED = 20_260_302
CONNECTIONS = (1, 16, 64)
GOALS = (("pymodbus", 5.5), ("libmodbus", 0.8), ("limit", 0.7))
"""Peer and the ratio own / peer to reach at GOAL_CONNECTIONS."""
GOAL_CONNECTIONS = 16

Round = dict[tuple[str, int], Load]
"""One round: (server, connections) -> what was seen."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """All rounds."""

    servers: tuple[str, ...]
    connections: tuple[int, ...]
    rounds: tuple[Round, ...]

    def loads(self, server: str, connections: int) -> list[Load]:
        """The same cell of every round."""
        return [seen[server, connections] for seen in self.rounds]

    def ratio(self, server: str, peer: str, connections: int) -> tuple[float, float, float]:
        """Median, smallest and largest over the rounds of the ratio of rates within a round."""
        ratios = [seen[server, connections].rate / seen[peer, connections].rate for seen in self.rounds]
        return float(np.median(ratios)), min(ratios), max(ratios)


def measure_throughput(
    servers: Sequence[str], rounds: int, seconds: float, say: Callable[[str], None]
) -> Throughput:
    """Run all rounds.

    Raises:
        ServerNotReady: A server does not start.
        ValueError: A server answers wrongly or not at all.
    """
    shuffle = random.Random(SEED)
    seen: list[Round] = []
    for number in range(1, rounds + 1):
        order = list(servers)
        shuffle.shuffle(order)
        seen.append({})
        for name in order:
            process, read = SERVERS[name]()
            with process:
                for connections in CONNECTIONS:
                    seen[-1][name, connections] = load(
                        process, [read], connections=connections, seconds=seconds
                    )
        rates = ", ".join(f"{name} {seen[-1][name, GOAL_CONNECTIONS].rate:,.0f}" for name in servers)
        say(f"round {number} of {rounds}, {GOAL_CONNECTIONS} connections, replies/s: {rates}")
    return Throughput(tuple(servers), CONNECTIONS, tuple(seen))
