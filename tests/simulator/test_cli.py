"""The command line: what each command says, to people and to programs, and how it refuses."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from virtual_digiware import __version__
from virtual_digiware.simulator.cli import app
from virtual_digiware.simulator.site_file import shipped_sites
from virtual_digiware.simulator.site_models import json_schema

AT = "2026-03-02T10:00:00Z"
COMMAND = [sys.executable, "-m", "virtual_digiware"]


def vdigiware(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_the_version_is_told():
    assert vdigiware("--version").stdout == f"vdigiware {__version__}\n"


def test_without_a_command_the_commands_are_listed():
    text = vdigiware().output
    assert all(
        command in text for command in ("run", "check", "points", "schema", "sites", "waveform", "loads")
    )


def test_shipped_sites_are_listed_with_their_titles():
    lines = vdigiware("sites").stdout.splitlines()
    assert lines[0].split(maxsplit=1) == ["demo", "Office building, main switchboard and one remote cabinet"]
    assert lines[1].split()[:3] == ["M-70,", "C-31,", "U-30,"]
    assert [line.split()[0] for line in lines[::2]] == list(shipped_sites())


def test_load_classes_and_profiles_are_listed():
    text = vdigiware("loads").stdout
    assert "office-lighting" in text
    assert "profiles: G0, G1," in text


def test_the_schema_is_json():
    assert json.loads(vdigiware("schema").stdout) == json_schema()


@pytest.mark.parametrize("name", sorted(shipped_sites()))
def test_a_right_site_passes_the_check(name):
    result = vdigiware("check", name)
    assert result.exit_code == 0
    assert "no mistakes; " in result.stdout


def test_a_wrong_site_is_refused_with_every_mistake(tmp_path):
    site = tmp_path / "site.yaml"
    site.write_text("extends: demo\nseed: -1\nrefresh_ms: 5\n")
    result = vdigiware("check", str(site))
    assert result.exit_code == 2
    assert result.stderr == (
        f"{site}:2: seed\n    found: -1\n    right: greater than or equal to 0\n"
        f"{site}:3: refresh_ms\n    found: 5\n    right: greater than or equal to 50\n"
        "2 mistakes\n"
    )


@pytest.mark.parametrize("command", ["check", "points", "run"])
def test_an_unknown_site_is_refused_with_a_suggestion(command):
    result = vdigiware(command, "singel")
    assert result.exit_code == 2
    assert "Did you mean single?" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("points", "single", "--at", "noon"), "a time such as"),
        (("points", "single", "--at", "2026-03-02T10:00:00"), "names its zone"),
        (("run", "single", "--at", "9999-12-31T23:59:59Z"), "from 2000 to 2099"),
        (("run", "single", "--at", "1999-12-31T23:59:59Z"), "from 2000 to 2099"),
        (("run", "single", "--clock", "manual", "--rate", "2"), "stands still"),
        (("run", "single", "--rate", "0"), "--rate"),
        (("run", "single", "--port-base", "70000"), "--port-base"),
        (("waveform", "single", "workshop", "-o", "wave.png"), ".csv or .svg"),
        (("waveform", "single", "workshp"), "Did you mean workshop?"),
        (("points", "single", "-f", "xml"), "markdown"),
    ],
)
def test_an_option_that_cannot_be_is_refused(arguments, says):
    result = vdigiware(*arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", "").split())


def points(*arguments: str) -> list[dict[str, str]]:
    result = vdigiware("points", "single", "--at", AT, "-f", "csv", *arguments)
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_points_carry_value_unit_register_type_and_scale():
    (power,) = points("--point", "active_power_total", "--unit", "i35")[:1]
    assert float(power["value"]) > 0
    del power["value"]
    assert power == {
        "gateway": "c31",
        "module": "i35",
        "address": "3",
        "product": "I-35",
        "circuit": "workshop",
        "table": "circuit.instantaneous",
        "point": "active_power_total",
        "unit": "W",
        "register": "18476",
        "words": "2",
        "type": "S32",
        "scale": "1.0",
        "confidence": "inferred",
        "function": "3",
    }


def test_points_can_be_selected():
    assert {line["product"] for line in points("--unit", "2")} == {"U-30"}
    assert {line["circuit"] for line in points("--circuit", "work*")} == {"workshop"}
    assert {line["point"] for line in points("--point", "voltage_l?_n")} == {
        "voltage_l1_n",
        "voltage_l2_n",
        "voltage_l3_n",
    }


def test_settings_and_alarm_words_are_listed_when_asked_for():
    assert len(points("--all")) > len(points())
    assert not [line for line in points() if line["table"] in ("settings", "zero", "command")]


def test_a_listing_is_the_same_each_time_and_another_with_another_seed():
    assert points() == points()
    assert points("--seed", "2") != points()


def test_points_are_given_as_json_and_markdown_too():
    arguments = ("points", "single", "--at", AT, "--point", "frequency", "--unit", "u30")
    listed = json.loads(vdigiware(*arguments, "-f", "json").stdout)
    assert listed[0]["unit"] == "Hz"
    assert 49.5 < listed[0]["value"] < 50.5
    markdown = vdigiware(*arguments, "-f", "markdown").stdout.splitlines()
    assert markdown[0].startswith("| gateway | module | address |")
    assert len(markdown) == 2 + len(listed)


def test_a_point_that_has_no_value_yet_is_not_a_number():
    listed = json.loads(vdigiware("points", "single", "--at", AT, "--unit", "u30", "-f", "json").stdout)
    averages = [
        line["value"] for line in listed if line["table"] == "network.average" and line["unit"] == "V"
    ]
    assert averages
    assert set(averages) == {None}


def test_a_person_gets_a_table():
    text = vdigiware("points", "single", "--at", AT, "--point", "frequency").stdout
    assert "2 U-30 u30" in text
    assert "register" in text


def test_a_selection_without_points_says_so():
    result = vdigiware("points", "single", "--at", AT, "--point", "nothing")
    assert (result.exit_code, result.stderr) == (1, "no point matches\n")


def test_a_waveform_is_written_as_csv():
    rows = list(
        csv.reader(
            io.StringIO(vdigiware("waveform", "single", "workshop", "--at", AT, "--cycles", "2").stdout)
        )
    )
    assert rows[0][:2] == ["time_s", "voltage_l1_n"]
    assert len(rows) == 1 + 2 * 512
    volts = [float(row[1]) for row in rows[1:]]
    assert 310 < max(volts) < 350
    assert abs(sum(volts) / len(volts)) < 0.01


def test_a_waveform_is_drawn(tmp_path):
    picture = tmp_path / "wave.svg"
    assert vdigiware("waveform", "single", "workshop", "--at", AT, "-o", str(picture)).exit_code == 0
    assert picture.read_text().startswith("<svg")
    assert f"single: workshop at {AT}" in picture.read_text()


def test_there_is_no_waveform_while_the_source_is_interrupted(tmp_path):
    site = tmp_path / "site.yaml"
    site.write_text(f"extends: single\nevents: [{{kind: interruption, source: mains, start: {AT}}}]\n")
    result = vdigiware("waveform", str(site), "workshop", "--at", AT)
    assert result.exit_code == 2
    assert "is interrupted at that time" in result.stderr


SITE = """\
extends: single
lines: {{line1: {{pty: {folder}/line}}}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.format(folder=tmp_path))
    return path


