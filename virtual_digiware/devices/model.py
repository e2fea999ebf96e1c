"""A whole site as its devices show it: units that can be read and written, and a history that computes ahead.

Two threads may share a model. `check_write`, `apply`, `publish` and all reads belong to one; `compute` may
run in another, has the history to itself, and learns of records through a queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from virtual_digiware.devices.alarms.events import AlarmChange
from virtual_digiware.devices.alarms.plan import Plan
from virtual_digiware.devices.alarms.planning import Wired, plan_of
from virtual_digiware.devices.block import Product
from virtual_digiware.devices.chronicle import Chronicle
from virtual_digiware.devices.commands import Action
from virtual_digiware.devices.connections import connect
from virtual_digiware.devices.effects import (
    Acknowledged,
    Calmed,
    CurvesCleared,
    Disturbed,
    Effect,
    ExtremesReset,
    Held,
    PartialReset,
    PulsesMarked,
    Released,
    Rewired,
    Surveyed,
    Watched,
)
from virtual_digiware.devices.faults.book import Fault, FaultBook, Turn
from virtual_digiware.devices.faults.electrical import event_of
from virtual_digiware.devices.faults.holds import HELD, capacity_of
from virtual_digiware.devices.faults.units import befall
from virtual_digiware.devices.faults.wiring import miswired_slots, miswired_taps
from virtual_digiware.devices.io_drives import DriveError
from virtual_digiware.devices.layout import SiteLayout
from virtual_digiware.devices.metrology import class_percent
from virtual_digiware.devices.records import Record, Refusal
from virtual_digiware.devices.site_units import build_units, metered_slots
from virtual_digiware.devices.site_wiring import Connected, connected, module_inputs
from virtual_digiware.devices.snapshot import Snapshot
from virtual_digiware.devices.unit import Unit
from virtual_digiware.profiles.installation import PHASES, Event
from virtual_digiware.profiles.truth import Truth

if TYPE_CHECKING:
    from virtual_digiware.devices.dc.plant import DcPlant

TIMED_TABLES = ("command", "unit.clock")
"""What is written here is read back as a time span from the write on."""


class UnknownUnit(KeyError):
    """A record or a write names a unit that the site does not have. `path` as found, `known` paths."""

    def __init__(self, path: str, known: Sequence[str]) -> None:
        super().__init__(f"no unit {path!r}; known are {', '.join(known)}")
        self.path = path
        self.known = tuple(known)


class SiteModel:
    """The devices of one site. Everything readable follows from layout, seed, applied records and time."""

    def __init__(
        self,
        truth: Truth,
        layout: SiteLayout,
        products: Mapping[str, Product],
        seed: int,
        commissioned_ms: int,
        events: Sequence[Event] = (),
    ) -> None:
        """
        Args:
            truth: The installation that is measured.
            layout: What measures it.
            products: At least those that the layout names.
            seed: Of serial numbers and of the errors of realistic modules.
            commissioned_ms: When counting began.
            events: Those that `truth` was built with; records add to them.

        Raises:
            WiringError, DriveError: The layout does not fit the installation or the products.
        """
        self.faults = FaultBook()
        self.plant: DcPlant | None = None
        if layout.dc is not None:
            from virtual_digiware.devices.dc.plant import DcPlant  # few sites have direct current

            self.plant = DcPlant(layout.dc, seed, commissioned_ms, events)
        self._planned, self._taps = connect(layout, truth.installation)
        self._inputs = module_inputs(layout)
        self.units: Mapping[str, Unit] = build_units(
            self,
            layout,
            products,
            self._planned,
            self._taps,
            truth.installation,
            seed,
            commissioned_ms,
            self.plant,
        )
        self._slot_of_circuit = metered_slots(self._planned)
        self._check_drives()
        self._connected = self._connect()
        self._layout = layout
        self._plan = self._planned_alarms()
        self._queue: deque[Effect] = deque()
        self._queued = 0
        self._chronicle = Chronicle(
            truth,
            layout,
            self._taps,
            self._connected,
            self._slot_of_circuit,
            {path: class_percent(unit.product) for path, unit in self.units.items()},
            seed,
            commissioned_ms,
            events,
            self._plan,
        )
        self.version = 0
        self.snapshot: Snapshot = self._chronicle.snapshot(commissioned_ms)

    def check_write(
        self, path: str, function: int, address: int, values: Sequence[int], now_ms: int
    ) -> Record | Refusal:
        """The record of a write that the unit takes, or why it does not. Changes nothing.

        The record's time is `now_ms`, or the newest time asked of `compute` when that is later.

        Raises:
            UnknownUnit: No such path.
        """
        refusal = self._unit(path).state.check(function, address, values)
        if refusal is not None:
            return refusal
        data = {"function": function, "address": address, "values": [int(value) for value in values]}
        return Record(max(now_ms, self._chronicle.horizon_ms), "write", path, data)

    def apply(self, record: Record) -> bool:
        """Take an intervention: settings and outputs at once, measurement with the next `compute`.

        Records come in the order of their times, live as in replay.

        Returns:
            Whether reads show all that the record means only after a `compute` at its time.

        Raises:
            UnknownUnit: The record's target does not exist.
            ValueError: A kind of record that is not known.
        """
        queued = self._queued
        is_timed = self.turn(record.time_ms)
        match record.kind:
            case "write":
                is_timed |= self._write(record)
            case "presence":
                unit = self._unit(record.target)
                unit.is_plugged = bool(record.data["present"])
                unit.note_presence(record.time_ms)
                self._rewire(record.time_ms)
            case "event":
                self._put([Disturbed(record.time_ms, _event(record))])
            case "fault":
                self._turned(self.faults.inject(Fault.from_data(record.target, record.data), record.time_ms))
                is_timed = True
            case "clear":
                self._turned(self.faults.clear(int(record.data["number"]), record.time_ms))
                is_timed = True
            case "survey":
                self._put([Surveyed(record.time_ms, int(record.data["until_ms"]))])
            case "commissioned" | "clock":
                return False
            case _:
                raise ValueError(f"a record of unknown kind {record.kind!r}")
        self.version += 1
        return is_timed or self._queued > queued

    @property
    def next_turn_ms(self) -> int | None:
        """When a fault begins or ends next: whoever computes stops there, and calls `turn`."""
        return self.faults.next_turn_ms

    def turn(self, t_ms: int) -> bool:
        """Let faults begin and end that are due by `t_ms`; returns whether there were any."""
        turns = self.faults.turns_by(t_ms)
        self._turned(turns)
        return bool(turns)

    def compute(self, t_ms: int) -> Snapshot:
        """Advance the history through all applied records up to `t_ms` and tell the site's state there.

        May run in a thread of its own. The result depends on `t_ms` and the records alone.

        Raises:
            ValueError: `t_ms` lies before an earlier one.
        """
        self._chronicle.expect(t_ms)
        while self._queue:
            self._chronicle.note(self._queue.popleft())
        return self._chronicle.snapshot(t_ms)

    def publish(self, snapshot: Snapshot) -> None:
        """Let all reads see `snapshot` from now on."""
        self.snapshot = snapshot
        self.version += 1

    def alarm_changes_since(self, cursor: int) -> tuple[tuple[AlarmChange, ...], int]:
        """Published changes of alarms behind a cursor, oldest first, and the cursor for the next time.

        A cursor is the number of changes already heard of: 0 at the commissioning, `snapshot.alarms.sequence`
        for only those to come. Of a listener that stays away too long the oldest changes are lost.
        """
        alarms = self.snapshot.alarms
        return alarms.since(cursor), alarms.sequence

    def _unit(self, path: str) -> Unit:
        unit = self.units.get(path)
        if unit is None:
            raise UnknownUnit(path, tuple(self.units))
        return unit

    def _write(self, record: Record) -> bool:
        """Returns whether what was written counts from its time on, as clocks and commands do."""
        unit = self._unit(record.target)
        address, values = int(record.data["address"]), [int(value) for value in record.data["values"]]
        for action in unit.state.write(record.time_ms, address, values):
            if action.kind == "remeasure":
                self._rewire(record.time_ms)
            else:
                self._put(_effects(action, unit, record.time_ms, self._slot_of_circuit))
        written = unit.state.settings.map.spanned(address, len(values)) or ()
        return any(placed.block.table in TIMED_TABLES for placed in written)

    def _turned(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            event = event_of(turn.fault)
            if event is not None and turn.begins:
                self._put([Disturbed(turn.time_ms, event)])
            elif event is not None and (event.end_ms is None or event.end_ms > turn.time_ms):
                self._put([Calmed(turn.time_ms, event)])
            if turn.fault.effect in HELD and turn.begins:
                unit = self._unit(turn.fault.target)
                self._put([Held(turn.time_ms, turn.fault, unit.slots, capacity_of(unit.product))])
            elif turn.fault.effect in HELD:
                self._put([Released(turn.time_ms, turn.fault.number)])
        if turns:
            befall(self.units, self._planned, self.faults.active, turns)
            self._rewire(turns[-1].time_ms)
            self.version += 1

    def _put(self, effects: Sequence[Effect]) -> None:
        # Counted, for the computing thread may have taken them out again before anybody looks.
        for effect in effects if self.plant is not None else ():
            assert self.plant is not None
            if isinstance(effect, Disturbed):
                self.plant.disturb(effect.event)
            elif isinstance(effect, Calmed):
                self.plant.calm(effect.event, effect.time_ms)
        self._queue.extend(effects)
        self._queued += len(effects)

    def _connect(self) -> Connected:
        faults = self.faults.active
        slots = miswired_slots(self._planned, faults, self._taps)
        taps = miswired_taps(self._taps, faults)
        return connected(slots, taps, self._inputs, self.units)

    def _rewire(self, t_ms: int) -> None:
        """Only what changes the measurement cuts a step, so an equal result goes no further."""
        for unit in self.units.values():
            if unit.is_present:
                unit.silent_since_ms = None
            elif unit.silent_since_ms is None:
                unit.silent_since_ms = t_ms
        now = self._connect()
        if now != self._connected:
            self._connected = now
            self._put([Rewired(t_ms, now)])
        plan = self._planned_alarms()
        if plan != self._plan:
            self._plan = plan
            self._put([Watched(t_ms, plan)])

    def _planned_alarms(self) -> Plan:
        wired = Wired(self._connected.slots, self._taps, self._slot_of_circuit)
        return plan_of(self._layout, self.units, wired)

    def _check_drives(self) -> None:
        for unit in self.units.values():
            for circuit in () if unit.io is None else unit.io.circuits:
                if circuit not in self._slot_of_circuit:
                    known = ", ".join(self._slot_of_circuit)
                    raise DriveError(circuit, f"a circuit that is metered: {known}")


def _effects(action: Action, unit: Unit, t_ms: int, slot_of_circuit: Mapping[str, int]) -> list[Effect]:
    """What an action of one unit means to the history of the site; nothing where the slot has no circuit."""
    own = unit.slots[action.slot : action.slot + 1]
    match action.kind:
        case "partial":
            return [PartialReset(t_ms, own, action.points)]
        case "extremes":
            return [ExtremesReset(t_ms, "instantaneous", own, action.points)]
        case "average_extremes":
            return [ExtremesReset(t_ms, "average", own, action.points)]
        case "network_extremes":
            return [ExtremesReset(t_ms, "network", unit.taps, action.points)]
        case "acknowledge":
            return [Acknowledged(t_ms, unit.path, action.mask)]
        case "order" if unit.transfer is not None:
            return [Disturbed(t_ms, Event(t_ms, None, "order", unit.transfer, order=action.order))]
        case "curves":
            return [CurvesCleared(t_ms, unit.slots)]
        case "pulses" if unit.io is not None:
            marks = []
            for meter in range(len(unit.io.digital)):
                if action.mask >> meter & 1:
                    circuit = unit.io.pulse_circuit(meter)
                    slot = None if circuit is None else slot_of_circuit[circuit]
                    marks.append(PulsesMarked(t_ms, unit.path, meter, slot))
            return list(marks)
    return []


def _event(record: Record) -> Event:
    """The event of a record; it cannot begin before it was recorded."""
    data = record.data
    end_ms = data.get("end_ms")
    return Event(
        start_ms=max(int(data["start_ms"]), record.time_ms),
        end_ms=None if end_ms is None else int(end_ms),
        kind=data["kind"],
        target=data["target"],
        residual=float(data.get("residual", 0.0)),
        shift_hz=float(data.get("shift_hz", 0.0)),
        order=str(data.get("order", "")),
        phases=tuple(data.get("phases", PHASES)),
    )
