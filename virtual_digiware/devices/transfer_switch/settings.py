"""Settings of a transfer controller: timers, limits and choices, with the defaults of its manuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_TIMERS_S: Mapping[str, float] = {
    "1FT": 3,
    "2FT": 3,
    "1RT": 180,
    "2RT": 5,
    "1AT": 180,
    "2AT": 5,
    "10T": 2,
    "20T": 2,
    "0DT": 3,
    "2ST": 30,
    "2CT": 180,
    "TOT": 0,
    "T3T": 0,
    "TFT": 0,
}
"""Seconds; TOT and TFT 0: unlimited. Source: manuals HZI855 6LE007317A (1FT, 2FT, 1RT, 2RT, 1AT), ATyS p M
542935E (2AT, 10T, 0DT, 2ST, TOT, TFT), ATyS p 542001E (T3T), ATyS C25 549780A (2CT). That C65 has the same
defaults is an inference; 20T is taken to equal 10T."""
TIMER_RANGES_S: Mapping[str, tuple[float, float]] = {
    "1FT": (0, 3600),
    "2FT": (0, 60),
    "1RT": (0, 3600),
    "2RT": (0, 3600),
    "1AT": (0, 3600),
    "2AT": (0, 3600),
    "10T": (0, 10),
    "20T": (0, 10),
    "0DT": (0, 20),
    "2ST": (0, 600),
    "2CT": (0, 3600),
    "TOT": (0, 1800),
    "T3T": (0, 1800),
    "TFT": (0, 1800),
}
"""Source: the same manuals; that of 2CT is not printed and is the simulator's own."""
TIMERS: tuple[str, ...] = tuple(DEFAULT_TIMERS_S)


@dataclass(frozen=True)
class TransferSettings:
    """One transfer switch. Source 1 and 2 are names of the installation.

    The travel of the breakers was not found in any manual: it is the simulator's own.
    """

    name: str
    sources: tuple[str, str]
    is_genset: tuple[bool, bool] = (False, False)
    priority: int = 1
    """1 or 2; 0: stay where you are."""
    timers_ms: Mapping[str, int] = field(
        default_factory=lambda: {name: round(1000 * seconds) for name, seconds in DEFAULT_TIMERS_S.items()}
    )
    has_return_to_0: bool = False
    has_manual_retransfer: bool = False
    travel_ms: int = 100
    """A breaker's way from one end to the other."""

    def timer_ms(self, name: str) -> int:
        """Duration of a timer."""
        return self.timers_ms[name]

    def steady_ms(self, source: int) -> int:
        """How long source 1 or 2 must be good before it counts as available."""
        return self.timer_ms(f"{source}AT" if self.is_genset[source - 1] else f"{source}RT")


@dataclass(frozen=True)
class CouplerSettings:
    """One bus coupler between the boards of two sources. The durations are the simulator's own."""

    name: str
    sources: tuple[str, str]
    is_automatic: bool = True
    loss_ms: int = 3000
    return_ms: int = 180_000
    dead_ms: int = 500
