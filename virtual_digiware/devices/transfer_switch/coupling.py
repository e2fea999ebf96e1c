"""The sequence of one bus coupler: it joins two boards when one loses its source, or while it is told to.

No manual was found for it: the sequence and its durations are the simulator's own, after common practice
(one source at a time, open before close, return after the source has been good for a while).
"""

from __future__ import annotations

from virtual_digiware.devices.transfer_switch.settings import CouplerSettings
from virtual_digiware.profiles.switching import BACKWARD, FIRST_OFF, FORWARD, OPEN, SECOND_OFF


class CouplerSequence:
    """One coupler, told what happens as a `Controller` is."""

    def __init__(self, settings: CouplerSettings, good: tuple[bool, bool]) -> None:
        self.settings = settings
        self.stands = OPEN
        self.good = list(good)
        self.is_told = False
        self.timers: dict[str, int] = {}
        self._steady = list(good)
        """Good for long enough; lost only after the delay of loss."""
        self._next = OPEN

    @property
    def next_ms(self) -> int | None:
        """When the next timer ends."""
        return min(self.timers.values(), default=None)

    def source_turned(self, side: int, is_good: bool, t_ms: int) -> None:
        """The source of the first (0) or second (1) board left its limits, or is back."""
        if self.good[side] == is_good:
            return
        self.good[side] = is_good
        timer = f"source_{side + 1}"
        self.timers.pop(timer, None)
        if self._steady[side] != is_good:
            wait_ms = self.settings.return_ms if is_good else self.settings.loss_ms
            self.timers[timer] = t_ms + wait_ms

    def told(self, is_told: bool) -> None:
        """Somebody wants the boards joined, or no longer."""
        self.is_told = is_told

    def expire(self, t_ms: int) -> None:
        """Let end what ends by `t_ms`."""
        for name in [name for name, end_ms in self.timers.items() if end_ms <= t_ms]:
            del self.timers[name]
            if name == "dead":
                self.stands = self._next
            else:
                side = int(name[-1]) - 1
                self._steady[side] = self.good[side]

    def decide(self, t_ms: int) -> None:
        """Begin to move where the boards should be supplied otherwise."""
        wanted = self._wanted()
        if "dead" in self.timers or wanted == self.stands:
            return
        lost = wanted if wanted != OPEN else self.stands
        self.stands = SECOND_OFF if lost == FORWARD else FIRST_OFF
        # From one direction to the other by way of open: never both sources on one board.
        self._next = wanted if lost == wanted or wanted == OPEN else OPEN
        self.timers["dead"] = t_ms + self.settings.dead_ms

    def _wanted(self) -> int:
        first, second = self._steady
        if self.settings.is_automatic or self.is_told:
            if first and not second and self.good[0]:
                return FORWARD
            if second and not first and self.good[1]:
                return BACKWARD
        if self.is_told:
            return FORWARD
        return OPEN
