"""A running site asked and commanded over its control API, with httpx, curl and the command line."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cabinet.cabinet import Cabinet, mbpoll, output_of, running_demo
from tests.external import require_program
from tests.ports import free_ports

NAME = "m70/i35/incomer/active_power_total"
TRUTH = {"point": NAME}


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("token") / "own" / "token"


@pytest.fixture(scope="module")
def port() -> int:
    return free_ports()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, token_file: Path, port: int) -> Iterator[Cabinet]:
    options = ("--control-port", str(port), "--control-token-file", str(token_file))
    with running_demo(tmp_path_factory.mktemp("demo"), *options) as cabinet:
        yield cabinet


@pytest.fixture
def client(demo: Cabinet, token_file: Path, port: int) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token_file.read_text().strip()}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as opened:
        yield opened


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "virtual_digiware", *arguments]


def registers(demo: Cabinet) -> list[int]:
    host, port = demo.tcp
    return mbpoll(("-m", "tcp", "-p", str(port), host), 3, 18476, 2)


def test_a_new_token_is_only_for_its_owner(demo: Cabinet, token_file: Path) -> None:
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert len(token_file.read_text().strip()) > 40


@pytest.mark.parametrize("path", ["/site", "/truth", "/time", "/faults", "/events"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
def test_nobody_is_answered_without_the_token(demo: Cabinet, port: int, path: str, headers: dict) -> None:
    assert httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers).status_code == 401


def test_the_documentation_loads_nothing_from_elsewhere(demo: Cabinet, port: int) -> None:
    require_program("curl")
    page = output_of("curl", "-s", f"http://127.0.0.1:{port}/docs")
    schema = json.loads(output_of("curl", "-s", f"http://127.0.0.1:{port}/openapi.json"))
    assert "http" not in page
    assert "<script" not in page
    assert all(f"{path}</code>" in page for path in schema["paths"])


def test_the_site_is_told(client: httpx.Client, demo: Cabinet) -> None:
    told = client.get("/site").json()
    assert told["gateways"] == demo.ready["gateways"]
    assert told["frozen"] is True


def test_the_truth_is_what_mbpoll_reads(client: httpx.Client, demo: Cabinet) -> None:
    [truth] = client.get("/truth", params=TRUTH).json()
    assert truth["modbus"]["words"] == registers(demo)


def test_a_wrong_point_is_answered_with_the_right_one(client: httpx.Client) -> None:
    for path in ("/truth", "/events"):
        answer = client.get(path, params={"point": "i35/incommer/current_l1"})
        assert (answer.status_code, "Did you mean incomer?" in answer.json()["detail"]) == (422, True)


def test_time_steps_and_clients_see_it(client: httpx.Client, demo: Cabinet) -> None:
    before = client.get("/time").json()["time"]
    after = client.post("/time", json={"step": "15 min"}).json()["time"]
    assert after > before
    [truth] = client.get("/truth", params=TRUTH).json()
    assert (truth["time"], truth["modbus"]["words"]) == (after, registers(demo))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "exactly one of rate, step and to"),
        ({"rate": 1, "step": "1 s"}, "exactly one of rate, step and to"),
        ({"to": "2020-01-01T00:00:00Z"}, "in the past"),
        ({"to": "tomorrow"}, "a time such as"),
        ({"step": "soon"}, "right would be"),
    ],
)
def test_time_that_cannot_be_is_refused(client: httpx.Client, body: dict, told: str) -> None:
    answer = client.post("/time", json=body)
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text


def test_a_dead_module_is_silent_until_the_fault_is_cleared(client: httpx.Client, demo: Cabinet) -> None:
    answer = client.post("/faults", json={"fault": "module_dead", "target": "m70/i35"})
    assert answer.status_code == 201, answer.text
    [fault] = answer.json()
    [truth] = client.get("/truth", params=TRUTH).json()
    assert (truth["modbus"]["words"], truth["modbus"]["address"]) == (None, 18476)
    assert client.get("/faults").json() == [fault]
    assert client.delete(f"/faults/{fault['number']}").json() == {"cleared": 1}
    [truth] = client.get("/truth", params=TRUTH).json()
    assert truth["modbus"]["words"] == registers(demo)


def test_events_tell_values_and_the_journal(client: httpx.Client) -> None:
    with client.stream("GET", "/events", params=TRUTH) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        first = next(line for line in lines if line.startswith("data:"))
        after = client.post("/time", json={"step": "1 min"}).json()["time"]
        told: dict[str, dict] = {}
        for line in lines:
            if line.startswith("event:"):
                kind = line.removeprefix("event: ")
            elif line.startswith("data:"):
                told[kind] = json.loads(line.removeprefix("data: "))
            if {"value", "journal"} <= told.keys() and told["value"]["time"] == after:
                break
    assert json.loads(first.removeprefix("data: "))["name"].startswith("m70/i35/incomer/")
    assert (told["journal"]["kind"], told["journal"]["time"]) == ("clock", after)


def test_the_command_line_commands_a_running_site(client: httpx.Client, token_file: Path, port: int) -> None:
    where = ("--control-port", str(port), "--control-token-file", str(token_file))
    before = json.loads(output_of(*command("time", *where)))["time"]
    assert json.loads(output_of(*command("time", "--step", "1 h", *where)))["time"] > before
    [fault] = json.loads(output_of(*command("inject", "module_dead", "m70/i60", *where)))
    assert client.get("/faults").json() == [fault]
    assert json.loads(output_of(*command("clear", *where))) == {"cleared": 1}


def test_the_command_line_tells_the_truth_of_a_running_site(
    client: httpx.Client, demo: Cabinet, token_file: Path, port: int
) -> None:
    asked = ("truth", str(demo.site_file), NAME, "--live", str(port), "--control-token-file", str(token_file))
    assert json.loads(output_of(*command(*asked, "-f", "json"))) == client.get("/truth", params=TRUTH).json()
    high, low = registers(demo)
    assert f"S32 x 1, {high:04X} {low:04X}, high word first" in output_of(*command(*asked))
    other = subprocess.run(
        command(*asked[:1], "single", *asked[2:]), capture_output=True, text=True, timeout=30
    )
    assert (other.returncode, other.stderr) == (2, "the site that runs here is demo, not single\n")


def test_the_command_line_tells_what_the_site_refuses(demo: Cabinet, token_file: Path, port: int) -> None:
    where = ("--control-port", str(port), "--control-token-file", str(token_file))
    done = subprocess.run(
        command("inject", "modul_dead", "m70/i60", *where), capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, "Did you mean module_dead?" in done.stderr) == (2, True), done.stderr


def test_a_token_that_others_may_read_is_not_taken(tmp_path: Path, port: int) -> None:
    open_file = tmp_path / "token"
    open_file.write_text("a-token-that-is-long-enough\n")
    open_file.chmod(0o644)
    where = ("--control-port", str(port), "--control-token-file", str(open_file))
    done = subprocess.run(command("time", *where), capture_output=True, text=True, timeout=30)
    assert (done.returncode, "may be read by others" in done.stderr) == (1, True), done.stderr


def test_a_site_without_the_api_does_not_load_it() -> None:
    loaded = "import sys, virtual_digiware.simulator.command_run; print('fastapi' in sys.modules)"
    assert output_of(sys.executable, "-c", loaded) == "False\n"


def test_a_site_stops_although_somebody_listens(tmp_path: Path) -> None:
    port, token_file = free_ports(), tmp_path / "token"
    with running_demo(tmp_path, "--control-port", str(port), "--control-token-file", str(token_file)) as demo:
        headers = {"Authorization": f"Bearer {token_file.read_text().strip()}"}
        with httpx.stream("GET", f"http://127.0.0.1:{port}/events", headers=headers) as stream:
            assert next(stream.iter_lines()) == ": listening"
            demo.stop()
    assert demo.process.returncode == 0
