"""Alarms as a site file describes them: what stands in the alarm registers of a module before anybody writes.

Families with a settings table are only described here; what counts later is what stands in the registers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal[
    "threshold", "input", "combination", "inrush", "en50160", "system", "consumption", "virtual_monitor"
]
Criticality = Literal["information", "not critical", "critical"]
Acknowledge = Literal["automatic", "modbus"]
Logic = Literal["single", "all", "any"]
VoltageEvent = Literal["swell", "dip", "interruption"]
SystemFault = Literal[
    "phase rotation",
    "wrong association",
    "sensor disconnected",
    "wrong sensor primary",
    "module lost",
    "default password",
]
Device = Literal["circuit breaker", "switch"]

CRITICALITY_CODES: dict[Criticality, int] = {"information": 0, "not critical": 1, "critical": 2}
ACKNOWLEDGE_CODES: dict[Acknowledge, int] = {"automatic": 0, "modbus": 1}
LOGIC_CODES: dict[Logic, int] = {"single": 0, "all": 1, "any": 2}
VOLTAGE_EVENT_CODES: dict[VoltageEvent, int] = {"swell": 1, "dip": 2, "interruption": 3}
SYSTEM_FAULT_CODES: dict[SystemFault, int] = {
    "phase rotation": 1,
    "wrong association": 2,
    "sensor disconnected": 3,
    "wrong sensor primary": 10,
}
"""Register values: MODBUS tables of DIRIS B30, V 153.745. Faults of a gateway have no known register."""
DELAY_UNIT_MS = 500


@dataclass(frozen=True, slots=True)
class _Alarm:
    """What all families share. Delays are kept in half seconds, as the registers do."""

    name: str = ""
    criticality: Criticality = "not critical"
    acknowledge: Acknowledge = "automatic"
    start_delay_s: float = 0.0
    end_delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ThresholdAlarm(_Alarm):
    """A measured quantity above `high` or below `low`, in the unit of the quantity; None: no such limit.

    `circuit` None: the voltages of a U module. `phase` 1 to 3 with logic `single`. `input`: analogue
    input (from 1) of an IO module. `hysteresis_percent` is a share of the threshold.
    """

    quantity: str = ""
    circuit: str | None = None
    input: int | None = None
    average: bool = False
    logic: Logic = "single"
    phase: int = 1
    high: float | None = None
    low: float | None = None
    hysteresis_percent: float = 0.0


@dataclass(frozen=True, slots=True)
class InputAlarm(_Alarm):
    """A digital input (from 1) that is active."""

    input: int = 1


@dataclass(frozen=True, slots=True)
class CombinationAlarm(_Alarm):
    """Two named alarms of the same module, both active or at least one."""

    first: str = ""
    second: str = ""
    operation: Literal["and", "or"] = "and"


@dataclass(frozen=True, slots=True)
class ConsumptionAlarm(_Alarm):
    """Energy imported in one demand period above a limit. No table of registers for it is published."""

    circuit: str = ""
    high_wh: float = 0.0


@dataclass(frozen=True, slots=True)
class InrushAlarm(_Alarm):
    """Current of a circuit above its inrush threshold, as seen at the refreshes."""

    circuit: str = ""


@dataclass(frozen=True, slots=True)
class VoltageEventAlarm(_Alarm):
    """An EN 50160 event of one kind."""

    event: VoltageEvent = "dip"


@dataclass(frozen=True, slots=True)
class MonitorAlarm(_Alarm):
    """A protective device that VirtualMonitor saw open: trips of a breaker, every opening of a switch."""

    circuit: str = ""
    device: Device = "circuit breaker"


AlarmLayout = (
    ThresholdAlarm
    | InputAlarm
    | CombinationAlarm
    | ConsumptionAlarm
    | InrushAlarm
    | VoltageEventAlarm
    | MonitorAlarm
)

FAMILY_OF: dict[type[AlarmLayout], Family] = {
    ThresholdAlarm: "threshold",
    InputAlarm: "input",
    CombinationAlarm: "combination",
    ConsumptionAlarm: "consumption",
    InrushAlarm: "inrush",
    VoltageEventAlarm: "en50160",
    MonitorAlarm: "virtual_monitor",
}
SETTINGS_BLOCK: dict[Family, str] = {
    "threshold": "threshold_alarm_settings",
    "input": "input_alarm_settings",
    "combination": "combined_alarm_settings",
    "inrush": "inrush_alarm_settings",
    "en50160": "en50160_alarm_settings",
    "system": "system_alarm_settings",
}
NAME_BLOCK: dict[Family, tuple[str, str]] = {
    "threshold": ("threshold_alarm_name", "threshold_alarm_name"),
    "input": ("input_alarm_name", "input_alarm_name"),
    "combination": ("combined_alarm_name", "combined_alarm_name"),
}
"""Block and point of the alarm's name."""


class AlarmError(ValueError):
    """An alarm that a module cannot have: `position` in its list, what was `found`, what is `right`."""

    def __init__(self, position: int, found: object, right: str) -> None:
        super().__init__(f"alarm {position + 1}: {found!r}; right would be {right}")
        self.position = position
        self.found = found
        self.right = right
