"""How registers show alarms and quality events: values of status, header and log rows by point name.

Not published, so read here in the plainest way: durations of alarms count seconds; log records are numbered
from 0 and read from the newest to the oldest; `next_record` is the one to ask for next, 65535 (the newest)
when there is no older one; the class of a compact event has an unknown coding and reads 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from virtual_digiware.devices.alarms.description import VOLTAGE_EVENT_CODES, Family
from virtual_digiware.devices.alarms.disturbances import RecordKind, VoltageRecord
from virtual_digiware.devices.alarms.events import AlarmEvent, State, UnitAlarms
from virtual_digiware.devices.block import PlacedBlock
from virtual_digiware.devices.extremes import EPOCH_2000_MS

Values = Mapping[str, int]

STATE_CODES: Mapping[State, int] = {"active": 1, "finished": 2, "acknowledged": 3}
STATUS_FAMILIES: Mapping[str, Family] = {
    "threshold_alarm_status": "threshold",
    "input_alarm_status": "input",
    "combined_alarm_status": "combination",
    "inrush_alarm_status": "inrush",
    "en50160_alarm_status": "en50160",
    "system_alarm_status": "system",
}
NEWEST = 0xFFFF
LOG_ITEMS, LOG_WORDS = 7, 21
QUALITY_ITEMS, QUALITY_WORDS = 3, 45
COMPACT_ITEMS, COMPACT_WORDS = 4, 26
IN_PROGRESS_KINDS: tuple[RecordKind, ...] = ("swell", "dip", "interruption")
KIND_CODES: Mapping[RecordKind, int] = {"swell": 1, "dip": 2, "interruption": 3, "trip": 5}
"""Source: MODBUS tables of DIRIS B30, V 153.745, quality events."""
COMPACT_NETWORKS = {"1P+N": 0, "2P": 1, "3P": 3, "3P+N": 5}
_WEIGHT_V, _WEIGHT_RAW = 0.02, 20
"""Weight of the voltage words, and the same in its own register (mV): 1310 V fit into 16 bits."""
_SOURCE_UNDEFINED, _LOADS_NAMED = 6, 4
_NAMES = ("voltage_l1_n", "voltage_l2_n", "voltage_l3_n", "voltage_l1_l2", "voltage_l2_l3", "voltage_l3_l1")
_LOG_DATA: Mapping[Family, Mapping[str, str]] = {
    "threshold": {
        "monitored_variable": "alarm_data_1",
        "monitored_instance": "alarm_data_2",
        "monitored_instance_type": "alarm_data_3",
        "startup_delay": "alarm_data_4",
        "dropout_delay": "alarm_data_5",
        "hysteresis": "alarm_data_6",
        "threshold": "alarm_data_7",
    },
    "input": {
        "alarm_input": "alarm_data_2",
        "startup_delay": "alarm_data_3",
        "dropout_delay": "alarm_data_4",
    },
    "combination": {"first_alarm": "alarm_data_2", "second_alarm": "alarm_data_3", "trigger": "alarm_data_4"},
    "inrush": {
        "alarm_load": "alarm_data_2",
        "startup_delay": "alarm_data_3",
        "dropout_delay": "alarm_data_4",
    },
    "en50160": {
        "event_type": "alarm_data_2",
        "startup_delay": "alarm_data_3",
        "dropout_delay": "alarm_data_4",
    },
    "system": {
        "alarm_type": "alarm_data_2",
        "startup_delay": "alarm_data_3",
        "dropout_delay": "alarm_data_4",
    },
}
"""Where the log has what the status rows of a family have, in their order: our reading."""
_Item = TypeVar("_Item", AlarmEvent, VoltageRecord)


def alarm_values(
    placed: PlacedBlock,
    alarms: UnitAlarms,
    selected: Mapping[str, int],
    now_ms: int,
    offset_ms: int,
    network: str = "3P+N",
) -> Values:
    """Register values by point of one block with a table `alarms.*` or `events.*`.

    Args:
        placed: The block, and which of its repetitions.
        alarms: Of the unit.
        selected: What was last written to the log commands, by "<block>.<point>".
        now_ms: Until when an active alarm has lasted.
        offset_ms: Of the unit's own clock.
        network: Type of network, for compact events.
    """
    match placed.block.table:
        case "alarms.status":
            event = alarms.latest.get((STATUS_FAMILIES[placed.block.name], placed.slot + 1))
            return {} if event is None else _status(event, now_ms, offset_ms)
        case "alarms.log_header":
            page, after = _page(alarms.log, _numbers(alarms.log), selected, "alarm_log_command", LOG_ITEMS)
            return {"next_record": after, "item_count": len(page), "item_size": LOG_WORDS}
        case "alarms.log":
            page, _ = _page(alarms.log, _numbers(alarms.log), selected, "alarm_log_command", LOG_ITEMS)
            return _logged(page[placed.slot], now_ms, offset_ms) if placed.slot < len(page) else {}
        case "events.in_progress":
            found = [one for one in alarms.in_progress if one.kind == IN_PROGRESS_KINDS[placed.slot]]
            return {"state": 1, **_quality(found[0], offset_ms)} if found else {}
        case "events.log_header":
            records, after = _quality_page(alarms, selected)
            shown = {"next_record": after, "item_count": len(records), "item_size": QUALITY_WORDS}
            return {**shown, "event_filter": selected.get("quality_log_command.event_filter", 0)}
        case "events.log":
            records, _ = _quality_page(alarms, selected)
            return _quality(records[placed.slot], offset_ms) if placed.slot < len(records) else {}
        case "events.compact":
            values = {"event_count": len(alarms.in_progress), "block_size": COMPACT_WORDS}
            for slot, record in enumerate(alarms.in_progress[:COMPACT_ITEMS], 1):
                compact_values = _compact(record, now_ms, offset_ms, network)
                values.update({f"slot_{slot}_{point}": value for point, value in compact_values.items()})
            return values
        case "events.compact_header":
            compact = _compact_page(alarms, selected)
            return {"record_count": len(compact), "record_size": COMPACT_WORDS}
        case "events.compact_log":
            compact = _compact_page(alarms, selected)
            if placed.slot < len(compact):
                return _compact(compact[placed.slot], now_ms, offset_ms, network)
    return {}


def _status(event: AlarmEvent, now_ms: int, offset_ms: int) -> Values:
    values = {
        "acknowledge_id": event.acknowledge_id,
        "alarm_state": STATE_CODES[event.state],
        **_common(event, now_ms, offset_ms),
        **event.words,
    }
    if event.extreme is not None:
        values["extreme"] = round(event.extreme / event.scale)
    return values


def _logged(event: AlarmEvent, now_ms: int, offset_ms: int) -> Values:
    values = dict(_common(event, now_ms, offset_ms))
    places = _LOG_DATA.get(event.family, {})
    values.update({places[word]: value for word, value in event.words.items() if word in places})
    if event.family == "threshold" and event.extreme is not None:
        values["alarm_data_8"] = round(event.extreme / event.scale)
    return values


def _common(event: AlarmEvent, now_ms: int, offset_ms: int) -> Values:
    end_ms = now_ms if event.end_ms is None else event.end_ms
    return {
        "alarm_cause": event.cause,
        "criticality": event.criticality,
        "alarm_start": (event.start_ms + offset_ms - EPOCH_2000_MS) // 1000,
        "alarm_duration": (end_ms - event.start_ms) // 1000,
    }


def _numbers(log: Sequence[AlarmEvent]) -> list[int]:
    return [event.record % NEWEST for event in log]


def _page(
    items: Sequence[_Item], numbers: Sequence[int], selected: Mapping[str, int], command: str, size: int
) -> tuple[Sequence[_Item], int]:
    """Items from the selected record to older ones, newest first, and the number of the next."""
    start = selected.get(f"{command}.start_record", NEWEST)
    if start == NEWEST:
        first = 0
    elif start in numbers:
        first = numbers.index(start)
    else:
        return (), NEWEST
    after = first + size
    return items[first:after], numbers[after] if after < len(numbers) else NEWEST


def _quality_page(alarms: UnitAlarms, selected: Mapping[str, int]) -> tuple[Sequence[VoltageRecord], int]:
    wanted = selected.get("quality_log_command.event_filter", 0)
    records = [one for one in alarms.voltage_log if wanted in (0, KIND_CODES[one.kind])]
    numbers = [one.number % NEWEST for one in records]
    return _page(records, numbers, selected, "quality_log_command", QUALITY_ITEMS)


def _compact_page(alarms: UnitAlarms, selected: Mapping[str, int]) -> Sequence[VoltageRecord]:
    first = COMPACT_ITEMS * selected.get("compact_en50160_log_command.page", 0)
    records = [one for one in alarms.voltage_log if one.kind in VOLTAGE_EVENT_CODES]
    return records[first : first + COMPACT_ITEMS]


def _quality(record: VoltageRecord, offset_ms: int) -> Values:
    values = {
        "event_type": KIND_CODES[record.kind],
        "event_start": record.start_ms + offset_ms - EPOCH_2000_MS,
        "event_end": 0 if record.end_ms is None else record.end_ms + offset_ms - EPOCH_2000_MS,
        "event_source": _source(record.load),
        "line_mask": record.line_mask,
        "start_mask": record.start_mask,
        "end_mask": record.end_mask,
        "trigger_ratio": record.trigger_percent,
        "return_ratio": record.return_percent,
        "weight_voltage": _WEIGHT_RAW,
    }
    for i, name in enumerate(_NAMES):
        values[f"{name}_reference"] = round(record.references[i] / _WEIGHT_V)
        values[f"{name}_extreme"] = round(record.extremes[i] / _WEIGHT_V)
    return values


def _source(load: int | None) -> int:
    if load is None:
        return 0
    return load + 1 if load < _LOADS_NAMED else _SOURCE_UNDEFINED


def _compact(record: VoltageRecord, now_ms: int, offset_ms: int, network: str) -> Values:
    end_ms = now_ms if record.end_ms is None else record.end_ms
    deviations = [
        100.0 * (extreme - reference) / reference
        for extreme, reference in zip(record.extremes, record.references, strict=True)
    ]
    words = {
        "date": record.start_ms + offset_ms - EPOCH_2000_MS,
        "duration": end_ms - record.start_ms,
        "nature_and_network_type": KIND_CODES[record.kind] << 8 | COMPACT_NETWORKS.get(network, 5),
        "threshold_and_hysteresis": record.trigger_percent << 8
        | abs(record.return_percent - record.trigger_percent),
        "voltage_ln_nominal": round(record.references[0] * 100),
        "voltage_ll_nominal": round(record.references[3] * 100),
    }
    for i in range(0, len(_NAMES), 2):
        point = f"{_NAMES[i]}_deviation_and_{_NAMES[i + 1]}_deviation"
        words[point] = _byte(deviations[i]) << 8 | _byte(deviations[i + 1])
    return words


def _byte(deviation_percent: float) -> int:
    """A signed byte of half percents, as deep as it goes."""
    return min(127, max(-128, round(deviation_percent / 0.5))) & 0xFF
