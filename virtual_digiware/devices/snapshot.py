"""One published state of a site: tables of points, made for a unit when somebody reads them, then kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from virtual_digiware.devices import energies
from virtual_digiware.devices.alarms.events import SiteAlarms
from virtual_digiware.devices.asked_tables import AskedTables, Slots
from virtual_digiware.devices.circuit_tables import CIRCUIT_INSTANTANEOUS
from virtual_digiware.devices.demand import CURVE_LENGTH, DemandBlock
from virtual_digiware.devices.extremes import seconds_since_2000
from virtual_digiware.devices.faults.holds import Hold, falsify
from virtual_digiware.devices.fundamental_tables import circuit_fundamental, network_fundamental
from virtual_digiware.devices.harmonic_tables import (
    circuit_harmonic_current,
    network_harmonic_voltage_ll,
    network_harmonic_voltage_ln,
)
from virtual_digiware.devices.measured_spectra import SlotValues, slot_values
from virtual_digiware.devices.metering import averages
from virtual_digiware.devices.moments import Moment
from virtual_digiware.devices.network_tables import NETWORK_INSTANTANEOUS
from virtual_digiware.devices.partial_counters import PartialCounters
from virtual_digiware.devices.points import FloatArray, IntArray, Table, table_of
from virtual_digiware.devices.transfer_switch.registers import TransferShown
from virtual_digiware.devices.voltage_measurement import MeasuredVoltages
from virtual_digiware.devices.wiring import BoolArray, Wiring
from virtual_digiware.profiles.installation import Event

Columns = dict[str, FloatArray]
NetworkTable = Callable[[MeasuredVoltages, Wiring, BoolArray], Table]

_TREND_SHARE = 0.02
"""A predicted power counts as stable while it stays this close to the last closed block."""
_UP, _STABLE, _DOWN = 0.0, 1.0, 2.0
_CURVE_POINTS: Mapping[str, tuple[str, ...]] = {
    "active_power_import": ("active_import",),
    "active_power_export": ("active_export",),
    "reactive_power_import": ("reactive_1", "reactive_2"),
    "reactive_power_export": ("reactive_3", "reactive_4"),
    "apparent_power": ("apparent",),
}


@dataclass(frozen=True)
class Metered:
    """What the history holds of the site besides the moment: which slot measures which circuit, and marks."""

    slot_of_circuit: Mapping[str, int]
    marks: Mapping[tuple[str, int], tuple[int, int]]
    """Time and imported energy at which pulse counters (path, meter) were cleared."""
    commissioned_ms: int
    events: tuple[Event, ...] = ()
    transfers: Mapping[str, TransferShown] = field(default_factory=dict)


class Snapshot:
    """Every readable point of a site at one time. Reads happen in one thread; nothing in it changes."""

    def __init__(
        self,
        moment: Moment,
        metered: Metered,
        refresh_ms: int,
        asked: AskedTables | None = None,
        holds: tuple[Hold, ...] = (),
    ) -> None:
        """`asked` is told what is read of this snapshot, and says what to make before anybody reads.

        `holds` are the faults that make units show something else.
        """
        self._holds = holds
        self.time_ms = moment.time_ms
        self._asked = AskedTables() if asked is None else asked
        self._moment = moment
        self._metered = metered
        self._refresh_ms = refresh_ms
        self._tables: dict[tuple[str, Slots], Table] = {}
        self._read: set[tuple[str, Slots]] = set()
        self._values: tuple[bytes, SlotValues] | None = None
        self._networks_made: dict[NetworkTable, Table] = {}

    def table(self, name: str, slots: Slots) -> Table:
        """Table `name` for some slots: circuits of the site for `circuit.*`, voltage taps for `network.*`.

        The table's columns are in the order of `slots`. Raises KeyError for a name that is no such table.
        """
        key = name, slots
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = self._made(name, slots)
        if key not in self._read:
            self._read.add(key)
            self._asked.add(name, slots)
        return table

    def ask(self, name: str, slots: Slots) -> None:
        """Say that a table will be read, so that `prepare` makes it with the others of its name."""
        self._asked.add(name, slots)

    def seen_by(self, path: str) -> Snapshot:
        """What a unit shows of its measurement: this, or the moment at which it froze."""
        for hold in self._holds:
            if hold.fault.effect == "values_frozen" and hold.fault.target == path:
                return hold.since.seen_by(path)
        return self

    def kept(self, name: str, slots: Slots) -> Table:
        """As `table`, for those who compute: nobody has asked for it."""
        table = self._tables.get((name, slots))
        if table is None:
            table = self._tables[name, slots] = self._made(name, slots)
        return table

    def prepare(self) -> None:
        """Make what has been read of earlier snapshots, each table for all its units at once."""
        for name, wanted in self._asked.for_next().items():
            together = tuple(sorted({slot for slots in wanted for slot in slots}))
            place = {slot: at for at, slot in enumerate(together)}
            whole = self._made(name, together)
            for slots in wanted:
                part = whole.values[:, [place[slot] for slot in slots]]
                self._tables[name, slots] = Table(whole.names, part)

    def _made(self, name: str, slots: Slots) -> Table:
        index = np.array(slots, np.int64)
        columns = _BUILDERS[name](self, index)
        self._frame(name, columns, index)
        return table_of(columns)

    @property
    def transfers(self) -> Mapping[str, TransferShown]:
        """What the controllers of transfer switches show, by the name of the switch."""
        return self._metered.transfers

    @property
    def alarms(self) -> SiteAlarms:
        """All alarms of the site: active, logged, changed."""
        return self._moment.alarms

    @property
    def average_span_ms(self) -> tuple[int, int]:
        """Start and end of the block whose averages are shown."""
        return self._moment.average.start_ms, self._moment.average.end_ms

    def imported_mj(self, circuit: str) -> int:
        """Active energy imported by a metered circuit."""
        slot = self._metered.slot_of_circuit[circuit]
        return int(self._moment.counters_mj[energies.COUNTERS.index("active_import"), slot])

    def circuit_point(self, circuit: str, point: str, *, average: bool) -> float:
        """A measured value of a circuit; NaN when it is not available or no such point is measured."""
        table = self.table(
            "circuit.average" if average else "circuit.instantaneous",
            (self._metered.slot_of_circuit[circuit],),
        )
        return float(table[point][0]) if point in table.index else math.nan

    def heating_a2(self, circuit: str) -> float:
        """Mean square of a metered circuit's current, as its losses have warmed a cabinet."""
        return float(self._moment.heating.squares[self._metered.slot_of_circuit[circuit]])

    def is_closed(self, circuit: str) -> bool:
        """Whether the breaker of a circuit is closed."""
        return not any(
            event.kind == "open"
            and event.target == circuit
            and event.start_ms <= self.time_ms
            and (event.end_ms is None or self.time_ms < event.end_ms)
            for event in self._metered.events
        )

    def mark(self, path: str, meter: int) -> tuple[int, int]:
        """Time and imported energy from which a partial pulse counter counts."""
        return self._metered.marks.get((path, meter), (self._metered.commissioned_ms, 0))

    def _frame(self, name: str, columns: Columns, slots: IntArray) -> None:
        """The points that say what the others of a table belong to: slot status, time stamp, period."""
        missing = np.zeros(len(slots))
        if name.startswith("circuit."):
            is_enabled = self._moment.present.reading.measured.wiring.is_enabled[slots]
            columns["load_status"] = is_enabled.astype(np.float64)
            missing[~is_enabled] = np.nan  # a disabled load is not refreshed
        if name in ("circuit.average", "network.average"):
            stamp_ms, period_s = self._moment.average.end_ms, self._moment.average.period_ms / 1000
        else:
            stamp_ms, period_s = self._moment.present.slot_ms, self._refresh_ms / 1000
        stamp = seconds_since_2000(np.array([stamp_ms], np.int64))
        columns["timestamp"] = stamp + missing
        columns["integration_time"] = period_s + missing

    def _instantaneous(self, slots: IntArray) -> Columns:
        return _columns(CIRCUIT_INSTANTANEOUS, self._moment.present.reading.points.circuits[:, 0, slots])

    def _averages(self, slots: IntArray) -> Columns:
        return _columns(CIRCUIT_INSTANTANEOUS, averages(self._moment.average, slots))

    def _fundamental(self, slots: IntArray) -> Columns:
        reading = self._moment.present.reading
        table = circuit_fundamental(slot_values(reading.solution, reading.measured, slots))
        return _columns(table.names, table.values)

    def _harmonics(self, slots: IntArray) -> Columns:
        reading = self._moment.present.reading
        table = circuit_harmonic_current(slot_values(reading.solution, reading.measured, slots))
        return _columns(table.names, table.values)

    def _maxima(self, slots: IntArray) -> Columns:
        return self._moment.present.shown.circuits.columns("maximum", slots)

    def _minima(self, slots: IntArray) -> Columns:
        return self._moment.present.shown.circuits.columns("minimum", slots)

    def _average_maxima(self, slots: IntArray) -> Columns:
        return self._moment.average_extremes.columns("maximum", slots)

    def _average_minima(self, slots: IntArray) -> Columns:
        return self._moment.average_extremes.columns("minimum", slots)

    def _quality_extremes(self, slots: IntArray) -> Columns:
        quality = self._moment.present.shown.quality
        return {
            **quality.columns("maximum", slots, "maximum_"),
            **quality.columns("minimum", slots, "minimum_"),
        }

    def _energies(self, slots: IntArray) -> Columns:
        totals_mj = energies.shown(self._moment.counters_mj[:, slots])
        columns: Columns = {}
        for point, energy_mj in totals_mj.items():
            columns.update(energies.register_columns(point, energy_mj))
        _add_partial(columns, self._moment.partial, totals_mj, slots, self.time_ms)
        for hold in self._holds:
            falsify(columns, slots.tolist(), hold)
        return columns

    def _energy_history(self, slots: IntArray) -> Columns:
        moment = self._moment
        left_ms = moment.running_end_ms - moment.time_ms
        period_ms = moment.running_end_ms - moment.running_start_ms
        present = _present_powers(moment, slots)
        gained = _summed(moment.running_gain_mj[:, slots].astype(np.float64))
        predicted = {point: (gained[point] + present[point] * left_ms) / period_ms for point in gained}
        columns: Columns = {f"predicted_{point}": power for point, power in predicted.items()}
        columns["predicted_power_trend"] = _trend(predicted, moment.curve, slots)
        columns["period_time_left"] = np.full(len(slots), left_ms / 1000)
        for n in range(1, CURVE_LENGTH + 1):
            block = moment.curve[n - 1] if n <= len(moment.curve) else None
            _add_curve_point(columns, f"load_curve_{n}", block, moment.curve_since_ms[slots], slots)
        return columns

    def _networks(self, taps: IntArray) -> Columns:
        return _columns(NETWORK_INSTANTANEOUS, self._moment.present.reading.points.networks[:, 0, taps])

    def _network_averages(self, taps: IntArray) -> Columns:
        return _columns(NETWORK_INSTANTANEOUS, self._moment.average.network_means(taps))

    def _network_fundamental(self, taps: IntArray) -> Columns:
        return self._of_all_taps(network_fundamental, taps)

    def _phase_harmonics(self, taps: IntArray) -> Columns:
        return self._of_all_taps(network_harmonic_voltage_ln, taps)

    def _line_harmonics(self, taps: IntArray) -> Columns:
        return self._of_all_taps(network_harmonic_voltage_ll, taps)

    def _of_all_taps(self, make: NetworkTable, taps: IntArray) -> Columns:
        """Taps are few: their tables are made for all of them at once."""
        table = self._networks_made.get(make)
        if table is None:
            reading = self._moment.present.reading
            table = make(reading.measured.voltages, reading.measured.wiring, reading.live_taps)
            self._networks_made[make] = table
        return _columns(table.names, table.values[:, taps])

    def _network_quality_extremes(self, taps: IntArray) -> Columns:
        quality = self._moment.present.shown.network_quality
        return {
            **quality.columns("maximum", taps, "maximum_"),
            **quality.columns("minimum", taps, "minimum_"),
        }


