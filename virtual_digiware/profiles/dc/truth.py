"""The truth of direct-current boards: voltages, currents, powers and energies as functions of time alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.dc.battery import BatteryCourse
from virtual_digiware.profiles.dc.branches import Branches
from virtual_digiware.profiles.dc.installation import DcBoard, DcCircuit, DcInstallation, Outage
from virtual_digiware.profiles.dc.loads import DcLoads
from virtual_digiware.profiles.dc.outages import BoolArray, Outages
from virtual_digiware.profiles.dc.sun import Clouds, clear_sky_w_m2, sine_of_elevation
from virtual_digiware.profiles.noise import key, uniform
from virtual_digiware.profiles.pulses import STEP_MS
from virtual_digiware.profiles.solution import FloatArray, IntArray

_DAWN_W_M2 = 5.0
_MISMATCH, _MISMATCH_STREAM = 0.015, 1
_MPP_VOLTAGE, _MPP_CURRENT = 0.81, 0.94
_PER_DEGREE = -0.0027
_AMBIENT_C, _HEATING_C_PER_W_M2, _STANDARD_C = 15.0, 0.03, 25.0
"""Of strings: Voc(T) = Voc (1 - 0.0027 (Tc - 25)), Tc = Ta + 0.03 G; design values of this project."""


class DcError(ValueError):
    """A description that cannot be: `name` of the board or circuit, `reason` says what would be right."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True)
class DcSolution:
    """M boards and K circuits at T instants, in the order of the description; load convention."""

    t_ms: IntArray
    voltage_v: FloatArray
    """(T, M)"""
    current_a: FloatArray
    """(T, K) positive away from the board; of an incomer positive into it."""
    power_w: FloatArray
    """(T, K) voltage of the board times the current."""


