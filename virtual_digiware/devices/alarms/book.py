"""The course of alarms: delays, combinations, events with their ids, logs and acknowledgements.

A `Book` never changes; a `Writing` copies it, plays changes in the order of their times and gives the next.
At one instant conditions change first, then delays run out, then combinations follow, each in the order of
the plan; so what is written does not depend on how time was cut into pieces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from virtual_digiware.devices.alarms.compiled import Compiled
from virtual_digiware.devices.alarms.disturbances import Noticed, VoltageRecord
from virtual_digiware.devices.alarms.events import CHANGES_KEPT, LOG_LENGTH, AlarmChange, AlarmEvent, Key
from virtual_digiware.devices.alarms.plan import Noted

_NEVER = 2**63 - 1
_NAN = float("nan")
ExtremeUntil = Callable[[int, int], float]
"""Extreme of a guard (by position) since it was raised until a time; NaN where there is none."""


class Change(NamedTuple):
    """The condition of the guard at `position` begins or ceases to hold."""

    time_ms: int
    position: int
    holds: bool
    value: float


@dataclass(frozen=True)
class Book:
    """Everything that has happened so far. Guards are known by their position in the plan."""

    raised: Mapping[int, int] = field(default_factory=dict)
    """When the condition of a guard began that holds, or whose alarm is still active."""
    values: Mapping[int, float] = field(default_factory=dict)
    """The value with which it began."""
    active: Mapping[int, int] = field(default_factory=dict)
    """Event id of the guards whose alarm is active."""
    pending: Mapping[int, int] = field(default_factory=dict)
    """When a guard's alarm begins or ends, unless its condition changes before."""
    latest: Mapping[Key, AlarmEvent] = field(default_factory=dict)
    logs: Mapping[str, tuple[AlarmEvent, ...]] = field(default_factory=dict)
    """By unit, oldest first, at most LOG_LENGTH."""
    counts: Mapping[str, int] = field(default_factory=dict)
    voltage_logs: Mapping[str, tuple[VoltageRecord, ...]] = field(default_factory=dict)
    next_id: int = 1
    changes: tuple[AlarmChange, ...] = ()
    sequence: int = 0

    @property
    def next_ms(self) -> int:
        """When the next delay runs out."""
        return min(self.pending.values(), default=_NEVER)


