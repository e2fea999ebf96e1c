"""Site files: what is read, which defaults hold, and how every mistake is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from virtual_digiware.simulator.building import cable_impedance, events_of, installation_of, layout_of
from virtual_digiware.simulator.site_file import find_site, load_site, parse_site, shipped_sites
from virtual_digiware.simulator.site_models import Cable
from virtual_digiware.simulator.yaml_text import Fault, FileFaults

SITE = """\
site: plant
seed: 7
sources:
  mains: {voltage_v: 400}
boards:
  main:
    source: mains
    circuits:
      incomer: {incomer: true}
      light: {loads: [{class: office-lighting, power_kw: 6}]}
      plugs: {phases: [L2], loads: [{class: office-sockets, power_kw: 2}]}
      to_shed: {feeds: shed, cable: {length_m: 10, section_mm2: 10}}
  shed:
    circuits:
      pump: {loads: [{class: motor-dol, power_kw: 3, name: the_pump}]}
gateways:
  - name: gate
    product: M-70
    bus:
      - {name: u, product: U-30, board: main}
      - name: i
        product: I-60
        circuits:
          - {circuit: incomer}
          - {circuit: plugs, inputs: [5]}
  - name: hut
    product: C-31
    rs485: {line: one}
    bus:
      - {name: u, product: U-10, board: shed, address: 9}
      - {name: i, product: I-30, circuits: [{circuit: pump}]}
lines:
  one: {pty: /tmp/vdigiware-test/one}
