"""From the settings of all units to what the site watches for: the plan of its alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from virtual_digiware.devices.alarms.description import (
    CRITICALITY_CODES,
    SETTINGS_BLOCK,
    SYSTEM_FAULT_CODES,
    VOLTAGE_EVENT_CODES,
    AlarmLayout,
    ConsumptionAlarm,
    Device,
    Family,
    MonitorAlarm,
    SystemFault,
)
from virtual_digiware.devices.alarms.disturbances import TapPlan
from virtual_digiware.devices.alarms.entries import Entry, Member
from virtual_digiware.devices.alarms.initial import COMBINABLE, alarm_counts, numbered
from virtual_digiware.devices.alarms.plan import (
    Combined,
    Consumed,
    Contact,
    Fixed,
    Guard,
    Measured,
    Noted,
    Plan,
    Source,
)
from virtual_digiware.devices.alarms.thresholds import threshold_guards
from virtual_digiware.devices.alarms.virtual_monitor import Monitored
from virtual_digiware.devices.circuit_tables import CIRCUIT_INSTANTANEOUS
from virtual_digiware.devices.connections import Slot, Tap
from virtual_digiware.devices.layout import GatewayLayout, SiteLayout

CAUSE_INPUT, CAUSE_AND, CAUSE_OR, CAUSE_EN50160, CAUSE_INRUSH, CAUSE_SYSTEM = 7, 8, 9, 10, 11, 12
UNKNOWN_CAUSE = 0
"""Causes. Source: MODBUS tables of DIRIS B30, V 153.745, alarm log."""
_COMBINABLE: Mapping[int, Family] = {code: family for family, code in COMBINABLE.items()}
_VOLTAGE_EVENTS = {code: event for event, code in VOLTAGE_EVENT_CODES.items()}
_FAULTS = {code: fault for fault, code in SYSTEM_FAULT_CODES.items()}
_CURRENTS = tuple(CIRCUIT_INSTANTANEOUS.index(f"current_l{n}") for n in (1, 2, 3))
_NO_INPUT = 255
_CLOSED_IS_OFF = 1


@dataclass(frozen=True)
class Wired:
    """The site's slots as they measure now, its taps, and the place of each metered circuit."""

    slots: Sequence[Slot]
    taps: Sequence[Tap]
    slot_of_circuit: Mapping[str, int]


def plan_of(layout: SiteLayout, units: Mapping[str, Member], wired: Wired) -> Plan:
    """All that the units watch for. A unit that is not there watches nothing; its gateway misses it."""
    guards: list[Guard] = []
    taps: list[TapPlan] = []
    monitored: list[Monitored] = []
    for gateway in layout.gateways:
        head = units[gateway.name]
        members = [units[f"{gateway.name}/{module.name}"] for module in gateway.modules]
        guards += _gateway_guards(head, members, gateway, layout.refresh_ms)
        guards += _polled_guards(head, [units[path] for path in gateway.polled], gateway)
        for module, unit in zip(gateway.modules, members, strict=True):
            if not unit.is_present:
                continue
            guards += _module_guards(unit, module.alarms, wired)
            taps += _tap_plans(unit, wired)
            monitored += _monitored(unit, module.alarms, wired)
    return Plan(tuple(guards), tuple(taps), tuple(monitored), layout.refresh_ms)


def _gateway_guards(
    head: Member, members: Sequence[Member], gateway: GatewayLayout, refresh_ms: int
) -> Iterator[Guard]:
    """Faults that a gateway reports itself; always on, for no table of settings is known."""
    if not head.is_present:
        return
    for number, unit in enumerate(members, 1):
        lost = _system(head, number, "module lost", not unit.is_present, f"{unit.name}: no answer")
        yield replace(lost, start_ms=_patience_ms(unit.silent_since_ms, gateway.cycle_ms, refresh_ms))
    if gateway.has_default_passwords:
        yield _system(head, len(members) + 1, "default password", True, "default passwords still in use")


def _polled_guards(head: Member, polled: Sequence[Member], gateway: GatewayLayout) -> Iterator[Guard]:
    """Units beyond its bus that a gateway misses; numbered after its modules and its passwords."""
    for number, unit in enumerate(polled if head.is_present else (), len(gateway.modules) + 2):
        is_silent = not unit.is_present or unit.path in gateway.unheard
        yield _system(head, number, "module lost", is_silent, f"{unit.path}: no answer")


