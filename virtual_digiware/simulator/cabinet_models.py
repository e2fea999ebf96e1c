"""What a site file may say of cabinets and of the 24 V supplies of Digiware buses."""

from typing import Annotated, Literal

from pydantic import Field

from virtual_digiware.simulator.site_parts import Model


class Cabinet(Model):
    """A cabinet that devices stand in."""

    title: str = ""
    display: bool = Field(False, description="for the rules: measurements can be seen on a display here")
    webview: bool = Field(False, description="for the rules: WEBVIEW-M runs here")


class OtherSupply(Model):
    """A 24 V supply that is not a P15."""

    watts: float = Field(gt=0, le=100, description="the manual caps the supply of a bus at 20 W")


Supply = Literal["P15"] | OtherSupply

P15_W = 15.0
"""Source: DIRIS Digiware instruction manual 542875G, page 52; D-50/D-70 manual 548088A, page 5."""


def supply_w(supply: Supply | None) -> float:
    """Power of a supply in W; a P15 where none is named."""
    return supply.watts if isinstance(supply, OtherSupply) else P15_W


def supply_name(supply: Supply | None) -> str:
    return f"{supply.watts:g} W" if isinstance(supply, OtherSupply) else "P15"


Couplers = Annotated[
    int, Field(ge=0, le=16, description="RJ45 couplers in the cable from the previous module")
]
