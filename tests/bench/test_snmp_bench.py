"""The SNMP load generator counts right answers and reports wrong ones; how fast is not asked here."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.buses.snmp.agents import message, pdu
from tests.external import require_program
from virtual_digiware.buses.snmp.ber import GET, RESPONSE, integer, tlv

BENCH = Path(__file__).resolve().parents[2] / "bench"
NAME = (1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1, 0)


@pytest.fixture(scope="module")
def snmpgen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The freshly built load generator."""
    program = tmp_path_factory.mktemp("bench") / "snmpgen"
    command = [require_program("gcc"), "-O1", "-Wall", "-Wextra", "-Werror", "-std=gnu11", "-o", str(program)]
    subprocess.run([*command, str(BENCH / "snmpgen.c")], check=True)
    return program


def requests(path: Path) -> Path:
    messages = [message(1, "public", pdu(GET, [NAME], request_id=number)) for number in range(1000, 1016)]
    path.write_bytes(b"".join(len(one).to_bytes(2, "big") + one for one in messages))
    return path


def load(snmpgen: Path, port: int, path: Path, *options: str) -> dict[str, Any]:
    command = [str(snmpgen), "--port", str(port), "--requests", str(requests(path)), "--connections", "4"]
    command += ["--seconds", "0.1", "--warmup", "0.02", *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@contextmanager
def answering(make: Callable[[bytes], bytes]) -> Iterator[int]:
    """A server that answers every datagram with what `make` makes of it, until an empty one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]

        def serve() -> None:
            while True:
                data, peer = server.recvfrom(4096)
                if not data:
                    return
                server.sendto(make(data), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield port
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", port))
            thread.join()


def response(request: bytes, request_id: int = 0, status: int = 0, names: int = 1) -> bytes:
    number = int.from_bytes(request[17:19], "big") + request_id
    return message(1, "public", pdu(RESPONSE, [NAME] * names, number, status))


def test_a_request_has_its_id_where_the_server_of_these_tests_looks():
    assert message(1, "public", pdu(GET, [NAME], request_id=1000))[17:19] == (1000).to_bytes(2, "big")


def test_right_answers_are_counted_and_none_is_called_wrong(snmpgen, tmp_path):
    with answering(response) as port:
        seen = load(snmpgen, port, tmp_path / "requests")
    assert seen["replies"] > 4
    assert (seen["bad"], seen["lost"]) == (0, 0)
    assert seen["rate"] == pytest.approx(seen["replies"] / seen["seconds"], rel=1e-3)
    assert 0 < seen["p50_us"] <= seen["p99_us"] <= seen["max_us"]


WRONG: dict[str, Callable[[bytes], bytes]] = {
    "another request's id": lambda data: response(data, request_id=1),
    "an error": lambda data: response(data, status=5),
    "too many variable bindings": lambda data: response(data, names=2),
    "none of them": lambda data: response(data, names=0),
    "the request itself": lambda data: data,
    "half of the reply": lambda data: response(data)[:20],
    "nothing that is BER": lambda data: b"\x30\x84\xff\xff\xff\xff" + data,
    "a v3 message without protection": lambda data: tlv(
        0x30, integer(3) + tlv(0x30, integer(1000) + integer(1472) + b"\4\1\0" + integer(3))
    ),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_wrong_answers_are_reported(snmpgen, tmp_path, make):
    with answering(make) as port:
        seen = load(snmpgen, port, tmp_path / "requests")
    assert seen["replies"] == 0
    assert seen["bad"] > 0


def test_a_command_line_without_sense_is_refused(snmpgen):
    done = subprocess.run(
        [str(snmpgen), "--port", "1"], capture_output=True, text=True, timeout=10, check=False
    )
    assert done.returncode == 2
    assert "--requests FILE" in done.stderr


def test_the_stock_agent_answers_rightly(snmpgen, tmp_path):
    peer = BENCH / "peers" / "pysnmp_stock.py"
    with subprocess.Popen([sys.executable, str(peer)], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline().removeprefix("listening "))
            seen = load(snmpgen, port, tmp_path / "requests", "--seconds", "0.5")
        finally:
            server.terminate()
    assert seen["replies"] > 4
    assert (seen["bad"], seen["lost"]) == (0, 0)