def _patience_ms(silent_since_ms: int | None, cycle_ms: int, refresh_ms: int) -> int:
    """From the refresh that follows a silence to the end of the bus cycle, when the gateway gives up."""
    if silent_since_ms is None or not cycle_ms:
        return 0
    given_up_ms = (silent_since_ms // cycle_ms + 1) * cycle_ms
    return max(0, given_up_ms - (silent_since_ms // refresh_ms + 1) * refresh_ms)


def _system(unit: Member, number: int, fault: SystemFault, is_on: bool, text: str) -> Guard:
    return Guard(
        unit=unit.path,
        address=unit.address,
        slot=None,
        family="system",
        number=number,
        type=fault,
        criticality=CRITICALITY_CODES["critical" if fault == "module lost" else "not critical"],
        cause=CAUSE_SYSTEM,
        is_automatic=True,
        start_ms=0,
        end_ms=0,
        source=Fixed(is_on),
        text=text,
    )


def _module_guards(unit: Member, alarms: Sequence[AlarmLayout], wired: Wired) -> Iterator[Guard]:
    counts = alarm_counts(unit.product)
    for family, block in SETTINGS_BLOCK.items():
        for slot in range(counts.get(block, 0)):
            entry = Entry(unit, family, slot)
            if entry.number("alarm_enabled"):
                yield from _guards_of(entry, wired)
    for alarm, (family, number) in zip(alarms, numbered(alarms), strict=True):
        if isinstance(alarm, ConsumptionAlarm | MonitorAlarm):
            yield _without_table(unit, alarm, family, number)


def _guards_of(entry: Entry, wired: Wired) -> Iterator[Guard]:
    unit = entry.unit
    match entry.family:
        case "threshold":
            yield from threshold_guards(unit, entry, wired.slot_of_circuit)
        case "input":
            yield from _input_guard(entry)
        case "inrush":
            load = entry.number("alarm_load")
            if load < len(unit.slots):
                yield _inrush_guard(entry, load, wired)
        case "en50160":
            event = _VOLTAGE_EVENTS.get(entry.number("event_type"))
            if event is not None:
                words = {"event_type": entry.number("event_type")}
                yield entry.guard(event, CAUSE_EN50160, Noted(event, None), event, None, words)
        case "combination":
            yield from _combination(entry)
        case "system":
            fault = _FAULTS.get(entry.number("alarm_type"))
            if fault is not None:
                yield _fault_guard(entry, fault, wired)


def _input_guard(entry: Entry) -> Iterator[Guard]:
    io, number = entry.unit.io, entry.number("alarm_input")
    if io is None or number >= len(io.digital):
        return
    contact = entry.unit.settings.number("digital_input_settings", number, "contact_type")
    source = Contact(io.digital[number], contact == _CLOSED_IS_OFF)
    yield entry.guard(
        "input", CAUSE_INPUT, source, f"input {number + 1} active", number, {"alarm_input": number}
    )


def _inrush_guard(entry: Entry, load: int, wired: Wired) -> Guard:
    unit, place = entry.unit, entry.unit.slots[load]
    percent = unit.settings.number("inrush_settings", load, "inrush_threshold") or 0
    back = unit.settings.number("inrush_settings", load, "inrush_hysteresis") or 0
    nominal_a = wired.slots[place].nominal_a
    guard = entry.guard(
        "inrush",
        CAUSE_INRUSH,
        Measured("circuits", _CURRENTS, place),
        f"{unit.circuits[load]}: inrush current",
        load,
        {"alarm_load": load},
    )
    return replace(
        guard, sign=1, level=nominal_a * percent / 100, hysteresis=nominal_a * back / 100, scale=0.001
    )


def _combination(entry: Entry) -> Iterator[Guard]:
    places: list[tuple[Family, int]] = []
    words: dict[str, int] = {}
    for word in ("first", "second"):
        code, index = entry.number(f"{word}_alarm_type"), entry.number(f"{word}_alarm_index")
        family = _COMBINABLE.get(code)
        if family is None or (family == "combination" and index >= entry.slot):
            return  # a combination may build on those before it, not on itself
        places.append((family, index + 1))
        words[f"{word}_alarm"] = code << 8 | index
    is_or = entry.number("operation") == 1
    source = Combined(places[0], places[1], "or" if is_or else "and")
    text = f"{places[0][0]} {places[0][1]} {'or' if is_or else 'and'} {places[1][0]} {places[1][1]}"
    cause = CAUSE_OR if is_or else CAUSE_AND
    yield entry.guard("combination", cause, source, text, None, words, delays=False)


def _fault_guard(entry: Entry, fault: SystemFault, wired: Wired) -> Guard:
    """Faults of the installation, told from how the inputs are wired and what the module takes them for."""
    current_input = _NO_INPUT
    place: int | None = None
    text: str = fault
    is_on = False
    if fault == "phase rotation":
        is_on = any(_rotates_backwards(wired.taps[tap]) for tap in entry.unit.taps)
    else:
        for slot, index in enumerate(entry.unit.slots):
            for number, given in enumerate(
                wired.slots[index].inputs if wired.slots[index].is_enabled else ()
            ):
                if not is_on and _has_fault(fault, given.encloses, given.phase, given.ratio, given.direction):
                    is_on, place, current_input = True, slot, number
                    text = f"{entry.unit.circuits[slot]}: {fault}, I{number + 1}"
    words = {"alarm_type": SYSTEM_FAULT_CODES[fault], "current_input": current_input}
    return entry.guard(fault, CAUSE_SYSTEM, Fixed(is_on), text, place, words)


def _has_fault(
    fault: SystemFault, encloses: str | None, phase: str | None, ratio: complex, direction: int
) -> bool:
    if encloses is None:
        return fault == "sensor disconnected"
    if fault == "wrong association":
        return phase != encloses or ratio.real * direction < 0
    return fault == "wrong sensor primary" and abs(abs(ratio) - 1.0) > 0.1


def _rotates_backwards(tap: Tap) -> bool:
    return tap.conductors in (("L1", "L3", "L2"), ("L2", "L1", "L3"), ("L3", "L2", "L1"))


def _without_table(
    unit: Member, alarm: ConsumptionAlarm | MonitorAlarm, family: Family, number: int
) -> Guard:
    slot = unit.circuits.index(alarm.circuit)
    if isinstance(alarm, ConsumptionAlarm):
        source: Source = Consumed(unit.slots[slot])
        text = f"{alarm.circuit}: consumption above {alarm.high_wh:g} Wh"
        sign, level, type = 1, alarm.high_wh, "consumption"
    else:
        source, sign, level = Noted("trip", slot), 0, float("inf")
        type = "trip" if alarm.device == "circuit breaker" else "opening"
        text = f"{alarm.circuit}: {alarm.device} {'tripped' if type == 'trip' else 'open'}"
    return Guard(
        unit=unit.path,
        address=unit.address,
        slot=slot,
        family=family,
        number=number,
        type=type,
        criticality=CRITICALITY_CODES[alarm.criticality],
        cause=UNKNOWN_CAUSE,
        is_automatic=alarm.acknowledge != "modbus",
        start_ms=round(alarm.start_delay_s * 1000),
        end_ms=round(alarm.end_delay_s * 1000),
        source=source,
        text=alarm.name or text,
        sign=sign,
        level=level,
    )


def _tap_plans(unit: Member, wired: Wired) -> Iterator[TapPlan]:
    """U modules with EN 50160 settings. The sliding reference is not known in detail: nominal voltage."""
    for tap in unit.taps:
        limits = []
        for kind in ("swell", "dip", "interruption"):
            threshold = unit.settings.number("en50160_settings", 0, f"{kind}_threshold")
            hysteresis = unit.settings.number("en50160_settings", 0, f"{kind}_hysteresis")
            if threshold is not None and hysteresis is not None:
                limits.append((threshold, hysteresis))
        if len(limits) == 3:
            is_line = wired.taps[tap].network in ("2P", "3P")
            yield TapPlan(unit.path, tap, is_line, *limits)


def _monitored(unit: Member, alarms: Sequence[AlarmLayout], wired: Wired) -> Iterator[Monitored]:
    """All circuits of an S module with a U module upstream; breakers unless an alarm says otherwise."""
    if not unit.product.features.get("has_integrated_sensors"):
        return
    devices: dict[str, Device] = {
        alarm.circuit: alarm.device for alarm in alarms if isinstance(alarm, MonitorAlarm)
    }
    for slot, place in enumerate(unit.slots):
        if wired.slots[place].tap is not None:
            yield Monitored(unit.path, slot, place, devices.get(unit.circuits[slot], "circuit breaker"))