_BUILDERS: Mapping[str, Callable[[Snapshot, IntArray], Columns]] = {
    "circuit.instantaneous": Snapshot._instantaneous,
    "circuit.average": Snapshot._averages,
    "circuit.fundamental": Snapshot._fundamental,
    "circuit.maximum": Snapshot._maxima,
    "circuit.minimum": Snapshot._minima,
    "circuit.average_maximum": Snapshot._average_maxima,
    "circuit.average_minimum": Snapshot._average_minima,
    "circuit.quality_extremes": Snapshot._quality_extremes,
    "circuit.harmonic_current": Snapshot._harmonics,
    "circuit.energy": Snapshot._energies,
    "circuit.energy_history": Snapshot._energy_history,
    "network.instantaneous": Snapshot._networks,
    "network.average": Snapshot._network_averages,
    "network.float_instantaneous": Snapshot._networks,
    "network.float_average": Snapshot._network_averages,
    "network.fundamental": Snapshot._network_fundamental,
    "network.quality_extremes": Snapshot._network_quality_extremes,
    "network.harmonic_voltage_ln": Snapshot._phase_harmonics,
    "network.harmonic_voltage_ll": Snapshot._line_harmonics,
}


def _columns(names: tuple[str, ...], values: FloatArray) -> Columns:
    return dict(zip(names, values, strict=True))


