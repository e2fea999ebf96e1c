"""Where the devices of a running site are reached, as its ready file says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from virtual_digiware.simulator.yaml_text import near_miss


class UnknownName(LookupError):
    """A name that the site does not have, or that does not tell which of several is meant."""


class Endpoint(NamedTuple):
    """A port of a device: `host, port = site.modbus("m70")`."""

    host: str
    port: int


class BacnetEndpoint(NamedTuple):
    """A BACnet/IP port with the device instance behind it and the number of its virtual network."""

    host: str
    port: int
    instance: int
    network: int


class LineEnd(NamedTuple):
    """Where a supervisor plugs into an RS485 line."""

    path: Path
    baudrate: int
    parity: str
    stop_bits: int


class Places:
    """Finds devices by name, or by product where that names only one (`m70` or `M-70`)."""

    def __init__(self, ready: Mapping[str, Any]) -> None:
        self._devices = [*ready["gateways"], *ready["meters"]]
        self._lines = ready["lines"]

    def port(self, service: str, device: str | None) -> Mapping[str, Any]:
        """The entry of a device's service; without a name that of the only device that has it.

        Raises:
            UnknownName: no such device, no such service there, or several that could be meant.
        """
        offering = [one for one in self._devices if service in one]
        if device is None:
            named = offering
        else:
            everywhere = [str(one["name"]) for one in self._devices]
            if device not in everywhere and not any(device == one["product"] for one in self._devices):
                hint = near_miss(device, everywhere)
                raise UnknownName(f"no device `{device}`; known are {', '.join(everywhere)}.{hint}")
            named = [one for one in offering if one["name"] == device]
            named = named or [one for one in offering if one["product"] == device]
        if len(named) == 1:
            entry: Mapping[str, Any] = named[0][service]
            return entry
        if not offering:
            raise UnknownName(f"no device of this site has {service}")
        able = ", ".join(str(one["name"]) for one in named or offering)
        if named:
            raise UnknownName(f"{len(named)} devices have {service}; name one of {able}")
        raise UnknownName(f"{device} has no {service}; it is offered by {able}")

    def line(self, name: str | None) -> LineEnd:
        """The supervisor's end of a line.

        Raises:
            UnknownName: no such line, several that could be meant, or one whose client is a gateway.
        """
        known = [str(one["name"]) for one in self._lines]
        if name is None and len(known) == 1:
            name = known[0]
        found = next((one for one in self._lines if one["name"] == name), None)
        if found is None:
            wanted = "name a line" if name is None else f"no line `{name}`"
            raise UnknownName(
                f"{wanted}; known are {', '.join(known) or 'none'}.{near_miss(name or '', known)}"
            )
        if "client" in found:
            raise UnknownName(
                f"the client of line `{name}` is gateway {found['client']}; nobody else is on it"
            )
        place = found.get("pty", found.get("serial"))
        return LineEnd(Path(place), found["baudrate"], found["parity"], found["stop_bits"])
