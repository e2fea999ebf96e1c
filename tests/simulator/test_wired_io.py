"""IO modules wired to the installation and to each other: pulses, contacts of breakers, other outputs."""

from __future__ import annotations

import json
from pathlib import Path

from virtual_digiware.devices.records import Record
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.site_file import parse_site

START = parse_instant("2026-03-02T10:00:00Z")
SITE = {
    "site": "wired",
    "sources": {"mains": {}},
    "boards": {
        "main": {
            "source": "mains",
            "circuits": {"heater": {"loads": [{"class": "resistive", "power_kw": 6}]}},
        }
    },
    "events": [
        {"kind": "open", "circuit": "heater", "start": "2026-03-02T11:00:00Z", "end": "2026-03-02T11:10:00Z"}
    ],
    "gateways": [
        {
            "name": "a",
            "product": "M-50",
            "bus": [
                {"name": "u", "product": "U-30"},
                {"name": "i", "product": "I-35", "circuits": [{"circuit": "heater"}]},
                {"name": "out", "product": "IO-10", "outputs": ["off", "pulse of heater 10"]},
            ],
        },
        {
            "name": "b",
            "product": "M-50",
            "modbus_tcp": {"enabled": False},
            "rtu_over_tcp": {"enabled": False},
            "bus": [
                {
                    "name": "in",
                    "product": "IO-10",
                    "inputs": ["output a/out 1", "output a/out 2", "breaker heater"],
                }
            ],
        },
    ],
}


def building() -> Building:
    return Building(parse_site(json.dumps(SITE), Path("wired.yaml")), START)


def inputs_at(site: Building, minute: int) -> int:
    model = site.model
    model.publish(model.compute(START + minute * 60_000))
    io = model.units["b/in"].io
    assert io is not None
    return int(io.digital_inputs(model.snapshot)["active_mask"])


def test_a_contact_follows_the_breaker_through_its_event():
    site = building()
    assert [inputs_at(site, minute) >> 2 & 1 for minute in (59, 60, 69, 70)] == [1, 0, 0, 1]


def test_a_contact_follows_what_a_client_writes_to_the_output_that_it_is_wired_to():
    site = building()
    assert inputs_at(site, 1) & 1 == 0
    record = site.model.check_write("a/out", 6, 11285, [1], START + 60_000)
    assert isinstance(record, Record)
    site.model.apply(record)
    assert inputs_at(site, 2) & 1 == 1


def test_pulses_of_an_output_are_counted_where_its_wire_ends():
    site = building()
    inputs_at(site, 30)
    model = site.model
    io = model.units["b/in"].io
    assert io is not None
    counted = io.meter(1, model.snapshot)
    imported_wh = model.snapshot.imported_mj("heater") / 3_600_000
    assert imported_wh > 1000
    assert counted["meter_total"] == imported_wh // 10 * 10
    assert counted["meter_source_status"] == 1
