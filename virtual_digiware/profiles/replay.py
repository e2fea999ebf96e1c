"""A user's own measurements as recordings: a CSV file of powers over time, checked, and cut into base steps.

The file has a header row; columns may stand in any order, separated by commas or semicolons (then decimals
may have a comma as well). Lines that are empty or begin with `#` do not count.

    time                 ISO 8601 (without an offset: in the given time zone) or unix seconds
    load                 name of the load; may be left out when the caller names the only one
    active_power_w       or active_power_kw; import positive
    reactive_power_var   or reactive_power_kvar; inductive positive; or instead of it
    power_factor         0.9 lagging, -0.9 leading; of the total power, in every quadrant

A row holds from its own time to the next row of its load; the last one lasts as long as the one before it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from virtual_digiware.profiles.installation import Recording
from virtual_digiware.profiles.solution import FloatArray, IntArray

STEP_MS = 10_000
_TIME, _LOAD, _FACTOR = "time", "load", "power_factor"
_ACTIVE = {"active_power_w": 1.0, "active_power_kw": 1e3}
_REACTIVE = {"reactive_power_var": 1.0, "reactive_power_kvar": 1e3}
_COLUMNS = (_TIME, _LOAD, *_ACTIVE, *_REACTIVE, _FACTOR)
_LATEST_S = 32_503_680_000
"""The year 3000; a greater number is most likely one of milliseconds."""


class RecordingFileError(ValueError):
    """A recording file that cannot be read. The mistake is the file's.

    Fields: `file`, `line` (from 1), `column` (as in the header; "" is the whole line), `found`, `right`.
    """

    def __init__(self, file: str, line: int, column: str, found: str, right: str) -> None:
        place = f"{file}:{line}" + (f", column {column}" if column else "")
        super().__init__(f"{place}: found {found}; {right}")
        self.file = file
        self.line = line
        self.column = column
        self.found = found
        self.right = right


@dataclass
class _Samples:
    time_ms: list[int] = field(default_factory=list)
    active_w: list[float] = field(default_factory=list)
    reactive_var: list[float] = field(default_factory=list)


class _Header:
    """Which column of the file holds what."""

    def __init__(self, file: str, line: int, cells: list[str], load: str | None) -> None:
        self.names = [cell.strip().lower() for cell in cells]
        known = "the columns are " + ", ".join(_COLUMNS)
        for name in self.names:
            if name not in _COLUMNS:
                raise RecordingFileError(file, line, name, repr(name), known)
        if len(set(self.names)) != len(self.names):
            raise RecordingFileError(file, line, "", "a column twice", "each column may stand once")
        self.time = self._one(file, line, (_TIME,))
        self.load = None if load is not None and _LOAD not in self.names else self._one(file, line, (_LOAD,))
        self.active = self._one(file, line, tuple(_ACTIVE))
        self.second = self._one(file, line, (*_REACTIVE, _FACTOR))
        self.active_unit = _ACTIVE[self.names[self.active]]
        self.reactive_unit = _REACTIVE.get(self.names[self.second])

    def _one(self, file: str, line: int, choices: tuple[str, ...]) -> int:
        present = [index for index, name in enumerate(self.names) if name in choices]
        if len(present) != 1:
            found = f"{len(present)} of them"
            raise RecordingFileError(file, line, choices[0], found, f"exactly one of {' or '.join(choices)}")
        return present[0]


@dataclass(frozen=True)
class _Reader:
    """Turns cells into values, errors into places."""

    file: str
    zone: ZoneInfo
    has_decimal_commas: bool

    def number(self, line: int, column: str, cell: str) -> float:
        text = cell.strip().replace(",", ".") if self.has_decimal_commas else cell.strip()
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise RecordingFileError(self.file, line, column, repr(cell), "a number is needed")
        return value

    def time_ms(self, line: int, cell: str) -> int:
        text = cell.strip()
        try:
            return self._unix_or_iso(text)
        except (ValueError, OverflowError):
            right = "ISO 8601 such as 2026-03-02T10:00:00Z or unix seconds are needed"
            raise RecordingFileError(self.file, line, _TIME, repr(cell), right) from None

    def _unix_or_iso(self, text: str) -> int:
        try:
            seconds = float(text.replace(",", ".") if self.has_decimal_commas else text)
        except ValueError:
            moment = datetime.fromisoformat(text)
        else:
            if abs(seconds) > _LATEST_S:
                raise ValueError(text)
            return round(seconds * 1000)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        return round(moment.timestamp() * 1000)

    def reactive_var(self, line: int, header: _Header, cell: str, active_w: float) -> float:
        column = header.names[header.second]
        value = self.number(line, column, cell)
        if header.reactive_unit is not None:
            return value * header.reactive_unit
        if not 0 < abs(value) <= 1:
            right = "above 0 up to 1, negative if leading"
            raise RecordingFileError(self.file, line, column, repr(cell), right)
        # Lagging: reactive power has the sign of active power, in import and export alike.
        return active_w * math.copysign(math.tan(math.acos(abs(value))), value)


def read_recording(
    path: Path,
    *,
    load: str | None = None,
    known: Collection[str] | None = None,
    timezone: str = "UTC",
    repeat: bool = True,
) -> dict[str, Recording]:
    """Recordings of a CSV file by load, in base steps of 10 s; the module's docstring describes the file.

    Args:
        path: UTF-8, with or without a byte order mark.
        load: Whose recording it is, when the file has no column `load`.
        known: Names that may stand in the column `load`; None: any.
        timezone: IANA name, for times without an offset.
        repeat: Whether the recordings begin again after their ends.

    Raises:
        RecordingFileError: With file, line, column, what was found and what would be right.
        OSError: The file cannot be opened.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02X}"
        line = error.object[: error.start].count(b"\n") + 1
        raise RecordingFileError(str(path), line, "", found, "UTF-8 is needed") from None
    return parse_recording(text, str(path), load=load, known=known, timezone=timezone, repeat=repeat)


