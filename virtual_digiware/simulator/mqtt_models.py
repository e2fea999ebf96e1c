"""The MQTT section of a gateway in the site file."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from virtual_digiware.simulator.site_parts import Model, Port

PLAIN_PORT, TLS_PORT = 1883, 8883


def _topic(text: str) -> str:
    if text.strip("/") != text or any(mark in text for mark in "+#\0"):
        raise ValueError("a topic without + and #, and no slash at its ends, such as digiware/site1/m70")
    return text


Topic = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_topic)]


class MqttTls(Model):
    """Encryption of the connection to the broker. Paths are relative to the site file."""

    ca: str | None = Field(
        None, description="certificate of whom to trust; default: the system's authorities"
    )
    certificate: str | None = Field(None, description="our own certificate, when the broker asks for one")
    key: str | None = Field(None, description="the key of `certificate`")
    check_host: bool = Field(True, description="the broker's certificate must name the host")

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("`certificate` and `key` together, or neither")
        return self


class Mqtt(Model):
    """MQTT, an interface of the simulator: what the gateway has collected is published to a broker."""

    enabled: bool = True
    broker: str = Field(
        "127.0.0.1", min_length=1, max_length=255, description="name or address of the broker"
    )
    port: Port | None = Field(None, description="default 1883, or 8883 with `tls`")
    version: Literal["3.1.1", "5"] = Field("5", description="of the protocol")
    client_id: str | None = Field(
        None, min_length=1, max_length=64, description="default: vdigiware-SITE-GATEWAY"
    )
    topic: Topic | None = Field(None, description="in front of all topics; default: digiware/SITE/GATEWAY")
    period_s: float = Field(
        10.0, ge=1, le=86_400, description="simulated seconds between two sets of telemetry"
    )
    qos: Literal[0, 1, 2] = Field(1, description="of telemetry; alarms and status have at least 1")
    retain: bool = Field(True, description="telemetry waits at the broker for whoever subscribes later")
    keepalive_s: int = Field(30, ge=5, le=3600)
    username: str | None = Field(None, min_length=1)
    password_file: str | None = Field(None, description="a file whose first line is the password")
    password_variable: str | None = Field(
        None, description="the environment variable that holds the password"
    )
    tls: MqttTls | None = Field(None, description="default: not encrypted")
    buffer_messages: int = Field(1000, ge=1, le=100_000, description="that wait while there is no broker")
    buffer_kib: int = Field(4096, ge=16, le=1_048_576, description="the same, in size")

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.password_file is not None and self.password_variable is not None:
            raise ValueError("`password_file` or `password_variable`, not both")
        if self.username is None and (self.password_file or self.password_variable):
            raise ValueError("a `username` for the password")
        return self

    @property
    def port_number(self) -> int:
        return self.port or (PLAIN_PORT if self.tls is None else TLS_PORT)
