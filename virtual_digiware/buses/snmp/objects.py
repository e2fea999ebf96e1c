"""All objects of one agent: the standard ones and those of the vendor's branch."""

from __future__ import annotations

from collections.abc import Hashable

from virtual_digiware.buses.snmp.alarms import AlarmList
from virtual_digiware.buses.snmp.counters import Counters
from virtual_digiware.buses.snmp.product_objects import ProductObjects
from virtual_digiware.buses.snmp.settings import SnmpSettings
from virtual_digiware.buses.snmp.standard_objects import Description, Engine, standard_columns
from virtual_digiware.buses.snmp.tree import Column
from virtual_digiware.devices.collection import GatewayCollection
from virtual_digiware.devices.snmp_binding import SnmpBinding

_MS_PER_TICK = 10


class AgentObjects:
    """What the tree of an agent is made from.

    sysUpTime is simulated time since the agent was started: it belongs to the values shown, and stands still
    with them.
    """

    def __init__(
        self,
        collection: GatewayCollection,
        binding: SnmpBinding,
        alarms: AlarmList,
        settings: SnmpSettings,
        engine: Engine,
        counters: Counters,
        started_ms: int,
    ) -> None:
        product = collection.gateway.product.name
        self._collection = collection
        self._started_ms = started_ms
        self._products = ProductObjects(collection, binding, alarms)
        self._standard = (
            Description(
                text=f"{product}, simulated by Virtual Digiware",
                # Simulator numbering: the identifier that the real device gives is not published.
                object_id=binding.branch,
                name=collection.gateway.name,
                contact=settings.contact,
                location=settings.location,
                up_time=self.up_time,
            ),
            engine,
            counters,
        )

    @property
    def version(self) -> int:
        return self._products.version

    @property
    def topology(self) -> Hashable:
        return self._products.topology

    def up_time(self) -> int:
        """Hundredths of simulated seconds since the start of the agent."""
        return max(0, self._collection.time_ms - self._started_ms) // _MS_PER_TICK

    def columns(self) -> list[Column]:
        return [*standard_columns(*self._standard), *self._products.columns()]
