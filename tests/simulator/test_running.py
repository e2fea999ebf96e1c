"""A site in operation, inside this process: started, asked, written to, moved in time, stopped."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_ports
from virtual_digiware.simulator.endpoints import LineUnavailable
from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.journal import JournalRefused
from virtual_digiware.simulator.link_claims import claim_link
from virtual_digiware.simulator.listening import PortUnavailable
from virtual_digiware.simulator.opening import Opened, StartRefused, TimeOptions, open_site
from virtual_digiware.simulator.ready_file import ReadyFileRefused
from virtual_digiware.simulator.running import Options, RunningSite
from virtual_digiware.simulator.site_file import parse_site

AT = parse_instant("2026-03-02T10:00:00Z")
MANUAL = TimeOptions("manual", at_ms=AT)
SITE = """\
site: shop
refresh_ms: 50
sources: {mains: {}}
boards:
  main:
    source: mains
    circuits:
      incomer: {incomer: true}
      heater: {loads: [{class: resistive, power_kw: 6}]}
      light: {phases: [L2], loads: [{class: office-lighting, power_kw: 2}]}
gateways:
  - name: gate
    product: M-70
    bus:
      - {name: u, product: U-30}
      - {name: i, product: I-60, circuits: [{circuit: heater}, {circuit: light}]}
      - {name: m, product: I-35, circuits: [{circuit: incomer}]}
