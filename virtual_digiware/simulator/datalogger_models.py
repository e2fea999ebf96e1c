"""What a site file says of dataloggers."""

from typing import Literal, Self

from pydantic import Field, model_validator

from virtual_digiware.simulator.site_parts import Model, Name


class Collects(Model):
    """One thing that a datalogger polls over Ethernet: a gateway with all behind it, or a meter."""

    gateway: Name | None = Field(None, description="with its bus, its line and its sensors")
    meter: Name | None = Field(None, description="with a Modbus TCP port of its own")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.gateway is None) == (self.meter is None):
            raise ValueError("exactly one of `gateway: name` and `meter: name`")
        return self


class Datalogger(Model):
    """A DATALOG H80: a Modbus TCP client that collects up to 200 devices and serves nobody."""

    name: Name
    product: Literal["DATALOG-H80"] = "DATALOG-H80"
    cabinet: Name | None = Field(None, description="where it stands")
    period_s: int = Field(60, ge=1, le=86_400, description="simulated time between two polls of a device")
    reply_ms: int = Field(5000, ge=10, le=60_000, description="patience with an answer, in real time")
    collects: list[Collects] = Field(min_length=1)
