"""Traps and informs of a gateway: on alarm, again while it lasts, and when it is over.

Source: DIRIS Digiware D-50/D-70 manual 548088C p. 56 (sent when an alarm occurs, again after each report
period, to up to two servers). Identifiers and contents are simulator numbering: the vendor's are not
published.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from virtual_digiware.buses.snmp.alarms import AlarmNotice
from virtual_digiware.buses.snmp.ber import TIME_TICKS, Oid
from virtual_digiware.buses.snmp.product_objects import ALARM_VALUES
from virtual_digiware.buses.snmp.settings import SnmpSettings
from virtual_digiware.buses.snmp.standard_objects import SYS_UP_TIME
from virtual_digiware.buses.snmp.values import identifier, number
from virtual_digiware.devices.snmp_binding import Notifications, snmp_binding

if TYPE_CHECKING:
    from virtual_digiware.buses.snmp.counters import Counters
    from virtual_digiware.buses.snmp.endpoint import Library
    from virtual_digiware.buses.snmp.objects import AgentObjects

SNMP_TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
_TICK_S = 0.1

Bindings = list[tuple[Oid, bytes]]
"""Names and encoded values."""


class Agent(Protocol):
    """What sending asks of the agent."""

    def with_library(self, use: Callable[[Library], None]) -> None: ...

    @property
    def counters(self) -> Counters: ...

    @property
    def objects(self) -> AgentObjects: ...

    @property
    def now_s(self) -> float: ...


class TrapSender:
    """Notifications to the destinations of one agent."""

    def __init__(self, agent: Agent, notifications: Notifications, settings: SnmpSettings) -> None:
        self._agent = agent
        self._notifications = notifications
        self._destinations = settings.destinations
        self._repeat_s = settings.repeat_s
        self._active: dict[int, AlarmNotice] = {}
        self._repeat: asyncio.TimerHandle | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._waiting = 0
        self._settled = asyncio.Event()
        self._settled.set()

    def alarm(self, notice: AlarmNotice) -> None:
        """Tell of a change: a trap when the alarm begins and one when it is finished; none for
        acknowledging."""
        was_active = notice.id in self._active
        is_new = not was_active and notice.state == "active"
        self.recall(notice)
        if is_new or (was_active and notice.state != "active"):
            self._send(notice)

    def recall(self, notice: AlarmNotice) -> None:
        """Take a change without telling of it: one of the past, or one of too many at once."""
        if notice.state == "active":
            self._active[notice.id] = notice
        else:
            self._active.pop(notice.id, None)
        self._schedule()

    @property
    def waiting(self) -> int:
        """Informs that have neither been answered nor given up."""
        return self._waiting

    async def settled(self) -> None:
        """Return when every inform has been answered or given up."""
        await self._settled.wait()

    def repeat(self) -> None:
        """Send the traps of all active alarms again."""
        for notice in self._active.values():
            self._send(notice)

    def close(self) -> None:
        for timer in (self._repeat, self._ticking):
            if timer is not None:
                timer.cancel()
        self._repeat = self._ticking = None
        self._active.clear()

    def bindings(self, notice: AlarmNotice) -> Bindings:
        """Variable bindings of a notification, the two that every one begins with included."""
        kinds = self._notifications
        trap = kinds.alarm_on if notice.state == "active" else kinds.alarm_off
        table = snmp_binding().objects["alarm"]
        return [
            ((*SYS_UP_TIME, 0), number(self._agent.objects.up_time(), TIME_TICKS)),
            (SNMP_TRAP_OID, identifier(trap)),
            *(((*table.column(name), notice.id), ALARM_VALUES[name](notice)) for name in kinds.objects),
        ]

    def _send(self, notice: AlarmNotice) -> None:
        bindings = self.bindings(notice)
        for index, destination in enumerate(self._destinations):
            self._notify(index, destination.is_inform, bindings)

    def _notify(self, index: int, is_inform: bool, bindings: Bindings) -> None:
        counters = self._agent.counters
        if is_inform:
            counters.informs += 1
            self._waiting += 1
            self._settled.clear()
            self._agent.with_library(lambda library: library.notify(index, bindings, self._heard))
            self._tick_later()
        else:
            counters.traps += 1
            self._agent.with_library(lambda library: library.notify(index, bindings, None))

    def _heard(self, is_answered: bool) -> None:
        self._waiting -= 1
        self._agent.counters.informs_unanswered += not is_answered
        if not self._waiting:
            self._settled.set()

    def _schedule(self) -> None:
        if not self._active:
            if self._repeat is not None:
                self._repeat.cancel()
                self._repeat = None
        elif self._repeat is None and self._repeat_s > 0 and self._destinations:
            self._repeat = asyncio.get_running_loop().call_later(self._repeat_s, self._repeat_now)

    def _repeat_now(self) -> None:
        self._repeat = None
        self.repeat()
        self._schedule()

    def _tick_later(self) -> None:
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        """Let informs be sent again and given up."""
        self._ticking = None
        now_s = self._agent.now_s
        self._agent.with_library(lambda library: library.tick(now_s))
        if self._waiting > 0:
            self._tick_later()
