"""The picture of a circuit's waveforms: well-formed, complete, and true to the samples."""

from xml.etree import ElementTree

import numpy as np
import pytest

from virtual_digiware.profiles.solution import ORDERS
from virtual_digiware.profiles.waveform import Waveforms, circuit_waveforms
from virtual_digiware.profiles.waveform_picture import HEIGHT, WIDTH, waveform_svg

SVG = "{http://www.w3.org/2000/svg}"
VOLTAGE = 231.3
TURN = np.exp(-2j * np.pi / 3 * np.arange(3))


def waves(current_a: tuple[float, float, float], third: float = 0.0, cycles: float = 4) -> Waveforms:
    voltage = np.zeros((3, len(ORDERS)), dtype=complex)
    voltage[:, 0] = VOLTAGE * TURN
    current = np.zeros_like(voltage)
    current[:, 0] = np.array(current_a) * TURN
    current[:, 1] = third * np.array(current_a)
    return circuit_waveforms(voltage, current, 50.0, cycles)


def curves(svg: str) -> list[np.ndarray]:
    """Points (n, 2) of each curve in the order of drawing."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}polyline")
    return [np.array([p.split(",") for p in one.attrib["points"].split()], dtype=float) for one in found]


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_voltages_currents_and_neutral_are_drawn_with_units_and_rms_values():
    svg = waveform_svg(waves((10, 20, 30), third=0.5), "Sockets, 2nd floor")
    assert len(curves(svg)) == 7
    labels = texts(svg)
    for label in (
        "Sockets, 2nd floor",
        "Phase-to-neutral voltage (V)",
        "Current (A)",
        "Time (ms)",
        "L1 231.3 V",
        "L2 22.36 A",  # 20 A with half of it as third harmonic
        "−300",
        "0",
        "80",
    ):
        assert label in labels
    assert any(label.startswith("N ") for label in labels)


def test_a_curve_peaks_where_the_voltage_peaks():
    svg = waveform_svg(waves((10, 10, 10), cycles=1), "x")
    first = curves(svg)[2]  # L1 is drawn last, on top
    left, right = first[0, 0], WIDTH - 24
    quarter = first[np.argmin(np.abs(first[:, 0] - (left + (right - left) / 2)))]
    assert first[0, 1] == first[:, 1].min()  # the cosine starts at its peak; up is less
    assert quarter[1] == pytest.approx(first[:, 1].max(), abs=0.2)
    middle = (first[:, 1].min() + first[:, 1].max()) / 2
    assert middle == pytest.approx(74 + 224 / 2, abs=0.2)  # symmetric around zero


@pytest.mark.parametrize("current", [(0.001, 0.002, 0.001), (8, 7, 9), (4321, 4000, 4100)])
def test_every_point_lies_inside_the_picture(current):
    for curve in curves(waveform_svg(waves(current, third=0.9), "x")):
        assert np.all((curve >= 0) & (curve <= [WIDTH, HEIGHT]))


def test_a_balanced_circuit_has_no_neutral_curve():
    assert len(curves(waveform_svg(waves((10, 10, 10)), "x"))) == 6


def test_a_single_phase_circuit_shows_its_phase_and_the_neutral():
    labels = texts(waveform_svg(waves((0, 12, 0)), "x"))
    assert {"L2 12.00 A", "N 12.00 A"} <= set(labels)
    assert "L1 0 A" not in labels


def test_a_dead_circuit_is_a_picture_too():
    svg = waveform_svg(waves((0, 0, 0)), "x")
    assert len(curves(svg)) == 6
    assert "L1 0 A" in texts(svg)


def test_any_title_is_safe():
    svg = waveform_svg(waves((1, 1, 1)), '<b>&"Ω')
    assert texts(svg)[0] == '<b>&"Ω'


def test_a_long_recording_stays_a_small_picture():
    assert len(waveform_svg(waves((1, 1, 1), cycles=200), "x")) < 200_000
