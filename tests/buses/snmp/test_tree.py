"""The objects of an agent in their order."""

from __future__ import annotations

from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.buses.snmp.agents import CYCLE_MS, NOON_MS, bench
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.buses.snmp.alarms import AlarmList
from virtual_digiware.buses.snmp.ber import integer, oid_content
from virtual_digiware.buses.snmp.counters import Counters
from virtual_digiware.buses.snmp.objects import AgentObjects
from virtual_digiware.buses.snmp.settings import SnmpSettings
from virtual_digiware.buses.snmp.tree import Column, OidTree
from virtual_digiware.devices.collection import GatewayCollection
from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.devices.records import Record
from virtual_digiware.devices.snmp_binding import snmp_binding

INSTANTANEOUS = (1, 3, 6, 1, 4, 1, 4555, 10, 20, 20, 1)


class Source:
    """Three columns, of which one is empty."""

    def __init__(self) -> None:
        self.version = 1
        self.topology = 1
        self.reads = 0
        self.rows = [(1, 1), (1, 2), (300, 1)]

    def columns(self) -> list[Column]:
        def read() -> list[bytes]:
            self.reads += 1
            return [integer(10 * self.version + at) for at in range(len(self.rows))]

        return [
            Column((1, 3, 9, 2), self.rows, read),
            Column((1, 3, 9, 1), [(0,)], lambda: [integer(self.version)]),
            Column((1, 3, 9, 5), [], list),
            Column((1, 3, 9, 200), [(0,)], lambda: [integer(5)], is_volatile=True),
        ]


def oids(tree: OidTree) -> list[tuple[int, ...]]:
    found = []
    place = tree.after((0,))
    while place is not None:
        found.append(tree.oid(place))
        place = tree.next(place)
    return found


def test_a_walk_finds_every_instance_once_and_in_order():
    assert oids(OidTree(Source())) == [
        (1, 3, 9, 1, 0),
        (1, 3, 9, 2, 1, 1),
        (1, 3, 9, 2, 1, 2),
        (1, 3, 9, 2, 300, 1),
        (1, 3, 9, 200, 0),
    ]


def test_values_are_encoded_once_per_version():
    source = Source()
    tree = OidTree(source)
    place = tree.place_of((1, 3, 9, 2, 1, 2))
    assert tree.value(place) == integer(11)
    assert tree.cell(place) == tree.cell(place)
    assert source.reads == 1
    source.version = 2
    assert tree.refresh()
    assert not tree.refresh()
    assert tree.value(place) == integer(21)
    assert source.reads == 2


def test_rows_follow_the_topology():
    source = Source()
    tree = OidTree(source)
    assert tree.place(oid_content((1, 3, 9, 2, 2, 1))) is None
    source.rows = [(2, 1)]
    source.version = source.topology = 2
    tree.refresh()
    assert tree.place(oid_content((1, 3, 9, 2, 2, 1))) is not None
    assert tree.place(oid_content((1, 3, 9, 2, 1, 1))) is None


def test_a_run_goes_over_the_end_of_columns_and_tells_of_volatile_ones():
    tree = OidTree(Source())
    first = tree.place_of((1, 3, 9, 1, 0))
    cells, last, is_volatile = tree.run(first, 10)
    assert len(cells) == 4
    assert tree.oid(last) == (1, 3, 9, 200, 0)
    assert is_volatile
    assert tree.run(first, 2)[2] is False
    assert tree.run(last, 3) == ([], last, False)


DEMO = bench()
DEMO_OIDS = oids(DEMO.agent.tree)


@pytest.mark.parametrize("near", [-1, 0, 1])
@given(at=st.integers(0, len(DEMO_OIDS) - 1), last=st.integers(0, 0xFFFFFFFF), cut=st.integers(1, 14))
def test_what_follows_an_identifier_is_what_sorting_says(near, at, last, cut):
    oid = DEMO_OIDS[at]
    asked = (*oid[:cut], max(0, (oid[cut] if cut < len(oid) else last) + near))
    following = bisect_right(DEMO_OIDS, asked)
    place = DEMO.agent.tree.after(asked)
    found = None if place is None else DEMO.agent.tree.oid(place)
    assert found == (DEMO_OIDS[following] if following < len(DEMO_OIDS) else None)


