"""The sequence of one transfer controller: a machine that is told what happens, in the order of the times.

It knows no clock of its own: whoever runs it asks when its next timer ends, and comes back then.
Source: manuals HZI855 6LE007317A, ATyS p M 542935E, ATyS p 542001E, ATyS C25 549780A; what they leave open is
decided here and said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from virtual_digiware.devices.transfer_switch.settings import TransferSettings

Mode = Literal["manual", "automatic", "remote", "inhibited"]
Test = Literal["none", "off_load", "on_load"]
SourceState = Literal["lost", "present", "available"]

ORDERS: tuple[str, ...] = (
    "position_1",
    "position_0",
    "position_2",
    "automatic",
    "manual",
    "remote",
    "inhibit",
    "test_on_load",
    "test_off_load",
    "end_test",
    "confirm_return",
    "reset_faults",
    "start_generator",
    "stop_generator",
)
SHORTENED_MS = 3000
"""A source that returns while the other one is gone need not be good for longer. Source: ATyS p M, HZI855."""
MOST_OPERATIONS = 10
OPERATIONS_SPAN_MS = 60_000
"""More operations in this time are refused for as long. Source: HZI855 quick start 6LE007315Ab."""


@dataclass(frozen=True)
class TransferState:
    """What a controller shows since `time_ms`; `timers` are those running, with the time of their end."""

    time_ms: int
    mode: Mode
    position: int
    sources: tuple[SourceState, SourceState]
    starts: tuple[bool, bool]
    """Orders to start generating sets."""
    test: Test
    faults: frozenset[str]
    """`start_failure`, `too_many_operations`."""
    cycles: int
    operations: int
    waits_for_confirmation: bool
    timers: Mapping[str, int]


class Controller:
    """One transfer switch. Everything is told by `source_turned`, `order` and `expire`, with the time."""

    def __init__(self, settings: TransferSettings) -> None:
        self.settings = settings
        self.position = settings.priority or 1
        self.mode: Mode = "automatic"
        self.test: Test = "none"
        self.good = [not is_genset for is_genset in settings.is_genset]
        self.available = list(self.good)
        self.is_confirmed_lost = [not good for good in self.good]
        self.starts = [False, False]
        self.faults: set[str] = set()
        self.cycles = self.operations = 0
        self.timers: dict[str, int] = {}
        self._target: int | None = None
        self._may_return = False
        self._waits = False
        self._by_hand = [False, False]
        self._left: int | None = None
        self._recent: list[int] = []
        self._lost_ms = [0, 0]

    @property
    def next_ms(self) -> int | None:
        """When the next timer ends."""
        return min(self.timers.values(), default=None)

    def state(self, t_ms: int) -> TransferState:
        """What is shown from `t_ms` on."""
        return TransferState(
            time_ms=t_ms,
            mode=self.mode,
            position=self.position,
            sources=(self._source_state(1), self._source_state(2)),
            starts=(self.starts[0], self.starts[1]),
            test=self.test,
            faults=frozenset(self.faults),
            cycles=self.cycles,
            operations=self.operations,
            waits_for_confirmation=self._waits,
            timers=dict(self.timers),
        )

    def source_turned(self, source: int, is_good: bool, t_ms: int) -> None:
        """Source 1 or 2 went out of its limits, or came back inside them."""
        i = source - 1
        if self.good[i] == is_good:
            return
        self.good[i] = is_good
        steady, failing = self._steady(source), f"{source}FT"
        if not is_good:
            self.available[i] = False
            self.timers.pop(steady, None)
            self._lost_ms[i] = t_ms
            if not self.is_confirmed_lost[i]:
                self.timers[failing] = t_ms + self.settings.timer_ms(failing)
                if self.settings.has_return_to_0 and self.position == source:
                    self.timers[f"{source}0T"] = t_ms + self.settings.timer_ms(f"{source}0T")
            return
        self.timers.pop(f"{source}0T", None)
        came_back_in_time = self.timers.pop(failing, None) is not None
        # Nothing has happened where the source came back in time, nor where the load never left it.
        if came_back_in_time or (self.position == source and self._target is None):
            self.is_confirmed_lost[i], self.available[i] = False, True
        else:
            self.timers[steady] = t_ms + self.settings.steady_ms(source)

    def order(self, order: str, t_ms: int) -> bool:
        """Take an order; false where the mode does not allow it."""
        match order:
            case "automatic" | "manual" | "remote":
                self._enter(order, t_ms)
            case "inhibit":
                self._enter("inhibited", t_ms)
            case "reset_faults":
                self.faults.discard("start_failure")
            case "confirm_return" if self._waits:
                self._may_return = True
            case "position_0" | "position_1" | "position_2" if self.mode in ("manual", "remote"):
                return self._go(int(order[-1]), t_ms)
            case "start_generator" | "stop_generator" if self.mode in ("manual", "remote"):
                for i in (0, 1):
                    self._by_hand[i] = self.settings.is_genset[i] and order == "start_generator"
            case "test_on_load" | "test_off_load" if self.mode == "automatic" and self.test == "none":
                self.test = "on_load" if order == "test_on_load" else "off_load"
                limit = "TOT" if self.test == "on_load" else "TFT"
                if self.settings.timer_ms(limit):
                    self.timers[limit] = t_ms + self.settings.timer_ms(limit)
            case "end_test" if self.test != "none":
                self._end_test()
            case _:
                return False
        return True

    def expire(self, t_ms: int) -> None:
        """Let end what ends by `t_ms`."""
        for name in [name for name, end_ms in self.timers.items() if end_ms <= t_ms]:
            del self.timers[name]
            self._expired(name, t_ms)

    def decide(self, t_ms: int) -> None:
        """Draw the conclusions, until there are none left to be drawn."""
        self._order_starts(t_ms)
        if self._target is not None or self.mode != "automatic":
            return
        wanted = self._wanted(t_ms)
        if wanted is not None and wanted != self.position:
            self._go(wanted, t_ms)
            self._order_starts(t_ms)

    def _expired(self, name: str, t_ms: int) -> None:
        source = int(name[0]) if name[0] in "12" else 0
        match name[1:]:
            case "FT" if source:
                self.is_confirmed_lost[source - 1] = True
            case "RT" | "AT":
                self.available[source - 1] = True
                self.is_confirmed_lost[source - 1] = False
            case "0T":
                if self.position == source and not self.good[source - 1] and self.mode == "automatic":
                    self._open(t_ms)
            case "ST":
                self.faults.add("start_failure")
            case _ if name in ("TOT", "TFT"):
                wait_ms = self.settings.timer_ms("T3T") if name == "TOT" else 0
                if wait_ms:
                    self.timers["T3T"] = t_ms + wait_ms
                else:
                    self._end_test()
            case _ if name == "T3T":
                self._end_test()
            case _ if name == "dead_band" and self._target is not None:
                self._close(t_ms)
            case _ if name == "refusal":
                self.faults.discard("too_many_operations")
                self._recent.clear()

    def _wanted(self, t_ms: int) -> int | None:
        """Where the load should be in automatic mode; None: where it is."""
        settings, here = self.settings, self.position
        first = settings.priority or (here or 1)
        second = 3 - first
        self._waits = False
        if self.test == "on_load":
            tested = 2 if settings.is_genset[1] or not settings.is_genset[0] else 1
            if self.available[tested - 1]:
                return tested
        if here == 0:
            if self.available[first - 1]:
                return first
            return second if self.available[second - 1] else None
        there = 3 - here
        is_lost = self.is_confirmed_lost[here - 1] and not self.good[here - 1]
        steady = self._steady(there)
        if is_lost and steady in self.timers:
            self.timers[steady] = min(self.timers[steady], t_ms + self._shortened(there))
        if is_lost:
            return there if self.available[there - 1] else None
        if settings.priority and here != first and self.available[first - 1]:
            if settings.has_manual_retransfer and not self._may_return and self.test == "none":
                self._waits = True
                return None
            return first
        return None

    def _shortened(self, source: int) -> int:
        # A generating set is given its whole time to settle.
        is_genset = self.settings.is_genset[source - 1]
        return self.settings.steady_ms(source) if is_genset else SHORTENED_MS

    def _order_starts(self, t_ms: int) -> None:
        for i, is_genset in enumerate(self.settings.is_genset):
            if not is_genset:
                continue
            source, other = i + 1, 1 - i
            if self.mode in ("manual", "remote"):
                needed = self._by_hand[i]
            elif self.mode == "inhibited":
                needed = self.starts[i]
            else:
                needed = (
                    self.test != "none"
                    or self.position == source
                    or (self._target is not None and (self._target == source or self.starts[i]))
                    or (self.is_confirmed_lost[other] and not self.available[other])
                )
            cooling = f"{source}CT"
            watch = f"{source}ST"
            if needed and not self.starts[i]:
                self.starts[i] = True
                self.timers[watch] = t_ms + self.settings.timer_ms("2ST")
            elif not needed and self.starts[i] and cooling not in self.timers:
                if self._left == source and self.good[i]:
                    self.timers[cooling] = t_ms + self.settings.timer_ms("2CT")
                    self._left = None
                else:
                    self._stop(i)
            elif needed:
                self.timers.pop(cooling, None)
            if self.good[i]:
                self.timers.pop(watch, None)

    def _stop(self, i: int) -> None:
        self.starts[i] = False
        self.timers.pop(f"{i + 1}ST", None)

    def _end_test(self) -> None:
        self.test = "none"
        for name in ("TOT", "TFT", "T3T"):
            self.timers.pop(name, None)

    def _enter(self, mode: Mode, t_ms: int) -> None:
        if mode == self.mode:
            return
        if mode != "automatic":
            self._end_test()
        # Whoever takes over finds the generating sets as they are.
        self._by_hand = list(self.starts)
        self.mode = mode

    def _go(self, position: int, t_ms: int) -> bool:
        """Begin to move; false where too many operations have been made."""
        if position == self.position and self._target is None:
            return True
        if "refusal" in self.timers:
            return False
        left = self.position
        self._target = None
        self.timers.pop("dead_band", None)
        if left:
            self._open(t_ms)
        if position == 0:
            return True
        dead_ms = self.settings.timer_ms("0DT")
        # The load has been without supply since its source was lost.
        since_ms = t_ms if not left or self.good[left - 1] else self._lost_ms[left - 1]
        self._target = position
        self.timers["dead_band"] = max(since_ms + dead_ms, t_ms + self.settings.travel_ms)
        return True

    def _open(self, t_ms: int) -> None:
        self._left = self.position
        self.position = 0
        self.timers.pop("10T", None)
        self.timers.pop("20T", None)
        self._count(t_ms)

    def _close(self, t_ms: int) -> None:
        target, self._target = self._target, None
        if target is None:
            return
        if self.mode == "automatic" and not self.good[target - 1]:
            return  # it went before the load came; decide anew
        self.position = target
        if target == (self.settings.priority or 1) and self.operations > 1:
            self.cycles += 1
        self._may_return = False
        self._count(t_ms)

    def _count(self, t_ms: int) -> None:
        self.operations += 1
        self._recent = [*(one for one in self._recent if one > t_ms - OPERATIONS_SPAN_MS), t_ms]
        if len(self._recent) >= MOST_OPERATIONS:
            self.faults.add("too_many_operations")
            self.timers["refusal"] = t_ms + OPERATIONS_SPAN_MS

    def _steady(self, source: int) -> str:
        return f"{source}{'AT' if self.settings.is_genset[source - 1] else 'RT'}"

    def _source_state(self, source: int) -> SourceState:
        if not self.good[source - 1]:
            return "lost"
        return "available" if self.available[source - 1] else "present"
