"""VirtualMonitor: openings told from voltage on both sides, sorted by load, and trips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.devices.alarms.alarmed import dip, log, opening, with_alarms
from tests.devices.sites import SECOND, START, at, office, office_layout, read, three_phase
from virtual_digiware.devices.alarms.description import MonitorAlarm
from virtual_digiware.devices.alarms.virtual_monitor import Monitor, Monitored, Operations
from virtual_digiware.devices.catalogue import products
from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.layout import ModuleLayout
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.points import FloatArray, IntArray
from virtual_digiware.profiles.truth import Truth


class _Breaker:
    """A device that is open between pairs of instants, behind a load in percent of In."""

    def __init__(self, load: float, *openings: tuple[int, int]) -> None:
        self.load, self.spans = load, openings

    def openings(self, t_ms: IntArray) -> BoolArray:
        return np.array([[any(low <= t < high for low, high in self.spans)] for t in t_ms.tolist()])

    def load_percent(self, t_ms: IntArray) -> FloatArray:
        return np.full((len(t_ms), 1), self.load)


def counted(breaker: _Breaker, **device: str) -> Operations:
    one = Monitored("s", 0, 0, **device)  # type: ignore[arg-type]
    monitor, _ = Monitor().watching([one], 0, breaker)
    edges = np.unique(np.array(breaker.spans, np.int64).ravel())
    monitor, _ = monitor.advanced(edges, breaker)
    return monitor.operations.get(("s", 0), Operations())


CLASSES = [  # load in % of In at the opening; total, low-load, on-load, overload, trips
    (0.0, (1, 1, 0, 0, 0)),
    (5.0, (1, 1, 0, 0, 0)),
    (5.1, (1, 0, 1, 0, 0)),
    (99.9, (1, 0, 1, 0, 0)),
    (100.0, (1, 0, 0, 1, 0)),
    (119.9, (1, 0, 0, 1, 0)),
    (120.0, (1, 0, 0, 1, 1)),
]


@pytest.mark.parametrize(("load", "counters"), CLASSES)
def test_openings_are_sorted_by_the_current_they_broke(load: float, counters: tuple[int, ...]) -> None:
    assert counted(_Breaker(load, (1000, 2000))) == Operations(*counters)


def test_a_switch_never_trips() -> None:
    assert counted(_Breaker(200.0, (1000, 2000)), device="switch") == Operations(1, 0, 0, 1, 0)


def test_openings_within_200_ms_are_one() -> None:
    assert counted(_Breaker(50.0, (1000, 1050), (1199, 1300), (1400, 1500))).total == 2


def monitored(nominal_a: float) -> SiteModel:
    layout = office_layout()
    main, floor = layout.gateways
    allocation = three_phase("to floor", nominal_a=nominal_a)
    module = ModuleLayout("s", "S-135", 9, allocations=(replace(allocation, sensor="iTR-14"),))
    layout = replace(layout, gateways=(replace(main, modules=(*main.modules, module)), floor))
    layout = with_alarms(layout, {"M1/s": [MonitorAlarm(circuit="to floor")]})
    return SiteModel(Truth(office(), seed=7), layout, products(), 7, START)


def current_a(t_ms: int) -> float:
    model = at(monitored(160.0), t_ms)
    table = model.snapshot.table("circuit.instantaneous", model.units["M1/s"].slots)
    return max(float(table[f"current_l{n}"][0]) for n in (1, 2, 3))


def test_a_breaker_that_opens_under_overload_trips_and_its_alarm_lasts_until_it_is_closed() -> None:
    load = current_a(START + 30 * SECOND - 1000)
    assert load > 1
    model = monitored(load / 1.5)
    model.apply(opening("to floor", START + 30 * SECOND, 20_000))
    at(model, START + 40 * SECOND)
    assert model.snapshot.alarms.of("M1/s").operations[0] == Operations(1, 0, 0, 1, 1)
    assert log(model, "M1/s")[0].state == "active"
    at(model, START + 60 * SECOND)
    event = log(model, "M1/s")[0]
    assert (event.start_ms, event.end_ms) == (START + 30_000, START + 50_000)
    assert (event.type, event.text) == ("trip", "to floor: circuit breaker tripped")
    assert event.value == pytest.approx(150, abs=30)
    unit = model.units["M1/s"]
    assert read(unit, "quality_log_data", "event_type") == 5
    assert read(unit, "quality_log_data", "event_source") == 1


def test_the_same_opening_in_normal_service_is_no_trip() -> None:
    model = monitored(500.0)
    model.apply(opening("to floor", START + 30 * SECOND, 20_000))
    at(model, START + 60 * SECOND)
    assert model.snapshot.alarms.of("M1/s").operations[0].total == 1
    assert model.snapshot.alarms.of("M1/s").operations[0].trips == 0
    assert log(model, "M1/s") == []


def test_a_dead_network_is_no_open_device() -> None:
    model = monitored(160.0)
    model.apply(dip(START + 30 * SECOND, 20_000, 0.0, kind="interruption"))
    at(model, START + 60 * SECOND)
    assert model.snapshot.alarms.of("M1/s").operations == {}
