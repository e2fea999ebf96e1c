"""What the loads of direct-current boards want at their nominal voltage, at any instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from virtual_digiware.profiles import yaml_data
from virtual_digiware.profiles.local_time import LocalTime
from virtual_digiware.profiles.noise import OrnsteinUhlenbeck, Stream, key
from virtual_digiware.profiles.solution import FloatArray, IntArray

_FILE = Path(__file__).parent / "load_classes.yaml"
_HOUR_MS = 3_600_000
_TAU_MS, _LEAF_MS = 600_000, 120_000


@dataclass(frozen=True, slots=True)
class DcLoadClass:
    """A kind of load; `hours` (24,) relative power, `exponent` of the voltage, `noise` relative."""

    name: str
    label: str
    exponent: float
    noise: float
    hours: tuple[float, ...]


class DcLoadClassUnknown(ValueError):
    """No such class; `known` are."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"no direct-current load class {name!r}; known: {', '.join(known)}")
        self.name = name
        self.known = tuple(known)


@cache
def dc_load_classes() -> Mapping[str, DcLoadClass]:
    """The classes that ship, by name."""
    data: Any = yaml_data.read(_FILE.read_text(encoding="utf-8"))
    return {
        name: DcLoadClass(
            name,
            str(entry["label"]),
            float(entry["exponent"]),
            float(entry["noise"]),
            tuple(float(value) for value in entry["hours"]),
        )
        for name, entry in data["classes"].items()
    }


class DcLoads:
    """N loads as arrays. Between leaves of noise and hours all is straight, so a step's mean is its middle.

    Raises:
        DcLoadClassUnknown: a load names a class that does not exist.
    """

    def __init__(
        self, names: Sequence[str], classes: Sequence[str], nominal_w: Sequence[float], seed: int, site: str,
        timezone: str,
    ) -> None:  # fmt: skip
        known = dc_load_classes()
        for name in classes:
            if name not in known:
                raise DcLoadClassUnknown(name, list(known))
        chosen = [known[name] for name in classes]
        self._time = LocalTime(timezone)
        self._nominal_w = np.array(nominal_w, np.float64)
        self._noise = np.array([one.noise for one in chosen], np.float64)
        self.exponent: FloatArray = np.array([one.exponent for one in chosen], np.float64)
        self._hours = np.array([one.hours for one in chosen], np.float64).reshape(-1, 24)
        keys = [key(seed, site, f"dc/{name}") for name in names]
        self._slow = OrnsteinUhlenbeck(keys, Stream.SLOW, _TAU_MS, _LEAF_MS) if keys else None

    def power_w(self, t_ms: IntArray) -> FloatArray:
        """(T, N) at nominal voltage."""
        if self._slow is None:
            return np.zeros((len(t_ms), 0))
        moment = self._time.moment(t_ms)
        hour, within = np.divmod(moment.time_of_day_ms, _HOUR_MS)
        first, second = self._hours[:, hour % 24], self._hours[:, (hour + 1) % 24]
        shape = first + (second - first) * (within / _HOUR_MS)
        return self._nominal_w * shape.T * (1 + self._noise * self._slow.at(t_ms))
