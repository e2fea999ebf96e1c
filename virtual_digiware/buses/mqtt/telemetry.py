"""From what a gateway has collected to messages: one for each circuit, network or input, one for the whole.

A message belongs to the simulated time of its values. Text and numbers only: nothing here knows a broker.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from virtual_digiware.buses.mqtt.outbox import Message
from virtual_digiware.buses.mqtt.settings import MqttSettings
from virtual_digiware.devices.alarms.events import AlarmChange, AlarmEvent
from virtual_digiware.devices.mqtt_binding import Published, Sent, published_tables, sent_points
from virtual_digiware.devices.points import FloatArray
from virtual_digiware.devices.unit import Unit

ONLINE, OFFLINE = "online", "offline"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RESERVED = str.maketrans({"/": "_", "+": "_", "#": "_"})


class Collection(Protocol):
    """What is asked of a gateway's collection."""

    @property
    def gateway(self) -> Unit: ...

    @property
    def units(self) -> tuple[Unit, ...]: ...

    @property
    def time_ms(self) -> int: ...

    def label_of(self, unit: Unit) -> str: ...

    def is_lost(self, unit: Unit) -> bool: ...

    def collected_ms(self, unit: Unit) -> int | None: ...

    def column(self, unit: Unit, table: str, points: Sequence[str]) -> FloatArray: ...


class Telemetry:
    """Messages of one gateway. Which tables are sent is data, see `devices/bindings/mqtt.yaml`."""

    def __init__(self, collection: Collection, settings: MqttSettings) -> None:
        self._collection, self._settings = collection, settings
        self._points: dict[tuple[str, str], tuple[Sent, ...]] = {}

    @property
    def status_topic(self) -> str:
        return f"{self._settings.base_topic}/status"

    def will(self) -> Message:
        """What the broker says when the connection is gone without a word."""
        return Message(self.status_topic, _json({"state": OFFLINE}), max(1, self._settings.qos), retain=True)

    def status(self, state: str = ONLINE) -> Message:
        """The gateway and whom it can reach, as of the newest values; retained."""
        collection = self._collection
        units = {collection.label_of(unit): self._unit(unit) for unit in self._members()}
        gateway = collection.gateway
        content = {
            "state": state,
            "time": instant(collection.time_ms),
            "gateway": gateway.name,
            "product": gateway.product.name,
            "address": gateway.address,
            "units": units,
        }
        return Message(self.status_topic, _json(content), max(1, self._settings.qos), retain=True)

    def messages(self) -> Iterator[Message]:
        """Everything that has been collected, unit after unit."""
        for unit in self._members():
            parts: dict[str, dict[str, Any]] = {}
            for published in published_tables():
                points = self._sent(unit, published)
                if points:
                    for topic, labels, values in self._of_table(unit, published, points):
                        parts.setdefault(topic, dict(labels))
                        parts[topic].setdefault("points", {}).update(values)
            head = self._head(unit)
            for topic, content in parts.items():
                yield self._message(f"{self._topic(unit)}/{topic}", {**head, **content})

    def alarm(self, change: AlarmChange) -> Message:
        """A change of an alarm: an event, sent once."""
        topic = f"{self._settings.base_topic}/alarms"
        content = {"time": instant(change.time_ms), **self._alarm(change.event)}
        return Message(topic, _json(content), max(1, self._settings.qos), retain=False, is_event=True)

    def active_alarms(self, events: Sequence[AlarmEvent], t_ms: int) -> Message:
        """The alarms that are active, for whoever subscribes later; retained."""
        topic = f"{self._settings.base_topic}/alarms/active"
        content = {"time": instant(t_ms), "alarms": [self._alarm(event) for event in events]}
        return Message(topic, _json(content), max(1, self._settings.qos), retain=True)

    def _members(self) -> tuple[Unit, ...]:
        return tuple(unit for unit in self._collection.units if unit is not self._collection.gateway)

    def _topic(self, unit: Unit) -> str:
        label = self._collection.label_of(unit).translate(_RESERVED)
        return f"{self._settings.base_topic}/units/{label}"

    def _message(self, topic: str, content: Mapping[str, Any]) -> Message:
        return Message(topic, _json(content), self._settings.qos, self._settings.retain)

    def _unit(self, unit: Unit) -> dict[str, Any]:
        collected_ms = self._collection.collected_ms(unit)
        return {
            "address": unit.address,
            "product": unit.product.name,
            "state": "lost" if self._collection.is_lost(unit) else "good",
            "time": None if collected_ms is None else instant(collected_ms),
        }

    def _head(self, unit: Unit) -> dict[str, Any]:
        shown = self._unit(unit)
        return {
            "time": shown["time"],
            "quality": shown["state"],
            "gateway": self._collection.gateway.name,
            "unit": {
                "name": self._collection.label_of(unit),
                "address": unit.address,
                "product": unit.product.name,
            },
        }

    def _sent(self, unit: Unit, published: Published) -> tuple[Sent, ...]:
        key = unit.product.name, published.table
        if key not in self._points:
            self._points[key] = sent_points(unit.product, published)
        return self._points[key]

    def _of_table(
        self, unit: Unit, published: Published, points: Sequence[Sent]
    ) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Topic below the unit, what it belongs to, and its points, for each repetition of a table."""
        quality = "lost" if self._collection.is_lost(unit) else "good"
        residuals = [one.residual for one in points if one.residual is not None]
        column = self._collection.column(unit, published.table, [*(one.point for one in points), *residuals])
        values = column[: len(points)].copy()
        whole = [index for index, one in enumerate(points) if one.residual is not None]
        values[whole] = 1000 * values[whole] + column[len(points) :]
        for slot, row in enumerate(values.T.tolist()):
            shown = {one.point: _shown(value, one, quality) for one, value in zip(points, row, strict=True)}
            match published.per:
                case "circuit" if slot < len(unit.circuits):
                    name = unit.circuits[slot]
                    yield f"{published.topic}/{name.translate(_RESERVED)}", {"circuit": name}, shown
                case "slot":
                    yield f"{published.topic}/{slot + 1}", {"number": slot + 1}, shown
                case "unit" if slot == 0:
                    yield published.topic, {}, shown

    def _alarm(self, event: AlarmEvent) -> dict[str, Any]:
        units = {unit.path: unit for unit in self._collection.units}
        unit = units.get(event.unit)
        circuit = None
        if unit is not None and event.slot is not None and event.slot < len(unit.circuits):
            circuit = unit.circuits[event.slot]
        return {
            "id": event.id,
            "state": event.state,
            "unit": event.unit.rpartition("/")[2],
            "address": event.address,
            "circuit": circuit,
            "family": event.family,
            "number": event.number,
            "type": event.type,
            "text": event.text,
            "criticality": event.criticality,
            "value": event.value,
            "threshold": event.threshold,
            "start": instant(event.start_ms),
            "end": None if event.end_ms is None else instant(event.end_ms),
            "acknowledged": None if event.acknowledged_ms is None else instant(event.acknowledged_ms),
        }


def instant(t_ms: int) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    text = (_EPOCH + timedelta(milliseconds=t_ms)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _shown(value: float, sent: Sent, quality: str) -> dict[str, Any]:
    if value != value:  # NaN: the point is not measured now
        return {
            "value": None,
            "unit": sent.unit,
            "quality": "not_available" if quality == "good" else quality,
        }
    return {"value": round(value, sent.digits or None), "unit": sent.unit, "quality": quality}


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
