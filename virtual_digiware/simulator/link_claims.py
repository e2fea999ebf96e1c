"""Which run owns the link name of a pty: two runs of one site must not take each other's link away."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

MOST_RUNS = 64


@dataclass(slots=True)
class Claim:
    """The name that this run may use, until `release`."""

    link: Path
    _holder: socket.socket | None

    def release(self) -> None:
        if self._holder is not None:
            self._holder.close()
            self._holder = None


def claim_link(wanted: Path) -> Claim:
    """The wanted name, or `name-2`, `name-3`, ... while other runs on this machine hold those before.

    Makes the folder of the link where there is none.

    Raises:
        OSError: all names are held, or the folder cannot be made.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    for number in range(1, MOST_RUNS + 1):
        link = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        holder = _hold(link)
        if holder is not None:
            return Claim(link, holder)
    raise OSError(f"{wanted} and {MOST_RUNS - 1} names after it are in use")


def _hold(link: Path) -> socket.socket | None:
    # A name in Linux' abstract namespace vanishes with its process, however that ends. A lock file stays.
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        holder.bind("\0virtual-digiware:" + str(link.absolute())[-90:])
    except OSError:
        holder.close()
        return None
    return holder
