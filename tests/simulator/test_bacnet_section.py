"""The BACnet/IP section of a site file, and the device that a running site makes of it."""

from __future__ import annotations

import asyncio
import socket
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.buses.bacnet.cabinet import OBJECT_NAME, apdu_of, read_property, to_gateway, to_module, value_of
from tests.simulator.test_running import opened, running
from virtual_digiware.devices.records import Record
from virtual_digiware.simulator.listening import wanted_ports
from virtual_digiware.simulator.run_report import print_report
from virtual_digiware.simulator.site_file import load_site, parse_site
from virtual_digiware.simulator.yaml_text import FileFaults

FILE = Path("plant.yaml")
SITE = """\
site: plant
sources: {mains: {voltage_v: 400}}
boards:
  main:
    source: mains
    circuits:
      light: {loads: [{class: office-lighting, power_kw: 6}]}
gateways:
"""
GATEWAY = """\
  - name: NAME
    product: M-70
    modbus_tcp: {enabled: false}
    rtu_over_tcp: {enabled: false}
    bacnet: SECTION
    bus: [{name: u, product: U-30}]
"""


def site_with(*sections: str, head: str = "") -> str:
    gateways = (
        GATEWAY.replace("NAME", f"gate{number}").replace("SECTION", section)
        for number, section in enumerate(sections, 1)
    )
    return head + SITE + "".join(gateways)


def with_bacnet(text: str) -> str:
    return text.replace("product: M-70", "product: M-70\n    bacnet: {network: 2042, main_instance: 7000}")


def faults_of(text: str) -> str:
    with pytest.raises(FileFaults) as caught:
        parse_site(text, FILE)
    return str(caught.value)


def test_bacnet_is_off_unless_the_file_has_it():
    site = parse_site(site_with("{enabled: false}"), FILE).site
    assert list(wanted_ports(site)) == []
    assert load_site("single").site.gateways[0].bacnet is None


def test_gateways_that_want_the_same_port_have_an_address_each():
    other = "{network: 2002, main_instance: 1100}"
    third = "{network: 2003, main_instance: 2100, port: 47810, alternative: 47811}"
    wanted = list(wanted_ports(parse_site(site_with("{}", other, third), FILE).site))
    assert [(one.host, one.port, one.alternative) for one in wanted] == [
        ("127.0.0.1", 47808, 47809),
        ("127.0.0.2", 47808, 47809),
        ("127.0.0.1", 47810, 47811),
    ]


@pytest.mark.parametrize(
    ("sections", "key", "right"),
    [
        (("{}", "{main_instance: 1100}"), "network", "a number of its own; gate1 has 2001"),
        (("{}", "{network: 2002}"), "main_instance", "at least 248 from that of gate1"),
        (("{}", "{network: 2002, main_instance: 347}"), "main_instance", "at least 248"),
        (("{network: 65535}",), "network", "65534"),
        (("{main_instance: 4194303}",), "main_instance", "4194055"),
        (("{host: 192.0.2.1}",), "host", "a loopback address"),
        (("{prot: 47808}",), "prot", "port"),
        (("{cov_increment: -1}",), "cov_increment", "0"),
    ],
)
def test_a_section_that_cannot_be_right_is_refused(sections, key, right):
    told = faults_of(site_with(*sections))
    assert key in told
    assert right in told


def test_a_head_without_ethernet_has_no_bacnet():
    text = site_with("{}").replace("M-70", "C-31").replace("    rtu_over_tcp: {enabled: false}\n", "")
    assert "no `bacnet`" in faults_of(text.replace("    modbus_tcp: {enabled: false}\n", ""))


async def test_a_running_site_answers_on_bacnet_and_its_ready_file_says_where():
    async with running(opened(change=with_bacnet)) as run:
        place = run.content["gateways"][0]["bacnet"]
        assert place == {"host": "127.0.0.1", "port": place["port"], "instance": 7000, "network": 2042}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            loop = asyncio.get_running_loop()

            async def ask(datagram: bytes) -> bytes:
                await loop.sock_sendto(client, datagram, (place["host"], place["port"]))
                return apdu_of(await asyncio.wait_for(loop.sock_recv(client, 2048), 10))

            name = value_of(await ask(to_gateway(read_property(8, 7000, OBJECT_NAME))))
            assert name[3:].decode() == run.content["gateways"][0]["name"]
            address = run.content["gateways"][0]["units"][0]["address"]
            request = bytearray(to_module(address, read_property(8, 7000 + address, OBJECT_NAME)))
            request[6:8] = (2042).to_bytes(2, "big")
            assert value_of(await ask(bytes(request)))[3:].startswith(name[3:])
        assert [port.wanted.service for port in run.site.endpoints.ports][-1] == "bacnet"


async def test_the_report_names_the_port():
    async with running(opened(change=with_bacnet)) as run:
        console = Console(file=StringIO(), width=200)
        print_report(console, run.site.building, run.content, run.site.endpoints)
        printed = console.file.getvalue()  # type: ignore[attr-defined]
        assert f"BACnet/IP 127.0.0.1:{run.content['gateways'][0]['bacnet']['port']}" in printed


async def test_what_a_module_showed_last_does_not_depend_on_who_read_it_when():
    async with running(opened(change=with_bacnet)) as run:
        site = run.site
        (collection,) = site.endpoints._collections.values()
        unit = collection.units[1]
        await site.advance_to(site.now_ms() + 3_600_000)
        last_ms = site.now_ms()
        site.building.model.apply(Record(last_ms, "presence", unit.path, {"present": False}))
        for later_ms in (3_600_000, 3_601_000):
            await site.advance_to(last_ms + later_ms)
        table, point = next(
            (placed.block.table, row.point)
            for placed in unit.product.blocks
            for row in placed.block.rows
            if placed.block.table.endswith(".instantaneous") and row.point == "frequency"
        )
        assert collection.reading(unit, table, point, 0)[1:] == ("lost", last_ms)
