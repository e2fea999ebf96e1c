"""Alarms as SNMP tells of them: one notice per change, and the latest ones as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AlarmState = Literal["active", "finished", "acknowledged"]

STATE_NUMBERS: dict[AlarmState, int] = {"active": 1, "finished": 2, "acknowledged": 3}
LOG_LENGTH = 100
"""Alarms that the table keeps. The depth of the real gateway's log is not published."""


@dataclass(frozen=True, slots=True)
class AlarmNotice:
    """One change of one alarm.

    `id` identifies the alarm on every protocol, 1 to 2147483647; `time_ms` is the simulated time of the
    change; `address` and `load` say where (load 0: the product itself); `type` is the family
    (`threshold`, `system`, ...) and `number` the alarm's number in it.
    """

    id: int
    time_ms: int
    address: int
    load: int
    type: str
    number: int
    state: AlarmState
    text: str


class AlarmList:
    """The latest alarms by id, each in its latest state. `version` grows with every notice."""

    def __init__(self) -> None:
        self.version = 0
        self._notices: dict[int, AlarmNotice] = {}

    def note(self, notice: AlarmNotice) -> None:
        """Take a change. Beyond LOG_LENGTH the oldest alarm that is not active goes first."""
        self._notices.pop(notice.id, None)
        self._notices[notice.id] = notice
        if len(self._notices) > LOG_LENGTH:
            over = next((one.id for one in self._notices.values() if one.state != "active"), None)
            del self._notices[next(iter(self._notices)) if over is None else over]
        self.version += 1

    def notices(self) -> tuple[AlarmNotice, ...]:
        """By ascending id."""
        return tuple(self._notices[number] for number in sorted(self._notices))

    def active(self) -> tuple[AlarmNotice, ...]:
        """Those that are active, by ascending id."""
        return tuple(notice for notice in self.notices() if notice.state == "active")
