"""Server processes: started on a core, watched through /proc, ended by their own id."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from measure.places import BUILD, LOGS, SERVER_CORE

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
READY_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 5.0
_ANNOUNCEMENT = re.compile(rb"^listening (\d+)$", re.MULTILINE)


class ServerNotReady(Exception):
    """A server ended, or said nothing in time. `log` is where its own words are."""

    def __init__(self, name: str, log: Path) -> None:
        super().__init__(f"{name} did not become ready; see {log}")
        self.name = name
        self.log = log


def pinned_to(core: int) -> Callable[[], None]:
    """For `preexec_fn`: the child runs on this core only."""
    return lambda: os.sched_setaffinity(0, {core})


def _environment() -> dict[str, str]:
    """Compiled modules are kept in `bench/build`: no start pays for compiling what an installation has."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(BUILD / "pycache")}


class RunningServer:
    """One server process, pinned; leaving the `with` block ends it."""

    def __init__(self, name: str, command: Sequence[str], core: int = SERVER_CORE) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = LOGS / f"{name}.log"
        with self.log.open("wb") as log:
            self._started_ns = time.monotonic_ns()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
                preexec_fn=pinned_to(core),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_for_port(self) -> int:
        """The port from the line `listening PORT` that a peer prints.

        Raises:
            ServerNotReady: The peer ended or stayed silent.
        """
        for _ in self._while_starting():
            announced = _ANNOUNCEMENT.search(self.log.read_bytes())
            if announced is not None:
                return int(announced[1])
        raise ServerNotReady(self.name, self.log)

    def wait_for_file(self, path: Path) -> tuple[dict[str, Any], float]:
        """The content of a JSON file once it is there, and the seconds from process start until then.

        Raises:
            ServerNotReady: The process ended, or the file did not appear in time.
        """
        for _ in self._while_starting():
            if path.exists():
                ready_s = (time.monotonic_ns() - self._started_ns) / 1e9
                content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
                return content, ready_s
        raise ServerNotReady(self.name, self.log)

    def wait_for_end(self) -> float:
        """Seconds from process start to its own end."""
        self._process.wait(READY_TIMEOUT_S)
        return (time.monotonic_ns() - self._started_ns) / 1e9

    def _while_starting(self) -> Iterator[None]:
        """Once a millisecond, until the process ends or the time is over; the process is stopped then."""
        deadline_ns = self._started_ns + int(READY_TIMEOUT_S * 1e9)
        while time.monotonic_ns() < deadline_ns and self._process.poll() is None:
            yield
            time.sleep(0.001)
        self.stop()

    def cpu_seconds(self) -> float:
        """User and system time of all threads so far."""
        fields = (
            Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        )
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def cpu_share(self, seconds: float) -> float:
        """Cores used over the coming seconds."""
        before, start_ns = self.cpu_seconds(), time.monotonic_ns()
        time.sleep(seconds)
        return (self.cpu_seconds() - before) / ((time.monotonic_ns() - start_ns) / 1e9)

    def rss_bytes(self) -> int:
        """Resident memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))

    def stop(self) -> None:
        """Ask the process to end, insist after a while, and reap it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
