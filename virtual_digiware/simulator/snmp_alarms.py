"""Telling the SNMP agents of a site what its alarms do: the table from the history, traps for what is new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from virtual_digiware.buses.snmp.alarms import AlarmNotice

if TYPE_CHECKING:
    from virtual_digiware.buses.snmp.agent import SnmpAgent
    from virtual_digiware.devices.alarms.events import AlarmChange
    from virtual_digiware.devices.model import SiteModel

MOST_AT_ONCE = 64
"""Changes of one refresh that are sent as traps. After a jump of the clock there may be any number: the older
ones are then found in the table, as they would be by a manager that was away."""


class SnmpAlarms:
    """Follows the alarms of a site for its agents.

    What happened before an agent was there is shown in its table and not sent again.
    """

    def __init__(self, model: SiteModel, agents: Mapping[str, SnmpAgent]) -> None:
        """`agents` by the name of their gateway."""
        self._model = model
        self._agents = agents
        past, self._cursor = model.alarm_changes_since(0)
        for change in past:
            self._recall(change)

    def tell(self) -> None:
        """Hand on what has been published since the last time."""
        changes, self._cursor = self._model.alarm_changes_since(self._cursor)
        for change in changes[:-MOST_AT_ONCE]:
            self._recall(change)
        for change in changes[-MOST_AT_ONCE:]:
            agent = self._agent(change)
            if agent is not None:
                agent.alarm(notice(change))

    def _recall(self, change: AlarmChange) -> None:
        agent = self._agent(change)
        if agent is not None:
            agent.recall(notice(change))

    def _agent(self, change: AlarmChange) -> SnmpAgent | None:
        return self._agents.get(change.event.unit.partition("/")[0])


def notice(change: AlarmChange) -> AlarmNotice:
    """A change of an alarm in the words of SNMP."""
    event = change.event
    return AlarmNotice(
        id=event.id,
        time_ms=change.time_ms,
        address=event.address or 0,
        load=0 if event.slot is None else event.slot + 1,
        type=event.family,
        number=event.number,
        state=event.state,
        text=event.text,
    )
