"""Harmonics by class against harmonics one by one, and powers against the spectra that they come from."""

import numpy as np
import pytest

from tests.profiles.installations import HOUR_MS, MONDAY_MS, campus, classes, one_board, quiet
from virtual_digiware.profiles.harmonics import turns
from virtual_digiware.profiles.installation import PHASES, Event, Load
from virtual_digiware.profiles.library import load_classes
from virtual_digiware.profiles.noise import Stream, key, uniform
from virtual_digiware.profiles.solution import ORDERS
from virtual_digiware.profiles.tree import source_impedance
from virtual_digiware.profiles.truth import Truth

H = len(ORDERS)
MORNING = MONDAY_MS + 8 * HOUR_MS + np.arange(40) * 97_777
PAIRS = {frozenset(("L1", "L2")): (0, 1), frozenset(("L2", "L3")): (1, 2), frozenset(("L3", "L1")): (2, 0)}


@pytest.fixture(scope="module")
def truth():
    return Truth(campus(), 7)


@pytest.fixture(scope="module")
def everything(truth):
    """A solution and the spectra of all circuits."""
    solution = truth.at(MORNING)
    return solution, solution.current_spectrum(np.arange(len(truth.circuit_index)))


def test_turns_are_the_powers_of_the_angle():
    angle = np.linspace(-3, 3, 50)
    found = turns(230 * np.exp(1j * angle))
    assert found == pytest.approx(np.exp(1j * angle[:, None] * np.array(ORDERS[1:])), abs=1e-13)
    assert turns(np.zeros(1, dtype=complex)).tolist() == [[1] * (H - 1)]


def test_active_power_is_the_sum_over_all_orders(truth, everything):
    solution, spectra = everything
    board = [truth.board_index[c.board] for c in truth.installation.circuits]
    power = (solution.voltage_v[:, board] * spectra.conj()).real.sum(axis=-1)
    assert solution.active_w == pytest.approx(power, rel=1e-9, abs=1e-8)


def test_fundamental_reactive_power_is_that_of_the_phasors(truth, everything):
    solution, spectra = everything
    board = [truth.board_index[c.board] for c in truth.installation.circuits]
    power = solution.voltage_v[..., 0][:, board] * spectra[..., 0].conj()
    assert solution.reactive1_var == pytest.approx(power.imag, rel=1e-9, abs=1e-8)
    assert np.abs(solution.current_a - spectra[..., 0]).max() < 1e-11


def test_rms_currents_are_the_sum_over_all_orders(everything):
    solution, spectra = everything
    assert solution.current_rms_a == pytest.approx(np.sqrt((np.abs(spectra) ** 2).sum(axis=-1)), abs=1e-10)


def test_neutral_currents_are_the_sums_of_phasors_order_by_order(everything):
    solution, spectra = everything
    neutral = np.sqrt((np.abs(spectra.sum(axis=2)) ** 2).sum(axis=-1))
    assert solution.neutral_current_rms_a == pytest.approx(neutral, abs=1e-7)


def explicit_spectrum(load: Load, truth: Truth, solution, row: int) -> np.ndarray:
    """Spectrum (3, H) of one load from its own formula, phase by phase and order by order."""
    kind = load_classes()[load.load_class]
    circuit = truth.circuit_index[load.circuit]
    voltage = solution.voltage_v[row, truth.board_index[truth.installation.circuits[circuit].board], :, 0]
    drawn = uniform(key(7, "campus", f"load/{load.name}"), Stream.VARIANT, 0)[0]
    table = kind.spectra[int(drawn * len(kind.spectra))]
    names = truth._connections.loads
    place = [other.name for other in names].index(load.name)
    demand = truth._envelope.at(solution.start_ms[row : row + 1])
    level = abs(demand.conjugate_va.real[0, place]) / load.nominal_w
    mixed = np.array(
        [
            complex(np.interp(level, kind.levels, c.real), np.interp(level, kind.levels, c.imag))
            for c in table.T
        ]
    )
    found = np.zeros((3, H), dtype=complex)
    if load.line_to_line and len(load.phases) == 2:
        first, second = PAIRS[frozenset(load.phases)]
        tap = voltage[first] - voltage[second]
        through = solution.current_a[row, circuit, first]
        found[first] = abs(through) * mixed * np.exp(1j * np.array(ORDERS) * np.angle(tap))
        found[first, 0] = through
        found[second] = -found[first]
        return found
    for phase in (PHASES.index(name) for name in load.phases):
        through = solution.current_a[row, circuit, phase]
        found[phase] = abs(through) * mixed * np.exp(1j * np.array(ORDERS) * np.angle(voltage[phase]))
        found[phase, 0] = through
    return found


