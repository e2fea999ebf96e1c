"""The numbers of `mains.yaml`, read once and checked by their shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from ruamel.yaml import YAML

from virtual_digiware.profiles.solution import ORDERS, FloatArray


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
    background_daily: float
    background_peak_hour: float


def _pair(text: str) -> tuple[float, float]:
    """`0.8, 420 s` or `6.5 mHz, 12 s`: a number and a time, the time in ms."""
    share, time = text.split(",")
    return float(share.split()[0]), float(time.split()[0]) * 1000


def _numbers(text: str, count: int) -> FloatArray:
    numbers = np.array([float(part) for part in text.split()])
    if numbers.shape != (count,):
        raise ValueError(f"mains.yaml: {count} numbers are needed, found {text!r}")
    return numbers


@cache
def mains_data() -> MainsData:
    """The shipped parameters."""
    text = files("virtual_digiware.profiles").joinpath("mains.yaml").read_text(encoding="utf-8")
    document: Mapping[str, Mapping[str, str]] = YAML(typ="safe").load(text)
    frequency, voltage, background = document["frequency"], document["voltage"], document["background"]
    levels = np.zeros(len(ORDERS))
    for part in background["percent"].split():
        order, percent = part.split(":")
        levels[ORDERS.index(int(order))] = float(percent) / 100
    low, high = _numbers(voltage["unbalance"], 2)
    return MainsData(
        frequency_leaf_ms=int(frequency["leaf_ms"]),
        frequency_fast=_pair(frequency["fast"]),
        frequency_slow=_pair(frequency["slow"]),
        hour_mhz=_numbers(frequency["hour_mhz"], 24) * float(frequency["hour_share"]),
        hour_sigma_mhz=float(frequency["hour_sigma_mhz"]),
        quarter_sigma_mhz=float(frequency["quarter_sigma_mhz"]),
        hour_after=_pair(frequency["hour_after"]),
        hour_before=_pair(frequency["hour_before"]),
        quarter_after=_pair(frequency["quarter_after"]),
        quarter_before=_pair(frequency["quarter_before"]),
        rise_ms=float(frequency["rise_s"]) * 1000,
        voltage_common=_pair(voltage["common"]),
        voltage_phase=_pair(voltage["phase"]),
        regional_share=float(voltage["regional_load"]),
        unbalance=(float(low), float(high)),
        regional_load=_numbers(document["regional_load"]["hours"], 24),
        background=levels,
        background_daily=float(background["daily"]),
        background_peak_hour=float(background["peak_hour"]),
    )