"""
FILE = Path("plant.yaml")


def faults_of(text: str) -> list[Fault]:
    with pytest.raises(FileFaults) as caught:
        parse_site(text, FILE)
    return caught.value.faults


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_right_file_is_read():
    file = parse_site(SITE, FILE)
    assert file.site.site == "plant"
    assert file.seed == 7
    assert parse_site(SITE, FILE, seed=9).seed == 9


MISTAKES = YAML(typ="safe", pure=True).load(Path(__file__).with_name("site_mistakes.yaml"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake['key']}: {mistake['found']}")
def test_a_mistake_is_named_by_line_key_and_advice(mistake):
    assert mistake["replace"] in SITE
    faults = faults_of(SITE.replace(mistake["replace"], mistake["by"], 1))
    assert [fault.key for fault in faults] == [mistake["key"]]
    assert mistake["found"] in faults[0].found
    assert mistake["right"] in faults[0].right
    assert faults[0].file == FILE
    assert str(faults[0]).startswith(f"plant.yaml:{faults[0].line}: {mistake['key']}\n")


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ("office-lighting", "disco", "disco"),
        ("inputs: [5]", "inputs: [7]", "inputs: [7]"),
        (
            "seed: 7",
            "seed: 7\nevents:\n  - kind: open\n    circuit: x\n    start: 2026-01-01T00:00:00Z",
            "circuit: x",
        ),
        ("    source: mains\n", "    source: maens\n", "maens"),
    ],
)
def test_the_line_is_the_one_of_the_value(old, new, at):
    text = SITE.replace(old, new)
    assert [fault.line for fault in faults_of(text)] == [line_of(text, at)]


def test_all_mistakes_are_reported_together_in_the_order_of_their_lines():
    text = SITE.replace("source: mains", "source: mians").replace("U-30, board: main", "U-31, board: main")
    text = text.replace("{line: one}", "{line: two}").replace("office-lighting", "office")
    faults = faults_of(text)
    assert [fault.found for fault in faults] == ["mians", "office", "U-31", "two"]
    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)


def test_structural_mistakes_are_reported_together_too():
    faults = faults_of(SITE.replace("seed: 7", "seed: x").replace("power_kw: 6", "power_kw: -6"))
    assert [fault.key for fault in faults] == ["seed", "boards.main.circuits.light.loads[0].power_kw"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "an empty file"),
        ("- a\n- b\n", "a list"),
        ("just words", "`just words`"),
        ("a: [1, 2", "a bracket that is never closed"),
        ("a: 1\n b: 2", "an indentation of its own"),
        ("a: {b: 1, b: 2}", "`b` a second time"),
    ],
)
def test_what_is_no_yaml_mapping_is_refused(text, found):
    assert found in faults_of(text)[0].found


def test_a_loop_of_boards_is_refused_and_shown():
    text = SITE.replace("    source: mains\n", "").replace(
        "pump: {loads", "back: {feeds: main}\n      pump: {loads"
    )
    faults = faults_of(text)
    assert [fault.found for fault in faults] == ["a loop: shed -> main -> shed"]
    assert faults[0].right == "boards that form a tree, with a `source` at its root"


def test_open_hosts_are_allowed_when_the_file_says_so():
    text = SITE.replace("seed: 7", "seed: 7\nlisten: any").replace(
        "product: M-70", "product: M-70\n    modbus_tcp: {host: 192.168.0.4}"
    )
    assert parse_site(text, FILE).site.listen == "any"


def test_a_missing_file_names_the_shipped_sites():
    with pytest.raises(FileFaults) as caught:
        find_site("demmo")
    assert caught.value.faults[0].right.endswith("fig-01 to fig-36. Did you mean demo?")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "site.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFaults) as caught:
        load_site(str(tmp_path / "site.yaml"))
    assert caught.value.faults[0].found == "the byte 0xFF, which is not UTF-8 text"


def test_defaults_are_filled_in():
    layout = layout_of(parse_site(SITE, FILE).site)
    gate, hut = layout.gateways
    assert (gate.address, [module.address for module in gate.modules]) == (1, [2, 3])
    assert (hut.address, [module.address for module in hut.modules]) == (None, [9, 2])
    incomer, plugs = gate.modules[1].allocations
    assert (incomer.network, incomer.inputs, incomer.phases) == ("3P+N", (1, 2, 3), ("L1", "L2", "L3"))
    assert (plugs.network, plugs.inputs, plugs.phases) == ("1P+N", (5,), ("L2",))
    # 11 kW over three phases and 2 kW more on L2: 5 kW / 230 V / 0.85 = 25 A.
    assert (incomer.sensor, incomer.nominal_a) == ("TE-18", 63)
    assert (plugs.sensor, plugs.nominal_a) == ("TE-18", 20)
    assert layout.nominal_voltage_v == 230


def test_the_installation_is_the_one_of_the_file():
    plan = installation_of(parse_site(SITE, FILE))
    assert [(board.name, board.source, board.feeder) for board in plan.boards] == [
        ("main", "mains", None), ("shed", None, "to_shed")
    ]  # fmt: skip
    assert [(circuit.name, circuit.kind) for circuit in plan.circuits] == [
        ("incomer", "incomer"),
        ("light", "loads"),
        ("plugs", "loads"),
        ("to_shed", "feeder"),
        ("pump", "loads"),
    ]
    assert [(load.name, load.nominal_w, load.phases) for load in plan.loads] == [
        ("light", 6000, ("L1", "L2", "L3")), ("plugs", 2000, ("L2",)), ("the_pump", 3000, ("L1", "L2", "L3"))
    ]  # fmt: skip


def test_the_impedance_of_a_cable_follows_its_length_and_section():
    cable = cable_impedance(
        Cable(length_m=100, section_mm2=10, neutral_section_mm2=5, material="copper", parallel=2)
    )
    assert cable.resistance_ohm == pytest.approx(0.1125)  # 22.5 mohm mm2/m x 100 m / 10 mm2 / 2
    assert cable.neutral_resistance_ohm == pytest.approx(0.225)
    assert cable.reactance_ohm == pytest.approx(0.004)


def test_events_of_the_file_reach_the_installation():
    text = SITE.replace(
        "seed: 7",
        """\
