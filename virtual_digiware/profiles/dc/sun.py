"""Sunlight on photovoltaic strings: height of the sun, clear sky, clouds; nothing but the time decides.

Source: low-precision formulas of the Astronomical Almanac (0.01 degrees); Haurwitz clear-sky model, in the
form 1098 sin h exp(-0.059 / sin h) W/m2.
"""

from __future__ import annotations

import numpy as np

from virtual_digiware.profiles.noise import OrnsteinUhlenbeck, Stream
from virtual_digiware.profiles.solution import FloatArray, IntArray

_J2000_MS = 946_728_000_000
_DAY_MS = 86_400_000
_CLOUD_TAU_MS, _CLOUD_LEAF_MS = 1_200_000, 60_000
_DARKEST, _BRIGHTEST = 0.2, 1.0


def sine_of_elevation(t_ms: IntArray, latitude_deg: float, longitude_deg: float) -> FloatArray:
    """Sine of the sun's height above the horizon (T,), negative at night; longitude counts eastward."""
    days = (t_ms - _J2000_MS) / _DAY_MS
    anomaly = np.deg2rad(357.528 + 0.9856003 * days)
    longitude = np.deg2rad(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    obliquity = np.deg2rad(23.439 - 0.0000004 * days)
    declination = np.arcsin(np.sin(obliquity) * np.sin(longitude))
    ascension = np.arctan2(np.cos(obliquity) * np.sin(longitude), np.cos(longitude))
    sidereal = np.deg2rad(280.46061837 + 360.98564736629 * days + longitude_deg)
    latitude = np.deg2rad(latitude_deg)
    hour_angle = sidereal - ascension
    upright = np.sin(latitude) * np.sin(declination)
    sine: FloatArray = upright + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    return sine


def clear_sky_w_m2(sine: FloatArray) -> FloatArray:
    """Global horizontal irradiance of a clear sky; 0 while the sun is down."""
    height = np.maximum(sine, 1e-3)
    return np.where(sine > 0, 1098.0 * height * np.exp(-0.059 / height), 0.0)


class Clouds:
    """Share of the clear sky that comes through, 0.2 to 1, the same for all strings of a board."""

    def __init__(self, noise_key: int) -> None:
        self._cover = OrnsteinUhlenbeck([noise_key], Stream.WEATHER_FAST, _CLOUD_TAU_MS, _CLOUD_LEAF_MS)

    def at(self, t_ms: IntArray) -> FloatArray:
        """(T,)"""
        cover = self._cover.at(t_ms)[:, 0]
        share = 1 / (1 + np.exp(-2 * (cover + 0.5)))
        return _DARKEST + (_BRIGHTEST - _DARKEST) * share