def _summed(counters: FloatArray) -> Columns:
    """Load-curve quantities (N,) from counters (counters, N)."""
    row = dict(zip(energies.COUNTERS, counters, strict=True))
    return {point: np.sum([row[name] for name in names], axis=0) for point, names in _CURVE_POINTS.items()}


def _present_powers(moment: Moment, slots: IntArray) -> Columns:
    values = np.nan_to_num(moment.present.reading.points.circuits[:, 0, slots])
    row = dict(zip(CIRCUIT_INSTANTANEOUS, values, strict=True))
    active, reactive = row["active_power_total"], row["reactive_power_total"]
    return {
        "active_power_import": np.maximum(active, 0.0),
        "active_power_export": np.maximum(-active, 0.0),
        "reactive_power_import": np.maximum(reactive, 0.0),
        "reactive_power_export": np.maximum(-reactive, 0.0),
        "apparent_power": row["apparent_power_total"],
    }


def _trend(predicted: Columns, curve: tuple[DemandBlock, ...], slots: IntArray) -> FloatArray:
    if not curve:
        return np.full(len(slots), _STABLE)
    last = _summed(curve[0].powers(slots))
    was = last["active_power_import"] - last["active_power_export"]
    will_be = predicted["active_power_import"] - predicted["active_power_export"]
    margin = _TREND_SHARE * np.abs(was)
    trend: FloatArray = np.where(
        will_be > was + margin, _UP, np.where(will_be < was - margin, _DOWN, _STABLE)
    )
    return trend


