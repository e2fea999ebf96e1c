"""The alarms of a module in the site file: what its alarm settings hold before anybody writes to them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from virtual_digiware.devices.alarms.description import (
    Acknowledge,
    AlarmLayout,
    CombinationAlarm,
    ConsumptionAlarm,
    Criticality,
    Device,
    InputAlarm,
    InrushAlarm,
    Logic,
    MonitorAlarm,
    ThresholdAlarm,
    VoltageEvent,
    VoltageEventAlarm,
)
from virtual_digiware.simulator.site_parts import Model, Name

MAX_DELAY_S = 32_767.0
"""What the delay registers hold, in half seconds."""
Delay = Annotated[float, Field(ge=0, le=MAX_DELAY_S, multiple_of=0.5, description="s, in halves")]


class _Alarm(Model):
    name: str = Field("", max_length=32, description="shown with the alarm; combinations refer to it")
    criticality: Criticality = "not critical"
    acknowledge: Acknowledge = Field("automatic", description="modbus: by writing to register 39616")


class _DelayedAlarm(_Alarm):
    start_delay_s: Delay = 0.0
    end_delay_s: Delay = 0.0


class Threshold(_DelayedAlarm):
    """A measured quantity above `high` or below `low`."""

    type: Literal["threshold"]
    quantity: str = Field(description="such as current, voltage, active_power, thd_current, analogue_input")
    circuit: Name | None = Field(None, description="of a current module; a U module watches its voltages")
    input: int | None = Field(None, ge=1, le=12, description="analogue input of an IO module")
    average: bool = Field(False, description="of the demand period instead of the instantaneous value")
    logic: Logic = Field("single", description="all three phases, any of them, or the single one of `phase`")
    phase: int = Field(1, ge=1, le=3)
    high: float | None = Field(None, description="in the unit of the quantity: A, V, Hz, W, var, VA, %")
    low: float | None = None
    hysteresis_percent: float = Field(0.0, ge=0, le=100, description="of the threshold")

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.high is None and self.low is None:
            raise ValueError("`high`, `low` or both")
        return self


class Input(_DelayedAlarm):
    """A digital input that is active."""

    type: Literal["input"]
    input: int = Field(ge=1, le=12)


class Combination(_Alarm):
    """Two alarms of the same module."""

    type: Literal["combination"]
    first: str = Field(description="name of an alarm of this module")
    second: str = Field(description="name of another")
    operation: Literal["and", "or"] = "and"


class Consumption(_DelayedAlarm):
    """Energy imported in one demand period."""

    type: Literal["consumption"]
    circuit: Name
    high_kwh: float = Field(gt=0)


class Inrush(_DelayedAlarm):
    """Current above the inrush threshold of the circuit."""

    type: Literal["inrush"]
    circuit: Name


class En50160(_DelayedAlarm):
    """An event of voltage quality, on a U-30."""

    type: Literal["en50160"]
    event: VoltageEvent


class Monitor(_DelayedAlarm):
    """A protective device behind an S module: a breaker that trips, a switch that opens."""

    type: Literal["virtual_monitor"]
    circuit: Name
    device: Device = "circuit breaker"


Alarm = Annotated[
    Threshold | Input | Combination | Consumption | Inrush | En50160 | Monitor, Field(discriminator="type")
]

_KINDS: dict[type[Model], type[AlarmLayout]] = {
    Threshold: ThresholdAlarm,
    Input: InputAlarm,
    Combination: CombinationAlarm,
    Inrush: InrushAlarm,
    En50160: VoltageEventAlarm,
    Monitor: MonitorAlarm,
}


def alarm_layout(alarm: Alarm) -> AlarmLayout:
    """The description that devices work with."""
    values = alarm.model_dump(exclude={"type"})
    if isinstance(alarm, Consumption):
        values["high_wh"] = values.pop("high_kwh") * 1000
        return ConsumptionAlarm(**values)
    return _KINDS[type(alarm)](**values)
