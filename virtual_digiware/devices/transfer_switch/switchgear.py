"""All transfer switches, couplers and generating sets of a site, run through their events once and for all.

The course is a function of settings, seed and events: a jump of the clock, another order of questions or a
restart cannot change it. What happens later never changes what was before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from virtual_digiware.devices.transfer_switch.controller import Controller, TransferState
from virtual_digiware.devices.transfer_switch.coupling import CouplerSequence
from virtual_digiware.devices.transfer_switch.settings import CouplerSettings, TransferSettings
from virtual_digiware.devices.transfer_switch.sources import (
    BACK_ABOVE,
    FREQUENCY_WITHIN,
    fails_to_start,
    turns_of,
)
from virtual_digiware.profiles.generating_set import Run, milestones, ready_ms
from virtual_digiware.profiles.installation import Event, Installation, Source
from virtual_digiware.profiles.noise import key
from virtual_digiware.profiles.switching import SwitchCourse, SwitchState

LOST_AFTER_STOP_MS = 160
"""A set that is told to stop leaves the limit of frequency after 160 ms: 3 s times ln(1 / 0.95)."""


@dataclass(frozen=True)
class GearCourse(SwitchCourse):
    """The course, and what each controller shows meanwhile."""

    shown: Mapping[str, tuple[TransferState, ...]] = field(default_factory=dict)
    settings: tuple[TransferSettings, ...] = ()

    def of(self, transfer: str, t_ms: int) -> TransferState:
        """What a controller shows at an instant."""
        states = self.shown[transfer]
        return states[max(0, bisect_right(states, t_ms, key=lambda state: state.time_ms) - 1)]

    def on_load_ms(self, settings: TransferSettings, t_ms: int) -> int:
        """For how long the load has been on a generating set by an instant."""
        place = self.settings.index(settings)
        total = 0
        for i, state in enumerate(self.states[1:]):
            position = state.positions[place]
            end_ms = self.edges_ms[i + 1] if i + 1 < len(self.edges_ms) else t_ms
            if position and settings.is_genset[position - 1]:
                total += max(0, min(end_ms, t_ms) - self.edges_ms[i])
        return total


class TransferGear:
    """The switchgear of an installation."""

    def __init__(
        self,
        installation: Installation,
        seed: int,
        transfers: Sequence[TransferSettings],
        couplers: Sequence[CouplerSettings] = (),
    ) -> None:
        """Settings in the order in which the installation describes its transfers and couplers."""
        self.transfers, self.couplers = tuple(transfers), tuple(couplers)
        self.sources = {source.name: source for source in installation.sources}
        self.keys = {name: key(seed, installation.name, f"source/{name}") for name in self.sources}
        self._known: tuple[tuple[Event, ...], GearCourse] | None = None

    def course(self, events: Sequence[Event]) -> GearCourse:
        """The course under these events."""
        wanted = tuple(events)
        if self._known is None or self._known[0] != wanted:
            self._known = wanted, _Course(self, wanted).run()
        return self._known[1]


class _Course:
    """One run through the events."""

    def __init__(self, gear: TransferGear, events: tuple[Event, ...]) -> None:
        self._gear, self._events = gear, events
        self._controllers = [Controller(settings) for settings in gear.transfers]
        self._sound = dict.fromkeys(gear.sources, True)
        self._turning = {name: source.genset is None for name, source in gear.sources.items()}
        self._couplers = [
            CouplerSequence(
                settings, (self._is_good(settings.sources[0]), self._is_good(settings.sources[1]))
            )
            for settings in gear.couplers
        ]
        self._sequences: list[Controller | CouplerSequence] = [*self._controllers, *self._couplers]
        self._runs: dict[str, list[Run]] = {
            name: [] for name, source in gear.sources.items() if source.genset is not None
        }
        self._engines: dict[str, tuple[int, bool]] = {}
        turns = [
            (t_ms, name, is_good)
            for name, source in gear.sources.items()
            for t_ms, is_good in turns_of(source, events)
        ]
        self._turns = sorted(turns)
        orders = [(one.start_ms, place, one) for place, one in enumerate(events) if one.kind == "order"]
        self._orders = [one for *_, one in sorted(orders, key=lambda order: order[:2])]
        self._joined = sorted(
            {
                edge
                for one in events
                if one.kind == "coupled"
                for edge in (one.start_ms, one.end_ms)
                if edge is not None
            }
        )

    def run(self) -> GearCourse:
        """Through all events and timers."""
        edges: list[int] = []
        states = [self._state()]
        shown = {one.settings.name: [one.state(-(2**62))] for one in self._controllers}
        while (t_ms := self._next_ms()) is not None:
            self._step(t_ms)
            state = self._state()
            if state != states[-1]:
                edges.append(t_ms)
                states.append(state)
            for controller in self._controllers:
                shown[controller.settings.name].append(controller.state(t_ms))
        runs = {name: tuple(one) for name, one in self._runs.items()}
        further = {
            instant for name, of in runs.items() for run in of for instant in self._milestones(name, run)
        }
        return GearCourse(
            tuple(edges),
            tuple(states),
            tuple(sorted(further)),
            runs,
            {name: tuple(of) for name, of in shown.items()},
            self._gear.transfers,
        )

    def _next_ms(self) -> int | None:
        times = [one.next_ms for one in self._sequences]
        times += [t_ms for t_ms, _ in self._engines.values()]
        times += [self._turns[0][0] if self._turns else None]
        times += [self._orders[0].start_ms if self._orders else None]
        times += [self._joined[0] if self._joined else None]
        return min((one for one in times if one is not None), default=None)

    def _step(self, t_ms: int) -> None:
        for name, (due_ms, turns) in list(self._engines.items()):
            if due_ms <= t_ms:
                del self._engines[name]
                self._turning[name] = turns
        while self._turns and self._turns[0][0] <= t_ms:
            _, name, is_good = self._turns.pop(0)
            self._sound[name] = is_good
        self._tell_sources(t_ms)
        while self._orders and self._orders[0].start_ms <= t_ms:
            order = self._orders.pop(0)
            for controller in self._controllers:
                if controller.settings.name == order.target:
                    controller.order(order.order, t_ms)
        while self._joined and self._joined[0] <= t_ms:
            self._joined.pop(0)
            for coupler in self._couplers:
                coupler.told(self._is_joined(coupler.settings.name, t_ms))
        for one in self._sequences:
            one.expire(t_ms)
            one.decide(t_ms)
        self._start_and_stop(t_ms)

    def _tell_sources(self, t_ms: int) -> None:
        for controller in self._controllers:
            for source, name in enumerate(controller.settings.sources, start=1):
                controller.source_turned(source, self._is_good(name), t_ms)
        for coupler in self._couplers:
            for side, name in enumerate(coupler.settings.sources):
                coupler.source_turned(side, self._is_good(name), t_ms)

    def _start_and_stop(self, t_ms: int) -> None:
        for name, runs in self._runs.items():
            is_wanted = any(
                controller.starts[i]
                for controller in self._controllers
                for i, source in enumerate(controller.settings.sources)
                if source == name
            )
            is_running = bool(runs) and runs[-1].stopped_ms is None
            if is_wanted and not is_running:
                run = Run(t_ms, fails=fails_to_start(name, self._events, t_ms))
                runs.append(run)
                due_ms = self._ready_ms(name, run)
                self._engines.pop(name, None)
                if due_ms is not None:
                    self._engines[name] = (due_ms, True)
            elif is_running and not is_wanted:
                runs[-1] = Run(runs[-1].ordered_ms, t_ms, runs[-1].fails)
                self._engines.pop(name, None)
                if self._turning[name]:
                    self._engines[name] = (t_ms + LOST_AFTER_STOP_MS, False)

    def _is_good(self, name: str) -> bool:
        return self._sound[name] and self._turning[name]

    def _is_joined(self, coupler: str, t_ms: int) -> bool:
        return any(
            one.kind == "coupled"
            and one.target == coupler
            and one.start_ms <= t_ms
            and (one.end_ms is None or t_ms < one.end_ms)
            for one in self._events
        )

    def _state(self) -> SwitchState:
        return SwitchState(
            tuple(one.position for one in self._controllers), tuple(one.stands for one in self._couplers)
        )

    def _source(self, name: str) -> Source:
        return self._gear.sources[name]

    def _ready_ms(self, name: str, run: Run) -> int | None:
        genset = self._source(name).genset
        return (
            None
            if genset is None
            else ready_ms(genset, self._gear.keys[name], run, BACK_ABOVE, FREQUENCY_WITHIN)
        )

    def _milestones(self, name: str, run: Run) -> tuple[int, ...]:
        genset = self._source(name).genset
        return () if genset is None else milestones(genset, self._gear.keys[name], run)