"""
HEATER_POWER = 18476  # active power of load 1, S32, W
HEATER_ENERGY = 19841  # active energy import of load 1, U32, kWh, its residual behind it
UNLOCK, COMMAND, ADDRESS = 58112, 57856, 57344
CLEAR_HOURS = 528


@dataclass
class Run:
    """A running site and one Modbus TCP connection to it."""

    site: RunningSite
    content: dict[str, Any]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, unit: int, pdu: bytes) -> bytes:
        self.writer.write(struct.pack(">HHHB", 7, 0, len(pdu) + 1, unit) + pdu)
        _, _, length = struct.unpack(">HHH", await self.reader.readexactly(6))
        return (await self.reader.readexactly(length))[1:]

    async def read(self, unit: int, address: int, words: int) -> bytes:
        reply = await self.ask(unit, struct.pack(">BHH", 3, address, words))
        assert reply[0] == 3, reply
        return reply[2:]

    async def signed(self, unit: int, address: int) -> int:
        return int.from_bytes(await self.read(unit, address, 2), "big", signed=True)

    async def set(self, unit: int, address: int, value: int) -> int:
        """The exception code of the answer, 0 when the write was taken."""
        reply = await self.ask(unit, struct.pack(">BHH", 6, address, value))
        return reply[1] if reply[0] & 0x80 else 0


@asynccontextmanager
async def running(opened: Opened, **options: Any) -> AsyncIterator[Run]:
    loop = asyncio.get_running_loop()
    announced: asyncio.Future[dict[str, Any]] = loop.create_future()

    def announce(content: dict[str, Any], _: object) -> None:
        loop.call_soon_threadsafe(announced.set_result, content)

    site = RunningSite(
        opened.building, opened.clock, opened.journal, Options(**{"port_base": 0, **options}), announce
    )
    task = asyncio.create_task(site.run(), name="site")
    await asyncio.wait({task, announced}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    content = await announced
    reader, writer = await asyncio.open_connection(*content["gateways"][0]["modbus_tcp"].values())
    try:
        yield Run(site, content, reader, writer)
    finally:
        writer.close()
        site.stop()
        await task
        opened.journal.close()


def opened(
    time: TimeOptions = MANUAL, journal: Path | None = None, change: Callable[[str], str] = str
) -> Opened:
    return open_site(parse_site(change(SITE), Path("shop.yaml")), time, journal)


async def test_a_site_serves_what_its_ready_file_says(tmp_path):
    ready = tmp_path / "deep" / "ready.json"
    async with running(opened(), ready_file=ready) as run:
        content = json.loads(ready.read_text())
        assert content == run.content
        gateway = content["gateways"][0]
        assert list(gateway) == ["name", "product", "address", "modbus_tcp", "rtu_over_tcp", "units"]
        assert gateway["units"][1] == {
            "address": 3,
            "product": "I-60",
            "name": "i",
            "circuits": ["heater", "light"],
        }
        # 6 kW of resistance at some 1 % above nominal voltage.
        assert 5800 < await run.signed(3, HEATER_POWER) < 6500
    assert not ready.exists()


async def test_nothing_is_left_when_a_site_has_stopped():
    async with running(opened()) as run:
        host, port = run.content["gateways"][0]["modbus_tcp"].values()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_manual_clock_stands_and_can_be_advanced():
    async with running(opened()) as run:
        first = await run.read(4, 18432, 60)
        assert await run.read(4, 18432, 60) == first
        assert await run.signed(3, HEATER_ENERGY) == 0
        await run.site.advance_to(AT + 3_600_000)
        assert await run.read(4, 18432, 60) != first
        assert 5 <= await run.signed(3, HEATER_ENERGY) <= 6


async def test_a_running_clock_brings_new_values():
    async with running(opened(TimeOptions("real", at_ms=AT))) as run:
        first = await run.read(4, 18432, 60)
        while await run.read(4, 18432, 60) == first:
            pass  # each read waits for its answer; the test's time limit ends this


async def test_a_fast_clock_counts_energy_fast():
    async with running(opened(TimeOptions("real", rate=3600.0, at_ms=AT))) as run:
        while await run.signed(3, HEATER_ENERGY) < 1:
            pass


async def test_a_write_is_kept_and_found_again_by_the_next_run(tmp_path):
    journal = tmp_path / "shop.journal"
    async with running(opened(journal=journal)) as run:
        for address, value in ((UNLOCK, 1000), (ADDRESS, 33), (COMMAND, 161)):
            assert await run.set(3, address, value) == 0
        assert await run.signed(33, HEATER_POWER) > 0
        kept = [json.loads(line) for line in journal.read_text().splitlines()]
        assert [entry["kind"] for entry in kept[1:]] == ["commissioned", "clock", "write", "write", "write"]
    async with running(opened(journal=journal)) as run:
        assert await run.signed(33, HEATER_POWER) > 0
        assert (await run.ask(3, struct.pack(">BHH", 3, HEATER_POWER, 2)))[0] == 0x83


async def test_a_stored_word_is_read_back_without_a_refresh_of_the_site(monkeypatch):
    async with running(opened()) as run:
        computed: list[int] = []
        compute = run.site.building.model.compute
        monkeypatch.setattr(
            run.site.building.model, "compute", lambda t_ms: computed.append(t_ms) or compute(t_ms)
        )
        assert await run.set(3, UNLOCK, 1000) == 0
        assert await run.read(3, UNLOCK, 1) == (1000).to_bytes(2, "big")
        assert computed == []
        assert await run.set(3, COMMAND, 161) == 0
        assert computed == [AT]


async def test_a_refused_write_is_not_kept(tmp_path):
    journal = tmp_path / "shop.journal"
    async with running(opened(journal=journal)) as run:
        before = journal.read_bytes()
        assert await run.set(3, HEATER_POWER, 1) == 2
        assert journal.read_bytes() == before


async def test_a_write_that_cannot_be_kept_is_not_taken(tmp_path, monkeypatch):
    journal = tmp_path / "shop.journal"
    async with running(opened(journal=journal)) as run:

        def no_space(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", no_space)
        assert await run.set(3, UNLOCK, 1000) == 4
        monkeypatch.undo()
        assert await run.set(3, UNLOCK, 1000) == 0


def test_a_start_that_cannot_be_kept_is_refused(tmp_path, monkeypatch):
    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    opened(journal=tmp_path / "shop.journal").journal.close()
    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(JournalRefused, match=r"shop.journal: cannot be written: No space"):
        opened(journal=tmp_path / "shop.journal")


async def test_a_stopped_site_remembers_the_time_that_its_clients_have_seen(tmp_path):
    journal = tmp_path / "shop.journal"
    async with running(opened(journal=journal)) as run:
        await run.site.advance_to(AT + 3_600_000)
        seen = await run.read(3, 18432, 60)
    async with running(opened(journal=journal)) as run:
        assert run.site.now_ms() == AT + 3_600_000
        assert await run.read(3, 18432, 60) == seen


async def test_energies_of_the_past_are_computed_before_anybody_connects():
    def earlier(text: str) -> str:
        return text.replace("refresh_ms: 50", "commissioned: 2026-03-02T00:00:00Z")

    async with running(opened(change=earlier)) as run:
        assert 55 <= await run.signed(3, HEATER_ENERGY) <= 65


async def test_a_site_can_be_stopped_while_it_computes_its_past():
    def long_ago(text: str) -> str:
        return text.replace("refresh_ms: 50", "commissioned: 2020-01-01T00:00:00Z")

    begun = opened(change=long_ago)
    told = asyncio.Event()
    site = RunningSite(
        begun.building, begun.clock, begun.journal, Options(0), progress=lambda *now: told.set()
    )
    task = asyncio.create_task(site.run())
    await told.wait()
    site.stop()
    await asyncio.wait_for(task, 1)
    assert begun.clock.now_ms() == AT


async def test_a_failure_of_the_refresh_ends_the_run(monkeypatch):
    begun = opened(TimeOptions("real", at_ms=AT))

    def broken(t_ms: int) -> None:
        raise RuntimeError("a mistake of ours")

    async def serve_until_it_breaks() -> None:
        async with running(begun) as run:
            monkeypatch.setattr(begun.building.model, "compute", broken)
            await run.reader.read()

    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(serve_until_it_breaks(), 20)
    assert "a mistake of ours" in str(caught.value.exceptions[0])


async def test_an_alternative_port_is_used_where_the_standard_one_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken, other = holder.getsockname()[1], free_ports()

        def ports(text: str) -> str:
            settings = (
                f"modbus_tcp: {{port: {taken}, alternative: {other}}}\n    rtu_over_tcp: {{enabled: false}}"
            )
            return text.replace("product: M-70", f"product: M-70\n    {settings}")

        async with running(opened(change=ports), port_base=None) as run:
            assert [port.port for port in run.site.endpoints.ports] == [other]
            assert run.site.endpoints.ports[0].reason == f"{taken} in use"
            with pytest.raises(
                PortUnavailable, match=rf"tried 127.0.0.1:{taken} \(in use\) and 127.0.0.1:{other} \(in use\)"
            ):
                async with running(opened(change=ports), port_base=None):
                    pass


async def test_a_port_base_numbers_the_ports_in_the_order_of_the_file():
    base = free_ports(2)
    async with running(opened(), port_base=base) as run:
        assert [port.port for port in run.site.endpoints.ports] == [base, base + 1]
        assert [port.wanted.service for port in run.site.endpoints.ports] == ["modbus_tcp", "rtu_over_tcp"]


def with_line(link: Path) -> Callable[[str], str]:
    return lambda text: (
        text.replace("product: M-70", "product: M-70\n    rs485: {line: one}")
        + f"lines: {{one: {{pty: {link}}}}}\n"
    )


async def test_a_port_base_that_leads_beyond_the_last_port_is_refused():
    with pytest.raises(PortUnavailable, match=r"rtu_over_tcp: tried 127.0.0.1:65536 \(beyond 65535\)"):
        async with running(opened(), port_base=65535):
            pass


async def test_the_ready_file_follows_no_link_and_leaves_nothing_behind(tmp_path):
    victim, ready = tmp_path / "victim", tmp_path / "ready.json"
    victim.write_text("precious")
    ready.symlink_to(victim)
    async with running(opened(), ready_file=ready):
        assert json.loads(ready.read_text())["site"] == "shop"
        assert not ready.is_symlink()
    assert victim.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["victim"]


async def test_a_place_that_takes_no_ready_file_is_named(tmp_path):
    with pytest.raises(ReadyFileRefused, match=f"the ready file {tmp_path} cannot be written: "):
        async with running(opened(), ready_file=tmp_path):
            pass


async def test_two_runs_of_a_site_have_lines_of_their_own(tmp_path):
    link = tmp_path / "lines" / "one"
    async with running(opened(change=with_line(link))) as first:
        assert first.content["lines"] == [
            {"name": "one", "pty": str(link), "baudrate": 38400, "parity": "none", "stop_bits": 1}
        ]
        async with running(opened(change=with_line(link))) as second:
            assert second.content["lines"][0]["pty"] == f"{link}-2"
            assert second.site.endpoints.lines[0].reason == f"{link} is held by another run"
        assert link.is_symlink()
    assert not link.is_symlink()


async def test_a_link_is_never_put_over_somebody_elses_file(tmp_path):
    link = tmp_path / "one"
    link.write_text("precious")
    with pytest.raises(LineUnavailable, match="it is left alone"):
        async with running(opened(change=with_line(link))):
            pass
    assert link.read_text() == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to another user")
@pytest.mark.parametrize("kind", ["folder", "link", "link to a folder"])
async def test_what_another_user_has_put_into_a_shared_folder_is_not_trusted(tmp_path, kind):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    link = shared / "vdigiware" if kind == "link" else shared / "vdigiware" / "one"
    planted = shared / "vdigiware"
    if kind == "folder":
        planted.mkdir()
    else:
        planted.symlink_to("/dev/pts/ptmx" if kind == "link" else tmp_path)
    os.chown(planted, 12345, 12345, follow_symlinks=False)
    async with running(opened(change=with_line(link))) as run:
        (line,) = run.site.endpoints.lines
        assert line.reason == f"{planted} belongs to another user"
        assert line.where.startswith("/dev/pts/")
        assert run.content["lines"][0]["pty"] == line.where
    assert planted.lstat().st_uid == 12345
    assert not (tmp_path / "one").is_symlink()


async def test_the_name_of_a_line_in_a_folder_that_is_none_is_refused(tmp_path):
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    with pytest.raises(LineUnavailable, match="nowhere is not a folder"):
        async with running(opened(change=with_line(tmp_path / "nowhere" / "one"))):
            pass


def test_a_released_link_can_be_claimed_again(tmp_path):
    first = claim_link(tmp_path / "one")
    second = claim_link(tmp_path / "one")
    assert (first.link.name, second.link.name) == ("one", "one-2")
    first.release()
    third = claim_link(tmp_path / "one")
    assert third.link.name == "one"
    second.release()
    third.release()


def test_a_site_cannot_start_before_it_is_commissioned():
    def later(text: str) -> str:
        return text.replace("refresh_ms: 50", "commissioned: 2027-01-01T00:00:00Z")

    with pytest.raises(StartRefused, match=r"commissioned at 2027-01-01T00:00:00Z .* start later with --at"):
        opened(change=later)


async def test_a_restart_within_a_slot_shows_what_a_write_has_shown(tmp_path: Path) -> None:
    def slowly(site: str) -> str:
        return site.replace("refresh_ms: 50", "refresh_ms: 60000\ncommissioned: 2026-03-02T09:00:00Z")

    in_a_slot = TimeOptions("real", at_ms=AT + 30_000)
    journal = tmp_path / "journal"
    async with running(opened(in_a_slot, journal, slowly)) as run:
        assert await run.set(3, UNLOCK, 1000) == 0
        assert await run.set(3, CLEAR_HOURS, 0) == 0
        seen = await run.read(3, HEATER_ENERGY, 3)
    async with running(opened(TimeOptions("real"), journal, slowly)) as run:
        assert await run.read(3, HEATER_ENERGY, 3) >= seen
