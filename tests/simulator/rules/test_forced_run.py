"""A site that breaks the rules runs all the same when forced, as badly as the real one would."""

from __future__ import annotations

from pathlib import Path

from pymodbus.client import ModbusTcpClient

from tests.site_process import site_process

SITE = """\
site: forced
sources: {mains: {}, other: {}}
boards:
  main: {source: mains, circuits: {light: {loads: [{class: office-lighting, power_kw: 2}]}}}
  spare: {source: other, circuits: {pump: {loads: [{class: motor-dol, power_kw: 3}]}}}
gateways:
  - name: d50
    product: D-50
    bacnet: {}
    snmp: {}
    supply: {watts: 3}
    rs485: {line: one, role: client}
    bus:
      - {name: u, product: U-30, board: main, cable_m: 120}
      - {name: v, product: U-20, board: spare}
      - {name: i, product: I-35, circuits: [{circuit: light}], address: 9}
      - {name: j, product: I-35, circuits: [{circuit: pump}], address: 9}
  - {name: c31, product: C-31, rs485: {line: one, role: client}, sensors: [{name: s}]}
lines: {one: {}}
"""


def test_a_forced_site_warns_runs_and_answers(tmp_path: Path):
    with site_process(tmp_path, SITE, "--force") as running:
        gateway, _ = running.ready["gateways"]
        assert (gateway["product"], gateway["address"]) == ("D-50", 1)
        with ModbusTcpClient("127.0.0.1", port=gateway["modbus_tcp"]["port"]) as client:
            name = client.read_holding_registers(50050, count=8, device_id=1)
            voltage = client.read_holding_registers(36869, count=2, device_id=3)
            shared = client.read_holding_registers(18458, count=2, device_id=9)
        assert bytes(byte for word in name.registers for byte in word.to_bytes(2)).rstrip(b"\0") == b"D-50"
        assert 20_000 < voltage.registers[1] < 25_000
        assert shared.exception_code == 0x0B
    broken = ("bus-length", "power-budget", "bus-addresses", "voltage-once", "voltage-source")
    for rule in (*broken, "rs485-one-master", "rs485-master-product", "bluetooth-radio"):
        assert f"error {rule}" in running.said
