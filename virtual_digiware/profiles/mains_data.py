"""The numbers of `mains.yaml`, read once and checked by their shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from virtual_digiware.profiles.package_text import LibraryError, entries, number, package_file, text_of
from virtual_digiware.profiles.solution import ORDERS, FloatArray

FILE = "mains.yaml"
_ORDER_TEXTS = {str(order): index for index, order in enumerate(ORDERS) if order > 1}
_ROWS = (
    *("leaf", "fast", "slow", "rise", "hour_mhz", "hour_share", "hour_sigma", "quarter_sigma"),
    *("hour_after", "hour_before", "quarter_after", "quarter_before"),
    *("common", "phase", "regional_load", "unbalance", "hours", "percent", "degrees", "spread"),
    *("daily", "peak_hour"),
)


@dataclass(frozen=True)
class MainsData:
    """Parameters of the public supply; pairs are (share or standard deviation, time constant in ms)."""

    frequency_leaf_ms: int
    frequency_fast: tuple[float, float]
    """mHz at 50 Hz."""
    frequency_slow: tuple[float, float]
    hour_mhz: FloatArray
    """(24,) mean step at each full hour UTC."""
    hour_sigma_mhz: float
    quarter_sigma_mhz: float
    hour_after: tuple[float, float]
    hour_before: tuple[float, float]
    quarter_after: tuple[float, float]
    quarter_before: tuple[float, float]
    rise_ms: float
    voltage_common: tuple[float, float]
    """Relative to nominal."""
    voltage_phase: tuple[float, float]
    regional_share: float
    unbalance: tuple[float, float]
    regional_load: FloatArray
    """(24,) hourly, mean 1, local time."""
    background: FloatArray
    """(H,) relative to the nominal voltage, 0 for the fundamental."""
    background_angle_rad: FloatArray
    """(H,) middle of the angles that sources draw from; 0 where any angle may be."""
    background_spread_rad: FloatArray
    """(H,) largest deviation from it."""
    background_daily: float
    background_peak_hour: float


class _Entry:
    """Rows of one entry of the file, checked as they are taken."""

    def __init__(self, name: str, rows: Mapping[str, object]) -> None:
        self._name = name
        self._rows = rows

    def text(self, row: str) -> str:
        return text_of(self._rows, FILE, self._name, row)

    def number(self, row: str) -> float:
        """`45 s` or `32 mHz`: the unit stands there for the reader."""
        return number(self.text(row).split()[0], FILE, f"{self._name}.{row}")

    def numbers(self, row: str, count: int) -> FloatArray:
        values = [number(part, FILE, f"{self._name}.{row}") for part in self.text(row).split()]
        if len(values) != count:
            raise LibraryError(
                FILE, f"{self._name}.{row}", f"{count} numbers are needed, found {len(values)}"
            )
        return np.array(values)

    def by_order(self, row: str, otherwise: float) -> FloatArray:
        """`5:2.0 7:1.2`: (H,) numbers of some odd orders from 3 on, and `otherwise` for the rest."""
        key, values = f"{self._name}.{row}", np.full(len(ORDERS), otherwise)
        for part in self.text(row).split():
            order, _, value = part.partition(":")
            if order not in _ORDER_TEXTS:
                raise LibraryError(FILE, key, f"odd orders from 3 are needed, found {order!r}")
            values[_ORDER_TEXTS[order]] = number(value, FILE, key)
        return values

    def pair(self, row: str) -> tuple[float, float]:
        """`0.8, 420 s` or `6.5 mHz, 12 s`: a number, and a time in ms."""
        share, comma, time = self.text(row).partition(",")
        if not comma:
            raise LibraryError(
                FILE, f"{self._name}.{row}", "a number and a time are needed, as in 0.8, 420 s"
            )
        key = f"{self._name}.{row}"
        return number(share.split()[0], FILE, key), number(time.split()[0], FILE, key) * 1000


def parse_mains_data(text: str) -> MainsData:
    """Parameters from the text of a data file. Raises LibraryError."""
    found = entries(text, FILE, _ROWS)
    for name in ("frequency", "voltage", "regional_load", "background"):
        if name not in found:
            raise LibraryError(FILE, name, "is missing")
    frequency, voltage, regional_load, background = (
        _Entry(name, found[name]) for name in ("frequency", "voltage", "regional_load", "background")
    )
    levels, angles = background.by_order("percent", 0.0), background.by_order("degrees", np.nan)
    spread = np.where(np.isnan(angles), 180.0, background.number("spread"))
    low, high = voltage.numbers("unbalance", 2)
    return MainsData(
        frequency_leaf_ms=round(frequency.number("leaf") * 1000),
        frequency_fast=frequency.pair("fast"),
        frequency_slow=frequency.pair("slow"),
        hour_mhz=frequency.numbers("hour_mhz", 24) * frequency.number("hour_share"),
        hour_sigma_mhz=frequency.number("hour_sigma"),
        quarter_sigma_mhz=frequency.number("quarter_sigma"),
        hour_after=frequency.pair("hour_after"),
        hour_before=frequency.pair("hour_before"),
        quarter_after=frequency.pair("quarter_after"),
        quarter_before=frequency.pair("quarter_before"),
        rise_ms=frequency.number("rise") * 1000,
        voltage_common=voltage.pair("common"),
        voltage_phase=voltage.pair("phase"),
        regional_share=voltage.number("regional_load"),
        unbalance=(float(low), float(high)),
        regional_load=regional_load.numbers("hours", 24),
        background=levels / 100,
        background_angle_rad=np.deg2rad(np.nan_to_num(angles)),
        background_spread_rad=np.deg2rad(spread),
        background_daily=background.number("daily"),
        background_peak_hour=background.number("peak_hour"),
    )


@cache
def mains_data() -> MainsData:
    """The shipped parameters."""
    return parse_mains_data(package_file(FILE))
