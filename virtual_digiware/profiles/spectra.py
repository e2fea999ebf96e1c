"""Current spectra of the load classes: tables of text to complex arrays over variants, levels, orders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np

from virtual_digiware.profiles.package_text import LibraryError, entries, number, package_file, text_of
from virtual_digiware.profiles.solution import ORDERS, ComplexArray

FILE = "spectra.yaml"
_DECAY = 2.0
_PATTERN = 6
"""Orders six apart have the same place in the pattern of a three-phase rectifier (and the same sequence)."""


@dataclass(frozen=True)
class Spectrum:
    """Currents relative to the fundamental one, at some load levels, in some variants of equal magnitudes.

    `values` (variants, levels, H), H = len(ORDERS), index 0 equal to 1. A current I1 drawn from a voltage
    with angle v has the order h: |I1| * values * exp(j h v).
    """

    source: str
    levels: tuple[float, ...]
    values: ComplexArray


@dataclass
class _Rows:
    orders: tuple[int, ...]
    levels: list[float]
    percent: list[list[float]]
    angles: list[list[float] | None]
    variants: list[list[float]]
    delays: list[float]


def _lines(table: str) -> Iterator[tuple[str, list[str]]]:
    for line in table.splitlines():
        head, *cells = line.split()
        yield head, cells


def _rows(table: str, key: str) -> _Rows:
    lines = iter([(head, cells) for head, cells in _lines(table)])
    head, cells = next(lines, ("", []))
    if head != "order":
        raise LibraryError(FILE, key, f"the first line must list the orders, found {head!r}")
    orders = tuple(int(number(cell, FILE, key)) for cell in cells)
    if not orders or list(orders) != sorted(set(orders)) or any(order not in ORDERS[1:] for order in orders):
        raise LibraryError(
            FILE, key, f"odd orders from 3 to {ORDERS[-1]}, ascending, are needed, found {orders}"
        )
    rows = _Rows(orders, [], [], [], [], [])
    for head, cells in lines:
        if head != "delay" and len(cells) != len(orders):
            raise LibraryError(FILE, f"{key}.{head}", f"{len(orders)} values are needed, found {len(cells)}")
        if head == "angle":
            rows.variants.append([number(cell, FILE, f"{key}.angle") for cell in cells])
        elif head == "delay":
            rows.delays.extend(number(cell, FILE, f"{key}.delay") for cell in cells)
        else:
            pairs = [cell.partition("/") for cell in cells]
            rows.levels.append(number(head, FILE, f"{key}.{head}"))
            rows.percent.append([number(pair[0], FILE, f"{key}.{head}") for pair in pairs])
            has_angles = all(pair[1] for pair in pairs)
            rows.angles.append(
                [number(pair[2], FILE, f"{key}.{head}") for pair in pairs] if has_angles else None
            )
    return rows


def _check(rows: _Rows, key: str) -> None:
    if (
        not rows.levels
        or rows.levels != sorted(set(rows.levels))
        or not 0 < rows.levels[0] <= rows.levels[-1] <= 1
    ):
        raise LibraryError(FILE, key, f"load levels must ascend within 0..1, found {rows.levels}")
    if min(map(min, rows.percent)) < 0:
        raise LibraryError(FILE, key, "percentages must not be negative")
    with_angles = [angles is not None for angles in rows.angles]
    if all(with_angles):
        if not rows.delays or rows.variants:
            raise LibraryError(
                FILE, f"{key}.delay", "levels with angles need one `delay` line and no `angle` line"
            )
    elif any(with_angles) or rows.delays or not rows.variants:
        raise LibraryError(
            FILE, f"{key}.angle", "levels without angles need `angle` lines and no `delay` line"
        )


def _complete(orders: tuple[int, ...], percent: list[float], angles: list[float]) -> ComplexArray:
    """One spectrum over ORDERS: listed orders as they are, the others by the decay law of the data file."""
    magnitude: dict[int, float] = {1: 1.0}
    angle: dict[int, float] = {1: 0.0}
    for order, share, degrees in zip(orders, percent, angles, strict=True):
        magnitude[order] = share / 100
        angle[order] = degrees
    for order in ORDERS:
        below = order - _PATTERN
        if order in magnitude:
            continue
        if below < orders[0]:  # nothing but the fundamental below: a zero, not a descendant of it
            magnitude[order] = angle[order] = 0.0
            continue
        magnitude[order] = magnitude[below] * (below / order) ** _DECAY
        before = below - _PATTERN
        step = angle[below] - angle[before] if before >= orders[0] else 0.0
        angle[order] = angle[below] + step
    turned = [magnitude[order] * np.exp(1j * np.deg2rad(angle[order])) for order in ORDERS]
    return np.array(turned, dtype=np.complex128)


def parse_spectra(text: str) -> dict[str, Spectrum]:
    """Spectra of a data file's text by name.

    Raises:
        LibraryError: Unknown key, levels that do not ascend, a row of the wrong length, missing angles.
    """
    spectra: dict[str, Spectrum] = {}
    for name, entry in entries(text, FILE, ("table",)).items():
        key = f"{name}.table"
        rows = _rows(text_of(entry, FILE, name, "table"), key)
        _check(rows, key)
        listed = rows.delays or rows.variants
        values = np.empty((len(listed), len(rows.levels), len(ORDERS)), dtype=np.complex128)
        for variant in range(len(listed)):
            for level, percent in enumerate(rows.percent):
                own = rows.angles[level]
                values[variant, level] = _complete(rows.orders, percent, own or rows.variants[variant])
            if rows.delays:
                values[variant, :, 1:] *= np.exp(1j * np.deg2rad(rows.delays[variant]) * np.array(ORDERS[1:]))
        values.flags.writeable = False
        spectra[name] = Spectrum(str(entry["source"]), tuple(rows.levels), values)
    return spectra


@cache
def spectra() -> Mapping[str, Spectrum]:
    """The shipped spectra by name; arrays are read-only."""
    return MappingProxyType(parse_spectra(package_file(FILE)))
