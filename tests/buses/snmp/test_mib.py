"""The MIB file that is shipped, as other programs read it."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.buses.snmp.agents import MIBS, run
from tests.external import require_program
from virtual_digiware.buses.snmp import mib
from virtual_digiware.buses.snmp.mib import main, mib_path, mib_text
from virtual_digiware.devices.snmp_binding import snmp_binding


def test_the_shipped_file_is_what_the_binding_asks_for():
    assert mib_path().read_text(encoding="ascii") == mib_text()


def test_the_place_of_the_file_is_told(capsys):
    main([])
    assert capsys.readouterr().out == f"{mib_path()}\n"


def test_the_file_is_written_anew_when_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mib, "mib_path", lambda: tmp_path / "mib.txt")
    main(["--write"])
    assert (tmp_path / "mib.txt").read_text() == mib_text()
    assert capsys.readouterr().out == f"{tmp_path / 'mib.txt'}\n"


async def lint(path: str) -> str:
    process = await asyncio.create_subprocess_exec(
        require_program("smilint"), "-s", "-l", "6", path,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "SMIPATH": str(MIBS)},
    )  # fmt: skip
    out, _ = await process.communicate()
    return out.decode()


async def test_smilint_has_nothing_to_say(tmp_path):
    assert await lint(str(mib_path())) == ""
    spoilt = tmp_path / mib_path().name
    spoilt.write_text(mib_text().replace("MAX-ACCESS  read-write", "MAX-ACCESS  read-wrong", 1))
    assert "invalid access" in await lint(str(spoilt))


def test_the_file_is_clearly_not_the_vendors():
    text = mib_text()
    assert text.startswith("VIRTUAL-DIGIWARE-MIB DEFINITIONS")
    assert "It is not the MIB of SOCOMEC" in text


async def test_every_object_has_the_identifier_of_the_binding():
    binding = snmp_binding()
    expected = {
        service.name: table.column(service) for table in binding.tables.values() for service in table.services
    }
    expected |= {name: table.column(name) for table in binding.objects.values() for name in table.columns}
    expected |= {"alarmOn": binding.notifications.alarm_on, "alarmOff": binding.notifications.alarm_off}
    names = [f"VIRTUAL-DIGIWARE-MIB::{name}" for name in expected]
    status, out, err = await run(require_program("snmptranslate"), "-On", *names)
    assert status == 0, err
    assert out.split() == ["." + ".".join(map(str, oid)) for oid in expected.values()]


async def test_the_example_of_the_manual_reads_as_a_name():
    _, out, _ = await run(require_program("snmptranslate"), "1.3.6.1.4.1.4555.10.20.20.1.10000.4.1")
    assert out == "VIRTUAL-DIGIWARE-MIB::instCurrentI1.4.1\n"


async def table(listening, name: str) -> list[list[str]]:
    program = require_program("snmptable")
    status, out, err = await run(
        program, "-v2c", "-c", "publicv2", "-Ci", "-Cf", ";", listening.address, name
    )
    assert status == 0, err
    return [line.split(";") for line in out.splitlines() if ";" in line]


async def test_products_make_a_readable_table(listening):
    rows = await table(listening, "productTable")
    assert rows[0][:3] == ["index", "productDeviceName", "productName"]
    assert [row[:3] + row[4:7] for row in rows[1:5]] == [
        ["1", "m70", "M-70", "1", "communicating", "0"],
        ["2", "u30", "U-30", "2", "communicating", "0"],
        ["3", "i35", "I-35", "3", "communicating", "1"],
        ["4", "i60", "I-60", "4", "communicating", "4"],
    ]


async def test_measurements_make_a_table_with_decimals_and_units(listening):
    rows = await table(listening, "instantaneousValuesTable")
    assert [row[0] for row in rows[1:]] == ["2.0", "3.1", "4.1", "4.2", "4.3", "4.4", "5.1", "6.1"]
    shown = dict(zip(rows[0], rows[3], strict=True))
    unit = listening.model.units["m70/i60"]
    placed = next(
        one for one in unit.product.blocks if one.block.name == "load_instantaneous" and one.slot == 0
    )
    values = dict(zip((row.point for row in placed.block.rows), unit.read(placed), strict=True))
    assert shown["instVoltageV1"] == f"{values['voltage_l1_n']:.2f} V"
    assert shown["instCurrentI1"] == f"{values['current_l1']:.3f} A"
    assert shown["instActivePower"] == f"{values['active_power_total']:.0f} W"


@pytest.mark.parametrize("name", ["loadTable", "digitalOutputTable", "meterTable"])
async def test_other_tables_have_rows_too(listening, name):
    assert len(await table(listening, name)) > 2
