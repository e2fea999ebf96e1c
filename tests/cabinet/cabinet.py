"""Starting the demo site in its own process, and asking it with programs that others wrote."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SITE = """\
extends: demo
site: demo
commissioned: 2026-03-02T07:00:00Z
lines:
  line1: {{pty: {pty}, baudrate: 38400, parity: none, stop_bits: 1}}
"""
MONDAY_MORNING = "2026-03-02T09:00:00Z"
PATIENCE_S = 30


@dataclass
class Cabinet:
    """A running demo site: its process and what its ready file says."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    site_file: Path

    @property
    def tcp(self) -> tuple[str, int]:
        endpoint = self.ready["gateways"][0]["modbus_tcp"]
        return endpoint["host"], endpoint["port"]

    @property
    def pty(self) -> str:
        return str(self.ready["lines"][0]["pty"])

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End the process with a signal; returns what it printed."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=PATIENCE_S)[0]


@contextmanager
def running_demo(folder: Path, *options: str, clock: str = "manual", site: str = SITE) -> Iterator[Cabinet]:
    """The demo site, served on free ports, with its line's link inside `folder`."""
    site_file = folder / "site.yaml"
    site_file.write_text(site.format(pty=folder / "line1"), encoding="utf-8")
    ready_file = folder / "ready"
    command = [sys.executable, "-m", "virtual_digiware", "run", str(site_file), "--port-base", "0"]
    command = [*command, "--log", "off"]
    if clock == "manual":
        options = ("--clock", "manual", "--at", MONDAY_MORNING, *options)
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready_file), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Cabinet(process, _when_ready(process, ready_file), site_file)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE_S)


def _when_ready(process: subprocess.Popen[str], ready_file: Path) -> dict[str, Any]:
    """The ready file, once the process has said that everything accepts connections."""
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if line.startswith("Stop with"):
            ready: dict[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
            return ready
    raise AssertionError("the site did not start:\n" + "".join(printed))


def output_of(*command: str) -> str:
    """What a program prints; it must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def mbpoll(
    where: Sequence[str], unit: int, address: int, count: int, kind: str = "4", values: Sequence[int] = ()
) -> list[int]:
    """Registers (`4`) or big-endian 32-bit values (`4:int`) as mbpoll prints them. Writes `values`."""
    printed = output_of(
        "mbpoll", *where[:-1], "-a", str(unit), "-t", kind, "-B", "-0", "-1",
        "-r", str(address), *([] if values else ["-c", str(count)]), where[-1], *map(str, values),
    )  # fmt: skip
    lines = [line for line in printed.splitlines() if line.startswith("[")]
    values = [int(line.split(":")[1].split("(")[0].strip()) for line in lines]
    return [value & 0xFFFF for value in values] if kind == "4" else values


def points_of(site_file: Path, at: str = MONDAY_MORNING) -> list[dict[str, Any]]:
    """Every point as the `points` command lists it, computed by a process of its own."""
    command = [sys.executable, "-m", "virtual_digiware", "points", str(site_file), "--format", "json"]
    listed: list[dict[str, Any]] = json.loads(output_of(*command, "--at", at))
    return listed