def _add_curve_point(
    columns: Columns, prefix: str, block: DemandBlock | None, since_ms: IntArray, slots: IntArray
) -> None:
    if block is None:
        is_known = np.zeros(len(slots), np.bool_)
        end_ms, is_partial = 0, 0.0
        powers = dict.fromkeys(_CURVE_POINTS, np.zeros(len(slots)))
    else:
        is_known = block.end_ms > since_ms
        end_ms, is_partial = block.end_ms, float(block.is_partial)
        powers = _summed(block.powers(slots))
    stamp = seconds_since_2000(np.array([end_ms], np.int64))[0]
    columns[f"{prefix}_date"] = np.where(is_known, stamp, np.nan)
    # 0 full period, 1 partial period; the simulator's clock is always set.
    columns[f"{prefix}_flag"] = np.where(is_known, is_partial, np.nan)
    for point, power in powers.items():
        columns[f"{prefix}_{point}"] = np.where(is_known, power, np.nan)


def _add_partial(
    columns: Columns, partial: PartialCounters, totals_mj: Mapping[str, IntArray], slots: IntArray, t_ms: int
) -> None:
    columns["partial_operating_time"] = (t_ms - partial.start_ms[slots]) / 1000
    columns["previous_partial_operating_time"] = partial.previous_ms[slots] / 1000
    columns["previous_partial_reset_date"] = seconds_since_2000(partial.reset_ms[slots])
    for row, point in enumerate(energies.PARTIAL):
        since = totals_mj[point] - partial.start_mj[row, slots]
        columns.update(energies.register_columns(f"partial_{point}", since))
        columns.update(
            energies.register_columns(f"previous_partial_{point}", partial.previous_mj[row, slots])
        )
