"""The faults of a site, injected and cleared by records: which hold now, and when the next begins or ends.

What a fault does is not known here: the devices, the buses and the electrical installation each ask for the
faults that concern them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault on one target.

    `effect` names what it does, `parameters` how much; `kind` is its name for people. It holds from
    `start_ms` until just before `end_ms`; None: until it is cleared, for no fault heals by itself.
    """

    number: int
    kind: str
    effect: str
    target: str
    start_ms: int
    end_ms: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """The data of its record; the target is the record's own."""
        data = {"number": self.number, "kind": self.kind, "effect": self.effect, "start_ms": self.start_ms}
        if self.end_ms is not None:
            data["end_ms"] = self.end_ms
        return {**data, "parameters": dict(self.parameters)}

    @staticmethod
    def from_data(target: str, data: Mapping[str, Any]) -> Fault:
        end_ms = data.get("end_ms")
        return Fault(
            number=int(data["number"]),
            kind=str(data["kind"]),
            effect=str(data["effect"]),
            target=target,
            start_ms=int(data["start_ms"]),
            end_ms=None if end_ms is None else int(end_ms),
            parameters=dict(data["parameters"]),
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """A fault that begins or ends at `time_ms`; `fault.end_ms` is later when somebody ended it early."""

    time_ms: int
    fault: Fault
    begins: bool


class FaultBook:
    """All faults known so far. `version` changes whenever `active` does."""

    def __init__(self) -> None:
        self.version = 0
        self._known: dict[int, Fault] = {}
        self._active: dict[int, Fault] = {}
        self._begun: set[int] = set()

    @property
    def active(self) -> tuple[Fault, ...]:
        """Those that hold now, in the order in which they began."""
        return tuple(self._active.values())

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """Those that have not begun yet, by their start."""
        known = (fault for fault in self._known.values() if fault.number not in self._begun)
        return tuple(sorted(known, key=lambda fault: (fault.start_ms, fault.number)))

    @property
    def next_number(self) -> int:
        """For the next fault; numbers are never used again."""
        return max(self._known, default=0) + 1

    @property
    def next_turn_ms(self) -> int | None:
        """When the next fault begins or ends; None when none will."""
        times = [fault.start_ms for fault in self.waiting]
        times += [fault.end_ms for fault in self._active.values() if fault.end_ms is not None]
        return min(times, default=None)

    def of(self, *effects: str) -> tuple[Fault, ...]:
        """Active faults with one of these effects."""
        return tuple(fault for fault in self._active.values() if fault.effect in effects)

    def on(self, target: str) -> tuple[Fault, ...]:
        """Active faults of one target."""
        return tuple(fault for fault in self._active.values() if fault.target == target)

    def inject(self, fault: Fault, t_ms: int) -> list[Turn]:
        """Take a fault in at `t_ms`; it begins at once when its start has come."""
        self._known[fault.number] = fault
        return self.turns_by(t_ms)

    def clear(self, number: int, t_ms: int) -> list[Turn]:
        """End a fault at `t_ms`, or let it never begin; nothing for one that has ended already."""
        fault = self._known.get(number)
        if fault is None:
            return []
        self._begun.add(number)
        self._known[number] = replace(fault, end_ms=t_ms)
        if self._active.pop(number, None) is None:
            return []
        self.version += 1
        return [Turn(t_ms, fault, begins=False)]

    def turns_by(self, t_ms: int) -> list[Turn]:
        """Let everything begin and end that is due by `t_ms`, in the order of its times."""
        turns: list[Turn] = []
        while (time_ms := self.next_turn_ms) is not None and time_ms <= t_ms:
            for fault in self.active:
                if fault.end_ms is not None and fault.end_ms <= time_ms:
                    del self._active[fault.number]
                    turns.append(Turn(time_ms, fault, begins=False))
            for fault in self.waiting:
                if fault.start_ms <= time_ms:
                    self._begun.add(fault.number)
                    self._active[fault.number] = fault
                    turns.append(Turn(time_ms, fault, begins=True))
            self.version += 1
        return turns
