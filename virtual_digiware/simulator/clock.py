"""The only wall clock of the project, and the mapping from it to simulated time.

`sim = anchor.sim + rate * (wall - anchor.wall)`; a standing (manual) clock has rate 0. Anchors are kept
in the journal, so that a restarted site continues where its time would be by now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from virtual_digiware.simulator.instants import format_instant

Mode = Literal["real", "manual"]


def wall_ms() -> int:
    """Unix time of the machine."""
    return time.time_ns() // 1_000_000


def _elapsed_ns() -> int:
    # Steps of the machine's clock must not reach the site, but time asleep (suspend) must.
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True)
class Anchor:
    """One point of the mapping from wall time to simulated time, and the rate from there on."""

    sim_ms: int
    wall_ms: int
    rate: float

    def at(self, wall_ms: int) -> int:
        """Simulated time at a wall time; before the anchor it stands still."""
        return self.sim_ms + int(self.rate * max(0, wall_ms - self.wall_ms))

    def as_data(self) -> dict[str, object]:
        return {"wall": format_instant(self.wall_ms), "rate": self.rate}

    @staticmethod
    def from_data(sim_ms: int, data: Mapping[str, Any]) -> Anchor:
        from virtual_digiware.simulator.instants import parse_instant

        return Anchor(sim_ms, parse_instant(data["wall"]), float(data["rate"]))


@dataclass(frozen=True, slots=True)
class Start:
    """Where a run begins, and what the user should know about it."""

    anchor: Anchor
    notices: tuple[str, ...] = ()


def start(
    mode: Mode,
    rate: float,
    at_ms: int | None,
    now_wall_ms: int,
    previous: Anchor | None = None,
    last_record_ms: int | None = None,
) -> Start:
    """Choose the anchor of a run.

    Args:
        rate: simulated seconds per second, of a real clock.
        at_ms: the start time that the user asks for.
        now_wall_ms: unix time now.
        previous: anchor of the last run of this journal.
        last_record_ms: time of the journal's last record; no run begins before it.
    """
    running_rate = 0.0 if mode == "manual" else rate
    if previous is None or last_record_ms is None:
        begin_ms = now_wall_ms if at_ms is None else at_ms
        return Start(Anchor(begin_ms, now_wall_ms, running_rate))
    reached_ms = last_record_ms
    if mode == "real":
        reached_ms = max(reached_ms, previous.at(now_wall_ms))
    notices: list[str] = []
    if at_ms is not None and at_ms < reached_ms:
        notices.append(
            f"--at {format_instant(at_ms)} is in the past of the journal; "
            f"continuing from {format_instant(reached_ms)}"
        )
    begin_ms = reached_ms if at_ms is None else max(at_ms, reached_ms)
    return Start(Anchor(begin_ms, now_wall_ms, running_rate), tuple(notices))


class Clock:
    """Simulated time of a running site. Never goes backwards.

    Args:
        anchor: where the run begins.
        elapsed_ns: a monotonic source of nanoseconds; replaced in tests.
    """

    def __init__(self, anchor: Anchor, elapsed_ns: Callable[[], int] = _elapsed_ns) -> None:
        self.anchor = anchor
        self._elapsed_ns = elapsed_ns
        self._begin_ns = elapsed_ns()

    @property
    def is_manual(self) -> bool:
        return self.anchor.rate == 0

    def now_ms(self) -> int:
        """Simulated time, ms since 1970 UTC."""
        elapsed_ns = self._elapsed_ns() - self._begin_ns
        if self.anchor.rate == 1:
            return self.anchor.sim_ms + elapsed_ns // 1_000_000
        return self.anchor.sim_ms + int(self.anchor.rate * elapsed_ns / 1_000_000)

    def anchor_at(self, sim_ms: int) -> Anchor:
        """This clock's mapping, anchored at a simulated time that is now."""
        return Anchor(sim_ms, wall_ms(), self.anchor.rate)

    def wall_seconds_until(self, t_ms: int) -> float:
        """Real seconds until simulated time reaches `t_ms`; infinite while the clock stands."""
        remaining_ms = t_ms - self.now_ms()
        if remaining_ms <= 0:
            return 0.0
        return float("inf") if self.is_manual else remaining_ms / 1000 / self.anchor.rate

    def advance_to(self, t_ms: int) -> None:
        """Set a standing clock forward.

        Raises:
            ValueError: the clock runs by itself, or the time lies in its past.
        """
        if not self.is_manual:
            raise ValueError("only a manual clock can be set; this one runs by itself")
        self.go_on(t_ms, 0.0)

    def go_on(self, t_ms: int, rate: float) -> None:
        """Pass from now on at another rate, from `t_ms` on: 0 stands still.

        Raises:
            ValueError: a negative rate, or a time that has passed already.
        """
        if rate < 0:
            raise ValueError(f"time cannot run backwards, at a rate of {rate:g}")
        if t_ms < self.anchor.sim_ms:
            raise ValueError(f"{format_instant(t_ms)} is before {format_instant(self.anchor.sim_ms)}")
        self._begin_ns = self._elapsed_ns()
        self.anchor = Anchor(t_ms, wall_ms(), rate)
