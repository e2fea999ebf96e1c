"""Rules for RS485 lines: who is their client, what hangs on them, and how they are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Site
    from virtual_digiware.simulator.yaml_text import KeyPath

CLIENT_KEYS = ("reply_ms", "retries", "offline_after")
"""Of a gateway that is the client of its line, and of no other."""


def clients_of(site: Site, line: str) -> list[int]:
    """Places of the gateways that are the client (master) of a line."""
    return [
        index
        for index, gateway in enumerate(site.gateways)
        if gateway.rs485 is not None and gateway.rs485.line == line and gateway.rs485.role == "client"
    ]


def check_lines(site: Site, complaints: Complaints) -> None:
    """Lines exist, and have a way to their client."""
    for index, gateway in enumerate(site.gateways):
        path: KeyPath = ("gateways", index, "rs485")
        port = gateway.rs485
        if port is None:
            continue
        if port.line not in site.lines:
            complaints.unknown((*path, "line"), port.line, "a line of this site", site.lines)
        for key in CLIENT_KEYS:
            if port.role != "client" and getattr(port, key) is not None:
                complaints.add((*path, key), f"`{key}`", "no such key, or `role: client` beside it")
    seen: dict[str, str] = {}
    for name, line in site.lines.items():
        path = ("lines", name)
        clients = clients_of(site, name)
        ways = [key for key in ("pty", "serial") if getattr(line, key) is not None]
        if clients and ways:
            right = f"no `{ways[0]}`: {site.gateways[clients[0]].name} is the client of this line"
            complaints.add((*path, ways[0]), getattr(line, ways[0]), right)
        elif not clients and len(ways) != 1:
            found = f"`{ways[0]}` and `{ways[1]}`" if ways else "neither `pty` nor `serial`"
            right = (
                "exactly one of `pty: /path/of/link` and `serial: /dev/...`, "
                "or a gateway whose `rs485` has `role: client` here"
            )
            complaints.add(path, found, right)
        where = line.pty or line.serial
        if where is not None and where in seen:
            right = f"a path of its own; line {seen[where]} already has it"
            complaints.add((*path, ways[0]), where, right)
        elif where is not None:
            seen[where] = name
