"""The shipped products, by examples from public tables and by rules that hold for every one of them."""

from __future__ import annotations

import pytest

from virtual_digiware.devices.block import PlacedBlock, Product, Row
from virtual_digiware.devices.catalogue import product, products
from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.devices.vocabulary import TABLES, UNITS

METERS = [
    "A-10",
    "A-40",
    "B-30",
    "E13",
    "E14",
    "E23",
    "E24",
    "E34",
    "E44",
    "SDM630",
    "SunSpec-203",
    "iEM3155",
]
NAMES = [
    "ATyS-C65",
    "C-31",
    "C-32",
    "D-50",
    "D-70",
    "I-30",
    "I-30dc",
    "I-31",
    "I-33",
    "I-35",
    "I-35dc",
    "I-43",
    "I-45",
    "I-60",
    "I-60MID",
    "I-61",
    "I-61MID",
    "IO-10",
    "IO-20",
    "M-50",
    "M-70",
    "S-130",
    "S-135",
    "S-Datacenter",
    "U-10",
    "U-20",
    "U-30",
    "U-31dc",
    "U-32dc",
    "environmental-sensor",
]
WITH_REGISTERS = [name for name in NAMES if name not in ("C-31", "C-32")]
IDENTIFIED = [name for name in WITH_REGISTERS if name != "environmental-sensor"]
CURRENT = [name for name in NAMES if name.startswith(("I-", "S-")) and not name.endswith("dc")]
VOLTAGE = ["U-10", "U-20", "U-30"]


def at(model: Product, address: int) -> tuple[PlacedBlock, Row]:
    """The row that starts at an address."""
    for placed in model.blocks:
        for row in placed.block.rows:
            if placed.base + row.offset == address:
                return placed, row
    raise AssertionError(f"no row of {model.name} starts at {address}")


def addresses(model: Product, block: str) -> list[int]:
    return [placed.base for placed in model.blocks if placed.block.name == block]


def test_the_catalogue_holds_the_products_of_the_range():
    assert sorted(products()) == sorted([*NAMES, *METERS])


# Who printed them: the tables and advisories named in the `source` of each block.
PRINTED = [
    # product, address, point, encoding, scale, unit
    ("I-31", 18433, "timestamp", "DATETIME", 1, "s"),
    ("I-31", 18442, "frequency", "U32", 0.001, "Hz"),
    ("I-31", 18444, "voltage_l1_n", "U32", 0.01, "V"),
    ("I-31", 18458, "current_l1", "U32", 0.001, "A"),
    ("I-31", 18476, "active_power_total", "S32", 1, "W"),
    ("I-31", 18486, "power_factor_total", "S16", 0.001, ""),
    ("I-31", 19841, "active_energy_import", "U32", 1, "kWh"),
    ("I-31", 21889, "active_energy_import", "U32", 1, "kWh"),
    ("S-135", 18436, "voltage_ln_system", "U32", 0.01, "V"),
    ("S-135", 20524, "active_power_total", "S32", 1, "W"),
    ("U-10", 36867, "frequency", "U32", 0.001, "Hz"),
    ("U-10", 36869, "voltage_l1_n", "U32", 0.01, "V"),
    ("U-10", 260, "frequency", "F32", 1, "Hz"),
    ("U-10", 388, "frequency", "F32", 1, "Hz"),
    ("U-10", 38497, "alarm_state", "U16", 1, ""),
    ("U-20", 36867, "frequency", "U32", 0.001, "Hz"),
    ("U-20", 37123, "voltage_l1_n_h1", "U32", 0.01, "V"),
    ("U-30", 36871, "frequency", "U32", 0.001, "Hz"),
    ("U-30", 36873, "voltage_l1_n", "U32", 0.01, "V"),
    ("U-30", 36999, "frequency", "U32", 0.001, "Hz"),
    ("U-30", 37150, "thd_voltage_ln_system", "U16", 0.01, "%"),
    ("I-60MID", 12288, "network_type", "U8", 1, ""),
    ("I-61MID", 57345, "baudrate", "U16", 1, ""),
    ("I-60", 512, "operating_time_total", "U32", 1, "s"),
    ("M-70", 4352, "addressing_command", "U16", 1, ""),
    ("M-70", 29440, "modbus_address", "U8", 1, ""),
    ("M-70", 57856, "action", "U8_HEX", 1, ""),
    ("M-70", 57872, "usb_function", "U8_HEX", 1, ""),
    ("M-70", 58112, "unlock_code", "U16", 1, ""),
    ("M-70", 39616, "acknowledge_id", "U16", 1, ""),
]


