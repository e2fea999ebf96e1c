"""What a site file says of RS485 lines and of the devices on them."""

from typing import Literal

from pydantic import Field

from virtual_digiware.simulator.site_parts import Model, Name

Baudrate = Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]
Parity = Literal["none", "even", "odd"]
StopBits = Literal[1, 2]


class Line(Model):
    """An RS485 line: with a pty of stable name or a real serial port where the user's program is its client.

    A line whose client is a gateway of the site has neither.
    """

    pty: str | None = Field(None, description="path of the link to the pty")
    serial: str | None = Field(None, description="a serial port of this machine, such as /dev/ttyUSB0")
    baudrate: Baudrate = 38400
    parity: Parity = "none"
    stop_bits: StopBits = 1
    length_m: float | None = Field(None, gt=0, description="for the rules: how long its cable is")
    timing: Literal["instant", "real"] = Field(
        "instant", description="real: answers take the time of the baud rate"
    )


class DeviceOnLine(Model):
    """The RS485 port of a device that answers; its settings, where they differ from the line's."""

    line: Name
    baudrate: Baudrate | None = Field(None, description="default: as the line is set")
    parity: Parity | None = Field(None, description="default: as the line is set")
    stop_bits: StopBits | None = Field(None, description="default: as the line is set")


class Rs485(DeviceOnLine):
    """The RS485 port of a gateway: answering a client on a line, or the client itself."""

    role: Literal["server", "client"] = Field("server", description="client: it polls the others (master)")
    reply_ms: int | None = Field(
        None, ge=10, le=60_000, description="client: patience with an answer; default 1000"
    )
    retries: int | None = Field(None, ge=0, le=10, description="client: default 2")
    offline_after: int | None = Field(
        None, ge=1, le=100, description="client: polls without answer until a unit is lost; default 3"
    )
