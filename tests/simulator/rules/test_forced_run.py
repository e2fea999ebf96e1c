"""A site that breaks the rules runs all the same when forced, as badly as the real one would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pymodbus.client import ModbusTcpClient

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
    bus:
      - {name: u, product: U-30, board: main, cable_m: 120}
      - {name: v, product: U-20, board: spare}
      - {name: i, product: I-35, circuits: [{circuit: light}], address: 9}
      - {name: j, product: I-35, circuits: [{circuit: pump}], address: 9}
"""


def test_a_forced_site_warns_runs_and_answers(tmp_path: Path):
    site, ready = tmp_path / "site.yaml", tmp_path / "ready.json"
    site.write_text(SITE, encoding="utf-8")
    options = ["run", str(site), "--force", "--port-base", "0", "--ready-file", str(ready), "--log", "off"]
    process = subprocess.Popen(
        [sys.executable, "-m", "virtual_digiware", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        while "Stop with" not in (line := process.stdout.readline()):
            assert line, process.communicate(timeout=20)
        content = json.loads(ready.read_text())
        (gateway,) = content["gateways"]
        assert (gateway["product"], gateway["address"]) == ("D-50", 1)
        with ModbusTcpClient("127.0.0.1", port=gateway["modbus_tcp"]["port"]) as client:
            name = client.read_holding_registers(50050, count=8, device_id=1)
            voltage = client.read_holding_registers(36869, count=2, device_id=3)
            shared = client.read_holding_registers(18458, count=2, device_id=9)
        assert bytes(byte for word in name.registers for byte in word.to_bytes(2)).rstrip(b"\0") == b"D-50"
        assert 20_000 < voltage.registers[1] < 25_000
        assert shared.exception_code == 0x0B
    finally:
        process.terminate()
        _, said = process.communicate(timeout=20)
    for rule in ("bus-length", "power-budget", "bus-addresses", "voltage-once", "voltage-source"):
        assert f"error {rule}" in said