@pytest.mark.parametrize(("name", "address", "point", "encoding", "scale", "unit"), PRINTED)
def test_a_register_stands_where_the_documents_print_it(name, address, point, encoding, scale, unit):
    row = at(product(name), address)[1]
    assert (row.point, row.encoding, row.scale, row.unit) == (point, encoding, scale, unit)
    assert not row.reserved


CONFIRMED = [
    ("I-31", 18442),
    ("I-31", 19841),
    ("S-135", 18436),
    ("I-60MID", 12288),
    ("I-61MID", 57347),
    ("U-10", 36867),
    ("U-10", 38497),
    ("U-20", 37123),
    ("U-30", 36871),
    ("U-30", 37150),
    ("M-70", 58112),
    ("M-70", 4352),
]
UNPROVEN = [
    ("I-45", 18442),  # no table of the I-45 was seen
    ("I-31", 19847),  # Er+ follows the sister product
    ("S-135", 18488),  # P1 is not in the manual's extract
    ("U-20", 36866),  # integration time was seen on the U-10 only
    ("U-20", 37144),  # THD V1
    ("I-60", 12288),
    ("M-50", 58112),
    ("IO-10", 11250),
]


@pytest.mark.parametrize(("name", "address"), CONFIRMED)
def test_what_was_seen_on_the_product_is_confirmed(name, address):
    placed, row = at(product(name), address)
    assert (row.confidence or placed.block.confidence) == "confirmed"


@pytest.mark.parametrize(("name", "address"), UNPROVEN)
def test_what_was_seen_on_a_sister_product_only_is_inferred(name, address):
    placed, row = at(product(name), address)
    assert (row.confidence or placed.block.confidence) == "inferred"


@pytest.mark.parametrize("name", IDENTIFIED)
def test_every_device_identifies_itself_at_50000(name):
    model = product(name)
    placed, magic = at(model, 50000)
    assert (placed.block.words, placed.block.access) == (69, "read")
    assert (magic.encoding, magic.words, model.identity["magic"]) == ("STRING_16", 4, "SOCO")
    assert [ord(letter) for letter in "SOCO"] == [0x0053, 0x004F, 0x0043, 0x004F]
    assert at(model, 50004)[1].point == "product_order_id"
    assert model.identity["product_order_id"] == (300 if model.family == "transfer_switch" else 400)
    assert at(model, 50042)[1].point == "vendor_name"
    assert at(model, 50050)[1].point == "product_name"
    assert model.identity["product_name"] == name
    assert at(model, 50067)[1].point == "net_id"


@pytest.mark.parametrize("name", CURRENT)
def test_load_n_stands_at_18432_plus_2048_times_n_minus_1(name):
    model = product(name)
    loads = model.features["loads"]
    assert addresses(model, "load_instantaneous") == [18432 + 2048 * n for n in range(loads)]
    assert addresses(model, "load_average") == [18560 + 2048 * n for n in range(loads)]
    assert addresses(model, "load_energy") == [19840 + 2048 * n for n in range(loads)]


@pytest.mark.parametrize("name", CURRENT)
def test_a_current_module_has_one_load_per_input_at_most(name):
    model = product(name)
    inputs = {"I-3": 3, "I-4": 4, "I-6": 6, "S-1": 3, "S-D": 6}[name[:3]]
    assert model.inputs == inputs
    assert model.features["loads"] <= inputs
    slots = [
        placed.slot for placed in model.blocks if placed.block.repeat and placed.block.repeat.per == "circuit"
    ]
    assert max(slots) < inputs


