"""What the oracle says of every point of the demo site is what clients that others wrote read there."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.cabinet.cabinet import MONDAY_MORNING, SITE, Cabinet, mbpoll, output_of, running_demo
from tests.cabinet.registers import gateway
from tests.cabinet.test_mqtt_agrees import broker  # noqa: F401
from tests.cabinet.test_protocols_agree import bacnet_objects, walk
from tests.external import require_program
from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.oracle.oracle import SiteOracle
from virtual_digiware.simulator.oracle.places import places_of
from virtual_digiware.simulator.oracle.truth import Truth
from virtual_digiware.simulator.site_file import load_site

CHUNK = 100


def truths_of(site_file: Path) -> list[Truth]:
    """Every measured point of the units behind the M-70."""
    oracle = SiteOracle(load_site(str(site_file))).at(parse_instant(MONDAY_MORNING))
    units = [unit for unit in oracle.units if unit.path.startswith("m70/")]
    return [oracle.truth_of(place) for unit in units for place in places_of(unit)]


@pytest.fixture(scope="module")
def truths(demo: Cabinet) -> list[Truth]:
    return truths_of(demo.site_file)


def test_mbpoll_reads_the_words_that_the_oracle_tells(demo: Cabinet, truths: list[Truth]) -> None:
    require_program("mbpoll")
    host, port = demo.tcp
    known: dict[int, dict[int, int]] = defaultdict(dict)
    for truth in truths:
        if truth.modbus is not None and truth.modbus.words is not None:
            for position, word in enumerate(truth.modbus.words):
                known[truth.modbus.unit_id][truth.modbus.address + position] = word
    compared = 0
    for unit_id, words in known.items():
        for address, count in _runs(sorted(words)):
            read = mbpoll(("-m", "tcp", "-p", str(port), host), unit_id, address, count)
            assert read == [words[address + at] for at in range(count)], (unit_id, address)
            compared += count
    assert compared > 5000


def _runs(addresses: list[int]) -> list[tuple[int, int]]:
    """Stretches of neighbouring addresses, none longer than a request may be."""
    runs: list[tuple[int, int]] = []
    for address in addresses:
        if runs and address == sum(runs[-1]) and runs[-1][1] < CHUNK:
            runs[-1] = runs[-1][0], runs[-1][1] + 1
        else:
            runs.append((address, 1))
    return runs


def test_net_snmp_reads_the_numbers_that_the_oracle_tells(demo: Cabinet, truths: list[Truth]) -> None:
    walked = walk(demo, "1.3.6.1.4.1.4555.10.20")
    told = {one.oid: one for truth in truths for one in truth.snmp if ".4555.10.20." in one.oid}
    assert {oid: int(walked[oid]) for oid in told} == {oid: one.value for oid, one in told.items()}
    # What the oracle does not tell is what no product measures, which reads 0.
    assert {walked[oid] for oid in walked.keys() - told.keys()} <= {"0"}
    assert len(told) > 200


def test_bac0_reads_the_reals_that_the_oracle_tells(demo: Cabinet, truths: list[Truth]) -> None:
    read = {
        (100 + int(address), f"analog-input,{instance}"): value
        for address, inputs in bacnet_objects(demo, "analogInput").items()
        for instance, value in inputs.items()
    }
    told = {
        (one.device, one.object): one.value
        for truth in truths
        for one in truth.bacnet
        if one.property == "Present_Value"
    }
    assert told.items() <= read.items()
    assert {read[key] for key in read.keys() - told.keys()} <= {0.0}
    assert len(told) > 200


def test_mosquitto_brings_the_values_that_the_oracle_tells(broker: int, tmp_path: Path) -> None:  # noqa: F811
    site = SITE + f"mqtt: {{{{port: {broker}}}}}\n"
    with running_demo(tmp_path, site=site) as demo:
        base = gateway(demo)["mqtt"]["topic"]
        told = {(one.topic, one.name): one for truth in truths_of(demo.site_file) for one in truth.mqtt}
        topics = {topic for topic, _ in told}
        asked = ("-t", f"{base}/units/#", "-C", str(len(topics)))
        printed = output_of("mosquitto_sub", "-p", str(broker), *asked, "-v", "-W", "20")
    messages = dict(line.split(" ", 1) for line in printed.splitlines())
    assert messages.keys() == topics
    for (topic, name), one in told.items():
        assert json.loads(messages[topic])["points"][name] == one.payload, (topic, name)
    assert sum(len(json.loads(message)["points"]) for message in messages.values()) == len(told) > 700


def test_the_command_line_tells_the_same(demo: Cabinet, truths: list[Truth]) -> None:
    name = "m70/i35/incomer/active_power_total"
    command = (sys.executable, "-m", "virtual_digiware", "truth", str(demo.site_file), name)
    printed = output_of(*command, "--at", MONDAY_MORNING, "--format", "json")
    [told] = json.loads(printed)
    [truth] = [one for one in truths if one.name == told["name"]]
    expected = json.loads(json.dumps(truth.as_data()))
    # The value before rounding may differ in its last binary digit from machine to machine.
    assert told.pop("value") == pytest.approx(expected.pop("value"), rel=1e-12)
    assert told == expected
