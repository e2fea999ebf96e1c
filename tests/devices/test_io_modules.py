"""IO modules: what drives their inputs, what their outputs do, and pulses counted to the last one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.devices.scripted_truth import ScriptedTruth
from tests.devices.sites import (
    MINUTE,
    SECOND,
    START,
    at,
    energy_wh,
    office_layout,
    office_model,
    placed,
    read,
    three_phase,
    write,
)
from virtual_digiware.devices.block import Product
from virtual_digiware.devices.catalogue import products
from virtual_digiware.devices.io_drives import (
    DriveError,
    Pulse,
    Schedule,
    Sine,
    analogue_drive,
    digital_drive,
    signal_ma,
)
from virtual_digiware.devices.io_modules import IoModule
from virtual_digiware.devices.layout import GatewayLayout, ModuleLayout, SiteLayout
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.register_words import to_words
from virtual_digiware.devices.settings import Settings

OUTPUTS, PULSE_RESET, LOCK = 11280, 11318, 58112


def io_model(inputs: tuple[str, ...], product: str = "IO-10", power_w: float = 7200.0) -> SiteModel:
    """A current module on circuit c0 with a constant power, and one IO module M1/io."""
    bus = (
        ModuleLayout("u", "U-30", 2, board="main"),
        ModuleLayout("i", "I-35", 3, allocations=(three_phase("c0"),)),
        ModuleLayout("io", product, 4, inputs=inputs),
    )
    truth = ScriptedTruth({"c0": [(START - MINUTE, power_w, 0.0)]})
    layout = SiteLayout("bench", (GatewayLayout("M1", "M-70", 1, bus),))
    return SiteModel(truth, layout, products(), 7, START)  # type: ignore[arg-type]


def test_masks_count_the_inputs_and_outputs_of_the_product() -> None:
    unit = office_model().units["M1/io"]
    assert read(unit, "digital_inputs", "input_count") == 4
    assert read(unit, "digital_inputs", "available_mask") == 0b1111
    assert read(unit, "digital_outputs", "output_count") == 2
    assert read(unit, "digital_outputs", "available_mask") == 0b11
    analogue = office_model().units["M1/analogue"]
    assert read(analogue, "analogue_availability", "analogue_input_count") == 2
    assert read(analogue, "analogue_availability", "analogue_output_mask") == 0b11


def test_levels_and_squares_drive_the_inputs() -> None:
    model = io_model(("on", "off", "square 10 0.3"))
    unit = model.units["M1/io"]
    seen = {}
    for second in (0, 2, 3, 9, 10):
        at(model, START + second * SECOND)
        seen[second] = read(unit, "digital_inputs", "active_mask")
    assert seen == {0: 0b101, 2: 0b101, 3: 0b001, 9: 0b001, 10: 0b101}


def test_a_normally_closed_contact_is_active_while_open() -> None:
    model = at(io_model(("on", "off")), START)
    unit = model.units["M1/io"]
    contact = placed(unit, "digital_input_settings", 1).base + 1
    write(model, "M1/io", LOCK, 1000, now_ms=START)
    write(model, "M1/io", contact, 1, now_ms=START)
    assert read(unit, "digital_inputs", "active_mask") == 0b01  # not saved yet
    write(model, "M1/io", 57856, 161, now_ms=START)
    assert read(unit, "digital_inputs", "active_mask") == 0b11
    assert read(unit, "digital_inputs", "normally_closed_mask") == 0b10


def test_a_schedule_follows_the_local_working_day() -> None:
    drive = digital_drive("schedule G1", "Europe/Paris")
    assert isinstance(drive, Schedule)
    noon, night = START + 60 * MINUTE, START - 8 * 60 * MINUTE
    assert drive.state(noon)
    assert not drive.state(night)


def test_pulses_are_counted_exactly_from_the_energy() -> None:
    """7.2 kW are 2 Wh a second, so two pulses of 1 Wh."""
    model = io_model(("pulse of c0 1",))
    unit = model.units["M1/io"]
    for milliseconds in (499, 500, 10_000, 12_345_678):
        at(model, START + milliseconds)
        assert read(unit, "meters", "meter_total") == milliseconds * 2 // 1000
        assert read(unit, "meters", "meter_total") == int(
            energy_wh(model.units["M1/i"], "active_energy_import")
        )
    assert read(unit, "meters", "meter_enabled") == 1
    assert read(unit, "meters", "meter_source_status") == 1
    assert read(unit, "meters", "meter_unit") == 0
    assert read(unit, "meters", "pulse_weight") == 1.0
    assert read(unit, "digital_inputs", "input_1_function") == 4


def test_a_pulse_counter_starts_again_where_its_mask_says() -> None:
    model = at(io_model(("pulse of c0 1", "pulse of c0 10")), START + 100 * SECOND)
    write(model, "M1/io", PULSE_RESET, 0b01, 0, now_ms=START + 100 * SECOND)
    unit = at(model, START + 160 * SECOND).units["M1/io"]
    assert [read(unit, "meters", "meter_partial", slot) for slot in (0, 1)] == [120, 320]
    assert [read(unit, "meters", "meter_total", slot) for slot in (0, 1)] == [320, 320]
    assert read(unit, "meters", "pulse_weight", 1) == 10.0


def test_a_pulse_weight_scales_the_counter() -> None:
    model = at(io_model(("square 1 0.5",)), START + 100 * SECOND)
    unit = model.units["M1/io"]
    write(model, "M1/io", placed(unit, "meter_settings").base, 1, 0, now_ms=START)
    assert read(unit, "meters", "meter_total") == 100
    write(model, "M1/io", LOCK, 1000, now_ms=START)
    weight = to_words(250, placed(unit, "digital_input_settings").block.rows[2])
    write(model, "M1/io", placed(unit, "digital_input_settings").base + 2, *weight, now_ms=START)
    write(model, "M1/io", 57856, 161, now_ms=START)
    assert read(unit, "meters", "meter_total") == 250


def test_outputs_follow_their_command_masks() -> None:
    model = office_model()
    unit = model.units["M1/io"]
    assert read(unit, "digital_outputs", "active_mask") == 0b10  # as the site file says
    write(model, "M1/io", OUTPUTS + 5, 0b01, now_ms=START)
    assert read(unit, "digital_outputs", "active_mask") == 0b11
    write(model, "M1/io", OUTPUTS + 4, 0b10, now_ms=START)
    assert read(unit, "digital_outputs", "active_mask") == 0b01
    write(model, "M1/io", OUTPUTS + 5, 0xFFFC, now_ms=START)  # outputs that the module does not have
    assert read(unit, "digital_outputs", "active_mask") == 0b01
    write(model, "M1/io", OUTPUTS + 4, 0b11, 0b10, now_ms=START)  # off and on in one request
    assert read(unit, "digital_outputs", "active_mask") == 0b10
    write(model, "M1/io", OUTPUTS + 2, 0b01, now_ms=START)  # a state, not a command
    assert read(unit, "digital_outputs", "active_mask") == 0b10
    assert read(unit, "digital_outputs", "command_on_mask") == 0


def test_analogue_inputs_read_in_their_configured_unit() -> None:
    model = office_model()
    unit = model.units["M1/analogue"]
    at(model, START + 15 * SECOND)
    assert read(unit, "analogue_inputs", "analogue_input_value") == pytest.approx(100.0)
    at(model, START + 45 * SECOND)
    assert read(unit, "analogue_inputs", "analogue_input_value") == pytest.approx(0.0)
    power_w = read(model.units["M1/i2"], "load_instantaneous", "active_power_total")
    assert read(unit, "analogue_inputs", "analogue_input_value", 1) == pytest.approx(power_w)
    at(model, START + 20 * MINUTE)
    average_w = read(model.units["M1/i2"], "load_average", "active_power_total")
    assert read(unit, "analogue_inputs", "analogue_input_average", 1) == pytest.approx(average_w)
    assert read(unit, "analogue_inputs", "analogue_input_average") == pytest.approx(50.0)


def test_scaling_through_two_points_takes_effect_when_saved() -> None:
    model = at(io_model(("50", "0"), "IO-20"), START)
    unit = model.units["M1/io"]
    assert read(unit, "analogue_inputs", "analogue_input_value") == pytest.approx(50.0)  # 12 mA
    base = placed(unit, "analogue_input_settings").base
    write(model, "M1/io", LOCK, 1000, now_ms=START)
    write(model, "M1/io", base + 7, 4, 0, 1000, 20, 0, 2000, now_ms=START)
    write(model, "M1/io", 57856, 161, now_ms=START)
    assert read(unit, "analogue_inputs", "analogue_input_value") == pytest.approx(1500.0)


def test_an_analogue_output_shows_what_was_commanded() -> None:
    model = office_model()
    unit = model.units["M1/analogue"]
    write(model, "M1/analogue", placed(unit, "analogue_outputs").base + 1, 0xFFFF, 0xFF9C, now_ms=START)
    assert read(unit, "analogue_outputs", "analogue_output_command") == -100


@dataclass
class Around:
    """A hand-made rest of the site."""

    time_ms: int = START
    average_span_ms: tuple[int, int] = (START, START + 10 * MINUTE)
    energy: Mapping[str, int] = field(default_factory=dict)

    def imported_mj(self, circuit: str) -> int:
        return self.energy[circuit]

    def circuit_point(self, circuit: str, point: str, *, average: bool) -> float:
        return math.nan

    def heating_a2(self, circuit: str) -> float:
        return 50.0**2

    def is_closed(self, circuit: str) -> bool:
        return circuit != "open"

    def mark(self, path: str, meter: int) -> tuple[int, int]:
        return START, 0


def io_of(product: Product, *inputs: str) -> IoModule:
    layout = ModuleLayout("io", product.name, 4, inputs=inputs)
    return IoModule("M1/io", product, layout, Settings(product, {}), "Europe/Paris")


def test_probes_feel_the_room_or_a_cabinet_that_a_circuit_warms() -> None:
    product = products()["IO-20"]
    layout = ModuleLayout("io", "IO-20", 4, probes=("room", "warmed by c0 100 20"))
    module = IoModule("M1/io", product, layout, Settings(product, {}), "Europe/Paris")
    day = [module.temperature(0, Around(START + hour * 3_600_000))["temperature"] for hour in range(24)]
    assert (min(day), max(day)) == (pytest.approx(20, abs=0.1), pytest.approx(24, abs=0.1))
    room, cabinet = (module.temperature(slot, Around())["temperature"] for slot in (0, 1))
    assert cabinet - room == pytest.approx(20 * 0.5**2)
    assert math.isnan(module.temperature(2, Around())["temperature"])


def test_a_contact_follows_its_breaker_and_another_output() -> None:
    module = io_of(products()["IO-10"], "breaker c0", "breaker open", "output M1/other 2")
    assert module.digital_inputs(Around())["active_mask"] == 0b001
    module.is_output_on = lambda path, number: (path, number) == ("M1/other", 2)
    assert module.digital_inputs(Around())["active_mask"] == 0b101


def test_an_output_gives_a_pulse_for_each_weight_of_energy() -> None:
    product = products()["IO-10"]
    layout = ModuleLayout("io", "IO-10", 4, outputs=("on", "pulse of c0 100"))
    module = IoModule("M1/io", product, layout, Settings(product, {}), "UTC")
    wh = 3_600_000
    masks = [
        module.digital_outputs(0b01, Around(energy={"c0": energy * wh}))["active_mask"]
        for energy in (0, 49, 50, 99, 100, 150)
    ]
    assert masks == [0b11, 0b11, 0b01, 0b01, 0b11, 0b01]


@pytest.mark.parametrize("text", ["breaker", "output M1/io 0", "output M1/io x"])
def test_a_contact_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(DriveError):
        io_of(products()["IO-10"], text)


@pytest.mark.parametrize("text", ["warmed by c0 0 20", "warmed by c0 10 101", "circuit c0 current_l1 0 9"])
def test_a_probe_that_cannot_be_is_refused(text: str) -> None:
    layout = ModuleLayout("io", "IO-20", 4, probes=(text,))
    product = products()["IO-20"]
    with pytest.raises(DriveError):
        IoModule("M1/io", product, layout, Settings(product, {}), "UTC")


def test_a_cabinet_warms_with_the_time_constant_of_its_walls() -> None:
    bus = (
        ModuleLayout("u", "U-30", 2, board="main"),
        ModuleLayout("i", "I-35", 3, allocations=(three_phase("c0"),)),
        ModuleLayout("io", "IO-20", 4, probes=("room", "warmed by c0 10 20")),
    )
    truth = ScriptedTruth({"c0": [(START - MINUTE, 6900.0, 0.0)]})
    layout = SiteLayout("bench", (GatewayLayout("M1", "M-70", 1, bus),))
    model = SiteModel(truth, layout, products(), 7, START)  # type: ignore[arg-type]
    rises = []
    for hours in (0.25, 1.5, 12):
        model.publish(model.compute(START + round(hours * 3_600_000)))
        io = model.units["M1/io"].io
        assert io is not None
        room, cabinet = (io.temperature(slot, model.snapshot)["temperature"] for slot in (0, 1))
        rises.append(cabinet - room)
    full = rises[2]
    assert full == pytest.approx(20, rel=0.1)
    assert rises[0] == pytest.approx(full * (1 - math.exp(-0.25 / 1.5)), rel=0.01)
    assert rises[1] == pytest.approx(full * (1 - math.exp(-1)), rel=0.01)


def test_a_signal_without_a_value_is_no_number() -> None:
    module = io_of(products()["IO-20"], "circuit gone active_power_total 0 100")
    assert math.isnan(module.analogue_input(0, Around())["analogue_input_value"])


def test_transmitters_stay_between_their_limits() -> None:
    assert signal_ma(0.0, 0.0, 100.0) == 4.0
    assert signal_ma(100.0, 0.0, 100.0) == 20.0
    assert signal_ma(1e9, 0.0, 100.0) == 20.5
    assert signal_ma(-1e9, 0.0, 100.0) == 3.8


@given(st.integers(0, 10**9), st.integers(1, 10**7), st.integers(1000, 10**6))
def test_the_mean_of_a_sine_is_that_of_its_samples(start_ms: int, length_ms: int, period_ms: int) -> None:
    drive = Sine(0.0, 100.0, period_ms)
    edges = np.linspace(start_ms, start_ms + length_ms, 20_001)
    middles = (edges[:-1] + edges[1:]) / 2
    samples = 50 + 50 * np.sin(2 * np.pi * (middles % period_ms) / period_ms)
    if length_ms / 20_000 < period_ms / 20:
        assert drive.mean(start_ms, start_ms + length_ms) == pytest.approx(samples.mean(), abs=0.3)


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=20), st.integers(1, 10**8))
def test_pulses_never_run_backwards(energies_mj: list[int], weight_mj: int) -> None:
    drive = Pulse("c", weight_mj)
    counts = [drive.count(energy) for energy in sorted(energies_mj)]
    assert counts == sorted(counts)
    assert all(count * weight_mj <= energy for count, energy in zip(counts, sorted(energies_mj), strict=True))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("blink", "off, on"),
        ("square 0 0.5", "above 0"),
        ("square 10 2", "0 to 1"),
        ("square ten 0.5", "square <period s>"),
        ("pulse of c0 0", "above 0 Wh"),
        ("pulse of c0 nan", "pulse of"),
        ("schedule never", "schedule with one of"),
    ],
)
def test_an_unreadable_digital_drive_says_what_would_be_right(text: str, right: str) -> None:
    with pytest.raises(DriveError, match="right would be") as caught:
        digital_drive(text, "UTC")
    assert right in str(caught.value)


@pytest.mark.parametrize("text", ["", "sine 5 1 60", "sine 0 1 0", "circuit c p 1", "warm"])
def test_an_unreadable_analogue_drive_is_refused(text: str) -> None:
    with pytest.raises(DriveError, match="right would be"):
        analogue_drive(text, "UTC")


def test_a_site_with_a_drive_that_has_no_source_is_refused() -> None:
    with pytest.raises(DriveError, match="metered"):
        io_model(("pulse of nowhere 1",))
    with pytest.raises(DriveError, match="4 inputs"):
        io_model(("on",) * 5)
    layout = office_layout()
    gateway = layout.gateways[0]
    bad = replace(gateway, modules=(*gateway.modules[:3], ModuleLayout("io", "IO-10", 5, outputs=("maybe",))))
    with pytest.raises(DriveError, match="on, off, or pulse"):
        office_model(gateways=(bad,))