@pytest.mark.parametrize("name", ["I-60", "I-61", "I-60MID", "I-61MID"])
def test_what_was_not_found_for_loads_5_and_6_is_not_invented(name):
    model = product(name)
    assert len(addresses(model, "load_settings")) == 4
    sensors = next(placed.block for placed in model.blocks if placed.block.name == "current_sensors")
    assert (sensors.base, sensors.words) == (13568, 8)


def test_loads_beyond_the_third_are_less_sure():
    slots = next(
        placed.block for placed in product("I-60").blocks if placed.block.name == "load_instantaneous"
    )
    assert slots.slot_confidence == {3: "partial", 4: "inferred", 5: "inferred"}


@pytest.mark.parametrize("name", ["I-60MID", "I-61MID"])
def test_a_mid_module_reserves_system_values_and_shows_its_network_read_only(name):
    model = product(name)
    for address in (18436, 18438, 18440):
        assert at(model, address)[1].reserved
    assert not at(model, 18442)[1].reserved
    for address in (12288, 57345):
        placed = at(model, address)[0]
        assert (placed.block.access, placed.block.write_functions, placed.block.locked) == ("read", (), False)


def test_the_i_31_has_only_the_rows_seen_on_it():
    placed = at(product("I-31"), 18432)[0]
    seen = {row.offset for row in placed.block.rows if not row.reserved}
    assert seen == {0, 1, 3, 10, 12, 14, 16, 20, 22, 24, 26, 28, 30, 32, 42, 44, 46, 48, 50, 52, 54, 55}


def test_the_i_30_does_not_handle_thd():
    model = product("I-30")
    measured = [placed for placed in model.blocks if placed.block.table.startswith("circuit.")]
    for placed in measured:
        for row in placed.block.rows:
            if row.point.startswith(("thd_", "k_factor", "crest_", "harmonic_", "maximum_thd")):
                assert row.reserved
    assert measured
    assert not addresses(model, "load_quality_extremes")
    assert not addresses(model, "load_current_harmonics")


def test_the_i_35_has_25_harmonic_ranks_and_three_bands():
    placed = at(product("I-35"), 19712)[0]
    by_point = {row.point: placed.base + row.offset for row in placed.block.rows}
    assert by_point["harmonic_current_l1_h2"] == 19713
    assert by_point["harmonic_current_n_h5"] == 19713 + 4 * 3 + 3
    assert by_point["harmonic_current_n_h25"] == 19808
    assert by_point["harmonic_current_n_h51_63"] == 19820
    assert len(by_point) == 1 + 4 * 27


def test_io_modules_have_their_inputs_and_outputs():
    io_10, io_20 = product("IO-10"), product("IO-20")
    assert addresses(io_10, "digital_inputs") == [11248]
    assert len(addresses(io_10, "digital_input_settings")) == io_10.features["digital_inputs"] == 4
    assert len(addresses(io_10, "digital_output_settings")) == io_10.features["digital_outputs"] == 2
    placed, command = at(io_10, 11285)
    assert (command.point, placed.block.write_functions, placed.block.locked) == (
        "command_on_mask",
        (6, 16),
        False,
    )
    assert addresses(io_20, "analogue_inputs") == [11584, 11588]
    assert addresses(io_20, "analogue_outputs") == [11616, 11619]
    assert at(io_20, 11648)[1].initial == 2


WRITES = [  # product, address, functions, locked
    ("I-35", 57344, (6, 16), True),
    ("I-35", 57345, (6, 16), True),
    ("I-35", 12288, (6, 16), False),
    ("I-35", 13824, (6, 16), False),
    ("I-35", 58112, (6, 16), False),
    ("I-35", 57856, (6,), False),
    ("I-35", 20096, (6,), True),
    ("I-35", 20097, (16,), False),
    ("I-35", 34912, (16,), False),
    ("I-35", 528, (6,), True),
    ("U-30", 39616, (6,), False),
    ("M-70", 29440, (6, 16), True),
    ("M-70", 4352, (6,), False),
    ("IO-20", 11617, (6, 16), False),
]


