"""A site in the hands of a program: it says what independent clients read, and nothing is left of it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient

from tests.external import require_program
from virtual_digiware.simulator.faults.parameters import FaultRefused
from virtual_digiware.simulator.site_file import FileFaults
from virtual_digiware.simulator.time_control import TimeRefused
from virtual_digiware.testing import AsyncSite, NotATime, Site, SiteStopped, UnknownName

ACTIVE_POWER = 18476  # of load 1, S32, W
ACTIVE_ENERGY = 19841  # import of load 1, U32, kWh


@pytest.fixture
def demo():
    with Site("demo") as site:
        yield site


def read(site: Site | AsyncSite, unit: str, address: int, device: str = "m70") -> int:
    """A signed double word, read by pymodbus."""
    host, port = site.modbus(device)
    client = ModbusTcpClient(host, port=port, timeout=5)
    assert client.connect()
    try:
        answer = client.read_holding_registers(address, count=2, device_id=site.unit_id(unit))
        assert not answer.isError(), answer
        return int(client.convert_from_registers(answer.registers, client.DATATYPE.INT32))
    finally:
        client.close()


def leftovers() -> tuple[set[str], int]:
    """Names of threads, and how many files and sockets are open."""
    return {thread.name for thread in threading.enumerate()}, len(list(Path("/proc/self/fd").iterdir()))


def test_a_site_shows_on_the_wire_what_it_says_to_the_program(demo):
    assert demo.now == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert read(demo, "i35", ACTIVE_POWER) == round(demo.truth("incomer", "active_power_total"))
    assert demo.truth("m70/i35", "active_power_total") == demo.truth("incomer", "active_power_total")


def test_energy_is_counted_while_time_is_advanced(demo):
    assert read(demo, "i35", ACTIVE_ENERGY) == 0
    assert demo.advance("2 h") == datetime(2026, 3, 2, 12, tzinfo=UTC)
    energy_kwh = demo.truth("incomer", "active_energy_import")
    assert energy_kwh > 50
    assert read(demo, "i35", ACTIVE_ENERGY) == int(energy_kwh)
    assert demo.advance(to="2026-03-02T18:00:00+01:00") == datetime(2026, 3, 2, 17, tzinfo=UTC) == demo.now


def test_a_fault_holds_until_its_block_ends(demo):
    right_w = read(demo, "i35", ACTIVE_POWER)
    with demo.inject("ct_reversed", "m70/i35", sensors=[1]) as injected:
        assert [fault.target for fault in injected.faults] == ["m70/i35"]
        assert demo.faults == injected.faults
        assert read(demo, "i35", ACTIVE_POWER) < right_w / 2
    assert demo.faults == ()
    assert read(demo, "i35", ACTIVE_POWER) == right_w
    assert [record.kind for record in demo.journal] == ["commissioned", "clock", "fault", "clear"]


def test_a_fault_with_a_duration_is_over_when_that_has_passed(demo):
    injected = demo.inject("ct_reversed", "m70/i35", duration="10 min")
    demo.advance("5 min")
    assert demo.truth("incomer", "active_power_total") < 0
    demo.advance("5 min")
    assert demo.truth("incomer", "active_power_total") > 0
    injected.clear()  # changes nothing any more


def test_a_restarted_site_goes_on_where_it_was_on_the_same_ports(demo):
    demo.advance("3 h")
    ready, energy_kwh = demo.ready, demo.truth("incomer", "active_energy_import")
    demo.restart()
    assert demo.ready == ready
    assert demo.truth("incomer", "active_energy_import") == energy_kwh > 0
    assert demo.now == datetime(2026, 3, 2, 13, tzinfo=UTC)
    assert read(demo, "i35", ACTIVE_ENERGY) == int(energy_kwh)


def test_a_line_is_reached_by_a_serial_client(demo):
    mbpoll = require_program("mbpoll")
    line = demo.line("line1")
    mode = ["-m", "rtu", "-b", str(line.baudrate), "-P", line.parity]
    what = ["-a", str(demo.unit_id("c31/i30")), "-0", "-1", "-B", "-t", "4:int", "-r", str(ACTIVE_POWER)]
    printed = subprocess.run(
        [mbpoll, *mode, *what, str(line.path)], capture_output=True, text=True, timeout=20, check=True
    ).stdout
    power_w = int(re.findall(r"\[18476\]:\s+(-?\d+)", printed)[0])
    assert power_w == round(demo.truth("annex_lighting", "active_power_total"))


def test_two_sites_run_side_by_side():
    with Site("demo") as one, Site("demo", seed=2) as other:
        assert one.modbus("m70") != other.modbus("M-70")
        assert one.line("line1").path != other.line("line1").path
        assert one.truth("incomer", "active_power_total") != other.truth("incomer", "active_power_total")


def test_every_service_of_the_demo_has_a_port(demo):
    ports = [demo.modbus(), demo.rtu_over_tcp("m70"), demo.snmp("m70"), demo.bacnet("m70")[:2]]
    assert len({tuple(port) for port in ports}) == 4
    assert demo.bacnet().network > 0
    assert demo.ready["site"] == "demo"


def test_a_clock_can_run_by_itself():
    with Site("demo", clock="real", rate=3600) as site:
        begin = site.now
        while site.truth("incomer", "active_energy_import") == 0:
            pass
        assert site.now > begin
        site.pass_at(0)
        assert site.now == site.now


@pytest.mark.parametrize(
    ("ask", "complaint"),
    [
        (lambda site: site.modbus("m7O"), r"no device `m7O`; known are m70, c31. Did you mean m70?"),
        (lambda site: site.modbus("c31"), r"c31 has no modbus_tcp; it is offered by m70"),
        (lambda site: site.line("line2"), r"no line `line2`; known are line1. Did you mean line1?"),
        (lambda site: site.unit_id("i99"), "0 units named i99 have an address; known are m70, m70/u30"),
        (
            lambda site: site.truth("incomr", "frequency"),
            r"no metered circuit `incomr`. Did you mean incomer?",
        ),
        (lambda site: site.truth("incomer", "active_power"), r"shows no point `active_power`. Did you mean"),
        (
            lambda site: site.truth("m70/i60", "current_l1"),
            "of lighting, sockets_1, sockets_2, sockets_3; name",
        ),
        (
            lambda site: site.truth("incomer", "frequency", table="network.average"),
            "has `frequency` in circuit.instantaneous, circuit.average",
        ),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_those_that_are(demo, ask, complaint):
    with pytest.raises(UnknownName, match=complaint):
        ask(demo)


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda site: site.advance(), NotATime),
        (lambda site: site.advance("1 h", to="2026-03-02T12:00:00Z"), NotATime),
        (lambda site: site.advance(to="2026-03-02T09:00:00Z"), TimeRefused),
        (lambda site: site.inject("ct_revrsed", "m70/i35"), FaultRefused),
        (lambda site: site.start(), RuntimeError),
    ],
)
def test_a_mistake_is_told_to_whoever_made_it_and_the_site_goes_on(demo, ask, error):
    with pytest.raises(error):
        ask(demo)
    assert read(demo, "i35", ACTIVE_POWER) > 0


def test_a_service_that_no_device_has_is_named():
    with Site("single") as site, pytest.raises(UnknownName, match="no device of this site has modbus_tcp"):
        site.modbus()


def test_which_of_several_gateways_is_meant_must_be_said():
    two = "\n".join(
        f"  - name: g{n}\n    product: M-70\n    modbus_tcp: {{host: 127.0.0.{n}}}\n"
        f"    rtu_over_tcp: {{host: 127.0.0.{n}}}\n    bus: [{{name: u{n}, product: U-10, address: {n + 2}}}]"
        for n in (1, 2)
    )
    text = f"""\
