"""Ports that stay free until a test uses them: below those the kernel gives to whoever connects."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from itertools import count
from pathlib import Path

LOWEST = 10_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_STRIDE = 64
"""Blocks begin this far apart; another process of the tests begins its search at another block."""
_blocks = count(os.getpid())


def free_ports(many: int = 1, host: str = "127.0.0.1") -> int:
    """The first of a row of ports on which nobody listens, by TCP or UDP; each call gives another row.

    An ephemeral port that has been let go again can go to any connection before the test gets to it,
    and nobody knows of its neighbour. All of these have been bound at once, and only tests ask for them.

    Raises:
        OSError: There is no such row.
    """
    if not 0 < many <= _STRIDE:
        raise ValueError(f"{many} ports; 1 to {_STRIDE} in a row")
    below = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    blocks = (below - LOWEST) // _STRIDE
    for _ in range(blocks):
        first = LOWEST + next(_blocks) % blocks * _STRIDE
        if _all_free(host, range(first, first + many)):
            return first
    raise OSError(f"no {many} free ports in a row between {LOWEST} and {below}")


def _all_free(host: str, ports: range) -> bool:
    with ExitStack() as held:
        for port in ports:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                probe = held.enter_context(socket.socket(socket.AF_INET, kind))
                try:
                    probe.bind((host, port))
                except OSError:
                    return False
        return True
