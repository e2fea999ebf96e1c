"""What a site file says of direct current: boards with rectifier and battery, or with strings in the sun."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from virtual_digiware.simulator.site_parts import Model, Name

Positive = Annotated[float, Field(gt=0)]
RESISTIVITY_OHM_MM2_PER_M = 22.5e-3
"""Of warm copper. Source: IEC 60364-5-52, annex G."""

# A lead battery of n cells per 48 V: 2.125 V open and full, 1.81 V open and empty, 1.80 V at the cut-off.
_FULL, _EMPTY, _CUT_OFF, _FLOAT = 51.0 / 48, 43.5 / 48, 43.2 / 48, 53.5 / 48
"""Relative to nominal. Source of float and cut-off at 48 V: ETSI EN 300 132-2 and practice at exchanges."""


class DcRectifier(Model):
    """Feeds the board while its mains is there."""

    rated_kw: Positive
    float_v: Positive | None = Field(None, description="default: 53.5 V at 48 V nominal, in proportion")
    mains: Name | None = Field(None, description="the source whose interruptions it feels; default: none")


class DcBattery(Model):
    """Floats on the board and carries it when the mains is gone."""

    capacity_ah: Positive
    resistance_ohm: Positive | None = Field(None, description="default: a volt at the ten-hour current")
    charge_percent: float = Field(10.0, gt=0, le=100, description="of the capacity in amperes, at most")


class DcStrings(Model):
    """Photovoltaic strings on an inverter that finds their best voltage."""

    open_circuit_v: Positive = Field(description="of a string at 25 degC")
    latitude_deg: float = Field(48.6, ge=-90, le=90)
    longitude_deg: float = Field(7.8, ge=-180, le=180)


class DcCircuit(Model):
    """One branch of a direct-current board. Exactly one of `class`, `string_a`, `incomer` and `battery`."""

    class_: str | None = Field(
        None, alias="class", description="telecom-48v, dc-server, dc-lighting or dc-heater"
    )
    power_kw: Positive | None = Field(None, description="nominal power of the load, at the float voltage")
    length_m: Positive | None = Field(None, description="of its feeder, one way; default: none")
    section_mm2: Positive | None = Field(None, description="of its feeder")
    string_a: Positive | None = Field(None, description="short-circuit current of a string")
    incomer: Literal[True] | None = Field(None, description="what the rectifier or the strings bring")
    battery: Literal[True] | None = Field(None, description="positive while it charges")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        given = [one for one in (self.class_, self.string_a, self.incomer, self.battery) if one is not None]
        if len(given) != 1:
            raise ValueError("exactly one of `class`, `string_a`, `incomer: true` and `battery: true`")
        if (self.class_ is None) != (self.power_kw is None):
            raise ValueError("`class` and `power_kw` together")
        if (self.length_m is None) != (self.section_mm2 is None):
            raise ValueError("`length_m` and `section_mm2` together")
        return self

    @property
    def resistance_ohm(self) -> float:
        """Of the feeder, both ways."""
        if self.length_m is None or self.section_mm2 is None:
            return 0.0
        return 2 * RESISTIVITY_OHM_MM2_PER_M * self.length_m / self.section_mm2


class DcBoard(Model):
    """A direct-current busbar with its circuits: `rectifier` (with or without `battery`) or `strings`."""

    voltage_v: float = Field(48.0, ge=12, le=1500, description="nominal")
    rectifier: DcRectifier | None = None
    battery: DcBattery | None = None
    strings: DcStrings | None = None
    circuits: dict[Name, DcCircuit] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.rectifier is None) == (self.strings is None):
            raise ValueError("exactly one of `rectifier` and `strings`")
        if self.battery is not None and self.rectifier is None:
            raise ValueError("a `battery` only beside a `rectifier`")
        return self

    @property
    def float_v(self) -> float:
        given = None if self.rectifier is None else self.rectifier.float_v
        return given or self.voltage_v * _FLOAT

    @property
    def battery_voltages_v(self) -> tuple[float, float, float]:
        """Of a full and an empty battery without current, and at the cut-off."""
        return self.voltage_v * _FULL, self.voltage_v * _EMPTY, self.voltage_v * _CUT_OFF