site: two
sources: {{grid: {{voltage_v: 400, transformer_kva: 100}}}}
boards: {{main: {{source: grid, circuits: {{oven: {{loads: [{{class: resistive, power_kw: 6}}]}}}}}}}}
gateways:
{two}
"""
    with Site(text) as site:
        assert site.modbus("g1") != site.modbus("g2")
        for device in (None, "M-70"):
            with pytest.raises(UnknownName, match="2 devices have modbus_tcp; name one of g1, g2"):
                site.modbus(device)


def test_a_site_file_with_mistakes_is_refused_before_anything_runs():
    with pytest.raises(FileFaults, match="such file"):
        Site("no-such-site")


def test_nothing_is_left_of_a_site_and_nobody_can_use_it_any_more():
    with Site("demo"):
        pass  # what is loaded once stays
    before = leftovers()
    site = Site("demo")
    with site:
        folder = site.journal_file.parent
        assert folder.is_dir()
        link = site.line("line1").path
    assert leftovers() == before
    assert not folder.exists()
    assert not os.path.lexists(link)
    site.stop()
    for ask in (lambda: site.now, lambda: site.truth("incomer", "frequency"), lambda: site.ready):
        with pytest.raises(SiteStopped, match="not running"):
            ask()


def test_a_site_that_fails_says_why_and_leaves_nothing(monkeypatch):
    with Site("demo"):
        pass
    before = leftovers()
    site = Site("demo", clock="real").start()

    def broken(t_ms: int) -> None:
        raise RuntimeError("a mistake of ours")

    site._do(lambda running: monkeypatch.setattr(running.building.model, "compute", broken)).result()
    site._running.ended.result(timeout=20)
    with pytest.raises(SiteStopped, match="not running"):
        site.truth("incomer", "frequency")
    with pytest.raises(SiteStopped, match="had failed") as caught:
        site.stop()
    assert "a mistake of ours" in repr(caught.value.__cause__)
    assert leftovers() == before


def test_a_site_that_cannot_start_says_why_and_leaves_nothing(tmp_path):
    (tmp_path / "journal").mkdir()
    before = leftovers()
    with pytest.raises(Exception, match="journal"), Site("demo", folder=tmp_path):
        pass
    assert leftovers() == before


def test_a_changed_site_file_is_read_again(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("extends: demo\nsite: mine\nseed: 3\n")
    assert Site(file).description.seed == 3
    file.write_text("extends: demo\nsite: mine\nseed: 42\n")
    assert Site(file).description.seed == 42
    assert Site("extends: demo\nsite: text\n").description.site == "text"


async def test_a_site_has_an_async_face():
    async with AsyncSite("demo") as site:
        right_w = await site.truth("incomer", "active_power_total")
        # A client that blocks the program's loop is answered all the same.
        assert read(site, "i35", ACTIVE_POWER) == round(right_w)
        async with await site.inject("ct_reversed", "m70/i35", sensors=[1]):
            assert len(await site.faults()) == 1
            assert await site.truth("incomer", "active_power_total") < right_w / 2
        assert await site.faults() == ()
        await site.advance("1 h")
        await site.restart()
        assert site.now == datetime(2026, 3, 2, 11, tzinfo=UTC)
        assert await site.truth("incomer", "active_energy_import") > 10
        await site.pass_at(0)
        assert [record.kind for record in await site.journal()][:2] == ["commissioned", "clock"]
    with pytest.raises(SiteStopped):
        await site.advance("1 h")


async def test_whoever_gives_up_waiting_does_not_disturb_the_site():
    async with AsyncSite("demo") as site:
        waiting = asyncio.create_task(site.advance("2 h"))
        await site.truth("incomer", "frequency")  # begun after it: the site has heard of both
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await site.advance(to="2026-03-02T13:00:00Z") == datetime(2026, 3, 2, 13, tzinfo=UTC)


async def test_a_start_that_is_given_up_leaves_nothing():
    async with AsyncSite("demo"):
        pass
    before = leftovers()
    site = AsyncSite("demo")
    starting = asyncio.create_task(site.start())
    await asyncio.sleep(0)  # it has begun, and waits
    assert site._thread is not None
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert leftovers() == before


def test_a_dead_module_shows_nothing(demo):
    with demo.inject("module_dead", "m70/i35"):
        assert demo.truth("incomer", "active_power_total") is None
        assert demo.truth("chiller", "active_power_total") > 0
    assert demo.truth("incomer", "active_power_total") > 0


def test_a_program_that_forgets_to_stop_ends_all_the_same(tmp_path: Path):
    program = "from virtual_digiware.testing import Site; print(Site('demo').start().journal_file)"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert ended.stderr == ""
    assert not Path(ended.stdout.strip()).parent.exists()
