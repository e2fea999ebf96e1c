import pytest

from virtual_digiware.devices.catalogue import product, products
from virtual_digiware.devices.register_table import markdown, register_table


def test_the_rows_of_a_product_come_by_address_without_the_reserved_ones():
    rows = register_table(product("I-60MID"))
    assert [row.address for row in rows] == sorted(row.address for row in rows)
    assert not any(row.is_reserved for row in rows)
    everything = register_table(product("I-60MID"), with_reserved=True)
    assert {row.address for row in everything if row.is_reserved} >= {18436, 18438, 18440}


def test_a_row_says_all_that_a_client_needs():
    row = next(row for row in register_table(product("I-31")) if row.address == 18444)
    assert (row.point, row.words, row.encoding, row.scale, row.unit) == ("voltage_l1_n", 2, "U32", 0.01, "V")
    assert (row.per, row.slot, row.access, row.confidence) == ("circuit", 1, "read", "confirmed")
    assert row.register == "18444-18445"
    assert "I-31" in row.source


def test_a_row_is_no_surer_than_its_slot():
    rows = {row.address: row for row in register_table(product("I-60"))}
    assert rows[19841].confidence == "partial"
    assert rows[19840].confidence == "inferred"
    mid = {row.address: row for row in register_table(product("I-60MID"))}
    frequency = [mid[18442 + 2048 * load].confidence for load in range(6)]
    assert frequency == ["confirmed"] * 3 + ["partial", "inferred", "inferred"]


def test_a_locked_command_says_so():
    row = next(row for row in register_table(product("I-35")) if row.address == 20096)
    assert (row.access, row.write_functions, row.is_locked, row.register) == ("write", (6,), True, "20096")


@pytest.mark.parametrize("name", list(products()))
def test_every_product_has_a_page_with_each_of_its_blocks(name):
    page = markdown(product(name))
    assert page.startswith(f"# {name}\n")
    for placed in product(name).blocks:
        assert f"`{placed.block.name}`, {placed.block.base} to" in page
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.count("|") == 8 for line in tables)


def test_a_page_shows_source_access_and_confidence():
    page = markdown(product("M-70"))
    assert "CVE-2025-54850" in page
    assert "58112 to 58113; read and write with function 6 or 16; confirmed." in page
    assert "| 29440 | `modbus_address` | U8 | 1 |  | confirmed |" in page
    assert "reserved, reads 0" in markdown(product("I-31"))
