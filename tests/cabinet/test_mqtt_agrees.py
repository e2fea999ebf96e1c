"""Every point of the demo site that MQTT publishes is what the registers show, but for their rounding."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cabinet.cabinet import SITE, Cabinet, output_of, running_demo
from tests.cabinet.registers import Place, gateway, registers_of
from tests.external import require_program
from tests.ports import free_ports
from virtual_digiware.devices.mqtt_binding import published_tables

MESSAGES = 20
"""At least: the status, one for each circuit and each slot of the IO modules."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Mosquitto; its port."""
    folder, port = tmp_path_factory.mktemp("broker"), free_ports()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
    program = require_program("mosquitto")
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "running" in line:
            break
    yield port
    process.terminate()
    process.communicate(timeout=20)


def test_mqtt_shows_what_the_registers_show(broker: int, tmp_path: Path) -> None:
    site = SITE + f"mqtt: {{{{port: {broker}}}}}\n"
    with running_demo(tmp_path, site=site) as demo:
        told = gateway(demo)["mqtt"]
        assert told == {"host": "127.0.0.1", "port": broker, "topic": "digiware/demo/m70"}
        printed = output_of(
            "mosquitto_sub",
            "-p",
            str(broker),
            "-t",
            f"{told['topic']}/#",
            "-v",
            "-C",
            str(_expected(demo)),
            "-W",
            "20",
        )
        registers = registers_of(demo)
        compared = 0
        for line in printed.splitlines():
            topic, _, payload = line.partition(" ")
            content = json.loads(payload)
            parts = topic.removeprefix(told["topic"] + "/").split("/")
            if parts[0] != "units":
                continue
            for point, shown in content["points"].items():
                place = _place(demo, registers, content, parts[2], point)
                register = registers[place]
                value = register.value
                residual = registers.get(place._replace(point=f"{point}_residual"))
                resolution = register.resolution
                if residual is not None:
                    value, resolution = 1000 * value + residual.value, residual.resolution
                assert shown["quality"] == ("not_available" if shown["value"] is None else "good")
                assert (shown["value"] or 0.0) == pytest.approx(value, abs=0.51 * resolution), (topic, point)
                compared += 1
    assert compared > 700


def _expected(demo: Cabinet) -> int:
    """Messages below `units`, the status and the active alarms."""
    units = gateway(demo)["units"]
    circuits = sum(len(unit["circuits"]) for unit in units)
    networks = sum(unit["product"].startswith("U-") for unit in units)
    inputs_outputs = 2 + 4 + 2 + 4  # IO-10: inputs, outputs, 4 meters; IO-20: 2 analogue inputs, 4 probes
    return circuits + networks + inputs_outputs + 2


def _place(demo: Cabinet, registers: dict, content: dict, topic: str, point: str) -> Place:
    address = content["unit"]["address"]
    slot = content.get("number", 0)
    if "circuit" in content:
        unit = next(unit for unit in gateway(demo)["units"] if unit["address"] == address)
        slot = 1 + unit["circuits"].index(content["circuit"])
    places = [
        Place(address, number, one.table, point)
        for one in published_tables()
        if one.topic == topic
        for number in ([slot] if slot else [0, 1])
    ]
    [found] = [place for place in places if place in registers]
    return found
