"""The alarms of a site file: what becomes of them in the devices, and mistakes with their place."""

from __future__ import annotations

import pytest

from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import load_site, parse_site
from virtual_digiware.simulator.yaml_text import FileFaults

SITE = """\
site: plant
sources: {mains: {voltage_v: 400}}
boards:
  main:
    source: mains
    circuits:
      pump: {loads: [{class: resistive, power_kw: 30}]}
gateways:
  - name: m70
    product: M-70
    default_passwords: true
    bus:
      - name: u
        product: U-30
        alarms: [{type: en50160, event: dip, acknowledge: modbus}]
      - name: s
        product: S-135
        circuits: [{circuit: pump, nominal_a: 63, sensor: iTR-10}]
        alarms:
          - {type: threshold, name: load, quantity: current, circuit: pump, high: 1, end_delay_s: 2.5}
          - {type: threshold, name: power, quantity: active_power, circuit: pump, low: 1e6}
          - {type: combination, first: load, second: power, operation: or, criticality: critical}
          - {type: consumption, circuit: pump, high_kwh: 0.5}
          - {type: inrush, circuit: pump}
          - {type: virtual_monitor, circuit: pump, device: switch}
      - {name: io, product: IO-10, inputs: [on], alarms: [{type: input, input: 1, start_delay_s: 0.5}]}
"""
START = 1_772_445_600_000


def test_every_family_of_a_site_file_reaches_its_module() -> None:
    building = Building(parse_site(SITE), START)
    model = building.model
    model.publish(model.compute(START + 1_300_000))
    found = {(event.unit, event.family) for event in model.snapshot.alarms.active}
    assert {
        ("m70/s", "threshold"),
        ("m70/s", "combination"),
        ("m70/s", "consumption"),
        ("m70/io", "input"),
        ("m70", "system"),
    } <= found
    alert = model.snapshot.alarms.of("m70").active[0]
    assert (alert.type, alert.start_ms) == ("default password", START)


MISTAKES = [
    ("quantity: current,", "quantity: courant,", "courant", "one of current"),
    ("second: power", "second: powr", "powr", "load, power"),
    ("event: dip", "event: sag", "sag", "dip"),
    ("high: 1,", "", "", "high"),
    ("end_delay_s: 2.5", "end_delay_s: 2.4", "2.4", "0.5"),
    ("type: inrush, circuit: pump", "type: inrush, circuit: pmp", "pmp", "pump"),
    (
        "type: input, input: 1",
        "type: threshold, quantity: frequency, high: 1",
        "threshold alarm 1",
        "0 threshold",
    ),
]


@pytest.mark.parametrize(("text", "mistake", "found", "right"), MISTAKES)
def test_a_mistake_in_an_alarm_is_named_with_its_place(
    text: str, mistake: str, found: str, right: str
) -> None:
    assert text in SITE
    with pytest.raises(FileFaults) as refused:
        parse_site(SITE.replace(text, mistake))
    fault = refused.value.faults[0]
    assert "alarms" in str(fault.key)
    assert found in fault.found
    assert right in fault.right


def test_the_demo_site_has_alarms_on_its_modules() -> None:
    building = Building(load_site("demo"), START)
    guards = building.model._plan.guards
    assert {guard.family for guard in guards} >= {"threshold", "input", "en50160", "virtual_monitor"}
