"""What a datalogger holds of the devices that it collects: last values, their age, failures, who is offline.

Knows no socket: whoever polls asks what is due and reports what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

State = Literal["not polled", "communicating", "failing", "offline"]
Value = float | str | None
Point = tuple[str, int, str]
"""Table, slot from 0, point."""

MAX_DEVICES = 200
"""Source: Socomec note on DIRIS Digiware communication architectures, DATALOG H80 and WEBVIEW-L."""

OFFLINE_AFTER = 3
"""Polls in a row without answer. The real number is not published."""

LONGEST_PAUSE = 16
"""Periods between two polls of a device that stays silent; they double from 1 up to here. A choice."""


@dataclass(frozen=True, slots=True)
class Target:
    """One device to be collected: `path` in the site, behind the gateway or meter `through`."""

    path: str
    through: str
    product: str
    circuits: tuple[str, ...] = ()


@dataclass(slots=True)
class Collected:
    """What is known of one target. Times are simulated, in ms."""

    target: Target
    values: Mapping[Point, Value] = field(default_factory=dict)
    collected_ms: int | None = None
    """Time that the values belong to."""
    polls: int = 0
    failures: int = 0
    failed_in_a_row: int = 0

    @property
    def state(self) -> State:
        if not self.polls:
            return "not polled"
        if not self.failed_in_a_row:
            return "communicating"
        return "failing" if self.failed_in_a_row < OFFLINE_AFTER else "offline"

    def age_ms(self, t_ms: int) -> int | None:
        """How old the values are; None without any."""
        return None if self.collected_ms is None else t_ms - self.collected_ms

    @property
    def pause(self) -> int:
        """Periods from one poll to the next."""
        return min(LONGEST_PAUSE, 1 << max(0, self.failed_in_a_row - 1))


class Datalogger:
    """The table of one datalogger.

    Args:
        period_s: Simulated time between two polls of a device that answers; periods are aligned to 1970.

    Raises:
        ValueError: More than 200 targets.
    """

    def __init__(self, name: str, period_s: int, targets: Sequence[Target]) -> None:
        if len(targets) > MAX_DEVICES:
            raise ValueError(f"{len(targets)} devices; a datalogger collects at most {MAX_DEVICES}")
        self.name = name
        self.period_ms = 1000 * period_s
        self.devices = {target.path: Collected(target) for target in targets}
        self._polled_period: int | None = None

    def due(self, t_ms: int) -> list[Target]:
        """The targets to be polled now; asked again in the same period, none."""
        period = t_ms // self.period_ms
        if period == self._polled_period:
            return []
        self._polled_period = period
        return [one.target for one in self.devices.values() if not one.polls or period % one.pause == 0]

    def answered(self, target: Target, values: Mapping[Point, Value], t_ms: int) -> None:
        """Keep what a target has shown, which belongs to `t_ms`."""
        device = self.devices[target.path]
        device.polls += 1
        device.failed_in_a_row = 0
        device.values, device.collected_ms = values, t_ms

    def failed(self, target: Target) -> None:
        """Note that a target did not answer; its last values stay."""
        device = self.devices[target.path]
        device.polls += 1
        device.failures += 1
        device.failed_in_a_row += 1

    def value(self, path: str, table: str, point: str, slot: int = 0) -> Value:
        """The last value of a point in engineering units; None when none was collected, or available.

        Raises:
            KeyError: No such target.
        """
        return self.devices[path].values.get((table, slot, point))
