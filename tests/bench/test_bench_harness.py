"""The load generator counts right answers and reports wrong ones; how fast is not asked here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.external import require_header, require_program

BENCH = Path(__file__).resolve().parents[2] / "bench"
CONNECTIONS = 4


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the freshly built C programs."""
    for needed in ("gcc", "make", "pkg-config"):
        require_program(needed)
    require_header("modbus/modbus.h")
    out = tmp_path_factory.mktemp("bench")
    flags = "CFLAGS=-O1 -Wall -Wextra -Werror -std=gnu11"
    subprocess.run(["make", "--silent", "-C", str(BENCH), f"OUT={out}", flags], check=True)
    return out


@contextmanager
def running(*command: str) -> Iterator[int]:
    """A peer that announces its port; yields that."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline().removeprefix("listening "))
        finally:
            server.terminate()


def limit_server(programs: Path, *options: str) -> AbstractContextManager[int]:
    """The canned-reply server."""
    return running(str(programs / "limit_epoll"), "--count", "100", "--seconds", "20", *options)


def load(programs: Path, port: int, *options: str) -> dict[str, Any]:
    """What the load generator reports after at most a fifth of a second of load."""
    command = [
        str(programs / "loadgen"),
        "--port",
        str(port),
        "--connections",
        str(CONNECTIONS),
        "--wait",
        "epoll",
    ]
    command += ["--warmup", "0.01", "--seconds", "0.05", *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_right_answers_are_counted_and_none_is_called_wrong(programs: Path) -> None:
    with limit_server(programs) as port:
        seen = load(programs, port)
    assert seen["connections"] == CONNECTIONS
    assert seen["replies"] >= CONNECTIONS
    assert (seen["bad"], seen["lost"], seen["unanswered"]) == (0, 0, 0)
    assert seen["rate"] == pytest.approx(seen["replies"] / seen["seconds"], rel=1e-3)
    waits = seen["waits"]
    assert waits["count"] == seen["replies"]
    assert 0 < waits["p50_us"] <= waits["p99_us"] <= waits["p99_9_us"] <= waits["max_us"]


def test_waits_that_meet_a_refresh_are_told_apart(programs: Path) -> None:
    with limit_server(programs) as port:
        always = load(programs, port, "--refresh-ms", "50", "--near-ms", "50")
        never = load(programs, port)
    assert always["waits_near_refresh"] == always["waits"]
    assert never["waits_near_refresh"]["count"] == 0


def test_a_plan_is_read_once_in_each_cycle(programs: Path, tmp_path: Path) -> None:
    with limit_server(programs) as port:
        plan = tmp_path / "plan.txt"
        plan.write_text(f"{port} 1 3 0 100\n" * 5, encoding="ascii")
        cycles = ("--plan", str(plan), "--connections", "1", "--cycle-us", "50000")
        seen = load(programs, port, *cycles, "--warmup", "0")
    assert 5 <= seen["replies"] <= 10


@pytest.mark.parametrize(
    "command",
    [
        ("{programs}/libmodbus_server", "20"),
        (sys.executable, "{bench}/peers/pymodbus_stock.py", "--refresh-ms", "20"),
    ],
    ids=["libmodbus", "pymodbus"],
)
def test_the_peers_answer_rightly_and_their_values_move(programs: Path, command: tuple[str, ...]) -> None:
    with running(*(word.format(programs=programs, bench=BENCH) for word in command)) as port:
        seen = load(programs, port, "--seconds", "0.2")
    assert seen["replies"] >= CONNECTIONS
    assert (seen["bad"], seen["lost"], seen["unanswered"]) == (0, 0, 0)
    assert seen["changed"] > 0


def test_the_count_of_replies_can_be_bounded(programs: Path) -> None:
    with limit_server(programs) as port:
        seen = load(programs, port, "--seconds", "10", "--max-replies", "50")
    assert 50 <= seen["replies"] < 50 + CONNECTIONS
    assert seen["seconds"] < 10


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("id", "transaction_id"),
        ("unit", "unit"),
        ("function", "function"),
        ("exception", "exception"),
        ("byte_count", "byte_count"),
        ("surplus", "surplus"),
    ],
)
def test_a_server_that_answers_wrongly_is_reported(programs: Path, fault: str, reason: str) -> None:
    with limit_server(programs, "--fault", fault) as port:
        seen = load(programs, port)
    assert seen["replies"] == 0
    assert seen["bad"] > 0
    assert seen["bad_by_reason"][reason] == seen["bad"]


def test_a_server_that_stays_silent_is_reported(programs: Path) -> None:
    with limit_server(programs, "--fault", "silent") as port:
        seen = load(programs, port)
    assert (seen["replies"], seen["bad"], seen["unanswered"]) == (0, 0, CONNECTIONS)


def test_a_reply_of_another_length_than_asked_for_is_wrong(programs: Path) -> None:
    with limit_server(programs) as port:
        seen = load(programs, port, "--count", "99")
    assert seen["replies"] == 0
    assert seen["bad_by_reason"]["length"] == seen["bad"] > 0
