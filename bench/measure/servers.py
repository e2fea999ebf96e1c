"""The servers that are compared: how each is started, and which read of 100 words it is asked for."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure.places import BENCH, BUILD, VDIGIWARE
from measure.processes import RunningServer
from measure.programs import Read

WORDS = 100
REFRESH_MS = 200
DEMO_SITE = BENCH / "sites" / "demo-200ms.yaml"

HARMONICS_ADDRESS = 19712
"""Harmonic currents of load 1 of an I-35: 109 words that follow the refresh, so 100 are one block."""
HARMONICS_PRODUCT = "I-35"

Started = tuple[RunningServer, Read]


def start_limit() -> Started:
    """The canned reply."""
    server = RunningServer("limit", [str(BUILD / "limit_epoll"), "--count", str(WORDS)])
    return server, Read(server.wait_for_port(), 1, 0, WORDS)


def start_libmodbus() -> Started:
    """libmodbus, 1,000 registers that move."""
    server = RunningServer("libmodbus", [str(BUILD / "libmodbus_server"), str(REFRESH_MS)])
    return server, Read(server.wait_for_port(), 1, 0, WORDS)


def start_pymodbus() -> Started:
    """Stock pymodbus, 1,000 registers that move."""
    script = str(BENCH / "peers" / "pymodbus_stock.py")
    server = RunningServer("pymodbus", [sys.executable, script, "--refresh-ms", str(REFRESH_MS)])
    return server, Read(server.wait_for_port(), 1, 0, WORDS)


def start_own() -> Started:
    """This project with its demo site alive."""
    server, ready, _ = start_site(DEMO_SITE)
    return server, harmonics_read(ready)


SERVERS: dict[str, Callable[[], Started]] = {
    "own": start_own,
    "pymodbus": start_pymodbus,
    "libmodbus": start_libmodbus,
    "limit": start_limit,
}


def start_site(
    site: Path | str, *options: str, ports: int = 16
) -> tuple[RunningServer, dict[str, Any], float]:
    """Run a site on free ports.

    Args:
        site: Path of a site file, or the name of a shipped site.
        options: Further options of `vdigiware run`.
        ports: How many consecutive ports the site may need.

    Returns:
        The process, the content of its ready file, and the seconds from start to that file.
    """
    name = Path(site).stem
    ready_path = BUILD / f"ready-{name}.json"
    journal_path = BUILD / f"journal-{name}.jsonl"
    for path in (ready_path, journal_path):
        path.unlink(missing_ok=True)
    command = [*VDIGIWARE, "run", str(site), "--ready-file", str(ready_path), "--journal", str(journal_path)]
    command += ["--port-base", str(free_ports(ports)), *options]
    server = RunningServer(f"own-{name}", command)
    ready, ready_s = server.wait_for_file(ready_path)
    return server, ready, ready_s


def free_ports(count: int, first: int = 20_000) -> int:
    """The lowest port from `first` that starts a run of free loopback ports."""
    start = first
    while start + count < 65_536:
        taken = next((port for port in range(start, start + count) if not _is_free(port)), None)
        if taken is None:
            return start
        start = taken + 1
    raise OSError(f"no {count} consecutive free ports from {first}")


def harmonics_read(ready: dict[str, Any]) -> Read:
    """100 words of the harmonic currents of the first I-35 that can be reached over Modbus TCP.

    Raises:
        LookupError: The site has none.
    """
    for gateway in ready["gateways"]:
        for unit in gateway["units"] if "modbus_tcp" in gateway else ():
            if unit["product"] == HARMONICS_PRODUCT:
                return Read(gateway["modbus_tcp"]["port"], unit["address"], HARMONICS_ADDRESS, WORDS)
    raise LookupError(f"the site has no {HARMONICS_PRODUCT} behind a gateway with Modbus TCP")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
