"""The journal: every intervention as a line of JSON, kept before it is answered, replayed at the next start.

{"journal": "virtual-digiware", "version": 1, "site": "demo", "fingerprint": "...", "seed": 1}
{"at": "2026-03-02T10:00:00Z", "kind": "commissioned"}
{"at": "2026-03-02T10:00:00Z", "kind": "clock", "data": {"wall": "...", "rate": 1.0}}
{"at": "2026-03-02T10:02:10.250Z", "kind": "write", "target": "m70/i35", "data": {...}}
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from virtual_digiware.devices.records import Record
from virtual_digiware.simulator.instants import format_instant, parse_instant

FORMAT = "virtual-digiware"
VERSION = 1
_BEGINNING = b'{"journal":"virtual-digiware"'


class JournalRefused(Exception):
    """A journal that this run must not continue. `reason` says why and what to do."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """What a journal belongs to: another site, another content or another seed is another history."""

    site: str
    fingerprint: str
    seed: int


class Journal:
    """Records in order of time; in memory only until `open_journal` gives it a file."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.records: list[Record] = []
        self.notices: list[str] = []
        self._file: BinaryIO | None = None
        self._torn_at: int | None = None

    @property
    def last_ms(self) -> int | None:
        """Time of the last record."""
        return self.records[-1].time_ms if self.records else None

    def append(self, record: Record) -> None:
        """Keep a record; when this returns it survives a crash of the process and of the machine.

        Raises:
            ValueError: the record is older than the last one.
            OSError: the file system does not take it; the journal is as before.
        """
        if self.last_ms is not None and record.time_ms < self.last_ms:
            raise ValueError(
                f"a record of {format_instant(record.time_ms)} after one of {format_instant(self.last_ms)}"
            )
        if self._file is not None:
            self._write(self._file, _to_json(record))
        self.records.append(record)

    def _write(self, file: BinaryIO, entry: dict[str, object]) -> None:
        if self._torn_at is not None:
            # Half a line of an earlier failure must go first, or the file would be damaged in its middle.
            os.ftruncate(file.fileno(), self._torn_at)
            self._torn_at = None
        size = os.fstat(file.fileno()).st_size
        try:
            _write_line(file, entry)
        except OSError:
            self._torn_at = size
            with suppress(OSError):
                os.ftruncate(file.fileno(), size)
                self._torn_at = None
            raise

    def last_of_kind(self, kind: str) -> Record | None:
        return next((record for record in reversed(self.records) if record.kind == kind), None)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def open_journal(path: Path, identity: Identity) -> Journal:
    """Open or create the journal of a site, lock it, and read its records.

    A torn last line, as a crash in the middle of a write leaves it, is cut off and mentioned in `notices`;
    nothing else is ever taken away from a file.

    Raises:
        JournalRefused: the file cannot be used, is in use, is damaged or belongs to something else.
    """
    journal = Journal(identity)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Append mode: whatever happens, nothing already written is written over.
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise JournalRefused(path, f"cannot be opened: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise JournalRefused(path, "is not an ordinary file; a journal is read again at the next start")
        _lock(file, path)
        file.seek(0)
        _read(file.read(), file, path, journal)
    except BaseException:
        file.close()
        raise
    journal._file = file
    return journal


def _read(content: bytes, file: BinaryIO, path: Path, journal: Journal) -> None:
    lines = content.splitlines(keepends=True)
    entries: list[dict[str, Any]] = []
    kept = 0
    for number, line in enumerate(lines, start=1):
        entry = _parsed(line)
        if entry is None:
            if number == 1 and not _is_torn_header(line):
                raise JournalRefused(path, "is not a journal of Virtual Digiware; it is left as it is")
            if number < len(lines) or (line.endswith(b"\n") and b"\0" not in line):
                raise JournalRefused(
                    path, f"line {number} is damaged; restore the file, or start with another journal"
                )
            journal.notices.append(f"{path}: line {number} was torn by a crash and is cut off")
            os.ftruncate(file.fileno(), kept)
            os.fsync(file.fileno())
            break
        entries.append(entry)
        kept += len(line)
    if not entries:
        try:
            _write_line(file, _header(journal.identity))
            _sync_directory(path.parent)
        except OSError as error:
            raise JournalRefused(path, f"cannot be written: {error.strerror}") from error
        return
    _check_header(entries[0], path, journal.identity)
    for number, entry in enumerate(entries[1:], start=2):
        try:
            record = _from_json(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise JournalRefused(path, f"line {number} is not a record of this journal format") from error
        if journal.last_ms is not None and record.time_ms < journal.last_ms:
            raise JournalRefused(path, f"line {number} is older than the line before it")
        journal.records.append(record)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a whole line; None when the line is torn or not JSON."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _is_torn_header(line: bytes) -> bool:
    """Whether a first line is what a crash while beginning a journal leaves, not somebody's own text."""
    return _BEGINNING.startswith(line) or line.startswith(_BEGINNING) or not line.strip(b"\0\n")


def _header(identity: Identity) -> dict[str, object]:
    return {
        "journal": FORMAT,
        "version": VERSION,
        "site": identity.site,
        "fingerprint": identity.fingerprint,
        "seed": identity.seed,
    }


def _check_header(header: dict[str, Any], path: Path, identity: Identity) -> None:
    if header.get("journal") != FORMAT:
        raise JournalRefused(path, "is not a journal of Virtual Digiware")
    if header.get("version") != VERSION:
        raise JournalRefused(
            path, f"has format version {header.get('version')}; this program reads version {VERSION}"
        )
    advice = "give the site another journal, or remove this one to begin anew"
    if header.get("site") != identity.site:
        raise JournalRefused(
            path, f"belongs to site `{header.get('site')}`, not to `{identity.site}`; {advice}"
        )
    if header.get("seed") != identity.seed:
        raise JournalRefused(path, f"was begun with seed {header.get('seed')}, not {identity.seed}; {advice}")
    if header.get("fingerprint") != identity.fingerprint:
        reason = (
            "the site file has changed since this journal was begun, and its history would be another one"
        )
        raise JournalRefused(path, f"{reason}; {advice}")


def _to_json(record: Record) -> dict[str, object]:
    entry: dict[str, object] = {"at": format_instant(record.time_ms), "kind": record.kind}
    if record.target:
        entry["target"] = record.target
    if record.data:
        entry["data"] = dict(record.data)
    return entry


def _from_json(entry: dict[str, Any]) -> Record:
    data = entry.get("data", {})
    if not isinstance(data, dict):
        raise TypeError("data must be a mapping")
    return Record(parse_instant(entry["at"]), str(entry["kind"]), str(entry.get("target", "")), data)


def _write_line(file: BinaryIO, entry: dict[str, object]) -> None:
    line = json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    written = 0
    while written < len(line):
        written += file.write(line[written:]) or 0
    os.fsync(file.fileno())


def _sync_directory(folder: Path) -> None:
    """A new file survives a crash of the machine only when its directory is on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(file: BinaryIO, path: Path) -> None:
    import fcntl

    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise JournalRefused(path, "is in use by another process") from error
