"""Bringing a site to where it can run: journal opened, clock started, past interventions applied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from virtual_digiware.devices.records import Record
from virtual_digiware.simulator.clock import Anchor, Clock, Mode, start, wall_ms
from virtual_digiware.simulator.instants import format_instant
from virtual_digiware.simulator.journal import Identity, Journal, JournalRefused, open_journal

if TYPE_CHECKING:
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.site_file import SiteFile

NOT_FOR_DEVICES = ("commissioned", "clock")


class StartRefused(Exception):
    """A start time that the site cannot have."""


@dataclass(frozen=True, slots=True)
class TimeOptions:
    """How time passes, as the command line says."""

    mode: Mode = "real"
    rate: float = 1.0
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A site ready to run, and what its user should be told."""

    building: Building
    clock: Clock
    journal: Journal
    notices: tuple[str, ...]


def open_site(file: SiteFile, time: TimeOptions, journal_path: Path | None = None) -> Opened:
    """Open a site, with the history that its journal has kept.

    Raises:
        JournalRefused: the journal is not the one of this site, or cannot be used.
        StartRefused: the site would begin before it is commissioned.
    """
    from virtual_digiware.simulator.building import Building

    identity = Identity(file.site.site, file.fingerprint, file.seed)
    journal = Journal(identity) if journal_path is None else open_journal(journal_path, identity)
    try:
        previous = journal.last_of_kind("clock")
        anchor = None if previous is None else Anchor.from_data(previous.time_ms, previous.data)
        begin = start(time.mode, time.rate, time.at_ms, wall_ms(), anchor, journal.last_ms)
        begin_ms = begin.anchor.sim_ms
        known = journal.last_of_kind("commissioned")
        if known is None:
            commissioned_ms = begin_ms if file.site.commissioned is None else file.site.commissioned
            if commissioned_ms > begin_ms:
                raise StartRefused(
                    f"the site is commissioned at {format_instant(commissioned_ms)} and cannot start "
                    f"before, at {format_instant(begin_ms)}; start later with --at"
                )
            _keep(journal, journal_path, Record(commissioned_ms, "commissioned"))
        else:
            commissioned_ms = known.time_ms
        kept = [record for record in journal.records if record.kind not in NOT_FOR_DEVICES]
        _keep(journal, journal_path, clock_record(begin.anchor))
        building = Building(file, commissioned_ms)
        building.replay(kept)
    except BaseException:
        journal.close()
        raise
    return Opened(building, Clock(begin.anchor), journal, (*journal.notices, *begin.notices))


def _keep(journal: Journal, path: Path | None, record: Record) -> None:
    try:
        journal.append(record)
    except OSError as error:
        raise JournalRefused(path or Path(), f"cannot be written: {error.strerror}") from error


def clock_record(anchor: Anchor) -> Record:
    """The record that lets a later run find its place in time."""
    return Record(anchor.sim_ms, "clock", "", anchor.as_data())
