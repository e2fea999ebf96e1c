"""Air around the installation: temperature of a room over the day, and humidity that follows temperature.

Values of a usual technical room. Source of the limits: IEC 61439-1,
7.1.1 (indoors up to 40 degC, 35 degC over a day; 50 % RH at 40 degC).
"""

from __future__ import annotations

import math

import numpy as np

from virtual_digiware.profiles.local_time import DAY_MS, LocalTime

ROOM_C, ROOM_SWING_C = 22.0, 2.0
"""A room at 22 +/- 2 degC, warmest in the afternoon."""
ROOM_HUMIDITY_PERCENT = 45.0
"""Relative humidity of the room at its mean temperature."""
_WARMEST_MS = 15 * 3_600_000


def room_c(t_ms: int, time: LocalTime) -> float:
    """Temperature of the room in degC at an instant, by the local clock."""
    time_of_day = int(time.moment(np.array([t_ms], np.int64)).time_of_day_ms[0])
    return ROOM_C + ROOM_SWING_C * math.cos(2 * math.pi * (time_of_day - _WARMEST_MS) / DAY_MS)


def saturation_hpa(temperature_c: float) -> float:
    """Vapour pressure of saturated air. Source: Magnus formula, WMO guide no. 8, annex 4.B."""
    return 6.112 * math.exp(17.62 * temperature_c / (243.12 + temperature_c))


def humidity_percent(temperature_c: float) -> float:
    """Relative humidity of the room's air, in %, where it has that temperature: the water in it stays."""
    water_hpa = ROOM_HUMIDITY_PERCENT / 100 * saturation_hpa(ROOM_C)
    return min(100.0, 100 * water_hpa / saturation_hpa(temperature_c))
