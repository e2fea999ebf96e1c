"""Which run owns the link name of a pty: two runs of one site must not take each other's link away.

Nor may another user of the machine, who knows the name beforehand, lead our clients elsewhere.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
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


def foreign_part(link: Path) -> Path | None:
    """The first part of a link's path that another user has put into a folder open to all, such as /tmp.

    Its owner could exchange all below it at any time: the link would not lead where we say. None when there
    is no such part. What the system administrator owns is trusted, and so is every folder that is nobody's
    but its owner's to write to: its path was chosen by whoever wrote the site file.
    """
    is_open_to_all = False
    for part in (*reversed(link.absolute().parents), link.absolute()):
        try:
            status = part.lstat()
        except OSError:
            return None  # nothing there yet, or nothing that we may see
        if is_open_to_all and status.st_uid not in (0, os.geteuid()):
            return part
        is_open_to_all = stat.S_ISDIR(status.st_mode) and bool(status.st_mode & stat.S_IWOTH)
    return None


def claim_link(wanted: Path) -> Claim:
    """The wanted name, or `name-2`, `name-3`, ... while other runs on this machine hold those before.

    Makes the folder of the link where there is none.

    Raises:
        OSError: all names are held, or the folder cannot be made.
    """
    try:
        wanted.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, f"{wanted.parent} is not a folder") from error
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
