"""What is true of one point at one time, and how each protocol shows it: data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from virtual_digiware.devices.block import Confidence
from virtual_digiware.devices.collection import Quality
from virtual_digiware.simulator.instants import format_instant, parse_instant

_PROTOCOLS = ("modbus", "bacnet", "snmp", "mqtt")

Shown = float | int | str | None


@dataclass(frozen=True, slots=True)
class ModbusTruth:
    """Registers that show a point. engineering value = register value x `scale`, within `tolerance`.

    `words` is None where nobody answers for the unit. `value` is what a client makes of the words.
    """

    unit_id: int
    address: int
    functions: tuple[int, ...]
    type: str
    scale: float
    word_order: str
    words: tuple[int, ...] | None
    value: Shown
    tolerance: float
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class BacnetTruth:
    """A property that shows a point as a Real: `value` is the exact number on the wire, in `unit`."""

    gateway: str
    network: int
    device: int
    object: str
    property: str
    value: float
    unit: str
    tolerance: float
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class SnmpTruth:
    """An object instance that shows a point: engineering value = `value` x `scale`, in `unit`."""

    gateway: str
    oid: str
    name: str
    syntax: str
    value: int
    scale: float
    unit: str
    tolerance: float
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class MqttTruth:
    """The message that shows a point: `value` stands in its JSON payload at `points`, `name`, "value"."""

    gateway: str
    topic: str
    name: str
    value: float | None
    unit: str
    quality: str
    tolerance: float
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """One point at one time.

    `value` is what the device measures, in `unit`, before any protocol rounds it; None while it is not
    available. `age_ms` tells how much older it is than `time_ms` where a gateway kept what it collected.
    """

    name: str
    unit_path: str
    product: str
    part: str
    table: str
    point: str
    label: str
    time_ms: int
    value: Shown
    unit: str
    quality: Quality
    age_ms: int
    modbus: ModbusTruth | None
    bacnet: tuple[BacnetTruth, ...] = ()
    snmp: tuple[SnmpTruth, ...] = ()
    mqtt: tuple[MqttTruth, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        data = asdict(self)
        return {"name": data.pop("name"), "time": format_instant(data.pop("time_ms")), **data}

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Truth:
        """What `as_data` has written, after JSON or before."""
        rest = {key: value for key, value in data.items() if key not in ("time", *_PROTOCOLS)}
        modbus = data["modbus"]
        if modbus is not None:
            words = None if modbus["words"] is None else tuple(modbus["words"])
            modbus = ModbusTruth(**{**modbus, "functions": tuple(modbus["functions"]), "words": words})
        return Truth(
            **rest,
            time_ms=parse_instant(data["time"]),
            modbus=modbus,
            bacnet=tuple(BacnetTruth(**one) for one in data["bacnet"]),
            snmp=tuple(SnmpTruth(**one) for one in data["snmp"]),
            mqtt=tuple(MqttTruth(**one) for one in data["mqtt"]),
        )
