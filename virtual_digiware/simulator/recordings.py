"""The recordings that a site file names: checked with the site, read when it is built."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from virtual_digiware.profiles.replay import RecordingFileError, read_recording
from virtual_digiware.simulator.yaml_text import Fault

if TYPE_CHECKING:
    from virtual_digiware.profiles.installation import Recording
    from virtual_digiware.simulator import site_models


def recorded_loads(
    recording: site_models.Recording, folder: Path, known: Collection[str], timezone: str
) -> dict[str, Recording]:
    """Recordings of one file by load.

    Raises:
        RecordingFileError, OSError: the file cannot be read.
    """
    return read_recording(
        folder / recording.file, load=recording.load, known=known, timezone=timezone, repeat=recording.repeat
    )


def check_recording(
    recording: site_models.Recording, folder: Path, known: Collection[str], timezone: str
) -> tuple[list[Fault], list[str]]:
    """Mistakes of one recording file, and the loads that it names."""
    try:
        return [], list(recorded_loads(recording, folder, known, timezone))
    except RecordingFileError as error:
        return [Fault(folder / recording.file, error.line, error.column, error.found, error.right)], []


def read_recordings(
    recordings: Sequence[site_models.Recording], folder: Path, known: Collection[str], timezone: str
) -> dict[str, Recording]:
    """Every recording of a checked site, by load."""
    found: dict[str, Recording] = {}
    for recording in recordings:
        found |= recorded_loads(recording, folder, known, timezone)
    return found