def test_the_tree_of_the_demo_is_sorted_and_has_the_known_structure():
    assert sorted(set(DEMO_OIDS)) == DEMO_OIDS
    assert len(DEMO.agent.tree) == len(DEMO_OIDS) > 900
    # Manual 548751C p. 46: <table>.1.<service>.<Modbus address>.<load from 1>, I1 is service 10000.
    assert {oid[-2:] for oid in DEMO_OIDS if oid[: len(INSTANTANEOUS) + 1] == (*INSTANTANEOUS, 10000)} == {
        (2, 0), (3, 1), (4, 1), (4, 2), (4, 3), (4, 4), (5, 1), (6, 1),
    }  # fmt: skip


SERVICES = [
    (name, service)
    for name, table in snmp_binding().tables.items()
    for service in table.services
    if not service.is_dc  # the demo has no direct current: `test_direct_current.py`
]


@pytest.mark.parametrize(("table", "service"), SERVICES, ids=[service.name for _, service in SERVICES])
def test_every_service_shows_what_the_registers_show(table, service):
    column = snmp_binding().tables[table].column(service)
    tree, images, seen = DEMO.agent.tree, Images(DEMO.model), 0
    for unit in DEMO.collection.units:
        loads = range(1, len(unit.slots) + 1) if unit.slots else (0,) if unit.taps else ()
        for load in loads:
            place = tree.place_of((*column, unit.address, load))
            if place is None:
                assert table == "energy"
                assert not unit.slots
                continue
            tag, _, *content = tree.value(place)
            shown = int.from_bytes(bytes(content), "big", signed=True)
            assert (
                tag == {"Integer32": 2, "Gauge32": 0x42, "Counter32": 0x41, "Counter64": 0x46}[service.syntax]
            )
            source = service.load_table if load else service.unit_table
            assert shown == registers(images, unit, source, service, max(load - 1, 0))
            seen += 1
    assert seen >= 7


def registers(images, unit, table, service, slot):
    """The value as Modbus tells it, decoded here from the bytes of its registers; 0 where there is none."""
    found = register(images, unit, table, service.point, slot, service)
    if service.syntax == "Counter64":
        return 1000 * found + register(images, unit, table, f"{service.point}_residual", slot) // 10
    return found


def register(images, unit, table, point, slot, service=None):
    for placed in unit.product.blocks:
        for row in placed.block.rows if placed.block.table == table and placed.slot == slot else ():
            if row.point == point and not row.reserved:
                if service is not None and service.syntax != "Counter64":
                    assert (row.scale, row.unit) == (service.scale, service.unit)
                data = images.of(unit).read(placed.base + row.offset, row.words)
                return int.from_bytes(data, "big", signed=ENCODINGS[row.encoding].is_signed)
    return 0


def test_the_tree_follows_time_and_keeps_the_last_values_of_a_lost_module():
    own = bench()
    tree = own.agent.tree
    current = tree.place_of((*INSTANTANEOUS, 10000, 4, 1))
    state = tree.place_of((*snmp_binding().objects["product"].column("productCommunicationState"), 4))
    before = tree.value(current)
    own.model.publish(own.model.compute(NOON_MS + 120_000))
    tree.refresh()
    moved = tree.value(current)
    assert moved != before
    assert tree.value(state) == integer(1)
    own.model.apply(Record(NOON_MS + 120_000, "presence", "m70/i60", {"present": False}))
    own.model.publish(own.model.compute(NOON_MS + 180_000))
    own.collection.collect()
    own.model.publish(own.model.compute(NOON_MS + 180_000 + 2 * CYCLE_MS))
    tree.refresh()
    assert tree.value(current) == moved
    assert tree.value(state) == integer(2)


def test_a_c31_without_address_has_no_row_but_its_modules_have():
    own = bench()
    collection = GatewayCollection(own.model, "c31", CYCLE_MS)
    assert collection.units[0].address is None
    engine = own.agent.engine
    objects = AgentObjects(
        collection, snmp_binding(), AlarmList(), SnmpSettings(), engine, Counters(), NOON_MS
    )
    rows = {oid[-1] for oid in oids(OidTree(objects)) if oid[:10] == (*INSTANTANEOUS[:8], 10, 1)}
    assert rows == {12, 13}