class Writing:
    """A book being continued under one plan."""

    def __init__(self, book: Book, compiled: Compiled, extreme: ExtremeUntil) -> None:
        self._compiled = compiled
        self._guards = compiled.plan.guards
        self.extreme = extreme
        self._raised, self._values = dict(book.raised), dict(book.values)
        self._active, self._pending = dict(book.active), dict(book.pending)
        self._latest, self._logs, self._counts = dict(book.latest), dict(book.logs), dict(book.counts)
        self._voltage_logs = dict(book.voltage_logs)
        self._next_id, self._sequence = book.next_id, book.sequence
        self._changes = list(book.changes)

    @property
    def raised(self) -> Mapping[int, int]:
        """When the condition of each guard began, as it is being written."""
        return self._raised

    def book(self) -> Book:
        """The book as written so far."""
        return Book(
            raised=self._raised,
            values=self._values,
            active=self._active,
            pending=self._pending,
            latest=self._latest,
            logs=self._logs,
            counts=self._counts,
            voltage_logs=self._voltage_logs,
            next_id=self._next_id,
            changes=tuple(self._changes[-CHANGES_KEPT:]),
            sequence=self._sequence,
        )

    def play(self, changes: Sequence[Change], until_ms: int) -> None:
        """Go on to `until_ms`; changes are sorted and none is later."""
        at = 0
        while True:
            t_ms = min(self._pending.values(), default=_NEVER)
            if at < len(changes):
                t_ms = min(t_ms, changes[at].time_ms)
            if t_ms > until_ms:
                return
            while at < len(changes) and changes[at].time_ms == t_ms:
                self._take(changes[at])
                at += 1
            due = sorted(position for position, deadline in self._pending.items() if deadline <= t_ms)
            for position in due:
                del self._pending[position]
                self._toggle(position, t_ms)
            if due:
                self._combine(t_ms)

    def note(self, noticed: Noticed) -> None:
        """Keep the record of a quality event that is over, or of a trip, in its unit's log."""
        record = noticed.record
        if noticed.begins == (record.kind == "trip") and record.trigger_percent:
            log = self._voltage_logs.get(record.unit, ())
            number = log[-1].number + 1 if log else 0
            self._voltage_logs[record.unit] = (*log, replace(record, number=number))[-LOG_LENGTH:]

    def acknowledge(self, unit: str, acknowledge_id: int, t_ms: int) -> None:
        """Acknowledge an event of a unit, active or over; nothing for an id that it does not have."""
        candidates = {event.id: event for event in self._logs.get(unit, ())}
        candidates |= {event.id: event for key, event in self._latest.items() if key[0] == unit}
        for event in sorted(candidates.values(), key=lambda one: -one.id):
            if event.acknowledge_id == acknowledge_id:
                if event.acknowledged_ms is None:
                    self._put(replace(event, acknowledged_ms=t_ms), t_ms)
                return

    def leave(self, position: int, t_ms: int) -> None:
        """End what an alarm has begun that is no longer set, without any delay."""
        if position in self._active:
            self._finish(position, t_ms)
        for mapping in (self._raised, self._values, self._pending):
            mapping.pop(position, None)

    def move(self, places: Mapping[int, int], compiled: Compiled) -> None:
        """Go on under another plan: position of each guard in it."""
        self._compiled, self._guards = compiled, compiled.plan.guards
        for name in ("_raised", "_values", "_active", "_pending"):
            setattr(self, name, {places[i]: value for i, value in getattr(self, name).items()})

    def hold(self, position: int, holds: bool, t_ms: int) -> None:
        """Say whether a condition holds from `t_ms` on that is not looked at otherwise."""
        is_changing = position in self._pending
        held = not is_changing if position in self._active else position in self._raised
        if holds != held:
            self._take(Change(t_ms, position, holds, _NAN))

    def combine(self, t_ms: int) -> None:
        """Let combinations follow what they are made of."""
        self._combine(t_ms)

    def _take(self, change: Change) -> None:
        position, t_ms = change.position, change.time_ms
        guard = self._guards[position]
        is_active = position in self._active
        self._pending.pop(position, None)
        if change.holds == is_active:
            if not is_active:
                # Over before its delay was: nothing has happened.
                self._raised.pop(position, None)
                self._values.pop(position, None)
            return
        if change.holds:
            self._raised[position], self._values[position] = t_ms, change.value
        self._pending[position] = t_ms + (guard.start_ms if change.holds else guard.end_ms)

    def _combine(self, t_ms: int) -> None:
        for position, source in self._compiled.combinations:
            unit = self._guards[position].unit
            first, second = (
                any(i in self._active for i in self._compiled.by_key.get((unit, *key), ()))
                for key in (source.first, source.second)
            )
            holds = (first or second) if source.operation == "or" else (first and second)
            if holds != (position in self._active):
                self._toggle(position, t_ms)
            if holds and position not in self._raised:
                self._raised[position] = t_ms

    def _toggle(self, position: int, t_ms: int) -> None:
        if position in self._active:
            self._finish(position, t_ms)
        else:
            self._begin(position, t_ms)

    def _begin(self, position: int, t_ms: int) -> None:
        guard = self._guards[position]
        words = dict(guard.words)
        for i, source in self._compiled.combinations:
            if i == position and source.operation == "or":
                first = self._compiled.by_key.get((guard.unit, *source.first), ())
                words["trigger"] = 1 if any(one in self._active for one in first) else 2
        record = self._counts.get(guard.unit, 0)
        event = AlarmEvent(
            id=self._next_id,
            unit=guard.unit,
            address=guard.address,
            slot=guard.slot,
            family=guard.family,
            number=guard.number,
            type=guard.type,
            criticality=guard.criticality,
            cause=guard.cause,
            start_ms=t_ms,
            value=self._value(position),
            threshold=guard.level if guard.sign else None,
            text=guard.text,
            is_automatic=guard.is_automatic,
            record=record,
            words=words,
            scale=guard.scale,
        )
        self._next_id += 1
        self._counts[guard.unit] = record + 1
        self._active[position] = event.id
        self._logs[guard.unit] = (*self._logs.get(guard.unit, ()), event)[-LOG_LENGTH:]
        self._latest[event.key] = event
        self._tell(event, t_ms)

    def _finish(self, position: int, t_ms: int) -> None:
        guard = self._guards[position]
        event_id = self._active.pop(position)
        extreme = _known(self.extreme(position, t_ms))
        self._raised.pop(position, None)
        self._values.pop(position, None)
        event = self._event(guard.unit, event_id, (guard.unit, guard.family, guard.number))
        if event is None:
            return
        acknowledged = t_ms if event.is_automatic else event.acknowledged_ms
        self._put(replace(event, end_ms=t_ms, acknowledged_ms=acknowledged, extreme=extreme), t_ms)

    def _value(self, position: int) -> float | None:
        """The value that began it; contacts and faults have none."""
        guard = self._guards[position]
        has_value = guard.sign or isinstance(guard.source, Noted)
        return _known(self._values.get(position, _NAN)) if has_value else None

    def _event(self, unit: str, event_id: int, key: Key) -> AlarmEvent | None:
        latest = self._latest.get(key)
        if latest is not None and latest.id == event_id:
            return latest
        return next((event for event in self._logs.get(unit, ()) if event.id == event_id), None)

    def _put(self, event: AlarmEvent, t_ms: int) -> None:
        """A later state of an event, wherever it is still known."""
        latest = self._latest.get(event.key)
        if latest is not None and latest.id == event.id:
            self._latest[event.key] = event
        self._logs[event.unit] = tuple(
            event if one.id == event.id else one for one in self._logs.get(event.unit, ())
        )
        self._tell(event, t_ms)

    def _tell(self, event: AlarmEvent, t_ms: int) -> None:
        self._sequence += 1
        self._changes.append(AlarmChange(self._sequence, t_ms, event))
        if len(self._changes) > 4 * CHANGES_KEPT:
            del self._changes[:-CHANGES_KEPT]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
