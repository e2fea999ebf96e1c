"""Supervisors in a site file: drawn in diagrams, played by nobody. The user's own program is one of them."""

from typing import Literal, Self

from pydantic import Field, model_validator

from virtual_digiware.simulator.site_parts import Model, Name


class Supervisor(Model):
    """A client of the site: a PC or PLC on Ethernet, or the client (master) of an RS485 line."""

    name: Name
    title: str = ""
    ethernet: Literal[True] | None = None
    line: Name | None = Field(None, description="the RS485 line whose client it is")
    gateways: list[Name] = Field([], description="on Ethernet: whom it asks; default: everybody")

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if (self.ethernet is None) == (self.line is None):
            raise ValueError("exactly one of `ethernet: true` and `line: name`")
        if self.gateways and self.line is not None:
            raise ValueError("`gateways` only beside `ethernet: true`")
        return self
