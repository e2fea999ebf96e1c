"""Which BACnet devices there are: the gateway, and the products on its virtual network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from virtual_digiware.buses.bacnet.columns import Columns
from virtual_digiware.buses.bacnet.device import Device
from virtual_digiware.devices.bacnet_binding import binding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from virtual_digiware.buses.bacnet.alarm_states import AlarmStates
    from virtual_digiware.devices.collection import GatewayCollection

DEFAULT_NETWORK = 2001
DEFAULT_MAIN_INSTANCE = 100


@dataclass(frozen=True, slots=True)
class BacnetSettings:
    """What a gateway lets its owner set.

    The device instance of a product is `main_instance` plus its Modbus address, which is also its MAC address
    on the virtual network. Source: PICS 546539C, page 4; the default network number is the simulator's.
    """

    network: int = DEFAULT_NETWORK
    main_instance: int = DEFAULT_MAIN_INSTANCE
    foreign_devices: bool = False
    cov: bool = False
    cov_increment: float = 0.0


class DeviceDirectory:
    """Devices of one gateway, looked up once for each version of its collection."""

    def __init__(
        self,
        collection: GatewayCollection,
        settings: BacnetSettings,
        alarms: AlarmStates | None = None,
    ) -> None:
        self.network = settings.network
        self._collection = collection
        self._main_instance = settings.main_instance
        self._alarms = alarms
        self._increment = settings.cov_increment if settings.cov else None
        self._columns = Columns(collection, binding().points)
        self.gateway = Device(
            collection, self._columns, collection.gateway, settings.main_instance, alarms, self._increment
        )
        self._version: int | None = None
        self._by_mac: dict[int, Device] = {}

    @property
    def version(self) -> int:
        return self._collection.version

    def at(self, mac: int) -> Device | None:
        """The product with this Modbus address; None for the gateway's own, which is no product behind it."""
        self._see()
        return self._by_mac.get(mac)

    def products(self) -> Sequence[tuple[int, Device]]:
        """All products with their MAC addresses, ascending."""
        self._see()
        return sorted(self._by_mac.items())

    def _see(self) -> None:
        version = self._collection.version
        if version == self._version:
            return
        before = self._by_mac
        self._by_mac = {}
        for unit in self._collection.units:
            mac = self._collection.number_of(unit)
            if mac is None or unit is self.gateway.unit or self._collection.unit_at(mac) is not unit:
                continue
            known = before.get(mac)
            if known is None or known.unit is not unit:
                instance = self._main_instance + mac
                known = Device(self._collection, self._columns, unit, instance, self._alarms, self._increment)
            self._by_mac[mac] = known
        self._version = version