def started(site: Path, *options: str) -> tuple[subprocess.Popen[str], list[str]]:
    """A run in its own process, and the lines that it prints once it is ready."""
    process = subprocess.Popen(
        [*COMMAND, "run", str(site), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Stop with"):
            break
    return process, lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_stops_cleanly_within_a_second(site, tmp_path, number):
    ready = tmp_path / "ready.json"
    process, lines = started(site, "--ready-file", str(ready))
    assert json.loads(ready.read_text())["lines"][0]["pty"] == f"{tmp_path}/line"
    assert any("mbpoll -m rtu" in line for line in lines)
    began_s = perf_counter()
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert perf_counter() - began_s < 1
    assert (process.returncode, errors) == (0, "")
    assert not ready.exists()
    assert not (tmp_path / "line").is_symlink()


@pytest.mark.parametrize("closing", ["<&- >&-", "<&- >&- 2>&-", "| head -1"])
def test_a_site_serves_on_when_nobody_reads_what_it_prints(site, tmp_path, closing):
    ready = tmp_path / "ready.json"
    options = f"--ready-file {ready} --clock manual"
    command = f'"$@" {options} & echo $! > {tmp_path}/pid; wait $!; echo $? > {tmp_path}/code'
    shell = subprocess.Popen(
        ["sh", "-c", f"{{ {command}; }} {closing}", "sh", *COMMAND, "run", str(site)],
        stdout=subprocess.DEVNULL,
    )
    began_s = perf_counter()
    while not ready.exists():
        assert perf_counter() - began_s < 20
    link = tmp_path / "line"
    handle = os.open(link, os.O_RDWR | os.O_NOCTTY)
    for _ in range(2):
        os.write(handle, bytes.fromhex("02 03 c350 0001 b86c"))
        assert os.read(handle, 7)[:3] == bytes.fromhex("02 03 02")
    os.close(handle)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    shell.wait(10)
    assert (tmp_path / "code").read_text() == "0\n"


def test_the_journal_of_another_seed_is_refused(site, tmp_path):
    journal = str(tmp_path / "journal")
    process, _ = started(site, "--journal", journal)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    refused = subprocess.run(
        [*COMMAND, "run", str(site), "--journal", journal, "--seed", "9"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert refused.returncode == 2
    assert "was begun with seed 1, not 9" in refused.stderr


def test_a_journal_in_use_is_refused(site, tmp_path):
    options = ("--journal", str(tmp_path / "journal"))
    process, _ = started(site, *options)
    refused = subprocess.run(
        [*COMMAND, "run", str(site), *options], capture_output=True, text=True, timeout=30
    )
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert (refused.returncode, refused.stderr) == (2, f"{options[1]}: is in use by another process\n")


def test_a_torn_journal_is_mended_and_said(site, tmp_path):
    journal = tmp_path / "journal"
    options = ("--journal", str(journal), "--clock", "manual", "--at", AT)
    process, _ = started(site, *options)
    process.kill()
    process.communicate(timeout=10)
    with journal.open("a") as file:
        file.write('{"at":"2026-03-')
    process, _ = started(site, *options)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=10)
    assert errors == f"{journal}: line 4 was torn by a crash and is cut off\n"
    assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_a_run_that_cannot_have_its_line_says_why_and_leaves_no_ready_file_of_an_earlier_one(site, tmp_path):
    (tmp_path / "line").write_text("precious")
    (tmp_path / "ready.json").write_text("{}")
    refused = subprocess.run(
        [*COMMAND, "run", str(site), "--ready-file", f"{tmp_path}/ready.json"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert not (tmp_path / "ready.json").exists()
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"line line1: {tmp_path}/line exists")


def test_help_does_not_load_what_it_does_not_need():
    code = "import sys; import virtual_digiware.simulator.cli; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    heavy = {"numpy", "pymodbus", "serialx", "structlog", "rich", "asyncio", "ruamel", "yaml"}
    assert heavy.isdisjoint(loaded.stdout.split())


def test_serving_modbus_loads_no_serial_library(site):
    code = (
        "import sys, threading, os, signal\n"
        "from virtual_digiware.simulator import run_report\n"
        "def stop(*_): os.kill(os.getpid(), signal.SIGTERM)\n"
        "run_report.print_report = stop\n"
        f"sys.argv = ['vdigiware', 'run', {str(site)!r}, '--log', 'off']\n"
        "from virtual_digiware.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted(sys.modules))\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={**os.environ},
    )
    assert "pymodbus" in loaded.stdout.split()
    assert "serialx" not in loaded.stdout.split()


def test_the_ready_file_has_the_published_form(site, tmp_path):
    ready = tmp_path / "ready.json"
    process, _ = started(site, "--ready-file", str(ready))
    content = json.loads(ready.read_text())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    port = {"type": "object", "required": ["host", "port"], "additionalProperties": False,
            "properties": {"host": {"type": "string"}, "port": {"type": "integer"}}}  # fmt: skip
    jsonschema.validate(
        content,
        {
            "type": "object",
            "required": ["site", "gateways", "meters", "lines"],
            "additionalProperties": False,
            "properties": {
                "site": {"type": "string"},
                "meters": {"type": "array"},
                "gateways": {
                    "items": {
                        "required": ["name", "product", "units"],
                        "additionalProperties": False,
                        "properties": {
                            "name": {"type": "string"},
                            "product": {"type": "string"},
                            "address": {"type": "integer"},
                            "modbus_tcp": port,
                            "rtu_over_tcp": port,
                            "rs485": {"required": ["line", "role"]},
                            "units": {"items": {"required": ["address", "product", "name", "circuits"]}},
                        },
                    }
                },
                "lines": {"items": {"required": ["name", "pty", "baudrate", "parity", "stop_bits"]}},
            },
        },
    )
    assert "modbus_tcp" not in content["gateways"][0]
