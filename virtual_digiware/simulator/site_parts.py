"""What every section of a site file is made of: the base of the models, names, ports, hosts."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Port = Annotated[int, Field(ge=1, le=65535)]


def _address(text: str) -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address(text))
    except ValueError as error:
        raise ValueError("an IP address of this machine, such as 127.0.0.1") from error


Host = Annotated[str, AfterValidator(_address)]


class Model(BaseModel):
    """Unknown keys are mistakes, numbers are not text, and nothing changes after reading."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        # Only the whole site is ever validated; building each section's validator too doubles the time.
        defer_build=True,
    )
