"""A point on BACnet, SNMP and MQTT, asked of the very objects that answer clients there."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from virtual_digiware.buses.bacnet.analog import analog_class
from virtual_digiware.buses.bacnet.directory import BacnetSettings, DeviceDirectory
from virtual_digiware.buses.bacnet.identifiers import Property, parts
from virtual_digiware.buses.mqtt.settings import MqttSettings
from virtual_digiware.buses.mqtt.telemetry import Telemetry
from virtual_digiware.buses.snmp.alarms import AlarmList
from virtual_digiware.buses.snmp.ber import INTEGER, Oid
from virtual_digiware.buses.snmp.product_objects import INPUT_TABLES, ProductObjects
from virtual_digiware.devices.bacnet_binding import PRESENT_VALUE, binding
from virtual_digiware.devices.mqtt_binding import Sent, published_tables, sent_points
from virtual_digiware.devices.snmp_binding import snmp_binding
from virtual_digiware.simulator.mqtt_checks import mqtt_sections
from virtual_digiware.simulator.mqtt_publishers import base_topic
from virtual_digiware.simulator.oracle.registers import HALF_F32_STEP
from virtual_digiware.simulator.oracle.truth import BacnetTruth, MqttTruth, SnmpTruth

if TYPE_CHECKING:
    from virtual_digiware.buses.bacnet.device import Device
    from virtual_digiware.devices.bacnet_binding import Measurement
    from virtual_digiware.devices.collection import GatewayCollection
    from virtual_digiware.devices.unit import Unit
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.oracle.places import Place


class Windows:
    """The services of one gateway that show what it has collected."""

    def __init__(self, building: Building, gateway: str) -> None:
        site = building.file.site
        described = next(one for one in site.gateways if one.name == gateway)
        self.gateway = gateway
        self.collection: GatewayCollection = building.collections[gateway]
        self._directory: DeviceDirectory | None = None
        self._objects: ProductObjects | None = None
        self._telemetry: Telemetry | None = None
        self._snmp_shown: tuple[int, Mapping[Oid, bytes]] = (-1, {})
        self._messages: tuple[int, list[tuple[str, dict[str, Any]]]] = (-1, [])
        if described.bacnet is not None and described.bacnet.enabled:
            settings = BacnetSettings(described.bacnet.network, described.bacnet.main_instance)
            self._directory = DeviceDirectory(self.collection, settings)
        if described.snmp is not None and described.snmp.enabled:
            self._objects = ProductObjects(self.collection, snmp_binding(), AlarmList())
        section = mqtt_sections(site).get(gateway)
        if section is not None:
            topic = base_topic(site.site, gateway, section)
            self._telemetry = Telemetry(self.collection, MqttSettings("", section.port_number, "", topic))

    @property
    def network(self) -> int:
        """The number of its BACnet network behind the router; 0 where it has none."""
        return 0 if self._directory is None else self._directory.network

    def shows(self, unit: Unit) -> bool:
        return unit in self.collection.units

    def bacnet(self, place: Place) -> Iterator[BacnetTruth]:
        """Properties that show a point, the Present_Value before all others."""
        if self._directory is None:
            return
        unit = place.unit
        device = next((one for _, one in self._directory.products() if one.unit is unit), None)
        if unit is self.collection.gateway:
            device = self._directory.gateway
        if device is None:
            return
        slot = _slot_among(place)
        found = [
            _property(self, device, measurement, kind, slot, name)
            for kind, count in binding().slots(unit.product, len(unit.circuits)).items()
            if slot < count
            for measurement in binding().measurements.values()
            for name, shown in measurement.shown.get(kind, {}).items()
            if (shown.table, shown.point) == (place.table, place.row.point) and shown.form != "date"
        ]
        yield from sorted(found, key=lambda one: one.property != PRESENT_VALUE)

    def snmp(self, place: Place) -> Iterator[SnmpTruth]:
        if self._objects is None:
            return
        number = self.collection.number_of(place.unit)
        shown = self._encoded()
        for table in snmp_binding().tables.values():
            for service in table.services:
                if service.point != place.row.point:
                    continue
                for source, index in ((service.load_table, place.placed.slot + 1), (service.unit_table, 0)):
                    if source == place.table:
                        found = _number_at(shown, (*table.column(service), number or 0, index))
                        if found is not None:
                            yield SnmpTruth(
                                gateway=self.gateway,
                                oid=found[0],
                                name=service.name,
                                syntax=service.syntax,
                                value=found[1],
                                scale=service.scale,
                                unit=service.unit,
                                tolerance=service.scale / (1 if service.syntax == "Counter64" else 2),
                                confidence=service.confidence,
                            )
        for kind, source, points in INPUT_TABLES:
            objects = snmp_binding().objects[kind]
            for name, point, _ in points:
                if (source, point) == (place.table, place.row.point):
                    instance = (number or 0, _slot_among(place) + 1)
                    found = _number_at(shown, (*objects.column(name), *instance))
                    if found is not None:
                        yield SnmpTruth(
                            gateway=self.gateway,
                            oid=found[0],
                            name=name,
                            syntax=objects.columns[name].syntax,
                            value=found[1],
                            scale=place.row.scale,
                            unit=place.row.unit,
                            tolerance=place.row.scale / 2,
                            confidence="extension",
                        )

    def mqtt(self, place: Place) -> Iterator[MqttTruth]:
        if self._telemetry is None:
            return
        sent = _sent(place)
        if sent is None:
            return
        label = self.collection.label_of(place.unit)
        for topic, content in self._sent_messages():
            of_part = str(content.get("circuit", content.get("number", "")))
            shown = content["points"].get(place.row.point) if "points" in content else None
            if content["unit"]["name"] == label and of_part == place.part and shown is not None:
                yield MqttTruth(
                    gateway=self.gateway,
                    topic=topic,
                    name=place.row.point,
                    value=shown["value"],
                    unit=shown["unit"],
                    quality=shown["quality"],
                    tolerance=0.5 * 10.0**-sent.digits,
                    payload=shown,
                )

    def _encoded(self) -> Mapping[Oid, bytes]:
        """Every instance of the agent with its encoded value, made once for each version."""
        assert self._objects is not None
        version = self.collection.version
        if self._snmp_shown[0] != version:
            shown = {
                (*column.oid, *instance): value
                for column in self._objects.columns()
                for instance, value in zip(column.instances, column.values(), strict=True)
            }
            self._snmp_shown = version, shown
        return self._snmp_shown[1]

    def _sent_messages(self) -> list[tuple[str, dict[str, Any]]]:
        assert self._telemetry is not None
        version = self.collection.version
        if self._messages[0] != version:
            messages = [(one.topic, json.loads(one.payload)) for one in self._telemetry.messages()]
            self._messages = version, messages
        return self._messages[1]


def _property(
    window: Windows, device: Device, measurement: Measurement, kind: str, slot: int, name: str
) -> BacnetTruth:
    """One property of an Analog Input as it goes over the wire."""
    object_id = analog_class(measurement.index, kind).identifier(slot)
    own = binding().analog_properties
    [shown] = device.read(object_id, own[name] if name in own else Property[name.upper()])
    value = _as_real(shown.content)
    return BacnetTruth(
        gateway=window.gateway,
        network=window.network,
        device=device.instance,
        object=f"analog-input,{parts(object_id)[1]}",
        property=name,
        value=value,
        unit="h" if measurement.shown[kind][name].form == "hours" else measurement.unit,
        tolerance=abs(value) * HALF_F32_STEP,
        confidence=measurement.confidence,
    )


def _slot_among(place: Place) -> int:
    """Number among the blocks of its table that have the point: values and averages are two blocks."""
    having = [
        placed.slot
        for placed in place.unit.product.blocks
        if placed.block.table == place.table
        and any(row.point == place.row.point and not row.reserved for row in placed.block.rows)
    ]
    return having.index(place.placed.slot)


def _as_real(content: object) -> float:
    """A number as four octets of IEEE 754 carry it."""
    number = float(content) if isinstance(content, int | float) else math.nan
    return float(struct.unpack(">f", struct.pack(">f", number))[0])


def _number_at(shown: Mapping[Oid, bytes], oid: Oid) -> tuple[str, int] | None:
    """An instance as text and its number, as the agent encodes it; None where there is none."""
    encoded = shown.get(oid)
    if encoded is None:
        return None
    # No number is longer than 127 octets: one octet of tag, one of length. Only INTEGER has a sign.
    value = int.from_bytes(encoded[2:], "big", signed=encoded[0] == INTEGER)
    return ".".join(map(str, oid)), value


def _sent(place: Place) -> Sent | None:
    for published in published_tables():
        if published.table == place.table:
            for sent in sent_points(place.unit.product, published):
                if sent.point == place.row.point:
                    return sent
    return None
