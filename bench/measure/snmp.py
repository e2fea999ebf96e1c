"""SNMP side by side: this project, stock pysnmp, snmpsim and net-snmp's snmpd, asked the same."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

import virtual_digiware
from measure.machine import busy_seconds
from measure.places import BENCH, BUILD, CLIENT_CORE
from measure.processes import RunningServer, pinned_to
from measure.servers import REFRESH_MS, start_site
from measure.snmp_requests import PASSWORD, USER, WORKS, Question, Work, varbinds, write_requests

SEED = 20_261_123
CONNECTIONS = 16
WARMUP_S = 0.5
ATTEMPTS = 3
DISTURBED_SHARE = 0.05
SCALARS = 50
BRANCH = (1, 3, 6, 1, 4, 1, 8072, 9999, 9999)
GOALS: dict[tuple[Work, str], float] = {
    ("get", "pysnmp"): 30,
    ("get", "snmpd"): 1.3,
    ("bulk", "pysnmp"): 150,
    ("bulk", "snmpd"): 2.5,
    ("v3 get", "pysnmp"): 20,
    ("v3 get", "snmpd"): 0.7,
}
"""Work and peer, and the ratio own / peer to reach."""

_CURRENT_OF_LOAD = (1, 3, 6, 1, 4, 1, 4555, 10, 20, 20, 1, 10000, 4, 1)


@dataclass(frozen=True, slots=True)
class SnmpLoad:
    """What the load generator saw; waits in microseconds. `strangers`: cores used by everything else."""

    connections: int
    seconds: float
    replies: int
    rate: float
    bad: int
    lost: int
    idle: float
    p50_us: float
    p99_us: float
    max_us: float
    strangers: float = 0.0

    @property
    def is_right(self) -> bool:
        """Every request was answered correctly."""
        return self.replies > 0 and self.bad == 0 and self.lost == 0


@dataclass(frozen=True, slots=True)
class Snmp:
    """All rounds: (work, server) -> what was seen."""

    servers: tuple[str, ...]
    rounds: tuple[dict[tuple[Work, str], SnmpLoad], ...]

    def loads(self, work: Work, server: str) -> list[SnmpLoad]:
        return [seen[work, server] for seen in self.rounds]

    def ratio(self, work: Work, peer: str) -> tuple[float, float, float]:
        """Median, smallest and largest over the rounds of own / peer within a round."""
        ratios = [seen[work, "own"].rate / seen[work, peer].rate for seen in self.rounds]
        return float(np.median(ratios)), min(ratios), max(ratios)


Started = tuple[RunningServer, Question]


def start_own() -> Started:
    """This project with its demo site alive, refreshed five times a second, and one more user."""
    shipped = Path(virtual_digiware.__file__).parent / "simulator" / "sites" / "demo.yaml"
    site = YAML(typ="safe", pure=True).load(shipped)
    site["refresh_ms"] = REFRESH_MS
    user = {"name": USER, "auth": "SHA1", "auth_password": PASSWORD}
    site["gateways"][0]["snmp"]["users"] = [{**user, "priv": "AES128", "priv_password": PASSWORD}]
    path = BUILD / "snmp-demo.yaml"
    path.write_text(json.dumps(site), encoding="utf-8")  # JSON is YAML
    server, ready, _ = start_site(path)
    where = ready["gateways"][0]["snmp"]
    return server, Question(where["port"], "publicv2", _CURRENT_OF_LOAD)


def start_pysnmp() -> Started:
    """pysnmp's own agent, 50 scalars."""
    server = RunningServer("pysnmp", [sys.executable, str(BENCH / "peers" / "pysnmp_stock.py")])
    return server, Question(server.wait_for_port(), "public", (*BRANCH, 1, 0))


def start_snmpd() -> Started:
    """net-snmp's agent, the same 50 scalars, without what it knows of this machine."""
    folder = _fresh("snmpd")
    port = _free_udp_port()
    lines = [
        "rocommunity public 127.0.0.1",
        f"createUser {USER} SHA {PASSWORD} AES {PASSWORD}",
        f"rouser {USER} authPriv",
        f"agentaddress udp:127.0.0.1:{port}",
        *(f"override {_dotted(number)} uinteger {1000 + number}" for number in range(1, SCALARS + 1)),
    ]
    settings = folder / "snmpd.conf"
    settings.write_text("\n".join(lines) + "\n", encoding="ascii")
    command = [_snmpd(), "-f", "-Lo", "-C", "-c", str(settings), "-I", "-smux,mteTrigger,mteTriggerConf"]
    server = RunningServer("snmpd", ["env", f"SNMP_PERSISTENT_DIR={folder}", "MIBS=", *command])
    return server, Question(port, "public", (*BRANCH, 1, 0))