def test_spectra_of_single_loads_are_those_of_their_class(truth, everything):
    solution, spectra = everything
    shared = [load.circuit for load in truth.installation.loads]
    seen = 0
    for load in truth.installation.loads:
        if shared.count(load.circuit) > 1 or (load.line_to_line and len(load.phases) == 3):
            continue
        seen += 1
        found = spectra[3, truth.circuit_index[load.circuit]]
        assert found == pytest.approx(explicit_spectrum(load, truth, solution, 3), abs=1e-11)
    assert seen > 25


def test_harmonic_voltages_are_background_less_drops(truth, everything):
    solution, spectra = everything
    impedance = source_impedance(truth.installation.sources[1])
    z = impedance.real + 1j * np.array(ORDERS) * impedance.imag
    plant, incomer = truth.board_index["plant"], truth.circuit_index["incomer 2"]
    behind = solution.voltage_v[:, plant] + z * spectra[:, incomer]
    supply = truth._mains.at(MORNING)
    background = truth._mains.background_v[1] * supply.distortion[:, 1, None, None]
    assert np.abs(behind[..., 1:] - background[..., 1:]).max() < 1e-10
    assert np.abs(behind[..., 0] - supply.emf_v[:, 1]).max() < 1e-3


def test_a_distorting_load_sends_harmonic_power_back(truth, everything):
    solution, spectra = everything
    drives = [load for load in truth.installation.loads if load.load_class == "motor-vsd"]
    circuit = truth.circuit_index[drives[0].circuit]
    fundamental = (
        solution.voltage_v[:, truth.board_index[truth.installation.circuits[circuit].board], :, 0]
        * spectra[:, circuit, :, 0].conj()
    ).real
    harmonic = (solution.active_w[:, circuit] - fundamental).sum(axis=-1)
    assert 0 < np.abs(harmonic).max() < 0.03 * fundamental.sum(axis=-1).max()


def test_identical_single_phase_loads_fill_the_neutral_with_the_third_harmonic():
    spectrum = np.zeros((1, 1, H), dtype=complex)
    spectrum[..., 0], spectrum[..., 1] = 1, 0.6
    kind = quiet(spectra=spectrum)
    loads = [Load(f"l{phase}", "c", "lamps", 3000.0, phases=(phase,)) for phase in PHASES]
    solution = Truth(one_board(*loads), 1, classes=classes(lamps=kind)).at(MORNING[:1])
    ratio = solution.neutral_current_rms_a[0, 1] / solution.current_rms_a[0, 1].mean()
    # Three times 60 %, over the RMS of 1 and 0.6.
    assert ratio == pytest.approx(1.8 / np.sqrt(1.36), rel=0.01)


def test_distortion_rises_as_the_load_falls():
    def distortion(profile_level):
        kind = load_classes()["motor-vsd"]
        steady = quiet(
            mean_level=profile_level, night_base=profile_level, levels=kind.levels, spectra=kind.spectra
        )
        load = Load("l", "c", "drive", 10e3)
        solution = Truth(one_board(load), 1, classes=classes(drive=steady)).at(MORNING[:1])
        fundamental = np.abs(solution.current_a[0, 1, 0])
        return np.sqrt(solution.current_rms_a[0, 1, 0] ** 2 - fundamental**2) / fundamental

    assert distortion(1.0) == pytest.approx(0.41, abs=0.03)
    assert distortion(0.3) == pytest.approx(0.77, abs=0.05)
    assert distortion(0.1) == pytest.approx(distortion(0.3), rel=1e-12)
    # Half-way between two levels the mixture is a straight line of spectra, not of magnitudes.
    assert distortion(1.0) < distortion(0.8) < distortion(0.6) < distortion(0.45) < distortion(0.3)


def test_voltage_distortion_stays_inside_the_norm(everything):
    solution, _ = everything
    voltage = np.abs(solution.voltage_v)
    alive = voltage[..., 0] > 0
    distortion = np.sqrt((voltage[..., 1:] ** 2).sum(axis=-1))[alive] / voltage[..., 0][alive]
    assert distortion.min() > 0.01
    assert distortion.max() < 0.08


def test_spectra_of_many_times_come_in_the_order_asked(truth):
    times = MORNING[0] + np.arange(3000) * 1000  # more than one chunk
    asked = np.array([9, 0, 3, 12])
    batch = truth.at(times).current_spectrum(asked)
    for row in (0, 1234, 2999):
        alone = truth.at(times[row : row + 1]).current_spectrum(np.arange(20))
        assert np.array_equal(batch[row], alone[0, asked])


def test_dead_boards_have_no_harmonics():
    event = Event(int(MORNING[0]), None, "open", "to office")
    truth = Truth(campus(), 7, [event])
    solution = truth.at(MORNING[:1])
    for board in ("office", "corridor"):
        assert np.abs(solution.voltage_v[0, truth.board_index[board]]).max() == 0
    assert np.abs(solution.voltage_v[0, truth.board_index["floor"], :, 2]).min() > 0
