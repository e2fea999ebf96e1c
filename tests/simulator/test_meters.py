"""Meters outside any Digiware bus, on a line and on ports of their own, read by clients that others wrote."""

from __future__ import annotations

import asyncio
import re
import struct
from pathlib import Path

import pytest

from tests.buses import test_independent_clients as clients
from tests.external import require_program
from tests.simulator.test_running import MANUAL, Run, running
from virtual_digiware.simulator.opening import open_site
from virtual_digiware.simulator.site_file import parse_site
from virtual_digiware.simulator.yaml_text import FileFaults

PATIENCE_S = 20.0
libmodbus = clients.libmodbus  # a fixture
SITE = """\
site: workshop
refresh_ms: 200
commissioned: 2026-03-02T09:30:00Z
sources: {mains: {}}
boards:
  main:
    source: mains
    circuits:
      incomer: {incomer: true}
      saw: {loads: [{class: motor-dol, power_kw: 18}]}
      light: {phases: [L2], loads: [{class: office-lighting, power_kw: 2}]}
gateways:
  - name: gate
    product: M-70
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-35, circuits: [{circuit: saw}]}
  - name: far
    product: C-31
    rs485: {line: one}
    bus: [{name: u10, product: U-10, address: 9}]
meters:
  - {name: a40, product: A-40, address: 21, circuits: [{circuit: saw, nominal_a: 63}], rs485: {line: one}}
  - {name: e13, product: E13, address: 22, circuits: [{circuit: light}], rs485: {line: one}}
  - {name: e23, product: E23, address: 23, circuits: [{circuit: saw}], rs485: {line: one}}
  - {name: sdm, product: SDM630, address: 24, circuits: [{circuit: saw}], rs485: {line: one}}
  - {name: iem, product: iEM3155, address: 5, circuits: [{circuit: saw}], modbus_tcp: {alternative: 1510}}
  - {name: sun, product: SunSpec-203, circuits: [{circuit: saw}], modbus_tcp: {alternative: 1511}}
lines:
  one: {pty: PTY, baudrate: 9600, parity: even}
"""


