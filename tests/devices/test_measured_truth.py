"""Modules on the real truth: what they show is what flows, by the short way, the long way and by samples."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from virtual_digiware.devices.circuit_tables import (
    circuit_instantaneous,
    circuit_quality_values,
    circuit_values,
)
from virtual_digiware.devices.fundamental_tables import circuit_fundamental, network_fundamental
from virtual_digiware.devices.harmonic_tables import circuit_harmonic_current
from virtual_digiware.devices.layout import (
    Allocation,
    GatewayLayout,
    Measurement,
    ModuleLayout,
    NetworkType,
    SiteLayout,
)
from virtual_digiware.devices.measured_spectra import slot_values
from virtual_digiware.devices.measurement import Measured, measure
from virtual_digiware.devices.network_tables import network_instantaneous
from virtual_digiware.devices.wiring_compilation import wire
from virtual_digiware.profiles.installation import (
    PHASES,
    Board,
    Cable,
    Circuit,
    Event,
    Installation,
    Load,
    Phase,
    Source,
)
from virtual_digiware.profiles.library import load_classes
from virtual_digiware.profiles.solution import Solution
from virtual_digiware.profiles.truth import Truth

NOON_MS = 1_772_445_600_000  # 2026-03-02T10:00:00Z, a Monday
OFFICE = Cable(0.02, 0.01, 0.02, 0.01)


def installation() -> Installation:
    classes = sorted(load_classes())
    three, single = classes[:6], classes[6:10]
    circuits = [
        Circuit("incomer", "main", "incomer"),
        Circuit("office", "main", "feeder", cable=OFFICE),
        *(Circuit(f"three {i}", "main") for i in range(len(three))),
        *(Circuit(f"single {i}", "floor", phases=(PHASES[i % 3],)) for i in range(len(single))),
        Circuit("pair", "floor", phases=("L1", "L2")),
    ]
    loads = [
        *(Load(f"three {i}", f"three {i}", name, 12e3) for i, name in enumerate(three)),
        *(Load(f"single {i}", f"single {i}", name, 2e3, (PHASES[i % 3],)) for i, name in enumerate(single)),
        Load("pair", "pair", classes[0], 3e3, ("L1", "L2"), line_to_line=True),
    ]
    boards = (Board("main", source="mains"), Board("floor", feeder="office"))
    return Installation("works", (Source("mains"),), boards, tuple(circuits), tuple(loads))


@cache
def truth() -> Truth:
    return Truth(installation(), seed=7)


def allocation(circuit: str, network: NetworkType, phases: tuple[Phase, ...]) -> Allocation:
    inputs = tuple(range(1, len(phases) + 1))
    return Allocation(circuit, network, inputs, phases, (1,) * len(phases), 100.0)


def layout(measurement: Measurement = "phasor") -> SiteLayout:
    """Two buses, one with its tap on each board."""
    buses = []
    for board in ("main", "floor"):
        slots = []
        for circuit in installation().circuits:
            if circuit.board != board:
                continue
            if circuit.name == "pair":
                slots.append(allocation("pair", "2P", ("L1",)))
            else:
                network: NetworkType = "3P+N" if len(circuit.phases) == 3 else "1P+N"
                slots.append(allocation(circuit.name, network, circuit.phases))
        modules = (
            ModuleLayout("U", "U-30", 2, board=board, measurement=measurement),
            ModuleLayout("I", "I-60", 3, allocations=tuple(slots), measurement=measurement),
        )
        buses.append(GatewayLayout(board, "M-70", 1, modules))
    return SiteLayout("works", tuple(buses))


def solution(times: int = 1) -> Solution:
    return truth().at(NOON_MS + 7_300 * np.arange(times))


def by_circuit(measured: Measured, values: np.ndarray) -> dict[str, float]:
    return {slot.circuit: float(values[0, i]) for i, slot in enumerate(measured.wiring.slots)}


def test_the_incomer_is_the_sum_of_its_feeders():
    measured = measure(solution(), wire(layout(), truth()))
    for values in (measured.active_power_total, measured.fundamental_reactive_power_total):
        known = by_circuit(measured, values)
        parts = known["office"] + sum(value for name, value in known.items() if name.startswith("three"))
        assert known["incomer"] == pytest.approx(parts, rel=1e-9, abs=1e-6)


def test_a_feeder_has_what_its_loads_take_and_its_cable_loses():
    measured, lost = measure(solution(), wire(layout(), truth())), solution().loss_w
    known = by_circuit(measured, measured.active_power_total)
    parts = known["pair"] + sum(value for name, value in known.items() if name.startswith("single"))
    loss_w = float(lost[0, truth().circuit_index["office"]])
    assert loss_w > 0
    assert known["office"] == pytest.approx(parts + loss_w, rel=1e-6)


def test_every_circuit_of_the_plan_takes_its_energy_from_the_books():
    wiring = wire(layout(), truth())
    assert wiring.identity.all()
    edges = NOON_MS + 10_000 * np.arange(4)
    means = truth().mean(edges[:-1], edges[1:])
    booked = truth().book(means)[:, wiring.circuit] / 1e3 / 10.0
    np.testing.assert_allclose(measure(means, wiring).active_power_total, booked, rtol=1e-9, atol=1e-3)


def compared(one: Measured, other: Measured, tolerance: float) -> None:
    size_a, size_w = 1e-3 + one.rows.current.max(), 1.0 + np.nanmax(one.apparent_power_total)
    for name, scale in (
        ("current", size_a),
        ("current_n", size_a),
        ("voltage", 230.0),
        ("line_voltage", 400.0),
        ("active_power", size_w),
        ("active_power_total", size_w),
        ("fundamental_reactive_power_total", size_w),
        ("apparent_power_total", size_w),
        ("power_factor_total", 1.0),
    ):
        a, b = getattr(one, name) / scale, getattr(other, name) / scale
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)


def test_the_short_way_agrees_with_the_spectra_of_the_truth():
    wiring = wire(layout(), truth())
    assert wiring.direct.slots.size == wiring.count - 1
    spectral = replace(wiring, is_direct=np.zeros(wiring.count, bool))
    compared(measure(solution(3), wiring), measure(solution(3), spectral), 1e-9)


def test_sampling_modules_agree_with_phasor_modules():
    phasor = measure(solution(3), wire(layout(), truth()))
    sampled = measure(solution(3), wire(layout("sampled"), truth()))
    compared(phasor, sampled, 1e-9)


def test_sampling_modules_agree_in_the_tables_that_show_spectra():
    phasor, sampled = (measure(solution(), wire(layout(kind), truth())) for kind in ("phasor", "sampled"))
    slots = np.arange(phasor.wiring.count)
    for table in (circuit_fundamental, circuit_harmonic_current):
        one, other = (table(slot_values(solution(), m, slots)) for m in (phasor, sampled))
        np.testing.assert_allclose(one.values, other.values, rtol=1e-6, atol=1e-6)
    one, other = (network_fundamental(m.voltages, m.wiring) for m in (phasor, sampled))
    np.testing.assert_allclose(one.values, other.values, rtol=1e-6, atol=1e-6)


def test_quality_of_circuits_agrees_with_their_spectra():
    measured = measure(solution(), wire(layout(), truth()))
    quality = circuit_quality_values(measured, circuit_values(measured))[:, 0]
    table = circuit_fundamental(slot_values(solution(), measured, np.arange(measured.wiring.count)))
    for row, name in enumerate(("thd_current_l1", "thd_current_l2", "thd_current_l3", "thd_current_n")):
        np.testing.assert_allclose(quality[row], table[name], rtol=1e-6, atol=1e-4, err_msg=name)


def test_means_of_a_sampling_module_come_from_phasors():
    edges = NOON_MS + 10_000 * np.arange(3)
    means = truth().mean(edges[:-1], edges[1:])
    one, other = (measure(means, wire(layout(kind), truth())) for kind in ("phasor", "sampled"))
    np.testing.assert_array_equal(one.active_power_total, other.active_power_total)


def test_a_dip_hits_all_loads_of_a_bus_in_the_same_millisecond():
    dip = truth().with_events([Event(NOON_MS + 500, NOON_MS + 700, "dip", "mains", residual=0.8)])
    wiring = wire(layout(), truth())
    before, during = (measure(dip.at(np.array([t])), wiring) for t in (NOON_MS + 499, NOON_MS + 500))
    ratio = during.voltage[0, :, 0] / before.voltage[0, :, 0]
    has_row = ~np.isnan(ratio)
    assert has_row.sum() == wiring.count - 1
    assert ((ratio[has_row] > 0.75) & (ratio[has_row] < 0.9)).all()
    on_main = [i for i, slot in enumerate(wiring.slots) if slot.unit == "main/I"]
    assert len(set(during.voltage[0, on_main, 0])) == 1


def test_an_interruption_leaves_no_current_no_frequency_and_no_power():
    dark = truth().with_events([Event(NOON_MS, NOON_MS + 9_000, "interruption", "mains")])
    wiring = wire(layout(), truth())
    measured = measure(dark.at(np.array([NOON_MS + 4_000])), wiring)
    table = circuit_instantaneous(measured)
    assert np.isnan(table["frequency"]).all()
    np.testing.assert_array_equal(table["current_l1"], 0.0)
    np.testing.assert_array_equal(table["active_power_total"], 0.0)
    assert np.isnan(network_instantaneous(measured.voltages, wiring)["frequency"]).all()


def test_believable_values_on_a_working_day():
    measured = measure(solution(), wire(layout(), truth()))
    assert (np.abs(measured.frequency - 50.0) < 0.3).all()
    voltage = measured.voltage[~np.isnan(measured.voltage)]
    assert ((voltage > 210) & (voltage < 250)).all()
    network = network_instantaneous(measured.voltages, measured.wiring)
    assert (network["voltage_ln_unbalance"] < 2.0).all()
    assert by_circuit(measured, measured.active_power_total)["incomer"] > 1e3