class DcTruth:
    """One direct-current installation under one seed. What it tells of a time depends on that time alone."""

    def __init__(self, installation: DcInstallation, seed: int, outages: Sequence[Outage] = ()) -> None:
        """
        Raises:
            DcError, DcLoadClassUnknown: the description is wrong.
        """
        self.installation = installation
        self.board_index: Mapping[str, int] = {one.name: i for i, one in enumerate(installation.boards)}
        self.circuit_index: Mapping[str, int] = {one.name: i for i, one in enumerate(installation.circuits)}
        self._boards = [
            _Board(board, i, self._of(board), installation, seed, outages)
            for i, board in enumerate(installation.boards)
        ]
        for circuit in installation.circuits:
            if circuit.board not in self.board_index:
                raise DcError(circuit.name, f"no board named {circuit.board!r}")

    def _of(self, board: DcBoard) -> list[tuple[int, DcCircuit]]:
        circuits = enumerate(self.installation.circuits)
        return [(place, circuit) for place, circuit in circuits if circuit.board == board.name]

    def at(self, t_ms: IntArray) -> DcSolution:
        """The boards at instants (T,)."""
        t_ms = np.asarray(t_ms, np.int64)
        return self._solved(t_ms, t_ms)

    def _solved(self, t_ms: IntArray, mains_ms: IntArray) -> DcSolution:
        """At instants, under the mains of others in the same base steps."""
        voltage = np.zeros((len(t_ms), len(self._boards)))
        current = np.zeros((len(t_ms), len(self.installation.circuits)))
        for board in self._boards:
            voltage[:, board.place], own = board.solve(t_ms, mains_ms)
            current[:, board.circuits] = own
        power = current * voltage[:, [self.board_index[one.board] for one in self.installation.circuits]]
        return DcSolution(t_ms, voltage, current, power)

    def boundaries(self, first_ms: int, last_ms: int) -> IntArray:
        """Ascending instants from `first_ms` to `last_ms`: base steps, cut where a mains goes or comes."""
        grid = np.arange(first_ms // STEP_MS + 1, -(-last_ms // STEP_MS), dtype=np.int64) * STEP_MS
        cuts = [edge for board in self._boards for edge in board.outages.edges_ms]
        inside = [edge for edge in cuts if first_ms < edge < last_ms]
        return np.unique(np.concatenate([[first_ms], grid, np.array(inside, np.int64), [last_ms]]))

    def energies_mj(self, edges: IntArray) -> IntArray:
        """Signed energies (T, K), in mJ, between `edges` (T + 1,), which `boundaries` gave.

        A piece is booked with what loads want, and the sun gives, in the middle of its base step, under the
        mains of its begin: a cut inside a step changes nothing before it. What feeds the loads, an incomer or
        a battery, is booked as the sum of what it carries, so they agree to the last millijoule.
        """
        begin_ms = edges[:-1]
        middle_ms = begin_ms // STEP_MS * STEP_MS + STEP_MS // 2
        power = self._solved(middle_ms, begin_ms).power_w
        booked = np.rint(power * np.diff(edges)[:, None]).astype(np.int64)
        for board in self._boards:
            if board.battery is not None:
                out = board.outages.at(begin_ms)
                booked[out, board.battery] = -booked[out][:, board.loads].sum(axis=1)
            if board.incomer is not None and board.is_listed:
                carried = booked[:, board.carried].sum(axis=1)
                booked[:, board.incomer] = carried if board.is_fed else -carried
        return booked


class _Board:
    """One board, compiled."""

    def __init__(
        self,
        board: DcBoard,
        place: int,
        circuits: Sequence[tuple[int, DcCircuit]],
        installation: DcInstallation,
        seed: int,
        outages: Sequence[Outage],
    ) -> None:
        _check(board, [circuit for _, circuit in circuits])
        self.place = place
        self.circuits = [index for index, _ in circuits]
        self.is_fed = board.sun is None
        of_kind = {
            kind: [index for index, circuit in circuits if circuit.kind == kind]
            for kind in ("incomer", "battery", "load")
        }
        self.incomer = next(iter(of_kind["incomer"]), None)
        self.battery = next(iter(of_kind["battery"]), None)
        self.loads = of_kind["load"]
        self.carried = [index for index in self.circuits if index != self.incomer]
        self.is_listed = board.battery is None or self.battery is not None
        """All that an incomer carries is among the circuits; a battery may have none."""
        self._board = board
        kinds = [circuit.kind for _, circuit in circuits]
        self._own = {kind: [i for i, one in enumerate(kinds) if one == kind] for kind in set(kinds)}
        loads = [circuit for _, circuit in circuits if circuit.kind == "load"]
        self._loads = DcLoads(
            [one.name for one in loads],
            [one.load_class for one in loads],
            [one.nominal_w for one in loads],
            seed,
            installation.site,
            installation.timezone,
        )
        strings = [circuit for _, circuit in circuits if circuit.kind == "string"]
        names = [key(seed, installation.site, f"dc/{one.name}") for one in strings]
        mismatch = uniform(names, _MISMATCH_STREAM, 0) if names else np.zeros(0)
        self._string_a = np.array([one.nominal_a for one in strings]) * (1 - _MISMATCH * mismatch)
        self._clouds = Clouds(key(seed, installation.site, f"dc/{board.name}/clouds"))
        rectifier = board.rectifier
        self.outages = Outages(outages, None if rectifier is None else rectifier.mains)
        self._branches = Branches(
            np.array([one.resistance_ohm for one in loads]),
            self._loads.exponent,
            1.0 if rectifier is None else rectifier.float_v,
        )
        self._battery: BatteryCourse | None = None
        if board.battery is not None and rectifier is not None:
            self._battery = BatteryCourse(
                board.battery, rectifier, self.outages, self._loads.power_w, self._branches
            )

    def solve(self, t_ms: IntArray, mains_ms: IntArray) -> tuple[FloatArray, FloatArray]:
        """Voltage (T,) and currents (T, own circuits), under the mains of `mains_ms`."""
        currents = np.zeros((len(t_ms), len(self.circuits)))
        if self._board.sun is not None:
            voltage, strings = self._shine(t_ms)
            currents[:, self._own.get("string", [])] = -strings
            total = strings.sum(axis=1)
        else:
            voltage, loads, charging, total = self._feed(t_ms, self.outages.at(mains_ms))
            currents[:, self._own.get("load", [])] = loads
            currents[:, self._own.get("battery", [])] = charging[:, None]
        currents[:, self._own.get("incomer", [])] = total[:, None]
        return voltage, currents

    def _shine(self, t_ms: IntArray) -> tuple[FloatArray, FloatArray]:
        sun = self._board.sun
        assert sun is not None  # asked by `solve`
        clear = clear_sky_w_m2(sine_of_elevation(t_ms, sun.latitude_deg, sun.longitude_deg))
        irradiance = clear * self._clouds.at(t_ms)
        is_day = irradiance > _DAWN_W_M2
        cell_c = _AMBIENT_C + _HEATING_C_PER_W_M2 * irradiance
        open_v = sun.open_circuit_v * (1 + _PER_DEGREE * (cell_c - _STANDARD_C))
        voltage = np.where(is_day, _MPP_VOLTAGE * open_v, 0.0)
        strings = _MPP_CURRENT * self._string_a * (np.where(is_day, irradiance, 0.0) / 1000)[:, None]
        return voltage, strings

    def _feed(self, t_ms: IntArray, out: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Voltage, currents of the loads, charging current, and current of the rectifier."""
        rectifier, battery = self._board.rectifier, self._board.battery
        assert rectifier is not None  # checked
        wanted = self._loads.power_w(t_ms)
        source_v = np.full(len(t_ms), rectifier.float_v)
        resistance = np.full(len(t_ms), rectifier.resistance_ohm)
        wish_a = np.zeros(len(t_ms))
        if self._battery is not None and battery is not None:
            course = self._battery.at(t_ms)
            wish_a = np.where(out, 0.0, self._battery.charging_a(course.charge))
            source_v = np.where(out, self._battery.open_circuit_v(course.charge), source_v)
            resistance = np.where(out, battery.resistance_ohm, resistance)
            wanted = np.where((out & course.is_cut_off)[:, None], 0.0, wanted)
        else:
            source_v = np.where(out, 0.0, source_v)
            wanted = np.where(out[:, None], 0.0, wanted)
        voltage, loads, charging = self._branches.solve(
            wanted, source_v, resistance, wish_a, rectifier.limit_a
        )
        total = loads.sum(axis=1)
        if battery is not None:
            charging = np.where(out, -total, charging)
        return voltage, loads, charging, total + charging


def _check(board: DcBoard, circuits: Sequence[DcCircuit]) -> None:
    if (board.rectifier is None) == (board.sun is None):
        raise DcError(board.name, "a rectifier, or strings in the sun")
    if board.battery is not None and board.rectifier is None:
        raise DcError(board.name, "a battery only beside a rectifier")
    wrong = "string" if board.sun is None else "load"
    for circuit in circuits:
        if circuit.kind == wrong or (circuit.kind == "battery" and board.battery is None):
            raise DcError(circuit.name, f"no {circuit.kind} on {board.name}")
    for kind in ("incomer", "battery"):
        if sum(circuit.kind == kind for circuit in circuits) > 1:
            raise DcError(board.name, f"one {kind} at most")
