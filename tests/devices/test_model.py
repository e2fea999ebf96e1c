"""A whole site: records and time alone decide what can be read, whoever computes and however often."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.scripted_truth import ScriptedTruth
from tests.devices.sites import (
    MINUTE,
    SECOND,
    START,
    all_values,
    at,
    energy_wh,
    office_layout,
    office_model,
    read,
    scripted_layout,
    scripted_model,
    write,
)
from virtual_digiware.devices.catalogue import products
from virtual_digiware.devices.model import SiteModel, UnknownUnit
from virtual_digiware.devices.records import Record, Refusal

LOCK, SYSTEM, SAVE, NETWORK, SENSORS, LOAD = 58112, 57856, 161, 12288, 13568, 13824
CONSTANT = [(START - MINUTE, 6900.0, 0.0)]


def presence(path: str, is_present: bool, t_ms: int) -> Record:
    return Record(t_ms, "presence", path, {"present": is_present})


def is_missing(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value)


def test_without_its_voltage_module_a_bus_has_currents_but_no_powers_and_no_energy() -> None:
    model = at(scripted_model(CONSTANT), START + 100_300)
    unit, voltage = model.units["M1/i0"], model.units["M1/u"]
    model.apply(presence("M1/u", False, START + 100_300))
    assert not voltage.is_present
    at(model, START + 150 * SECOND)
    assert read(unit, "load_instantaneous", "current_l1") == pytest.approx(10.0)
    for point in ("voltage_l1_n", "active_power_total", "power_factor_total", "frequency"):
        assert is_missing(read(unit, "load_instantaneous", point))
    assert energy_wh(unit, "active_energy_import") == pytest.approx(6900 * 100.3 / 3600, abs=0.1)
    model.apply(presence("M1/u", True, START + 200 * SECOND))
    at(model, START + 300 * SECOND)
    assert read(unit, "load_instantaneous", "active_power_total") == pytest.approx(6900.0)
    assert energy_wh(unit, "active_energy_import") == pytest.approx(6900 * 200.3 / 3600, abs=0.1)


def test_a_module_that_is_gone_counts_nothing() -> None:
    model = at(scripted_model(CONSTANT, CONSTANT), START + 60 * SECOND)
    model.apply(presence("M1/i0", False, START + 60 * SECOND))
    model.apply(presence("M1/i0", True, START + 120 * SECOND))
    at(model, START + 180 * SECOND)
    gone, stayed = (energy_wh(model.units[f"M1/i{n}"], "active_energy_import") for n in (0, 1))
    assert (gone, stayed) == (pytest.approx(230.0, abs=0.1), pytest.approx(345.0, abs=0.1))


def test_a_head_without_power_takes_its_whole_bus_along() -> None:
    model = office_model()
    model.apply(presence("C1", False, START))
    assert [unit.path for unit in model.units.values() if not unit.is_present] == [
        "C1",
        "C1/u",
        "C1/i",
        "C1/pv",
        "C1/lamp",
    ]


def test_a_reversed_sensor_setting_turns_its_phase_round_from_the_next_refresh() -> None:
    """Sensor 1 set to negative on a balanced load: P1 changes sign and the total falls to a third."""
    model = at(scripted_model(CONSTANT), START + 20_500)
    unit = model.units["M1/i0"]
    write(model, "M1/i0", SENSORS, 1, now_ms=START + 20_500)
    at(model, START + 20_900)
    assert read(unit, "load_instantaneous", "active_power_l1") == pytest.approx(2300.0)
    at(model, START + 21_000)
    assert read(unit, "load_instantaneous", "active_power_l1") == pytest.approx(-2300.0)
    assert read(unit, "load_instantaneous", "active_power_total") == pytest.approx(2300.0)
    at(model, START + 40_500)
    assert energy_wh(unit, "active_energy_import") == pytest.approx((20.5 * 6900 + 20 * 2300) / 3600, abs=0.1)


def test_a_disabled_load_stops_counting_and_says_so() -> None:
    model = at(scripted_model(CONSTANT), START + 100 * SECOND)
    unit = model.units["M1/i0"]
    write(model, "M1/i0", LOAD, 0, now_ms=START + 100 * SECOND)
    at(model, START + 200 * SECOND)
    assert read(unit, "load_instantaneous", "load_status") == 0.0
    for point in ("current_l1", "timestamp", "integration_time"):
        assert is_missing(read(unit, "load_instantaneous", point))
    assert energy_wh(unit, "active_energy_import") == pytest.approx(6900 / 36, abs=0.1)


def test_a_nominal_current_changes_the_nominal_power_only() -> None:
    model = at(scripted_model(CONSTANT), START + 10 * SECOND)
    unit = model.units["M1/i0"]
    write(model, "M1/i0", LOAD + 2, 63, now_ms=START + 10 * SECOND)
    at(model, START + 20 * SECOND)
    assert read(unit, "load_instantaneous", "apparent_power_nominal") == pytest.approx(3 * 230 * 63)
    assert read(unit, "load_instantaneous", "current_l1") == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("code", "available", "total_w"),
    [  # 6900 W balanced at 230 V: 10 A in phase in each of three conductors
        (1, ("active_power_l1", "current_n"), 2300.0),
        (2, ("voltage_l1_l2", "current_l1"), 10 * 398.37 * np.cos(np.pi / 6)),
        (3, ("active_power_l1", "active_power_l2", "current_n"), 4600.0),
        (4, ("voltage_l1_l2", "current_l3"), 6900.0),
        (5, ("voltage_l1_l2", "current_l3"), 6900.0),
        (6, ("voltage_l1_l2", "current_l3"), 6900.0),
        (7, ("active_power_l3", "current_n"), 6900.0),
        (8, ("active_power_l3", "current_n"), 6900.0),
        (9, ("active_power_l3", "current_n"), 6900.0),
    ],
)
def test_a_load_wiring_decides_which_of_the_connected_sensors_make_the_load(
    code: int, available: tuple[str, ...], total_w: float
) -> None:
    model = at(scripted_model(CONSTANT), START + 10 * SECOND)
    unit = model.units["M1/i0"]
    write(model, "M1/i0", LOAD + 1, code, now_ms=START + 10 * SECOND)
    at(model, START + 20 * SECOND)
    assert read(unit, "load_settings", "wiring") == code
    assert read(unit, "load_instantaneous", "active_power_total") == pytest.approx(total_w, rel=1e-5)
    assert not any(is_missing(read(unit, "load_instantaneous", point)) for point in available)
    three_wires = code in (2, 4, 5, 6)
    assert is_missing(read(unit, "load_instantaneous", "active_power_l1")) == (three_wires and code != 2)
    assert is_missing(read(unit, "load_instantaneous", "current_n")) == three_wires
    write(model, "M1/i0", LOAD + 1, 8, now_ms=START + 20 * SECOND)
    at(model, START + 30 * SECOND)
    expected_wh = (20 * 6900 + 10 * total_w) / 3600
    assert energy_wh(unit, "active_energy_import") == pytest.approx(expected_wh, abs=0.1)


def test_a_load_without_a_wiring_is_not_measured() -> None:
    model = at(scripted_model(CONSTANT), START + 10 * SECOND)
    unit = model.units["M1/i0"]
    write(model, "M1/i0", LOAD + 1, 0, now_ms=START + 10 * SECOND)
    at(model, START + 20 * SECOND)
    assert read(unit, "load_instantaneous", "load_status") == 0.0
    assert is_missing(read(unit, "load_instantaneous", "active_power_total"))


def test_a_network_without_neutral_leaves_the_loads_of_the_bus_their_line_voltages() -> None:
    model = at(scripted_model(CONSTANT), START + 10 * SECOND)
    voltage, current = model.units["M1/u"], model.units["M1/i0"]
    write(model, "M1/u", NETWORK, 4, now_ms=START + 10 * SECOND)
    at(model, START + 20 * SECOND)
    assert is_missing(read(voltage, "network_instantaneous", "voltage_l1_n"))
    assert read(voltage, "network_instantaneous", "voltage_l1_l2") == pytest.approx(398.37, abs=0.01)
    assert is_missing(read(current, "load_instantaneous", "active_power_l1"))
    assert read(current, "load_instantaneous", "active_power_total") == pytest.approx(6900.0)


def test_a_voltage_transformer_multiplies_voltages_and_powers_of_the_whole_bus() -> None:
    model = at(scripted_model(CONSTANT), START + 10 * SECOND)
    voltage, current = model.units["M1/u"], model.units["M1/i0"]
    write(model, "M1/u", NETWORK + 5, 1, 0, 20_000, 100, now_ms=START + 10 * SECOND)
    at(model, START + 20 * SECOND)
    assert read(voltage, "network_instantaneous", "voltage_l1_n") == pytest.approx(46_000.0)
    assert read(current, "load_instantaneous", "active_power_total") == pytest.approx(200 * 6900.0)
    assert energy_wh(current, "active_energy_import") == pytest.approx(201 * 69_000 / 3600, abs=0.1)


def test_writes_that_do_not_concern_measuring_leave_the_energies_bit_for_bit() -> None:
    quiet, busy = office_model(), office_model()
    t = START
    for second in range(3, 60, 7):
        t = START + second * SECOND + 123
        write(busy, "M1/i2", LOCK, 1000, now_ms=t)
        write(busy, "M1/i2", SYSTEM, SAVE, now_ms=t)
        write(busy, "M1/io", 11285, 1, now_ms=t)
        busy.compute(t)
    end = START + 2 * MINUTE
    quiet_mj, busy_mj = (at(model, end).snapshot._moment.counters_mj for model in (quiet, busy))
    assert np.array_equal(quiet_mj, busy_mj)


def test_every_write_and_publication_makes_a_new_version() -> None:
    model = office_model()
    seen = [model.version]
    write(model, "M1/io", 11285, 1, now_ms=START)
    seen.append(model.version)
    at(model, START + SECOND)
    seen.append(model.version)
    model.apply(presence("M1/io", False, START + SECOND))
    seen.append(model.version)
    assert seen == sorted(set(seen))


def test_checking_a_write_changes_nothing() -> None:
    model = at(office_model(), START + SECOND)
    before, version = all_values(model), model.version
    for address, values in ((LOCK, [1000]), (SYSTEM, [0xE5]), (LOAD, [0]), (57864, [1]), (1, [1])):
        model.check_write("M1/i2", 6, address, values, START + SECOND)
    assert (all_values(model), model.version) == (before, version)


def test_an_accepted_write_is_a_record_of_what_was_asked() -> None:
    model = office_model()
    record = model.check_write("M1/i2", 16, LOAD, [1, 8], START + 5)
    assert record == Record(START + 5, "write", "M1/i2", {"function": 16, "address": LOAD, "values": [1, 8]})
    refusal = model.check_write("M1/i2", 6, 57344, [9], START + 5)
    assert isinstance(refusal, Refusal)
    assert refusal.exception_code == 1
    assert "58112" in refusal.reason


def test_a_write_is_never_dated_before_what_was_computed() -> None:
    model = at(office_model(), START + MINUTE)
    record = model.check_write("M1/i2", 6, LOCK, [1000], START + SECOND)
    assert isinstance(record, Record)
    assert record.time_ms == START + MINUTE


def test_unknown_units_and_kinds_of_records_are_refused() -> None:
    model = office_model()
    with pytest.raises(UnknownUnit) as caught:
        model.check_write("M1/nobody", 6, LOCK, [1000], START)
    assert "M1/i2" in caught.value.known
    with pytest.raises(UnknownUnit):
        model.apply(presence("M9", True, START))
    with pytest.raises(ValueError, match="unknown kind"):
        model.apply(Record(START, "miracle", "M1"))
    model.apply(Record(START, "commissioned"))
    model.apply(Record(START, "clock", data={"rate": 5}))


def test_an_opened_breaker_stops_its_circuit_at_once_and_for_good() -> None:
    model = at(office_model(), START + 30 * SECOND + 500)
    unit = model.units["M1/i2"]
    event = {"start_ms": 0, "end_ms": None, "kind": "open", "target": "chiller"}
    model.apply(Record(START + 30_500, "event", data=event))
    before = energy_wh(unit, "active_energy_import")
    at(model, START + 90 * SECOND)
    assert read(unit, "load_instantaneous", "current_l1") == 0.0
    assert read(unit, "load_instantaneous", "voltage_l1_n") == pytest.approx(235, rel=0.05)
    assert energy_wh(unit, "active_energy_import") == pytest.approx(before, abs=0.1)


def test_an_interruption_freezes_every_counter_and_brings_minima_of_zero_volts() -> None:
    model = office_model()
    event = {"start_ms": START + 20_300, "end_ms": START + 80_700, "kind": "interruption", "target": "mains"}
    model.apply(Record(START, "event", data=event))
    at(model, START + 20_300)
    frozen = model.snapshot._moment.counters_mj.copy()
    at(model, START + 80_700)
    assert np.array_equal(model.snapshot._moment.counters_mj, frozen)
    unit = model.units["M1/i1"]
    assert read(unit, "load_instantaneous_minimum", "voltage_l1_n") == 0.0
    at(model, START + 100 * SECOND)
    assert (model.snapshot._moment.counters_mj >= frozen).all()
    assert (model.snapshot._moment.counters_mj[-1] > frozen[-1]).any()


def records_of_an_afternoon(seed: int) -> list[Record]:
    """Accepted writes, presences and events at odd times, as a journal would hold them."""
    generator = random.Random(seed)
    model = office_model()
    records: list[Record] = []

    def take(record: Record | Refusal) -> None:
        if isinstance(record, Record):
            model.apply(record)
            records.append(record)

    t = START
    writes = [
        ("M1/i2", 16, SENSORS, [1, 0]),
        ("M1/i2", 6, SENSORS, [0]),
        ("M1/i1", 6, LOAD, [0]),
        ("M1/i1", 6, LOAD, [1]),
        ("M1/i2", 6, LOCK, [1000]),
        ("M1/i2", 6, 20096, [0x3F]),
        ("M1/i2", 6, 57344, [99]),
        ("M1/i2", 6, SYSTEM, [SAVE]),
        ("M1/i1", 16, 20097, [0xFFFF, 0xFFFF]),
        ("M1/u", 6, 37744, [0xFFFF]),
        ("M1/io", 16, 11318, [0x3FF, 0]),
        ("M1/io", 6, 11285, [1]),
        ("M1/i2", 16, 57600, [2, 3, 2026, 9, 9, 9]),
    ]
    for _ in range(14):
        t += generator.randrange(1, 90_000)
        kind = generator.randrange(5)
        if kind == 0:
            take(presence(generator.choice(["M1/u", "C1/i", "C1/u"]), generator.random() < 0.5, t))
        elif kind == 1:
            length = generator.randrange(1, 60_000)
            event = {"start_ms": t, "end_ms": t + length, "kind": "open", "target": "sockets"}
            take(Record(t, "event", data=event))
        else:
            path, function, address, values = generator.choice(writes)
            take(model.check_write(path, function, address, values, t))
    return records


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32))
def test_a_replayed_journal_gives_the_same_site_bit_for_bit(seed: int) -> None:
    records = records_of_an_afternoon(seed)
    generator = random.Random(seed)
    end = START + 25 * MINUTE
    live, replayed = office_model(), office_model()
    t = START
    for record in records:
        while t < record.time_ms:
            live.compute(t)
            t += generator.randrange(1, 50_000)
        live.compute(record.time_ms)
        live.apply(record)
        t = max(t, record.time_ms)
    for record in records:
        replayed.apply(record)
    assert all_values(at(live, end)) == all_values(at(replayed, end))
    assert [unit.address for unit in live.units.values()] == [
        unit.address for unit in replayed.units.values()
    ]


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32))
def test_a_record_that_needs_no_computation_is_read_back_without(seed: int) -> None:
    model = office_model()
    for record in records_of_an_afternoon(seed):
        at(model, record.time_ms)
        if not model.apply(record):
            seen = all_values(model)
            assert seen == all_values(at(model, record.time_ms))


@pytest.mark.parametrize(
    ("address", "values", "needs"),
    [
        (LOCK, (1000,), False),
        (LOAD + 1, (4,), True),
        (LOAD + 1, (3,), True),
        (57600, (2, 3, 2026, 10, 0, 0), True),
        (SYSTEM, (SAVE,), True),
    ],
)
def test_only_what_is_more_than_a_stored_word_needs_a_computation(
    address: int, values: tuple[int, ...], needs: bool
) -> None:
    model = at(scripted_model(CONSTANT), START + 10_500)
    function = 6 if len(values) == 1 else 16
    record = model.check_write("M1/i0", function, address, values, START + 10_700)
    assert isinstance(record, Record), record
    assert model.apply(record) is needs


def test_computing_in_a_thread_leaves_reads_and_writes_to_the_other() -> None:
    model: SiteModel = office_model()
    with ThreadPoolExecutor(1) as worker:
        for step in range(1, 12):
            computation = worker.submit(model.compute, START + step * 7_000)
            now = model.snapshot.time_ms
            write(model, "M1/io", 11285, 1 + step % 2, now_ms=now)
            write(model, "M1/i2", SENSORS, step % 2, now_ms=now)
            before = all_values(model)
            assert before == all_values(model)
            model.publish(computation.result(timeout=30))
    assert read(model.units["M1/i2"], "current_sensors", "sensor_1_direction") == 1
    assert at(model, START + 90 * SECOND).snapshot.time_ms == START + 90 * SECOND


def test_a_realistic_site_differs_a_little_and_always_in_the_same_way() -> None:
    ideal = at(office_model(), START + 15 * MINUTE)
    first, second = (at(office_model(metrology="realistic"), START + 15 * MINUTE) for _ in range(2))
    assert all_values(first) == all_values(second)
    exact = energy_wh(ideal.units["M1/i1"], "active_energy_import")
    measured = energy_wh(first.units["M1/i1"], "active_energy_import")
    assert measured != exact
    assert measured == pytest.approx(exact, rel=0.01)


def test_the_accuracy_class_of_a_product_decides_how_wrong_its_modules_are() -> None:
    """The same module by seed, once as it is and once as a product of a tenfold class."""
    coarse = dict(products())
    coarse["I-35"] = replace(coarse["I-35"], features={"accuracy_class_percent": 5.0})
    script = ScriptedTruth({"c0": CONSTANT})
    errors = []
    for known in (products(), coarse):
        layout = scripted_layout(("c0",), metrology="realistic")
        model = SiteModel(script, layout, known, 7, START)  # type: ignore[arg-type]
        deviations = at(model, START + SECOND)._chronicle._history._meter.wiring.row_ratio[0, 0] - 1
        errors.append(float(deviations))
    assert 0 < abs(errors[0]) <= 0.8 * 0.5e-2
    assert errors[1] == pytest.approx(10 * errors[0])


def test_modules_that_sample_agree_with_phasors_and_never_pass_their_maximum() -> None:
    planned = office_layout()
    sampling = tuple(
        replace(gateway, modules=tuple(replace(one, measurement="sampled") for one in gateway.modules))
        for gateway in planned.gateways
    )
    phasor, sampled = office_model(), office_model(gateways=sampling)
    for second in (1, 2, 12, 13):
        at(phasor, START + second * SECOND)
        at(sampled, START + second * SECOND)
        for point in ("voltage_l1_n", "current_l2", "active_power_total", "apparent_power_total"):
            exact = read(phasor.units["M1/i2"], "load_instantaneous", point)
            shown = read(sampled.units["M1/i2"], "load_instantaneous", point)
            assert shown == pytest.approx(exact, rel=1e-6)
            assert shown <= read(sampled.units["M1/i2"], "load_instantaneous_maximum", point)  # type: ignore[operator]
    energies = [at(model, START + MINUTE).snapshot._moment.counters_mj for model in (phasor, sampled)]
    assert np.array_equal(*energies)
