"""Inputs, combinations, faults, acknowledgement, logs, settings; and that nothing depends on who looks."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.alarms.alarmed import (
    ACKNOWLEDGE,
    LOCK,
    SAVE,
    SYSTEM,
    UNLOCK,
    dip,
    log,
    metered,
    offices,
    opening,
    present,
    spans,
)
from tests.devices.sites import (
    MINUTE,
    SECOND,
    START,
    all_values,
    at,
    office,
    office_layout,
    placed,
    read,
    write,
)
from virtual_digiware.devices.alarms.compiled import Looked
from virtual_digiware.devices.alarms.description import (
    CombinationAlarm,
    InputAlarm,
    ThresholdAlarm,
    VoltageEventAlarm,
)
from virtual_digiware.devices.alarms.surroundings import EventEdges
from virtual_digiware.devices.alarms.variables import services
from virtual_digiware.devices.catalogue import products
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.records import Record, Refusal
from virtual_digiware.devices.snmp_binding import snmp_binding
from virtual_digiware.profiles.truth import Truth

HIGH = ThresholdAlarm(name="high", quantity="current", circuit="c0", high=10.0)
LOG, SENSORS = 39632, 13568


def test_alarms_watch_services_by_the_numbers_that_snmp_has_for_them() -> None:
    known = {
        service.number: service.point
        for table in snmp_binding().tables.values()
        for service in table.services
    }
    for number, (variable, phase, _) in services().items():
        if number in known:
            assert known[number] == variable.points[phase]


def test_a_digital_input_alarm_follows_its_contact_with_delays() -> None:
    layout = office_layout()
    main, floor = layout.gateways
    alarm = InputAlarm(input=3, start_delay_s=1.5, end_delay_s=0.5, criticality="critical")
    io = replace(main.modules[3], inputs=("off", "on", "square 60 0.25"), alarms=(InputAlarm(input=2), alarm))
    modules = (*main.modules[:3], io, *main.modules[4:])
    layout = replace(layout, gateways=(replace(main, modules=modules), floor))
    model = SiteModel(Truth(office(), seed=7), layout, products(), 7, START)
    unit = model.units["M1/io"]
    at(model, START + 10 * SECOND)
    assert read(unit, "input_alarm_status", "alarm_state", slot=1) == 1
    assert read(unit, "input_alarm_status", "criticality", slot=1) == 2
    assert read(unit, "input_alarm_status", "startup_delay", slot=1) == 3
    at(model, START + 90 * SECOND)
    # Closed for 15 s of each minute, which begins with START.
    assert spans(model, "M1/io") == [(0.0, None), (1.5, 15.5), (61.5, 75.5)]
    assert [event.slot for event in log(model, "M1/io")] == [1, 2, 2]
    assert read(unit, "input_alarm_status", "alarm_cause") == 7
    assert read(unit, "input_alarm_status", "alarm_input") == 1


def test_an_analogue_input_alarm_compares_what_the_input_shows() -> None:
    # A sine from 0 to 100 in a minute: above 90 from 13 s on, back at 50 or less 30 s after its start.
    alarm = ThresholdAlarm(quantity="analogue_input", input=1, high=90.0, hysteresis_percent=44.5)
    model = offices({"M1/analogue": [alarm]})
    at(model, START + MINUTE)
    shown = []
    twin = offices({})
    for second in range(60):
        at(twin, START + second * SECOND)
        shown.append(read(twin.units["M1/analogue"], "analogue_inputs", "analogue_input_value"))
    above = [second for second, value in enumerate(shown) if isinstance(value, float) and round(value) > 90]
    assert spans(model, "M1/analogue")[0][0] == above[0]


def test_and_needs_both_alarms_and_or_tells_which_one_came_first() -> None:
    alarms = (
        ThresholdAlarm(name="much", quantity="current", circuit="c0", high=10.0),
        ThresholdAlarm(name="more", quantity="current", circuit="c0", high=20.0),
        CombinationAlarm(first="much", second="more", operation="and"),
        CombinationAlarm(first="more", second="much", operation="or"),
    )
    model = metered([(0, 5.0), (10, 15.0), (20, 25.0), (30, 15.0), (40, 5.0)], *alarms)
    at(model, START + MINUTE)
    found = {
        (event.family, event.number): (
            (event.start_ms - START) // SECOND,
            ((event.end_ms or 0) - START) // SECOND,
        )
        for event in log(model, "M1/i0")
    }
    assert found == {
        ("threshold", 1): (10, 40),
        ("threshold", 2): (20, 30),
        ("combination", 1): (20, 30),
        ("combination", 2): (10, 40),
    }
    unit = model.units["M1/i0"]
    assert read(unit, "combined_alarm_status", "alarm_cause") == 8
    assert read(unit, "combined_alarm_status", "alarm_cause", slot=1) == 9
    assert read(unit, "combined_alarm_status", "trigger", slot=1) == 2
    assert read(unit, "combined_alarm_status", "second_alarm") == 0x0001


def test_a_module_that_is_pulled_off_the_bus_is_missed_by_its_gateway() -> None:
    model = offices({})
    model.apply(present("M1/i2", False, START + 10_400))
    at(model, START + 10_900)
    assert model.snapshot.alarms.active == ()
    at(model, START + 11_000)
    (event,) = model.snapshot.alarms.active
    assert (event.unit, event.family, event.type, event.start_ms) == (
        "M1",
        "system",
        "module lost",
        START + 11_000,
    )
    assert event.text == "i2: no answer"
    model.apply(present("M1/i2", True, START + 20_500))
    at(model, START + 30_000)
    assert log(model, "M1")[0].end_ms == START + 21_000


def test_a_sensor_that_the_module_takes_for_another_phase_is_a_system_alarm() -> None:
    model = at(offices({}), START)
    unit = model.units["M1/i2"]
    assert read(unit, "system_alarm_status", "alarm_state", slot=1) == 0
    where = placed(unit, "current_sensors")
    row = next(row for row in where.block.rows if row.point == "sensor_2_phase")
    write(model, "M1/i2", LOCK, UNLOCK, now_ms=START + 5000)
    write(model, "M1/i2", where.base + row.offset, 0, now_ms=START + 5000, function=16)
    write(model, "M1/i2", SYSTEM, SAVE, now_ms=START + 5000, function=6)
    at(model, START + 10_000)
    event = log(model, "M1/i2")[0]
    assert (event.type, event.start_ms, event.cause) == ("wrong association", START + 6000, 12)
    assert read(unit, "system_alarm_status", "alarm_state", slot=1) == 1
    assert read(unit, "system_alarm_status", "alarm_type", slot=1) == 2
    assert read(unit, "system_alarm_status", "current_input", slot=1) == 1
    assert read(unit, "system_alarm_status", "alarm_state", slot=0) == 0


def acknowledged_by_modbus() -> SiteModel:
    alarm = ThresholdAlarm(quantity="current", circuit="c0", high=10.0, acknowledge="modbus")
    return metered([(0, 5.0), (10, 11.0), (20, 5.0), (30, 11.0)], alarm)


def test_a_finished_alarm_waits_for_its_acknowledgement() -> None:
    model = at(acknowledged_by_modbus(), START + 25 * SECOND)
    unit = model.units["M1/i0"]
    assert read(unit, "threshold_alarm_status", "alarm_state") == 2
    wanted = read(unit, "threshold_alarm_status", "acknowledge_id")
    assert wanted == 1
    write(model, "M1/i0", ACKNOWLEDGE, 99, now_ms=START + 25 * SECOND)
    at(model, START + 26 * SECOND)
    assert read(unit, "threshold_alarm_status", "alarm_state") == 2
    write(model, "M1/i0", ACKNOWLEDGE, 1, now_ms=START + 26 * SECOND)
    at(model, START + 26 * SECOND)
    assert read(unit, "threshold_alarm_status", "alarm_state") == 3
    assert log(model, "M1/i0")[0].acknowledged_ms == START + 26 * SECOND


def test_an_alarm_acknowledged_while_it_is_active_stays_active_until_it_ends() -> None:
    model = at(acknowledged_by_modbus(), START + 10 * SECOND)
    write(model, "M1/i0", ACKNOWLEDGE, 1, now_ms=START + 10 * SECOND)
    at(model, START + 10 * SECOND)
    assert read(model.units["M1/i0"], "threshold_alarm_status", "alarm_state") == 1
    assert log(model, "M1/i0")[0].acknowledged_ms == START + 10 * SECOND
    at(model, START + 21 * SECOND)
    assert read(model.units["M1/i0"], "threshold_alarm_status", "alarm_state") == 3


def test_the_log_keeps_23_alarms_and_is_read_in_pages_of_7_from_the_newest() -> None:
    steps = [(float(s), 11.0 if s % 2 else 5.0) for s in range(60)]
    model = at(metered(steps, HIGH), START + MINUTE)
    unit = model.units["M1/i0"]
    assert len(log(model, "M1/i0")) == 23
    assert log(model, "M1/i0")[-1].id == 30
    starts = []
    pages = 0
    while True:
        count = read(unit, "alarm_log_header", "item_count")
        assert isinstance(count, int)
        starts += [read(unit, "alarm_log_data", "alarm_start", slot=n) for n in range(count)]
        pages += 1
        following = read(unit, "alarm_log_header", "next_record")
        assert isinstance(following, int)
        if following == 0xFFFF:
            break
        write(model, "M1/i0", LOG, following, now_ms=START + MINUTE, function=16)
    assert pages == 4
    assert starts == [(START + s * SECOND) // 1000 - 946_684_800 for s in range(59, 13, -2)]
    assert read(unit, "alarm_log_header", "item_size") == 21
    write(model, "M1/i0", LOG, 0xFFFF, now_ms=START + MINUTE, function=16)
    assert read(unit, "alarm_log_data", "alarm_cause") == 1
    assert read(unit, "alarm_log_data", "alarm_data_7") == 10_000


def test_settings_written_by_modbus_take_effect_when_they_are_saved() -> None:
    model = at(metered([(0, 5.0), (20, 11.0)]), START + 5 * SECOND)
    unit = model.units["M1/i0"]
    base = placed(unit, "threshold_alarm_settings").base
    words = [1, 2, 0, 255, 255, 0, 10000, 0, 0, 2, *(0, 0, 0, 10_000), *(0x8000, 0, 0, 0), 0, 0, 0]
    refused = model.check_write("M1/i0", 16, base, words, START + 5 * SECOND)
    assert isinstance(refused, Refusal)
    write(model, "M1/i0", LOCK, UNLOCK, now_ms=START + 5 * SECOND)
    write(model, "M1/i0", base, *words, now_ms=START + 5 * SECOND, function=16)
    at(model, START + 30 * SECOND)
    assert log(model, "M1/i0") == []
    write(model, "M1/i0", SYSTEM, SAVE, now_ms=START + 30 * SECOND, function=6)
    at(model, START + 35 * SECOND)
    assert spans(model, "M1/i0") == [(31.0, None)]
    assert log(model, "M1/i0")[0].criticality == 2


def test_the_site_file_gives_what_the_settings_registers_read() -> None:
    unit = at(metered([(0, 5.0)], HIGH), START).units["M1/i0"]
    assert read(unit, "threshold_alarm_settings", "alarm_enabled") == 1
    assert read(unit, "threshold_alarm_settings", "threshold_high") == 10_000
    assert read(unit, "threshold_alarm_name", "threshold_alarm_name") == "high"
    assert read(unit, "threshold_alarm_settings", "alarm_enabled", slot=1) == 0


def test_switching_an_alarm_off_ends_it() -> None:
    model = at(metered([(0, 11.0)], HIGH), START + 5 * SECOND)
    unit = model.units["M1/i0"]
    base = placed(unit, "threshold_alarm_settings").base
    write(model, "M1/i0", LOCK, UNLOCK, now_ms=START + 5500)
    write(model, "M1/i0", base, 0, now_ms=START + 5500)
    write(model, "M1/i0", SYSTEM, SAVE, now_ms=START + 5500, function=6)
    at(model, START + 6000)
    assert spans(model, "M1/i0") == [(0.0, 5.5)]


BUSY = {
    "M1/u": [
        VoltageEventAlarm(event="dip", start_delay_s=0.0, acknowledge="modbus"),
        VoltageEventAlarm(event="interruption", start_delay_s=0.5),
        ThresholdAlarm(name="f", quantity="frequency", high=50.01, hysteresis_percent=0.1),
        ThresholdAlarm(
            name="v", quantity="voltage", logic="any", low=215.0, hysteresis_percent=1.0, end_delay_s=1.5
        ),
        CombinationAlarm(first="f", second="v", operation="or"),
    ],
    "M1/i1": [],
    "M1/i2": [
        ThresholdAlarm(name="thd", quantity="thd_current", circuit="chiller", high=1.0, logic="any"),
        ThresholdAlarm(name="p", quantity="active_power", circuit="chiller", high=2000.0, end_delay_s=2.5),
        ThresholdAlarm(quantity="active_power", circuit="chiller", high=500.0, average=True),
    ],
    "M1/io": [InputAlarm(input=2)],
    "M1/analogue": [ThresholdAlarm(quantity="analogue_input", input=1, high=80.0, start_delay_s=1.5)],
    "C1/i": [
        ThresholdAlarm(quantity="cos_phi", circuit="sockets", low=0.99, logic="all", hysteresis_percent=0.5),
        ThresholdAlarm(quantity="current", circuit="sockets", high=2.0, logic="any", hysteresis_percent=5.0),
    ],
}


def records() -> list[Record]:
    first = [
        dip(START + 100_003, 150, 0.6),
        dip(START + 200_000, 2007, 0.0, kind="interruption"),
        opening("to floor", START + 300_400, 5000),
        present("M1/i2", False, START + 150_250),
        present("M1/i2", True, START + 171_000),
        Record(START + 160_000, "write", "M1/u", {"function": 6, "address": ACKNOWLEDGE, "values": [1]}),
        Record(START + 250_000, "write", "M1/u", {"function": 6, "address": ACKNOWLEDGE, "values": [4]}),
    ]
    return sorted(first, key=lambda record: record.time_ms)


def busy(times: list[int]) -> SiteModel:
    """The busy office looked at so often; each record is applied before the first look not earlier."""
    model = offices(BUSY)
    waiting = records()
    for t_ms in [*times, START + 15 * MINUTE]:
        while waiting and waiting[0].time_ms <= t_ms:
            model.apply(waiting.pop(0))
        at(model, t_ms)
    return model


@pytest.fixture(scope="module")
def reference() -> SiteModel:
    return busy([])


def test_the_busy_office_is_busy(reference: SiteModel) -> None:
    families = {
        (event.family, event.type) for unit in reference.snapshot.alarms.units.values() for event in unit.log
    }
    assert {
        ("en50160", "dip"),
        ("en50160", "interruption"),
        ("threshold", "high"),
        ("threshold", "low"),
        ("combination", "combination"),
        ("input", "input"),
        ("system", "module lost"),
    } <= families
    ids = [event.id for unit in reference.snapshot.alarms.units.values() for event in unit.log]
    assert len(set(ids)) == len(ids)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_whoever_looks_how_often_finds_the_same_alarms_and_registers(reference: SiteModel, seed: int) -> None:
    chance = random.Random(seed)
    times = sorted(START + chance.randrange(0, 15 * MINUTE) for _ in range(chance.randrange(40)))
    # Some of them on refreshes, where order matters most.
    times = sorted(t // SECOND * SECOND if chance.random() < 0.4 else t for t in times)
    model = busy(times)
    assert model.snapshot.alarms == reference.snapshot.alarms
    assert all_values(model) == all_values(reference)


def test_changes_come_once_each_in_the_order_of_their_times(reference: SiteModel) -> None:
    model = offices(BUSY)
    for record in records():
        model.apply(record)
    heard = []
    cursor = 0
    for t_ms in range(START, START + 15 * MINUTE + 1, 45_500):
        at(model, t_ms)
        changes, cursor = model.alarm_changes_since(cursor)
        assert all(change.time_ms <= t_ms for change in changes)
        heard += changes
    at(model, START + 15 * MINUTE)
    changes, cursor = model.alarm_changes_since(cursor)
    heard += changes
    assert [change.sequence for change in heard] == list(range(1, len(heard) + 1))
    assert [change.time_ms for change in heard] == sorted(change.time_ms for change in heard)
    assert tuple(heard) == reference.snapshot.alarms.changes
    assert model.alarm_changes_since(cursor) == ((), cursor)


def test_a_site_without_alarms_shows_none_and_its_status_words_read_zero() -> None:
    model = at(metered([(0, 5.0)]), START + MINUTE)
    assert model.snapshot.alarms.units == {}
    unit = model.units["M1/i0"]
    for where in unit.product.blocks:
        if where.block.table in ("alarms.status", "alarms.log", "events.log"):
            assert not any(unit.read(where)), where.block.name


def test_twenty_alarms_are_looked_at_in_a_fraction_of_a_millisecond() -> None:
    alarms = [
        ThresholdAlarm(
            quantity=quantity, circuit="c0", high=100.0, low=-5.0, logic=logic, hysteresis_percent=1.0
        )
        for quantity, logic in (
            ("current", "any"),
            ("voltage", "all"),
            ("thd_current", "any"),
            ("active_power", "single"),
        )
        for _ in range(2)
    ]
    model = at(metered([(0, 5.0)], *alarms), START + MINUTE)
    moment = model.snapshot._moment
    kept, reading = moment.present.kept.watch, moment.present.plain
    quality = reading.quality
    around = SimpleNamespace(edges=EventEdges(()), frequency_hz=50.0)
    best = 1.0
    for n in range(200):
        t_ms = reading.solution.start_ms + 1000 * (n + 1)
        begin = time.perf_counter()
        kept = kept.including(Looked(t_ms, reading.points, *quality), (), around)  # type: ignore[arg-type]
        best = min(best, time.perf_counter() - begin)
    assert best < 0.001