@pytest.mark.parametrize(("name", "address", "functions", "is_locked"), WRITES)
def test_a_table_is_written_with_the_functions_that_it_lists(name, address, functions, is_locked):
    block = at(product(name), address)[0].block
    assert (block.write_functions, block.locked) == (functions, is_locked)


def test_an_rs485_line_starts_at_38400_8n1():
    block = at(product("I-35"), 57345)[0].block
    assert [row.enum[row.initial] for row in block.rows] == ["38400", "1", "none"]


def test_a_c_31_is_transparent():
    assert product("C-31").blocks == ()
    assert product("C-31").identity == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_product_is_well_described(name):
    model = product(name)
    families = {"IO": "io", "C-32": "repeater", "C": "interface", "I": "current", "S": "current"}
    families |= {
        "ATyS": "transfer_switch",
        "environmental": "sensor",
        "M": "gateway",
        "D": "gateway",
        "U": "voltage",
    }
    family = next(family for start, family in families.items() if name.startswith(start))
    assert model.family == (f"dc_{family}" if name.endswith("dc") else family)
    assert model.label
    assert model.source
    # A sensor has a battery and a transfer controller its sources: they draw nothing from a bus.
    draws = model.family not in ("sensor", "transfer_switch")
    assert (model.features.get("consumption_w", 0) > 0) == draws
    assert isinstance(model.features.get("consumption_is_estimate", False), bool)


@pytest.mark.parametrize("name", WITH_REGISTERS)
def test_every_block_lies_free_and_its_rows_lie_inside(name):
    taken: dict[int, str] = {}
    for placed in product(name).blocks:
        assert 0 <= placed.base < placed.end <= 65536
        for address in range(placed.base, placed.end):
            assert address not in taken, f"{placed.block.name} and {taken[address]} at {address}"
            taken[address] = placed.block.name
        words: set[int] = set()
        for row in placed.block.rows:
            mine = set(range(row.offset, row.offset + row.words))
            assert not mine & words
            assert max(mine) < placed.block.words
            words |= mine


@pytest.mark.parametrize("name", WITH_REGISTERS)
def test_every_row_speaks_the_common_language(name):
    for placed in product(name).blocks:
        block = placed.block
        assert block.table in TABLES
        assert block.source
        assert (block.access == "read") == (block.write_functions == ())
        for row in block.rows:
            encoding = ENCODINGS[row.encoding]
            assert row.words == (encoding.words or row.words)
            assert row.unit in UNITS
            assert row.label
            assert "{" not in row.point + row.label
            assert row.scale > 0
            assert row.point == row.point.lower()


@pytest.mark.parametrize("name", WITH_REGISTERS)
def test_only_the_simulator_extension_stands_at_invented_addresses(name):
    for placed in product(name).blocks:
        is_extension = placed.block.confidence == "extension"
        assert is_extension == (placed.base >= 63488)
        assert is_extension == placed.block.name.startswith("extension_")
        if is_extension:
            assert "no published address" in placed.block.source
            assert (placed.base - 63488) % 64 == 0
            assert placed.slot <= (placed.base - 63488) // 64


def test_no_published_block_of_any_product_reaches_into_the_extension():
    blocks = [products().block(name) for name in products().block_names()]
    published = [block for block in blocks if block.confidence != "extension"]
    for block in published:
        count = block.repeat.count if block.repeat else 1
        stride = block.repeat.stride if block.repeat else 0
        assert block.base + stride * (count - 1) + block.words <= 63488


def test_every_block_is_used_by_a_product():
    used = {placed.block.name for name in [*NAMES, *METERS] for placed in product(name).blocks}
    assert used == set(products().block_names())


@pytest.mark.parametrize("name", VOLTAGE)
def test_the_two_network_layouts_never_meet(name):
    names = {placed.block.name for placed in product(name).blocks}
    assert ("network_instantaneous" in names) == (name == "U-30")
    assert ("network_instantaneous_compact" in names) == (name != "U-30")