events:
  - {kind: dip, source: mains, start: 1970-01-01T00:00:10Z, duration_s: 0.25, residual_percent: 40,
     phases: [L1]}
  - {kind: interruption, source: mains, start: 1970-01-01T00:00:20Z, end: 1970-01-01T00:00:21Z}
  - {kind: open, circuit: light, start: 1970-01-01T00:00:30Z}""",
    )
    dip, interruption, opened = events_of(parse_site(text, FILE).site)
    assert (dip.start_ms, dip.end_ms, dip.residual, dip.phases) == (10_000, 10_250, 0.4, ("L1",))
    assert (interruption.kind, interruption.target, interruption.end_ms) == ("interruption", "mains", 21_000)
    assert (opened.kind, opened.target, opened.end_ms) == ("open", "light", None)


def test_two_wires_between_phases_are_a_2p_circuit_and_with_neutral_2p_n():
    text = SITE.replace("{phases: [L2], loads", "{phases: [L1, L2], loads").replace(", inputs: [5]", "")
    module = layout_of(parse_site(text, FILE).site).gateways[0].modules[1]
    assert (module.allocations[1].network, module.allocations[1].phases) == ("2P", ("L1",))
    text = text.replace("power_kw: 2}", "power_kw: 2, line_to_line: false}")
    module = layout_of(parse_site(text, FILE).site).gateways[0].modules[1]
    assert (module.allocations[1].network, module.allocations[1].phases) == ("2P+N", ("L1", "L2"))


def test_two_sensors_of_three_wires_sit_on_the_outer_phases():
    text = SITE.replace("{circuit: incomer}", "{circuit: incomer, network: 3P, inputs: [1, 2]}")
    allocation = layout_of(parse_site(text, FILE).site).gateways[0].modules[1].allocations[0]
    assert allocation.phases == ("L1", "L3")


def test_anchors_and_merge_keys_of_yaml_may_be_used():
    text = SITE.replace("{class: office-sockets, power_kw: 2}", "&plug {class: office-sockets, power_kw: 2}")
    text = text.replace(
        "{class: motor-dol, power_kw: 3, name: the_pump}", "{<<: *plug, power_kw: 5, name: kettle}"
    )
    load = parse_site(text, FILE).site.boards["shed"].circuits["pump"].loads[0]
    assert (load.class_, load.power_kw, load.name) == ("office-sockets", 5, "kettle")


def test_a_site_may_extend_another(tmp_path):
    (tmp_path / "base.yaml").write_text(SITE)
    (tmp_path / "open.yaml").write_text("extends: base.yaml\nlisten: any\nseed: 8\n")
    file = load_site(str(tmp_path / "open.yaml"))
    assert (file.site.site, file.site.listen, file.seed) == ("plant", "any", 8)
    base = load_site(str(tmp_path / "base.yaml"))
    assert file.fingerprint == base.fingerprint


def test_a_mistake_in_the_extended_file_names_that_file(tmp_path):
    (tmp_path / "base.yaml").write_text(SITE.replace("product: I-60", "product: I-99"))
    (tmp_path / "open.yaml").write_text("extends: base.yaml\nseed: many\n")
    with pytest.raises(FileFaults) as caught:
        load_site(str(tmp_path / "open.yaml"))
    assert [(fault.file.name, fault.line) for fault in caught.value.faults] == [("open.yaml", 2)]
    (tmp_path / "open.yaml").write_text("extends: base.yaml\n")
    with pytest.raises(FileFaults) as caught:
        load_site(str(tmp_path / "open.yaml"))
    assert [(fault.file.name, fault.line) for fault in caught.value.faults] == [("base.yaml", 22)]


def test_sites_that_extend_each_other_are_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(FileFaults) as caught:
        load_site(str(tmp_path / "a.yaml"))
    assert caught.value.faults[0].found == "`a.yaml`: a circle"


def test_the_fingerprint_follows_what_can_be_read_and_nothing_else():
    same = [
        SITE.replace("site: plant", "# a remark\nsite: plant\ntitle: A plant"),
        SITE.replace("/tmp/vdigiware-test/one", "/tmp/elsewhere"),
        SITE.replace("product: M-70", "product: M-70\n    modbus_tcp: {port: 5020}"),
    ]
    other = [
        SITE.replace("power_kw: 6", "power_kw: 7"),
        SITE.replace("product: I-60", "product: I-61"),
        SITE.replace("mains", "net"),
    ]
    fingerprint = parse_site(SITE, FILE).fingerprint
    assert {parse_site(text, FILE).fingerprint for text in same} == {fingerprint}
    assert fingerprint not in {parse_site(text, FILE).fingerprint for text in other}


@pytest.mark.parametrize("name", sorted(shipped_sites()))
def test_a_shipped_site_has_no_mistakes(name):
    assert load_site(name).site.site == name


def test_a_fault_reads_well():
    fault = Fault(FILE, 3, "seed", "seven", "a whole number")
    assert str(fault) == "plant.yaml:3: seed\n    found: seven\n    right: a whole number"
    assert str(replace(fault, key="")).startswith("plant.yaml:3\n")
