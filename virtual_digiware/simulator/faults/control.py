"""Injecting faults into a site and clearing them; every one is a record of the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from virtual_digiware.devices.faults.book import Fault
from virtual_digiware.devices.records import Record
from virtual_digiware.simulator.faults.kinds import FaultKind, fault_kinds
from virtual_digiware.simulator.faults.parameters import FaultRefused, checked_parameters
from virtual_digiware.simulator.faults.reach import reached
from virtual_digiware.simulator.faults.targets import matching, targets_of
from virtual_digiware.simulator.yaml_text import near_miss

if TYPE_CHECKING:
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.journal import Journal


class FaultControl:
    """The faults of a running site.

    Args:
        now_ms: simulated time for the next record.
        recompute: makes everything up to a time visible.
    """

    def __init__(
        self,
        building: Building,
        journal: Journal,
        now_ms: Callable[[], int],
        recompute: Callable[[int], None],
    ) -> None:
        self._building, self._journal = building, journal
        self._now_ms, self._recompute = now_ms, recompute

    @property
    def active(self) -> tuple[Fault, ...]:
        """Faults that hold now, oldest first."""
        return self._building.model.faults.active

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """Faults that have not begun yet."""
        return self._building.model.faults.waiting

    def inject(
        self,
        kind: str,
        target: str,
        *,
        start_ms: int | None = None,
        duration_ms: int | None = None,
        **parameters: Any,
    ) -> tuple[Fault, ...]:
        """Lay a fault on every target that a pattern matches.

        Args:
            start_ms: when it begins, in simulated time; None: now.
            duration_ms: how long it holds; None: until it is cleared.

        Returns:
            One fault per target.

        Raises:
            FaultRefused: no such kind, target or parameter; nothing has been injected.
            OSError: the journal does not take it.
        """
        described = _kind(kind)
        now_ms = self._now_ms()
        begin_ms = now_ms if start_ms is None else start_ms
        if begin_ms < now_ms:
            raise FaultRefused("start", begin_ms, "a time that has not passed yet")
        if duration_ms is not None and duration_ms <= 0:
            raise FaultRefused("duration", duration_ms, "a duration above 0")
        if duration_ms is None and described.needs_duration:
            raise FaultRefused("duration", None, f"a duration: {described.label} always ends")
        names = matching(self._building, described.target, target)
        if not names:
            known = targets_of(self._building, described.target)
            hint = near_miss(target, list(known))
            raise FaultRefused(
                "target", target, f"a {described.target}: {', '.join(known) or 'none here'}.{hint}"
            )
        given = checked_parameters(self._building, described, parameters)
        beyond = [reached(self._building, described.effect, name, given) for name in names]
        faults = []
        for name, further in zip(names, beyond, strict=True):
            fault = Fault(
                number=self._building.model.faults.next_number,
                kind=described.id,
                effect=described.effect,
                target=name,
                start_ms=begin_ms,
                end_ms=None if duration_ms is None else begin_ms + duration_ms,
                parameters={**given, **described.fixed, **further},
            )
            self._record(Record(now_ms, "fault", name, fault.as_data()))
            faults.append(fault)
        self._recompute(now_ms)
        return tuple(faults)

    def clear(self, number: int) -> None:
        """End a fault now. Clearing one that is over changes nothing.

        Raises:
            FaultRefused: there never was a fault of that number.
            OSError: the journal does not take it.
        """
        if not 0 < number < self._building.model.faults.next_number:
            raise FaultRefused("number", number, "the number of a fault that was injected")
        now_ms = self._now_ms()
        self._record(Record(now_ms, "clear", "", {"number": number}))
        self._recompute(now_ms)

    def clear_all(self) -> int:
        """End all faults that hold or wait; returns how many."""
        faults = (*self.active, *self.waiting)
        for fault in faults:
            self.clear(fault.number)
        return len(faults)

    def _record(self, record: Record) -> None:
        self._journal.append(record)
        self._building.model.apply(record)


def _kind(name: str) -> FaultKind:
    kinds: Mapping[str, FaultKind] = fault_kinds()
    if name not in kinds:
        raise FaultRefused("fault", name, f"one of `vdigiware faults`.{near_miss(name, list(kinds))}")
    return kinds[name]