async def poll(where: str, unit: int, kind: str, register: int, count: int = 1) -> list[str]:
    """Values as mbpoll prints them."""
    program = require_program("mbpoll")
    if where.startswith("/"):
        way = ["-m", "rtu", "-b", "9600", "-P", "even"]
    else:
        where, _, port = where.partition(":")
        way = ["-m", "tcp", "-p", port]
    options = ["-a", str(unit), "-0", "-1", "-B", "-t", kind, "-r", str(register), "-c", str(count)]
    process = await asyncio.create_subprocess_exec(
        program, *way, *options, where, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0, printed.decode()
    return re.findall(r"^\[\d+\]:\s+(\S+)", printed.decode(), re.MULTILINE)


def start(tmp_path: Path, site: str = SITE):
    text = site.replace("PTY", str(tmp_path / "one"))
    return running(open_site(parse_site(text, Path("workshop.yaml")), MANUAL, None))


async def saw_power_w(run: Run) -> int:
    return await run.signed(3, 18476)


async def test_mbpoll_reads_a_diris_and_countis_meters_on_one_line_beside_a_c31(tmp_path):
    async with start(tmp_path) as run:
        line = run.content["lines"][0]["pty"]
        power_w = await saw_power_w(run)
        assert power_w > 1000
        for unit in (21, 23):
            (power,) = await poll(line, unit, "4:int", 50536)
            assert int(power) * 10 == pytest.approx(power_w, abs=5.5)
            voltages = await poll(line, unit, "4:int", 50520, 3)
            assert all(22_500 < int(voltage) < 24_500 for voltage in voltages)
        # The COUNTIS E13 has one input: the phase of its circuit, whichever that is.
        (voltage,) = await poll(line, 22, "4:int", 50520)
        assert int(voltage) == pytest.approx(int(voltages[1]), abs=1)
        assert await poll(line, 9, "4:hex", 50000, 4) == ["0x0053", "0x004F", "0x0043", "0x004F"]


async def test_mbpoll_reads_floats_of_an_sdm630_from_its_input_registers(tmp_path):
    async with start(tmp_path) as run:
        line = run.content["lines"][0]["pty"]
        (power,) = await poll(line, 24, "3:float", 52)
        assert float(power) == pytest.approx(await saw_power_w(run), abs=0.6)
        assert await poll(line, 24, "4:float", 20) == ["24"]
        assert await poll(line, 24, "4:float", 28) == ["2"]  # 9600 baud
        assert await poll(line, 24, "4:float", 18) == ["1"]  # even, one stop bit


async def test_meters_on_ethernet_have_ports_of_their_own_in_the_order_of_the_file(tmp_path):
    async with start(tmp_path) as run:
        meters = {meter["name"]: meter for meter in run.content["meters"]}
        assert meters["a40"] == {
            "name": "a40",
            "product": "A-40",
            "address": 21,
            "circuit": "saw",
            "rs485": {"line": "one"},
        }
        power_w = await saw_power_w(run)
        iem = "{host}:{port}".format(**meters["iem"]["modbus_tcp"])
        (power,) = await poll(iem, 5, "4:float", 3059)  # register number 3060, kW
        assert float(power) * 1000 == pytest.approx(power_w, abs=0.6)
        sun = "{host}:{port}".format(**meters["sun"]["modbus_tcp"])
        assert await poll(sun, 1, "4:hex", 40000, 2) == ["0x5375", "0x6E53"]
        words = [int(word, 16) for word in await poll(sun, 1, "4:hex", 40070, 107)]
        assert words[:2] == [203, 105]
        (power, factor) = struct.unpack(">hh", struct.pack(">HH", words[18], words[22]))
        assert power * 10.0**factor == pytest.approx(power_w, abs=0.51 * 10**factor + 0.5)
        assert await poll(sun, 1, "4:hex", 40177, 2) == ["0xFFFF", "0x0000"]


MISTAKES = [  # replaced, by what, key, found, right
    ("product: E13", "product: E15", "meters[1].product", "E15", "Did you mean E14?"),
    ("product: E13", "product: M-70", "meters[1].product", "M-70", "a meter: A-10, A-40"),
    (
        "[{circuit: light}]",
        "[{circuit: ligt}]",
        "meters[1].circuits[0].circuit",
        "ligt",
        "Did you mean light?",
    ),
    (
        "product: E23, address: 23, circuits: [{circuit: saw}]",
        "product: E13, address: 23, circuits: [{circuit: saw}]",
        "meters[2].circuits[0].inputs",
        "saw needs 3",
        "the 1 inputs of a E13",
    ),
    (
        "rs485: {line: one}}\n  - {name: e13",
        "rs485: {line: two}}\n  - {name: e13",
        "meters[0].rs485.line",
        "two",
        "a line of this site",
    ),
    ("modbus_tcp: {alternative: 1510}", "cabinet: x", "meters[4]", "neither", "exactly one of"),
    ("name: e23", "name: e13", "meters[2].name", "e13", "a name of its own; line 24"),
    (
        "modbus_tcp: {alternative: 1511}",
        "modbus_tcp: {alternative: 1510}",
        "meters[5].modbus_tcp.alternative",
        "1510",
        "another port",
    ),
    (
        "modbus_tcp: {alternative: 1511}",
        "modbus_tcp: {}, registers: [{point: frequency, address: 1}]",
        "meters[5].registers",
        "`registers`",
        "`product: generic` has its own",
    ),
    (
        "product: SunSpec-203",
        "product: generic",
        "meters[5].registers",
        "the key is missing",
        "a list of registers",
    ),
    *(
        (
            "product: SunSpec-203, circuits",
            f"product: generic, registers: [{registers}], circuits",
            f"meters[5].registers{key}",
            found,
            right,
        )
        for registers, key, found, right in [
            ("{point: frequenzy, address: 1}", "[0].point", "frequenzy", "Did you mean frequency?"),
            (
                "{point: frequency}",
                "[0]",
                "a mapping",
                "exactly one of `address` (from 0) and `register_number`",
            ),
            (
                "{point: frequency, register_number: 0}",
                "[0].register_number",
                "0",
                "greater than or equal to 1",
            ),
            ("{point: frequency, address: 1, type: u8}", "[0].type", "u8", "one of u16, s16"),
            ("{point: frequency, address: 1, scale: 0}", "[0].scale", "0", "greater than 0"),
            ("{point: frequency, address: 1, function: 1}", "[0].function", "1", "one of 3, 4"),
            (
                "{point: frequency, address: 65535, type: u32}",
                "[0].address",
                "65535",
                "whose 2 words end at 65535",
            ),
            (
                "{point: frequency, address: 1, type: u32}, {point: current_l1, register_number: 3}",
                "[1].register_number",
                "2",
                "frequency takes some of the 1 words at 2",
            ),
        ]
    ),
]


@pytest.mark.parametrize(("replace", "by", "key", "found", "right"), MISTAKES)
def test_a_mistake_in_a_meter_is_told_with_line_key_and_what_is_right(replace, by, key, found, right):
    text = SITE.replace("PTY", "/tmp/vdigiware/one")
    assert text.count(replace) == 1
    with pytest.raises(FileFaults) as refusal:
        parse_site(text.replace(replace, by), Path("workshop.yaml"))
    told = [fault for fault in refusal.value.faults if fault.key == key]
    assert told, [str(fault) for fault in refusal.value.faults]
    assert found in told[0].found
    assert right in told[0].right
    assert str(told[0].file) == "workshop.yaml"
    assert told[0].line > 18


async def test_libmodbus_reads_meters_on_a_line_and_writes_an_address(tmp_path, libmodbus):
    site = SITE.replace("parity: even", "parity: none")
    async with start(tmp_path, site) as run:
        line = run.content["lines"][0]["pty"]
        printed = await clients.run(
            libmodbus, "rtu", line, "9600", "24", "input", "52", "2", "input", "52", "1"
        )
        power, half = printed.splitlines()
        (watts,) = struct.unpack(">f", bytes.fromhex(power.replace(" ", "")))
        assert watts == pytest.approx(await saw_power_w(run), abs=0.6)
        assert half.startswith("error 3")
        moved = await clients.run(libmodbus, "rtu", line, "9600", "22", "write", "57344", "77")
        assert moved == "004d\n"
        again = await clients.run(libmodbus, "rtu", line, "9600", "77", "read", "50000", "4")
        assert again == "0053 004f 0043 004f\n"
