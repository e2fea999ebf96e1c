"""Shapes of days: from hourly means or break points to 96 quarter-hour nodes for each day type and season."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import numpy as np

from virtual_digiware.profiles.package_text import LibraryError, entries, number, package_file, text_of
from virtual_digiware.profiles.solution import FloatArray

FILE = "daily_profiles.yaml"
DAY_TYPES = ("workday", "saturday", "sunday")
SEASONS = ("winter", "summer")
NODES = 96
_HOURS = 24
_PER_HOUR = NODES // _HOURS
_BREAK_POINT_ROWS = (*DAY_TYPES, *(f"summer_{day}" for day in DAY_TYPES))


class ProfileUnknown(KeyError):
    """No daily profile has this name; `name` as asked, `known` names."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no daily profile {name!r}; known: {', '.join(known)}")
        self.name = name
        self.known = known


def hourly_mean_weights() -> FloatArray:
    """Matrix (24, 96): hourly means of the straight lines between 96 quarter-hour nodes (the day repeats)."""
    weights = np.zeros((_HOURS, NODES))
    for hour in range(_HOURS):
        for offset, weight in enumerate((0.5, 1.0, 1.0, 1.0, 0.5)):
            weights[hour, (hour * _PER_HOUR + offset) % NODES] += weight / _PER_HOUR
    return weights


def nodes_from_hourly_means(hourly: FloatArray) -> FloatArray:
    """The calmest day (least squared steps between nodes) with the given hourly means.

    Args:
        hourly: (24, ...) hourly means.

    Returns:
        (96, ...) values at 0:00, 0:15, ...; each hour of the lines between them has exactly its mean.
    """
    weights = hourly_mean_weights()
    steps = np.eye(NODES) - np.roll(np.eye(NODES), 1, axis=1)
    # Lagrange conditions of: minimise |steps x|^2 subject to weights x = hourly.
    system = np.block([[2 * steps.T @ steps, weights.T], [weights, np.zeros((_HOURS, _HOURS))]])
    right = np.concatenate([np.zeros((NODES, *hourly.shape[1:])), hourly])
    nodes: FloatArray = np.linalg.solve(system, right)[:NODES]
    return nodes


def _hourly(entry: Mapping[str, object], name: str) -> FloatArray:
    key = f"{name}.hours"
    hourly = np.array([number(part, FILE, key) for part in text_of(entry, FILE, name, "hours").split()])
    if hourly.shape != (_HOURS,):
        raise LibraryError(FILE, key, f"24 hourly means are needed, found {hourly.size}")
    scale: dict[str, tuple[float, float]] = {}
    for row in ("saturday", "sunday", "summer"):
        mean_text, slash, swing_text = str(entry.get(row, "")).partition("/")
        if not slash:
            raise LibraryError(FILE, f"{name}.{row}", f"mean/swing is needed, found {entry.get(row)!r}")
        scale[row] = (
            number(mean_text, FILE, f"{name}.{row}"),
            number(swing_text, FILE, f"{name}.{row}"),
        )
    workday = nodes_from_hourly_means(hourly)
    workday /= workday.mean()
    days = np.empty((len(DAY_TYPES), len(SEASONS), NODES))
    for d, (mean, swing) in enumerate(((1.0, 1.0), scale["saturday"], scale["sunday"])):
        for s, (season_mean, season_swing) in enumerate(((1.0, 1.0), scale["summer"])):
            days[d, s] = mean * season_mean * (1 + swing * season_swing * (workday - 1))
    return days


def _break_points(entry: Mapping[str, object], name: str, row: str) -> FloatArray:
    key = f"{name}.{row}"
    hours: list[float] = []
    levels: list[float] = []
    for part in text_of(entry, FILE, name, row).split(","):
        pair = part.split()
        if len(pair) != 2:
            raise LibraryError(FILE, key, f"hour and level are needed, found {part.strip()!r}")
        hours.append(number(pair[0], FILE, key))
        levels.append(number(pair[1], FILE, key))
    if hours != sorted(set(hours)) or not 0 <= hours[0] <= hours[-1] < 24:
        raise LibraryError(FILE, key, "hours must ascend from 0 to below 24")
    quarters = np.arange(NODES) * 24 / NODES
    nodes: FloatArray = np.interp(quarters, hours, levels, period=24.0)
    return nodes


def _drawn(entry: Mapping[str, object], name: str) -> FloatArray:
    days = np.empty((len(DAY_TYPES), len(SEASONS), NODES))
    for d in range(len(DAY_TYPES)):
        alike = DAY_TYPES[d::-1]  # a Sunday that is not drawn is as the Saturday, that as the workday
        winter = [day for day in alike if day in entry]
        summer = [f"summer_{day}" for day in alike if f"summer_{day}" in entry]
        days[d, 0] = _break_points(entry, name, (winter or ["workday"])[0])
        days[d, 1] = _break_points(entry, name, (summer or winter or ["workday"])[0])
    days /= days[0, 0].mean()
    return days


def parse_daily_profiles(text: str) -> dict[str, FloatArray]:
    """All profiles of a data file's text; each (3 day types, 2 seasons, 96), mean of the winter workday 1.

    Raises:
        LibraryError: Unknown key, wrong count, negative level.
    """
    profiles: dict[str, FloatArray] = {}
    for name, entry in entries(text, FILE, ("hours", "summer", *_BREAK_POINT_ROWS)).items():
        days = _hourly(entry, name) if "hours" in entry else _drawn(entry, name)
        if not np.all(np.isfinite(days)) or days.min() < 0:
            raise LibraryError(FILE, name, "levels must not be negative")
        days.flags.writeable = False
        profiles[name] = days
    return profiles


@cache
def daily_profiles() -> Mapping[str, FloatArray]:
    """The shipped profiles by name; arrays are read-only."""
    return MappingProxyType(parse_daily_profiles(package_file(FILE)))


def daily_profile(name: str) -> FloatArray:
    """Relative load at 96 quarter-hour nodes, local time 0:00, 0:15, ...; straight lines between.

    Returns:
        (3, 2, 96): workday, Saturday, Sunday; winter, summer. The mean of the winter workday is 1.

    Raises:
        ProfileUnknown: No such profile.
    """
    profiles = daily_profiles()
    if name not in profiles:
        raise ProfileUnknown(name, tuple(profiles))
    return profiles[name]
