"""Every meter of the catalogue: its registers hold what its circuit does, to the step of the register."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest

from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.devices.catalogue import products
from virtual_digiware.devices.records import Record, Refusal
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.site_file import parse_site

START = parse_instant("2026-03-02T08:00:00Z")
HOURS_2 = START + 7_200_000
METERS = sorted(name for name, product in products().items() if product.family == "meter")
SITE = """\
site: bench
metrology: ideal
sources: {mains: {}}
boards:
  main:
    source: mains
    circuits:
      incomer: {incomer: true}
      press: {loads: [{class: motor-vsd, power_kw: 40}]}
      lamp: {phases: [L2], loads: [{class: office-lighting, power_kw: 3}]}
      roof: {loads: [{class: pv, power_kw: 30}]}
gateways:
  - name: gate
    product: M-70
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-45, circuits: [{circuit: press}, {circuit: lamp}]}
      - {name: r, product: I-35, circuits: [{circuit: roof}]}
meters:
"""
ONE = (
    "  - {{name: {name}, product: {product}, address: {address}, "
    "circuits: [{{circuit: {circuit}}}], rs485: {{line: one}}}}\n"
)
LINE = "lines: {one: {pty: /tmp/vdigiware/bench}}\n"
SINGLE_PHASE = ("E13", "E14")


def build(change: str = "", circuit: str = "press") -> Building:
    text = SITE.replace("metrology: ideal", change or "metrology: ideal")
    for number, product in enumerate(METERS):
        measured = "lamp" if product in SINGLE_PHASE else circuit
        name = product.lower().replace("-", "_")
        text += ONE.format(name=name, product=product, address=20 + number, circuit=measured)
    building = Building(parse_site(text + LINE, Path("bench.yaml")), START)
    building.model.publish(building.model.compute(HOURS_2))
    return building


@pytest.fixture(scope="module")
def bench() -> Building:
    return build()


@pytest.fixture(scope="module")
def sunny() -> Building:
    return build(circuit="roof")


def name_of(product: str) -> str:
    return product.lower().replace("-", "_")


def words(building: Building, name: str, address: int, count: int, function: int = 3) -> bytes:
    data = Images(building.model).of(building.model.units[name]).read(address, count, function)
    assert data is not None
    return data


def truth(building: Building, unit: str, point: str) -> float:
    """A point of a module of the bus, in base units: what the meter is compared with."""
    snapshot = building.model.snapshot
    found = building.model.units[unit]
    slots = found.slots[:1]
    table = "circuit.energy" if "_energy" in point else "circuit.instantaneous"
    if point.endswith("_demand"):
        table, point = "circuit.average", point.removesuffix("_demand")
    shown = snapshot.table(table, slots)
    if table == "circuit.energy":
        return float(shown[point][0]) * 1000 + float(shown[f"{point}_residual"][0])
    return float(shown[point][0])


# From the documents: function, address on the wire, words, type, step of the register, what it shows.
DOCUMENTED = {
    "A-40": [  # DIRIS A40/A41 instructions 536 103 B, tables C550 and 300
        (3, 0xC558, 2, "U", 0.01, "voltage_l1_n"),
        (3, 0xC55E, 2, "U", 0.01, "frequency"),
        (3, 0xC564, 2, "U", 0.001, "current_l3"),
        (3, 0xC568, 2, "S", 10, "active_power_total"),
        (3, 0x0316, 2, "S", 10, "active_power_total"),
        (3, 0xC568 + 2, 2, "S", 10, "reactive_power_total"),
    ],
    "B-30": [  # MODBUS tables of DIRIS B30, V 153.745
        (3, 18442, 2, "U", 0.001, "frequency"),
        (3, 18444, 2, "U", 0.01, "voltage_l1_n"),
        (3, 18476, 2, "S", 1, "active_power_total"),
        (3, 18488, 2, "S", 1, "active_power_l1"),
        (3, 19841, 2, "U", 1000, "active_energy_import"),
        (3, 36873, 2, "U", 0.01, "voltage_l1_n"),
    ],
    "E23": [  # MODBUS tables of COUNTIS E23, version 103.18
        (3, 0xC55E, 2, "U", 0.001, "frequency"),
        (3, 0xC568, 2, "S", 10, "active_power_total"),
        (3, 0xC652, 2, "U", 1000, "active_energy_import"),
        (3, 0xC702, 2, "U", 10, "active_energy_import"),
    ],
    "E44": [  # MODBUS tables of COUNTIS E34/E44
        (3, 0xC55E, 2, "U", 0.01, "frequency"),
        (3, 0xC56C, 2, "U", 10, "apparent_power_total"),
        (3, 0xC704, 2, "U", 10, "reactive_energy_import"),
    ],
    "SDM630": [  # Eastron SDM630Modbus protocol V1.7, input registers 30001, 30053, 30073, 30071
        (4, 0x0000, 2, "F", 1, "voltage_l1_n"),
        (4, 0x0034, 2, "F", 1, "active_power_total"),
        (4, 0x0048, 2, "F", 1000, "active_energy_import"),
        (4, 0x0046, 2, "F", 1, "frequency"),
        (4, 0x0054, 2, "F", 1, "active_power_total_demand"),
    ],
    "iEM3155": [  # register numbers 3000, 3060, 3204, 45100 of the manual, one less on the wire
        (3, 2999, 2, "F", 1, "current_l1"),
        (3, 3059, 2, "F", 1000, "active_power_total"),
        (3, 3203, 4, "S", 1, "active_energy_import"),
        (3, 45099, 2, "F", 1, "active_energy_import"),
    ],
}


@pytest.mark.parametrize(
    ("product", "row"), [(name, row) for name, rows in DOCUMENTED.items() for row in rows]
)
def test_documented_registers_hold_what_the_circuit_does(bench: Building, product: str, row: tuple) -> None:
    function, address, count, kind, step, point = row
    data = words(bench, name_of(product), address, count, function)
    expected = truth(bench, "gate/i", point)
    if kind == "F":
        value = struct.unpack(">f", data)[0] * step
        assert value == pytest.approx(expected, rel=1e-6)
    elif "_energy" in point:
        assert int.from_bytes(data, "big", signed=kind == "S") == math.floor(expected / step + 1e-9)
    else:
        value = int.from_bytes(data, "big", signed=kind == "S") * step
        assert value == pytest.approx(expected, abs=step / 2 + 1e-9)
    assert expected != 0


def test_a_sunspec_client_finds_the_models_and_scales_what_it_reads(bench: Building) -> None:
    """Walks the map as clients do: marker, models by their lengths, end; then value x 10 ** scale factor."""
    name = "sunspec_203"
    assert words(bench, name, 40000, 2) == b"SunS"
    models, address = {}, 40002
    while True:
        number, length = struct.unpack(">HH", words(bench, name, address, 2))
        if number == 0xFFFF:
            assert length == 0
            break
        models[number] = address + 2
        address += 2 + length
    assert list(models) == [1, 203]
    assert address == 40177
    assert words(bench, name, models[1], 16).rstrip(b"\0") == b"Virtual Digiware"

    def signed(offset: int) -> int:
        return int(struct.unpack(">h", words(bench, name, 40070 + offset, 1))[0])

    for offset, factor, point, per in (
        (3, 6, "current_l1", 1),
        (8, 15, "voltage_l1_n", 1),
        (12, 15, "voltage_l1_l2", 1),
        (16, 17, "frequency", 1),
        (18, 22, "active_power_total", 1),
        (28, 32, "reactive_power_total", 1),
        (33, 37, "power_factor_total", 0.01),
    ):
        exponent = signed(factor)
        value = signed(offset) * 10.0**exponent * per
        expected = truth(bench, "gate/i", point)
        assert value == pytest.approx(expected, abs=0.5001 * 10.0**exponent * per), point
    energy = int.from_bytes(words(bench, name, 40070 + 46, 2), "big") * 10 ** signed(54)
    assert energy == math.floor(truth(bench, "gate/i", "active_energy_import") + 1e-9)


def test_export_is_negative_power_and_its_own_counter(sunny: Building) -> None:
    (power,) = struct.unpack(">i", words(sunny, "e23", 0xC568, 2))
    assert power * 10 == pytest.approx(truth(sunny, "gate/r", "active_power_total"), abs=5)
    assert power < 0
    exported = int.from_bytes(words(sunny, "e23", 0xC708, 2), "big") * 10
    assert exported == math.floor(truth(sunny, "gate/r", "active_energy_export") / 10) * 10 > 0
    (net,) = struct.unpack(">i", words(sunny, "e23", 0x8100, 2))
    assert net < 0
    (total,) = struct.unpack(">h", words(sunny, "sunspec_203", 40088, 1))
    assert total < 0


@pytest.mark.parametrize("product", METERS)
def test_every_measured_row_of_every_meter_equals_the_truth(bench: Building, product: str) -> None:
    unit = bench.model.units[name_of(product)]
    module = "gate/i"
    circuit = bench.model.units[module].slots[1 if product in SINGLE_PHASE else 0]
    now = bench.model.snapshot.table("circuit.instantaneous", (circuit,))
    compared = 0
    for placed in unit.product.blocks:
        if placed.block.table not in ("meter.measured", "circuit.instantaneous"):
            continue
        (function, *_) = placed.block.read_functions
        for row in placed.block.rows:
            data = words(bench, unit.path, placed.base + row.offset, row.words, function)
            point, sign = row.point.removesuffix("_by_load"), 1.0
            if point not in now.index or point.endswith("_type"):
                continue
            expected = float(now[point][0])
            if point != row.point:
                sign = -1.0 if now[f"{point}_type"][0] == 1 else 1.0
                expected = sign * abs(expected)
            if math.isnan(expected):
                assert data in (bytes(2 * row.words), b"\x80\0"), row.point
                continue
            if row.encoding == "F32":
                assert struct.unpack(">f", data)[0] * row.scale == pytest.approx(expected, rel=1e-6)
            else:
                signed = row.encoding.removeprefix("SUNSPEC_").startswith("S")
                value = int.from_bytes(data, "big", signed=signed) * row.scale
                assert value == pytest.approx(expected, abs=row.scale * 0.5001), row.point
            compared += 1
    assert compared >= (10 if product in SINGLE_PHASE else 15)


def test_a_meter_and_a_module_on_one_circuit_agree_within_their_classes() -> None:
    building = build("metrology: realistic")
    module = truth(building, "gate/i", "active_power_total")
    values = {
        "sdm630": struct.unpack(">f", words(building, "sdm630", 0x34, 2, 4))[0],
        "iem3155": struct.unpack(">f", words(building, "iem3155", 3059, 2))[0] * 1000,
    }
    for value in values.values():
        assert value != pytest.approx(module, rel=1e-6)
        assert value == pytest.approx(module, rel=0.02)


def write(building: Building, name: str, function: int, address: int, *values: int) -> Refusal | None:
    """A write that is journaled and then applied, as the server does it."""
    record = building.model.check_write(name, function, address, values, HOURS_2)
    if isinstance(record, Refusal):
        return record
    assert isinstance(record, Record)
    building.model.apply(record)
    building.model.publish(building.model.compute(record.time_ms))
    return None


def test_partial_energies_start_again_when_a_client_clears_them() -> None:
    building = build()
    assert int.from_bytes(words(building, "e23", 0xC70C, 2), "big") > 0
    total = words(building, "e23", 0xC702, 2)
    assert write(building, "e23", 6, 0xE222, 1) is None
    assert words(building, "e23", 0xC70C, 2) == bytes(4)
    assert words(building, "e23", 0xC702, 2) == total
    assert words(building, "e24", 0xC70C, 2) != bytes(4)


def test_an_a40_clears_energies_and_maxima_by_the_bits_of_its_mask() -> None:
    building = build()
    maximum = words(building, "a_40", 0xC750 + 54, 2)
    assert maximum != bytes(4)
    assert write(building, "a_40", 6, 0x0400, 128) is None
    assert words(building, "a_40", 0xC65C, 2) == bytes(4)
    assert words(building, "a_40", 0xC750 + 54, 2) == maximum
    assert write(building, "a_40", 6, 0x0400, 2) is None
    assert words(building, "a_40", 0xC750 + 54, 2) == bytes(4)


def test_an_sdm630_takes_one_float_for_its_address_and_no_impossible_one() -> None:
    building = build()
    unit = building.model.units["sdm630"]
    high, low = struct.unpack(">HH", struct.pack(">f", 77.0))
    refusal = write(building, "sdm630", 16, 20, *struct.unpack(">HH", struct.pack(">f", 300.0)))
    assert refusal is not None
    assert refusal.exception_code == 3
    nan = write(building, "sdm630", 16, 20, 0x7FC0, 0)
    assert nan is not None
    assert nan.exception_code == 3
    assert write(building, "sdm630", 16, 20, high, low) is None
    assert unit.address == 77
    assert struct.unpack(">f", words(building, "sdm630", 20, 2)) == (77.0,)


def test_a_countis_has_another_address_once_it_is_written() -> None:
    building = build()
    assert write(building, "e13", 6, 0xE000, 99) is None
    assert building.model.units["e13"].address == 99
    refusal = write(building, "e13", 6, 0xC568, 1)
    assert refusal is not None
    assert refusal.exception_code == 2
