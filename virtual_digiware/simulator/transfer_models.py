"""What a site file may say about transfer switches, bus couplers and the events that concern them."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from virtual_digiware.devices.transfer_switch.controller import ORDERS
from virtual_digiware.devices.transfer_switch.settings import TIMER_RANGES_S, TIMERS
from virtual_digiware.simulator.site_parts import Model, Name

SourceKind = Literal["mains", "genset"]
GensetClass = Literal["G1", "G2", "G3"]
OF_KIND = {
    "mains": ("transformer_kva", "short_circuit_percent", "load_loss_percent", "level_percent"),
    "genset": ("rated_kva", "class_"),
}
"""Keys that only one kind of source has."""


class Timers(Model):
    """Timers of a transfer controller, in seconds; see the page on transfer for what each does."""

    @model_validator(mode="before")
    @classmethod
    def _are_in_range(cls, values: Any) -> Any:
        for name, value in values.items() if isinstance(values, dict) else ():
            low, high = TIMER_RANGES_S.get(name, (0, 0))
            if name in TIMERS and isinstance(value, int | float) and not low <= value <= high:
                raise ValueError(f"{name} from {low:g} to {high:g} s, not {value:g}")
        return values

    first_failure: float | None = Field(None, alias="1FT", description="default 3")
    second_failure: float | None = Field(None, alias="2FT", description="default 3")
    first_return: float | None = Field(None, alias="1RT", description="default 180")
    second_return: float | None = Field(None, alias="2RT", description="default 5")
    first_availability: float | None = Field(None, alias="1AT", description="default 180")
    second_availability: float | None = Field(None, alias="2AT", description="default 5")
    first_to_0: float | None = Field(None, alias="10T", description="default 2")
    second_to_0: float | None = Field(None, alias="20T", description="default 2")
    dead_band: float | None = Field(None, alias="0DT", description="default 3")
    start: float | None = Field(None, alias="2ST", description="default 30")
    cooling: float | None = Field(None, alias="2CT", description="default 180")
    test_on_load: float | None = Field(None, alias="TOT", description="default 0: unlimited")
    test_return: float | None = Field(None, alias="T3T", description="default 0")
    test_off_load: float | None = Field(None, alias="TFT", description="default 0: unlimited")


class Transfer(Model):
    """A transfer switch between two sources, with its controller."""

    sources: list[Name] = Field(min_length=2, max_length=2)
    priority: Literal[0, 1, 2] = Field(1, description="the preferred source; 0: stay where you are")
    return_to_0: bool = Field(False, description="open when the source that carries the load is lost")
    manual_retransfer: bool = Field(False, description="return only when somebody confirms it")
    timers: Timers | None = None


class Coupler(Model):
    """A bus coupler, normally open, between two boards of different sources."""

    boards: list[Name] = Field(min_length=2, max_length=2)
    automatic: bool = Field(True, description="close when one board loses its source")
    loss_s: float = Field(3.0, ge=0, le=3600)
    return_s: float = Field(180.0, ge=0, le=3600)
    dead_s: float = Field(0.5, ge=0, le=20)


Order = Annotated[str, Field(description=f"one of {', '.join(ORDERS)}")]


def misplaced_keys(kind: SourceKind, given: set[str]) -> list[str]:
    """Keys that another kind of source has."""
    return [key for other, keys in OF_KIND.items() if other != kind for key in keys if key in given]


class SourceKeys(Model):
    """Keys of all kinds of sources, and which kind has which."""

    kind: SourceKind = "mains"
    rated_kva: float = Field(100.0, gt=0, description="a generating set's rating")
    class_: GensetClass = Field("G2", alias="class", description="performance class of ISO 8528-5")

    @model_validator(mode="after")
    def _has_keys_of_its_kind(self) -> Self:
        wrong = misplaced_keys(self.kind, self.model_fields_set)
        if wrong:
            raise ValueError(f"a source of kind {self.kind} without `{wrong[0].rstrip('_')}`")
        return self
