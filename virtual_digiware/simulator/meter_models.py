"""The register list of a `generic` meter as the site file writes it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from virtual_digiware.simulator.site_parts import Model

RegisterType = Literal["u16", "s16", "u32", "s32", "u64", "s64", "float32"]


class ListedRegister(Model):
    """One register: which point it shows, where, and how. Engineering value = register x scale."""

    point: str = Field(description="in V, A, Hz, W, var, VA, Wh, varh, VAh, %")
    address: int | None = Field(None, ge=0, le=65535, description="on the wire, counted from 0; or")
    register_number: int | None = Field(None, ge=1, le=65536, description="counted from 1")
    type: RegisterType = "u16"
    word_order: Literal["high_first", "low_first"] = "high_first"
    scale: float = Field(1.0, gt=0)
    function: Literal[3, 4] | None = Field(None, description="3 holding, 4 input; default: both")

    @model_validator(mode="after")
    def _is_placed_once(self) -> Self:
        if (self.address is None) == (self.register_number is None):
            raise ValueError("exactly one of `address` (from 0) and `register_number` (from 1)")
        return self

    @property
    def first(self) -> int:
        """Address on the wire."""
        return (self.register_number or 0) - 1 if self.address is None else self.address