def parse_recording(
    text: str,
    file: str,
    *,
    load: str | None = None,
    known: Collection[str] | None = None,
    timezone: str = "UTC",
    repeat: bool = True,
) -> dict[str, Recording]:
    """As `read_recording`, from the text of a file; `file` is its name in errors."""
    first = next(
        (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), ""
    )
    separator = ";" if ";" in first else ","
    rows = _rows(text, separator, file)
    start = next(rows, None)
    if start is None:
        raise RecordingFileError(
            file, 1, "", "no header row", f"a row such as {', '.join(_COLUMNS[:3])}, ..."
        )
    header = _Header(file, start[0], start[1], load)
    reader = _Reader(file, ZoneInfo(timezone), has_decimal_commas=separator == ";")
    samples: dict[str, _Samples] = {}
    for line, cells in rows:
        if len(cells) != len(header.names):
            right = f"{len(header.names)} are needed, as in the header"
            raise RecordingFileError(file, line, "", f"{len(cells)} cells", right)
        name = cells[header.load].strip() if header.load is not None else str(load)
        if not name or (known is not None and name not in known):
            right = "a name is needed" if known is None else f"the loads are {', '.join(sorted(known))}"
            raise RecordingFileError(file, line, _LOAD, repr(name), right)
        own = samples.setdefault(name, _Samples())
        time_ms = reader.time_ms(line, cells[header.time])
        if own.time_ms and time_ms <= own.time_ms[-1]:
            right = "the times of a load must ascend"
            raise RecordingFileError(file, line, _TIME, repr(cells[header.time]), right)
        active = reader.number(line, header.names[header.active], cells[header.active]) * header.active_unit
        own.time_ms.append(time_ms)
        own.active_w.append(active)
        own.reactive_var.append(reader.reactive_var(line, header, cells[header.second], active))
    if not samples:
        raise RecordingFileError(file, start[0], "", "only a header", "at least one row of values is needed")
    return {name: _in_steps(own, repeat) for name, own in samples.items()}


def _rows(text: str, separator: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells of the rows that count."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            right = "quotes must enclose a whole cell"
            raise RecordingFileError(file, reader.line_num, "", str(error), right) from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells) and not cells[0].lstrip().startswith("#"):
            yield reader.line_num, cells


def _in_steps(samples: _Samples, repeat: bool) -> Recording:
    """Means over whole base steps; as they are where all times are multiples of 10 s already."""
    time = np.array(samples.time_ms, dtype=np.int64)
    values = np.array([samples.active_w, samples.reactive_var])
    if np.any(time % STEP_MS):
        time, values = step_means(time, values)
    return Recording(tuple(time.tolist()), tuple(values[0].tolist()), tuple(values[1].tolist()), repeat)


def step_means(time_ms: IntArray, values: FloatArray) -> tuple[IntArray, FloatArray]:
    """Means over base steps of values that hold from their time to the next.

    Args:
        time_ms: (n,) ascending; the last value lasts as long as the one before it, a lone one 10 s.
        values: (quantities, n)

    Returns:
        Times (m,), multiples of 10 s, and means (quantities, m) until the next of them; in the first and last
        step only the part inside the recording counts. Where nothing changes for several steps there is no
        time between; the last two are one step apart, so that the same rule gives the last one its length.
    """
    end = time_ms[-1] + (time_ms[-1] - time_ms[-2] if time_ms.size > 1 else STEP_MS)
    edges = np.append(time_ms, end)
    energy = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values * np.diff(edges), axis=1)], axis=1)
    begin = edges // STEP_MS * STEP_MS  # steps in which a value changes, and the steps after them
    close = -(-end // STEP_MS) * STEP_MS
    cuts = np.unique(np.concatenate([begin, begin + STEP_MS, [close - 2 * STEP_MS, close - STEP_MS]]))
    cuts = np.append(cuts[(cuts >= begin[0]) & (cuts < close)], close)
    inside = np.clip(cuts, edges[0], end)
    at_cuts = np.array([np.interp(inside, edges, row) for row in energy])
    return cuts[:-1], np.diff(at_cuts, axis=1) / np.diff(inside)
