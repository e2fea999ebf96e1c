"""From the alarms of a site file to what stands in the settings registers of a module at first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from virtual_digiware.devices.alarms.description import (
    ACKNOWLEDGE_CODES,
    CRITICALITY_CODES,
    DELAY_UNIT_MS,
    FAMILY_OF,
    LOGIC_CODES,
    NAME_BLOCK,
    SETTINGS_BLOCK,
    SYSTEM_FAULT_CODES,
    VOLTAGE_EVENT_CODES,
    AlarmError,
    AlarmLayout,
    CombinationAlarm,
    Family,
    InputAlarm,
    InrushAlarm,
    ThresholdAlarm,
    VoltageEventAlarm,
)
from virtual_digiware.devices.alarms.variables import (
    INSTANCE_ANALOGUE,
    INSTANCE_LOAD,
    INSTANCE_NETWORK,
    variables,
)
from virtual_digiware.devices.block import Product
from virtual_digiware.devices.settings import Key

NO_HIGH, NO_LOW = 2**63 - 1, -(2**63)
"""Thresholds that nothing reaches: the limit is not set."""
COMBINABLE: Mapping[Family, int] = {"threshold": 0, "input": 1, "combination": 2, "en50160": 3, "inrush": 4}
"""Types of alarms in the combination table. Source: MODBUS tables of DIRIS B30, V 153.745."""
_Values = dict[Key, int | str]


def alarm_counts(product: Product) -> Mapping[str, int]:
    """How often each block of a product is repeated."""
    counts: dict[str, int] = {}
    for placed in product.blocks:
        counts[placed.block.name] = counts.get(placed.block.name, 0) + 1
    return counts


def numbered(alarms: Sequence[AlarmLayout]) -> list[tuple[Family, int]]:
    """Family and number (from 1) of each alarm, in the order of the site file."""
    taken: dict[Family, int] = {}
    places = []
    for alarm in alarms:
        family = FAMILY_OF[type(alarm)]
        taken[family] = taken.get(family, 0) + 1
        places.append((family, taken[family]))
    return places


def alarm_settings(product: Product, circuits: Sequence[str], alarms: Sequence[AlarmLayout]) -> _Values:
    """Register values by (block, slot, point).

    Raises:
        AlarmError: The product has no such alarm, or none left; or it names something that is not there.
    """
    values: _Values = {}
    counts = alarm_counts(product)
    for slot, fault in enumerate(SYSTEM_FAULT_CODES):
        # One slot of the table for each fault that it knows, all of them watched unless somebody says no.
        if slot < counts.get(SETTINGS_BLOCK["system"], 0):
            values[SETTINGS_BLOCK["system"], slot, "alarm_enabled"] = 1
            values[SETTINGS_BLOCK["system"], slot, "alarm_type"] = SYSTEM_FAULT_CODES[fault]
    places = numbered(alarms)
    names = {alarm.name: place for alarm, place in zip(alarms, places, strict=True) if alarm.name}
    for position, (alarm, (family, number)) in enumerate(zip(alarms, places, strict=True)):
        if family not in SETTINGS_BLOCK:
            _check_circuit(position, getattr(alarm, "circuit", ""), circuits)
            continue
        block, slot = SETTINGS_BLOCK[family], number - 1
        if slot >= counts.get(block, 0):
            right = f"{counts.get(block, 0)} {family} alarms at most on a {product.name}"
            raise AlarmError(position, f"{family} alarm {number}", right)
        own: dict[str, int] = {
            "alarm_enabled": 1,
            "criticality": CRITICALITY_CODES[alarm.criticality],
            "acknowledge_method": ACKNOWLEDGE_CODES[alarm.acknowledge],
        }
        if not isinstance(alarm, CombinationAlarm):
            own["startup_delay"] = round(alarm.start_delay_s * 1000 / DELAY_UNIT_MS)
            own["dropout_delay"] = round(alarm.end_delay_s * 1000 / DELAY_UNIT_MS)
        own.update(_own_words(position, alarm, circuits, names))
        values.update({(block, slot, point): value for point, value in own.items()})
        if family in NAME_BLOCK and alarm.name:
            name_block, point = NAME_BLOCK[family]
            values[name_block, slot, point] = alarm.name
    return values


def _own_words(
    position: int, alarm: AlarmLayout, circuits: Sequence[str], names: Mapping[str, tuple[Family, int]]
) -> dict[str, int]:
    match alarm:
        case ThresholdAlarm():
            return _threshold(position, alarm, circuits)
        case InputAlarm(input=number):
            return {"alarm_input": number - 1}
        case InrushAlarm(circuit=circuit):
            return {"alarm_load": _check_circuit(position, circuit, circuits)}
        case VoltageEventAlarm(event=event):
            return {"event_type": VOLTAGE_EVENT_CODES[event]}
        case CombinationAlarm(first=first, second=second, operation=operation):
            words = {"operation": int(operation == "or")}
            for word, name in (("first", first), ("second", second)):
                if name not in names or names[name][0] not in COMBINABLE:
                    raise AlarmError(
                        position, name, "the name of an alarm of this module: " + ", ".join(names)
                    )
                family, number = names[name]
                words[f"{word}_alarm_type"] = COMBINABLE[family]
                words[f"{word}_alarm_index"] = number - 1
            return words
    return {}


def _threshold(position: int, alarm: ThresholdAlarm, circuits: Sequence[str]) -> dict[str, int]:
    variable = variables().get(alarm.quantity)
    if variable is None:
        raise AlarmError(position, alarm.quantity, "one of " + ", ".join(variables()))
    service = variable.average_id if alarm.average else variable.instantaneous_id
    if service is None:
        raise AlarmError(position, alarm.quantity, "a quantity that is averaged, or `average: false`")
    if alarm.high is None and alarm.low is None:
        raise AlarmError(position, "no limit", "`high`, `low` or both")
    if len(variable.points) == 1:
        if alarm.logic != "single":
            raise AlarmError(position, alarm.logic, f"single, for {alarm.quantity} is one value")
    elif alarm.logic == "single":
        service += alarm.phase - 1
    if alarm.quantity == "analogue_input":
        instance, kind = (alarm.input or 1) - 1, INSTANCE_ANALOGUE
    elif alarm.circuit is None:
        instance, kind = 0, INSTANCE_NETWORK
    else:
        instance, kind = _check_circuit(position, alarm.circuit, circuits), INSTANCE_LOAD
    return {
        "monitored_variable": service,
        "monitored_instance": instance,
        "monitored_instance_type": kind,
        "phase_mode": LOGIC_CODES[alarm.logic],
        "threshold_high": NO_HIGH if alarm.high is None else round(alarm.high / variable.scale),
        "threshold_low": NO_LOW if alarm.low is None else round(alarm.low / variable.scale),
        "hysteresis": round(alarm.hysteresis_percent * 10),
    }


def _check_circuit(position: int, circuit: str, circuits: Sequence[str]) -> int:
    if circuit not in circuits:
        raise AlarmError(position, circuit, "a circuit of this module: " + ", ".join(circuits))
    return circuits.index(circuit)