def start_snmpsim() -> Started:
    """snmpsim, the same 50 scalars as a recording."""
    folder = _fresh("snmpsim")
    port = _free_udp_port()
    (folder / "data").mkdir()
    lines = (f"{_dotted(number)}|66|{1000 + number}\n" for number in range(1, SCALARS + 1))
    (folder / "data" / "public.snmprec").write_text("".join(lines), encoding="ascii")
    command = [
        *(_snmpsim(), "--quiet", "--log-level=error"),
        *(f"--data-dir={folder / 'data'}", f"--cache-dir={folder / 'cache'}"),
        f"--agent-udpv4-endpoint=127.0.0.1:{port}",
        *("--process-user=root", "--process-group=root"),
        *(f"--v3-user={USER}", f"--v3-auth-key={PASSWORD}", "--v3-auth-proto=SHA"),
        *(f"--v3-priv-key={PASSWORD}", "--v3-priv-proto=AES"),
    ]
    return RunningServer("snmpsim", command), Question(port, "public", (*BRANCH, 1, 0), b"public")


SERVERS: dict[str, Callable[[], Started]] = {
    "own": start_own,
    "pysnmp": start_pysnmp,
    "snmpsim": start_snmpsim,
    "snmpd": start_snmpd,
}


def available() -> tuple[str, ...]:
    """Servers that this machine has: snmpd is a Debian package, snmpsim a Python package and wants root."""
    missing = {"snmpd": not _snmpd(), "snmpsim": not _snmpsim() or os.geteuid() != 0}
    return tuple(name for name in SERVERS if not missing.get(name))


def measure_snmp(rounds: int, seconds: float, say: Callable[[str], None]) -> Snmp:
    """Run all rounds; every server in every round, in shuffled order, started anew.

    Raises:
        ServerNotReady, WrongReply: A server does not start, or does not answer what it is asked.
        ValueError: A server answers some requests wrongly or not at all.
    """
    shuffle = random.Random(SEED)
    servers = available()
    seen: list[dict[tuple[Work, str], SnmpLoad]] = []
    for number in range(1, rounds + 1):
        order = list(servers)
        shuffle.shuffle(order)
        seen.append({})
        for name in order:
            process, question = SERVERS[name]()
            with process:
                wait_for_answer(question)
                for work in WORKS:
                    seen[-1][work, name] = load(process, question, work, seconds)
        rates = ", ".join(f"{name} {seen[-1]['get', name].rate:,.0f}" for name in servers)
        say(f"round {number} of {rounds}, GETs/s: {rates}")
    return Snmp(servers, tuple(seen))


def load(server: RunningServer, question: Question, work: Work, seconds: float) -> SnmpLoad:
    """One measurement, repeated while strangers disturb; the calmest attempt counts."""
    attempts: list[SnmpLoad] = []
    for _ in range(ATTEMPTS):
        requests = BUILD / "snmp-requests.bin"
        write_requests(requests, question, work)
        attempts.append(_load_once(server, requests, question.port, work, seconds))
        if not attempts[-1].is_right:
            raise ValueError(f"{server.name}, {work}: {attempts[-1]}")
        if attempts[-1].strangers <= DISTURBED_SHARE:
            break
    return min(attempts, key=lambda one: one.strangers)


def _load_once(server: RunningServer, requests: Path, port: int, work: Work, seconds: float) -> SnmpLoad:
    command = [str(BUILD / "snmpgen"), "--port", str(port), "--requests", str(requests)]
    command += ["--connections", str(CONNECTIONS), "--seconds", str(seconds), "--warmup", str(WARMUP_S)]
    command += ["--varbinds", str(varbinds(work))]
    busy, own, began_s = busy_seconds(), server.cpu_seconds(), time.monotonic()
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + WARMUP_S + 30,
        preexec_fn=pinned_to(CLIENT_CORE),
    )
    elapsed_s = time.monotonic() - began_s
    # The client never sleeps, so its own share is the whole time.
    used = busy_seconds() - busy - (server.cpu_seconds() - own) - elapsed_s
    return SnmpLoad(**json.loads(done.stdout), strangers=max(0.0, used / elapsed_s))


def wait_for_answer(question: Question, timeout_s: float = 30.0) -> None:
    """Return once a server answers; those that do not announce their port are asked until they do."""
    requests = BUILD / "snmp-requests.bin"
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            write_requests(requests, question, "get")
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
        else:
            return


def _dotted(number: int) -> str:
    return ".".join(map(str, (*BRANCH, number, 0)))


def _fresh(name: str) -> Path:
    folder = BUILD / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _snmpd() -> str:
    return shutil.which("snmpd", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))) or ""


def _snmpsim() -> str:
    return shutil.which("snmpsim-command-responder") or ""


def missing_servers(servers: Sequence[str]) -> list[str]:
    """Servers that could not be measured."""
    return [name for name in SERVERS if name not in servers]
