"""The truth of direct-current boards: voltages, currents, powers and energies as functions of time alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.dc.battery import BatteryCourse
from virtual_digiware.profiles.dc.installation import DcBoard, DcCircuit, DcInstallation, Outage
from virtual_digiware.profiles.dc.loads import DcLoads
from virtual_digiware.profiles.dc.sun import Clouds, clear_sky_w_m2, sine_of_elevation
from virtual_digiware.profiles.noise import key, uniform
from virtual_digiware.profiles.pulses import STEP_MS
from virtual_digiware.profiles.solution import FloatArray, IntArray

_SWEEPS = 8
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
        voltage = np.zeros((len(t_ms), len(self._boards)))
        current = np.zeros((len(t_ms), len(self.installation.circuits)))
        for board in self._boards:
            voltage[:, board.place], own = board.solve(t_ms)
            current[:, board.circuits] = own
        power = current * voltage[:, [self.board_index[one.board] for one in self.installation.circuits]]
        return DcSolution(t_ms, voltage, current, power)

    def step_energies_mj(self, first: int, last: int) -> IntArray:
        """Signed energies (T, K) of whole base steps `first` to `last` - 1 (numbers since the epoch), in mJ.

        Steps are booked at the power of their middle. An incomer is booked as the sum of what it carries, so
        what flows in flows out to the last millijoule.
        """
        steps = np.arange(first, last, dtype=np.int64)
        power = self.at(steps * STEP_MS + STEP_MS // 2).power_w
        booked = np.rint(power * STEP_MS).astype(np.int64)
        for board in self._boards:
            if board.incomer is not None:
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
        kinds = [circuit.kind for _, circuit in circuits]
        self.is_fed = board.sun is None
        incomers = [index for index, circuit in circuits if circuit.kind == "incomer"]
        self.incomer = incomers[0] if incomers else None
        self.carried = [index for index, circuit in circuits if circuit.kind != "incomer"]
        self._board = board
        self._own = {kind: [i for i, one in enumerate(kinds) if one == kind] for kind in set(kinds)}
        loads = [circuit for _, circuit in circuits if circuit.kind == "load"]
        self._resistance = np.array([one.resistance_ohm for one in loads])
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
        self._battery: BatteryCourse | None = None
        own = _outages_of(board, outages)
        self._outages = own
        if board.battery is not None:
            self._battery = BatteryCourse(
                board.battery, own, lambda t_ms: self._loads.power_w(t_ms).sum(axis=1)
            )

    def solve(self, t_ms: IntArray) -> tuple[FloatArray, FloatArray]:
        """Voltage (T,) and currents (T, own circuits)."""
        currents = np.zeros((len(t_ms), len(self.circuits)))
        if self._board.sun is not None:
            voltage, strings = self._shine(t_ms)
            currents[:, self._own.get("string", [])] = -strings
            total = strings.sum(axis=1)
        else:
            voltage, loads, charging, total = self._feed(t_ms)
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

    def _feed(self, t_ms: IntArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Voltage, currents of the loads, charging current, and current of the rectifier."""
        rectifier, battery = self._board.rectifier, self._board.battery
        assert rectifier is not None  # checked
        wanted = self._loads.power_w(t_ms)
        nominal_v = rectifier.float_v
        source_v = np.full(len(t_ms), rectifier.float_v)
        resistance = np.full(len(t_ms), rectifier.droop * rectifier.float_v**2 / rectifier.rated_w)
        charging = np.zeros(len(t_ms))
        out = _is_out(self._outages, t_ms)
        if self._battery is not None and battery is not None:
            course = self._battery.at(t_ms)
            charging = np.where(out, 0.0, self._battery.charging_a(course.charge))
            source_v = np.where(out, self._battery.open_circuit_v(course.charge), source_v)
            resistance = np.where(out, battery.resistance_ohm, resistance)
            wanted = np.where((out & course.is_cut_off)[:, None], 0.0, wanted)
        else:
            source_v = np.where(out, 0.0, source_v)
            wanted = np.where(out[:, None], 0.0, wanted)
        voltage, loads = source_v, np.zeros_like(wanted)
        for _ in range(_SWEEPS):
            loads = self._load_currents(wanted, voltage, nominal_v)
            voltage = np.maximum(source_v - resistance * (loads.sum(axis=1) + charging), 0.0)
        loads = self._load_currents(wanted, voltage, nominal_v)
        total = loads.sum(axis=1)
        if battery is not None:
            charging = np.where(out, -total, charging)
        return voltage, loads, charging, total + charging

    def _load_currents(self, wanted_w: FloatArray, voltage_v: FloatArray, nominal_v: float) -> FloatArray:
        """(T, N): what loads draw through their feeders, P = (U - R I) I solved for the smaller I."""
        relative = np.where(voltage_v > 0, voltage_v / nominal_v, 0.0)[:, None]
        # 0 to the power of 0 is 1, but a load without voltage draws nothing.
        power = np.where(relative > 0, wanted_w * relative**self._loads.exponent, 0.0)
        bus = voltage_v[:, None]
        root = np.sqrt(np.maximum(bus * bus - 4 * self._resistance * power, 0.0))
        drawn: FloatArray = np.divide(2 * power, bus + root, out=np.zeros_like(power), where=bus > 0)
        return drawn


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


def _outages_of(board: DcBoard, outages: Sequence[Outage]) -> list[tuple[int, int | None]]:
    """Outages of what feeds the rectifier, joined where they touch, ascending."""
    mains = None if board.rectifier is None else board.rectifier.mains
    joined: list[tuple[int, int | None]] = []
    for outage in sorted(outages, key=lambda one: one.start_ms):
        if outage.source != mains:
            continue
        last_end_ms = joined[-1][1] if joined else -1
        if joined and (last_end_ms is None or outage.start_ms <= last_end_ms):
            end_ms = None
            if last_end_ms is not None and outage.end_ms is not None:
                end_ms = max(last_end_ms, outage.end_ms)
            joined[-1] = (joined[-1][0], end_ms)
        else:
            joined.append((outage.start_ms, outage.end_ms))
    return joined


def _is_out(
    outages: Sequence[tuple[int, int | None]], t_ms: IntArray
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    out = np.zeros(len(t_ms), np.bool_)
    for start_ms, end_ms in outages:
        out |= (t_ms >= start_ms) & (np.True_ if end_ms is None else t_ms < end_ms)
    return out
