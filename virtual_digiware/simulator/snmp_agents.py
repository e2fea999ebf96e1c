"""SNMP agents of a site, made from its file and from the journal, which remembers their starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.simulator.clock import Anchor

if TYPE_CHECKING:
    from virtual_digiware.buses.interfaces import WriteHandler
    from virtual_digiware.buses.snmp.agent import SnmpAgent
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.journal import Journal
    from virtual_digiware.simulator.listening import WantedPort

BOOTS_EPOCH_MS = 1_767_225_600_000
"""2026-01-01: from here a start is numbered by its second."""


def engine_boots(journal: Journal) -> int:
    """snmpEngineBoots of the run that a journal is at: above that of every run before.

    The second in which the run began, or one more than the last run's where the clock of the machine was set
    back. So it grows for managers even when nothing was kept of earlier runs.
    """
    boots = 0
    for record in journal.records:
        if record.kind == "clock":
            wall_ms = Anchor.from_data(record.time_ms, record.data).wall_ms
            boots = max(boots + 1, (wall_ms - BOOTS_EPOCH_MS) // 1000)
    return boots


def snmp_agent(building: Building, wanted: WantedPort, handler: WriteHandler, boots: int) -> SnmpAgent:
    """The agent of one gateway, not yet listening."""
    from virtual_digiware.buses.snmp.agent import SnmpAgent, engine_id
    from virtual_digiware.devices.snmp_binding import snmp_binding

    site = building.file.site
    section = site.gateways[wanted.gateway_index].snmp
    assert section is not None  # or nobody would want this port
    enterprise = snmp_binding().enterprise[-1]
    return SnmpAgent(
        building.collections[wanted.gateway],
        section.settings(),
        handler,
        identity=engine_id(enterprise, building.file.seed, site.site, wanted.gateway),
        engine_boots=boots,
        started_ms=building.model.snapshot.time_ms,
    )
