"""The computing side of a site: takes effects in the order of their times and tells the state at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from virtual_digiware.devices.alarms.plan import Plan
from virtual_digiware.devices.asked_tables import AskedTables
from virtual_digiware.devices.connections import Tap
from virtual_digiware.devices.demand import LocalBlocks
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
from virtual_digiware.devices.energies import COUNTERS
from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.faults.holds import Hold
from virtual_digiware.devices.history import History
from virtual_digiware.devices.layout import SiteLayout
from virtual_digiware.devices.metering import Meter
from virtual_digiware.devices.metrology import Metrology, Modules, deviations_of
from virtual_digiware.devices.site_wiring import Connected
from virtual_digiware.devices.snapshot import Metered, Snapshot
from virtual_digiware.devices.transfer_switch.registers import transfers_at
from virtual_digiware.devices.wiring_compilation import compile_wiring
from virtual_digiware.profiles.installation import Event
from virtual_digiware.profiles.noise import key
from virtual_digiware.profiles.truth import Truth


class Chronicle:
    """History, truth and meter of one site, advanced together."""

    def __init__(
        self,
        truth: Truth,
        layout: SiteLayout,
        taps: Sequence[Tap],
        connected: Connected,
        slot_of_circuit: Mapping[str, int],
        class_percent: Mapping[str, float],
        seed: int,
        commissioned_ms: int,
        events: Sequence[Event],
        plan: Plan,
    ) -> None:
        """`class_percent` is the accuracy class of each unit by path."""
        self._class_percent = class_percent
        self._truth, self._layout, self._taps, self._seed = truth, layout, tuple(taps), seed
        self._events = tuple(events)
        self._present_truth = truth
        self._slot_of_circuit = slot_of_circuit
        self._slot_count = len(connected.slots)
        self._commissioned_ms = commissioned_ms
        self._marks: Mapping[tuple[str, int], tuple[int, int]] = {}
        self._waiting: list[Effect] = []
        self._holds: tuple[Hold, ...] = ()
        self._computed_ms = commissioned_ms
        self._asked = AskedTables()
        self.horizon_ms = commissioned_ms
        """Newest time asked for; whatever is recorded now happens no earlier."""
        blocks = LocalBlocks(layout.demand_period_s, truth.installation.timezone)
        self._history = History(
            truth, self._meter(connected), blocks, layout.refresh_ms, commissioned_ms, plan, self._events
        )

    def expect(self, t_ms: int) -> None:
        """Announce a computation at `t_ms`.

        Raises:
            ValueError: It lies before an earlier one.
        """
        if t_ms < self.horizon_ms:
            raise ValueError(f"history has reached {self.horizon_ms} ms and cannot go back to {t_ms} ms")
        self.horizon_ms = t_ms

    def note(self, effect: Effect) -> None:
        """Remember an effect until its time comes; equal times keep their order."""
        self._waiting.append(effect)
        self._waiting.sort(key=lambda one: one.time_ms)

    def snapshot(self, t_ms: int) -> Snapshot:
        """The state at `t_ms`, with all noted effects up to then."""
        while self._waiting and self._waiting[0].time_ms <= t_ms:
            effect = self._waiting.pop(0)
            # What is recorded late cannot change what has been told already.
            self._computed_ms = max(self._computed_ms, effect.time_ms)
            self._take(effect, self._computed_ms)
        self._computed_ms = t_ms
        snapshot = self._shown(t_ms)
        snapshot.prepare()
        return snapshot

    def _shown(self, t_ms: int) -> Snapshot:
        metered = Metered(
            self._slot_of_circuit,
            self._marks,
            self._commissioned_ms,
            self._events,
            transfers_at(self._present_truth, t_ms),
        )
        moment, refresh_ms = self._history.moment(t_ms), self._layout.refresh_ms
        return Snapshot(moment, metered, refresh_ms, self._asked, self._holds)

    def _take(self, effect: Effect, t_ms: int) -> None:
        history, count = self._history, self._slot_count
        match effect:
            case Rewired(connected=connected):
                history.rewire(t_ms, self._meter(connected))
            case Disturbed(event=event):
                self._events = (*self._events, event)
                self._present_truth = self._truth.with_events(self._events)
                history.disturb(t_ms, self._present_truth, self._events)
            case Calmed(event=event):
                self._events = _without_rest_of(self._events, event, t_ms)
                self._present_truth = self._truth.with_events(self._events)
                history.disturb(t_ms, self._present_truth, self._events)
            case Watched(plan=plan):
                history.watch(t_ms, plan)
            case Acknowledged(path=path, acknowledge_id=acknowledge_id):
                history.acknowledge(t_ms, path, acknowledge_id)
            case Held(fault=fault, slots=slots, capacity=capacity):
                self._holds = (*self._holds, Hold(fault, slots, capacity, self._shown(t_ms)))
            case Released(number=number):
                self._holds = tuple(one for one in self._holds if one.fault.number != number)
            case Surveyed(until_ms=until_ms):
                history.survey(t_ms, until_ms)
            case PartialReset(slots=slots, points=points):
                history.reset_partial(t_ms, _mask(slots, count), points)
            case ExtremesReset(kind="instantaneous", slots=slots, points=points):
                history.reset_extremes(t_ms, _mask(slots, count), points)
            case ExtremesReset(kind="average", slots=slots, points=points):
                history.reset_average_extremes(t_ms, _mask(slots, count), points)
            case ExtremesReset(slots=taps, points=points):
                history.reset_network_extremes(t_ms, _mask(taps, len(self._taps)), points)
            case CurvesCleared(slots=slots):
                history.clear_curves(t_ms, _mask(slots, count))
            case PulsesMarked(path=path, meter=meter, slot=slot):
                history.advance(t_ms)
                energies_mj = history.energies_mj(t_ms)[COUNTERS.index("active_import")]
                counted = 0 if slot is None else int(energies_mj[slot])
                self._marks = {**self._marks, (path, meter): (t_ms, counted)}

    def _meter(self, connected: Connected) -> Meter:
        layout = self._layout
        modules = None
        if layout.metrology == "realistic":
            modules = Modules(
                [self._key(slot.unit) for slot in connected.slots],
                [self._key(tap.unit) for tap in self._taps],
                np.array([self._class_percent[slot.unit] for slot in connected.slots]),
                np.array([self._class_percent[tap.unit] for tap in self._taps]),
            )
        deviations = None if modules is None else deviations_of(modules)
        wiring = compile_wiring(
            connected.slots, connected.taps, self._truth, layout.nominal_voltage_v, deviations
        )
        return Meter(
            wiring,
            np.array(connected.live_slots, np.bool_),
            np.array(connected.live_taps, np.bool_),
            layout.reactive_method,
            None if modules is None else Metrology(modules, wiring, layout.refresh_ms),
        )

    def _key(self, unit: str) -> int:
        return key(self._seed, self._layout.site, f"module/{unit}")


def _without_rest_of(events: Sequence[Event], over: Event, t_ms: int) -> tuple[Event, ...]:
    """Events of which one ends at `t_ms`, or never was when it would end as it begins."""
    kept = list(events)
    place = kept.index(over)
    kept[place : place + 1] = [replace(over, end_ms=t_ms)] if t_ms > over.start_ms else []
    return tuple(kept)


def _mask(places: Sequence[int], count: int) -> BoolArray:
    mask = np.zeros(count, np.bool_)
    mask[list(places)] = True
    return mask
