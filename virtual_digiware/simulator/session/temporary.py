"""A site file for a short life: read once in a process, with lines and ports where nobody else is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from virtual_digiware.simulator.listening import OpenPort
from virtual_digiware.simulator.site_file import SiteFile, find_site, load_site, parse_site
from virtual_digiware.simulator.site_models import ModbusTcp, RtuOverTcp
from virtual_digiware.simulator.yaml_text import read_yaml

Stamp = tuple[tuple[Path, int, int, int], ...]
"""Files with their inode, size and time of change: as long as they are equal, so is what was read of them."""

_known: dict[Path, tuple[Stamp, SiteFile]] = {}


def read_site(site: str | Path, seed: int | None = None) -> SiteFile:
    """A site by path, by shipped name, or as the text of a site file.

    What was read once serves every later call of this process, until one of its files changes: a site
    that has been read never changes, so all may share it.

    Raises:
        FileFaults: all mistakes of the file.
    """
    if isinstance(site, str) and "\n" in site:
        return parse_site(site, seed=seed)
    path = find_site(str(site)).absolute()
    known = _known.get(path)
    if known is None or known[0] != _stamp([one for one, *_ in known[0]]):
        file = load_site(str(path))
        known = _known[path] = _stamp(_with_bases(path)), file
    file = known[1]
    return file if seed is None else SiteFile(file.site, file.text, seed)


def with_own_lines(file: SiteFile, folder: Path) -> SiteFile:
    """The same site, with every line that a supervisor reaches as a pty linked in `folder`."""
    lines = {
        name: line
        if line.pty is None and line.serial is None
        else line.model_copy(update={"pty": str(folder / name), "serial": None})
        for name, line in file.site.lines.items()
    }
    return _changed(file, lines=lines)


def with_same_ports(file: SiteFile, ports: Iterable[OpenPort]) -> SiteFile:
    """The same site on the ports that it had before, for clients that come back after a restart."""
    gateways, meters = list(file.site.gateways), list(file.site.meters)
    for port in ports:
        devices: list[Any] = meters if port.wanted.is_meter else gateways
        index, service = port.wanted.gateway_index, port.wanted.service
        made: dict[str, Any] = {"modbus_tcp": ModbusTcp, "rtu_over_tcp": RtuOverTcp}
        settings = getattr(devices[index], service) or made[service].model_validate({})
        there = {"host": port.host, "port": port.port, "alternative": port.port}
        devices[index] = devices[index].model_copy(update={service: settings.model_copy(update=there)})
    return _changed(file, gateways=gateways, meters=meters)


def _changed(file: SiteFile, **parts: object) -> SiteFile:
    return SiteFile(file.site.model_copy(update=parts), file.text, file.seed)


def _stamp(files: Iterable[Path]) -> Stamp:
    stamps = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            stamps.append((file, 0, 0, 0))
        else:
            stamps.append((file, status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(stamps)


def _with_bases(path: Path) -> list[Path]:
    """A site file and those that it extends."""
    files = [path]
    base = read_yaml(path).data.get("extends")
    if isinstance(base, str):
        files += _with_bases(find_site(base, beside=path.parent).absolute())
    return files
