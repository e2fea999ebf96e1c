"""The mains behind each source: frequency, open-circuit voltage, unbalance and background distortion.

All sources of a site hang on one grid and share its frequency (relative to nominal) and its slow voltage.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.installation import Source
from virtual_digiware.profiles.local_time import LocalTime
from virtual_digiware.profiles.mains_data import MainsData, mains_data
from virtual_digiware.profiles.noise import OrnsteinUhlenbeck, Stream, UintArray, key, normal, uniform
from virtual_digiware.profiles.pulses import STEP_MS
from virtual_digiware.profiles.solution import ORDERS, ComplexArray, FloatArray, IntArray
from virtual_digiware.profiles.step_frames import StepFrames

_HOUR_MS = 3_600_000
_QUARTER_MS = 900_000
_LEAF_MS = 120_000
_FITTED_HZ = 50.0
_SEQUENCE = np.exp(-2j * np.pi / 3 * np.arange(3))
_StepOf = Callable[[IntArray], FloatArray]


class GridFrequency:
    """Deviation of the grid's frequency, a straight line between leaves every 4 s."""

    def __init__(self, site_key: int, data: MainsData) -> None:
        self._key = site_key
        self._data = data
        self.leaf_ms = data.frequency_leaf_ms
        common = math.gcd(STEP_MS, self.leaf_ms)
        self.spans = -(-(STEP_MS + self.leaf_ms - common) // self.leaf_ms)
        """Lines between leaves that a base step can touch: 3 of 4 s."""
        self._processes = [
            (share, OrnsteinUhlenbeck(site_key, stream, tau_ms, self.leaf_ms))
            for stream, (share, tau_ms) in (
                (Stream.FREQUENCY_FAST, data.frequency_fast),
                (Stream.FREQUENCY_SLOW, data.frequency_slow),
            )
        ]

    def leaves(self, leaf: IntArray) -> FloatArray:
        """Deviation in Hz, at nominal 50 Hz, at leaves (n,): (n,)."""
        deviation = self._market(leaf * self.leaf_ms)
        for share, process in self._processes:
            deviation += share * process.around(leaf)[0][:, 0]
        in_hz: FloatArray = deviation * 1e-3
        return in_hz

    def _market(self, t_ms: IntArray) -> FloatArray:
        """What trading in hours and quarters adds, mHz."""
        data = self._data
        hour = t_ms // _HOUR_MS
        # A quarter's own step is nothing at the full hour, where the hour's step is.
        quarter = t_ms // _QUARTER_MS
        total = self._around(t_ms, hour, _HOUR_MS, self._hour_step, data.hour_after, data.hour_before)
        total += self._around(
            t_ms, quarter, _QUARTER_MS, self._quarter_step, data.quarter_after, data.quarter_before
        )
        return total

    def _around(
        self,
        t_ms: IntArray,
        index: IntArray,
        period_ms: int,
        step: _StepOf,
        after: tuple[float, float],
        before: tuple[float, float],
    ) -> FloatArray:
        elapsed = (t_ms - index * period_ms).astype(np.float64)
        rise = np.minimum(elapsed / self._data.rise_ms, 1.0)
        # The step itself takes the time of the rise, from where the foregoing drift had ended: no jump.
        past = after[0] * np.exp(-elapsed / after[1]) * rise + before[0] * (1 - rise)
        coming = before[0] * np.exp((elapsed - period_ms) / before[1])
        return step(index) * past + step(index + 1) * coming

    def _hour_step(self, hour: IntArray) -> FloatArray:
        drawn = normal(self._key, Stream.MARKET, hour * 4)
        step: FloatArray = self._data.hour_mhz[hour % 24] + self._data.hour_sigma_mhz * drawn
        return step

    def _quarter_step(self, quarter: IntArray) -> FloatArray:
        drawn = normal(self._key, Stream.MARKET, quarter)
        return np.where(quarter % 4 == 0, 0.0, self._data.quarter_sigma_mhz * drawn)


@dataclass(frozen=True)
class MainsFrame:
    """The mains during F base steps; S sources. Voltages are straight lines from `first` by `change`."""

    step: IntArray
    """(F,)"""
    first_leaf: IntArray
    """(F,) frequency leaf at or before the step's start."""
    deviation_hz: FloatArray
    """(F, 4) at that leaf and the next ones, at nominal 50 Hz."""
    first_v: FloatArray
    """(F, S, 3)"""
    change_v: FloatArray
    """(F, S, 3)"""
    distortion: FloatArray
    """(F,) daily factor of the background distortion, that of the step's middle."""


@dataclass(frozen=True)
class Supply:
    """What the mains offer at T instants or on the mean of T intervals."""

    frequency_hz: FloatArray
    """(T, S)"""
    relative_frequency: FloatArray
    """(T, S) the same relative to nominal."""
    emf_v: ComplexArray
    """(T, S, 3) fundamental phasors; L1 of each source is real."""
    distortion: FloatArray
    """(T, S) factor of `Mains.background_v`."""


class Mains:
    """All sources of a site."""

    def __init__(
        self, sources: Sequence[Source], seed: int, site: str, timezone: str, data: MainsData | None = None
    ) -> None:
        self._data = data or mains_data()
        site_key = key(seed, site, "mains")
        own = np.array([key(seed, site, f"source/{source.name}") for source in sources], dtype=np.uint64)
        count = len(sources)
        self._time = LocalTime(timezone)
        self._frequency = GridFrequency(site_key, self._data)
        self.nominal_hz = np.array([source.frequency_hz for source in sources], dtype=np.float64)
        """(S,)"""
        self._nominal_v = np.array([source.voltage_v for source in sources], dtype=np.float64)
        self._level = np.array([source.level for source in sources], dtype=np.float64)
        share, tau = self._data.voltage_common
        self._common_share = share
        self._common = OrnsteinUhlenbeck(site_key, Stream.VOLTAGE_COMMON, tau, _LEAF_MS)
        share, tau = self._data.voltage_phase
        self._phase_share = share
        self._phase = OrnsteinUhlenbeck(
            np.repeat(own, 3), np.tile(Stream.VOLTAGE_PHASE + 1000 * np.arange(3), count), tau, _LEAF_MS
        )
        self._shape = self._unbalanced(own)
        self.background_v = self._background(own)
        """(S, 3, H) open-circuit voltage above the fundamental at a distortion factor of 1."""
        self._frames = StepFrames(self._build)

    def at(self, t_ms: IntArray) -> Supply:
        """The mains at instants (T,)."""
        frame, place = self._frames.of(t_ms // STEP_MS)
        leaf = t_ms // self._frequency.leaf_ms
        fraction = (t_ms - leaf * self._frequency.leaf_ms) / self._frequency.leaf_ms
        span = leaf - frame.first_leaf[place]
        before = frame.deviation_hz[place, span]
        deviation = before + (frame.deviation_hz[place, span + 1] - before) * fraction
        return self._supply(frame, place, (t_ms % STEP_MS) / STEP_MS, deviation)

    def mean(self, start_ms: IntArray, end_ms: IntArray) -> Supply:
        """Means over intervals (T,), each within one base step and longer than nothing."""
        step = start_ms // STEP_MS
        frame, place = self._frames.of(step)
        leaf_ms = self._frequency.leaf_ms
        edges = (frame.first_leaf[place][:, None] + np.arange(self._frequency.spans + 1)) * leaf_ms
        first = np.maximum(edges[:, :-1], start_ms[:, None])
        last = np.maximum(np.minimum(edges[:, 1:], end_ms[:, None]), first)
        before = frame.deviation_hz[place]
        middle = (first + last - 2 * edges[:, :-1]) / (2 * leaf_ms)
        along = before[:, :-1] + (before[:, 1:] - before[:, :-1]) * middle
        parts = along * (last - first)
        deviation = parts.sum(axis=1) / (end_ms - start_ms)
        middle_of_step = (start_ms + end_ms - 2 * step * STEP_MS) / (2 * STEP_MS)
        return self._supply(frame, place, middle_of_step, deviation)

    def _supply(
        self, frame: MainsFrame, place: IntArray, fraction: FloatArray, deviation_hz: FloatArray
    ) -> Supply:
        magnitude = frame.first_v[place] + frame.change_v[place] * fraction[:, None, None]
        relative = np.repeat(1 + deviation_hz[:, None] / _FITTED_HZ, self.nominal_hz.size, axis=1)
        return Supply(
            frequency_hz=self.nominal_hz * relative,
            relative_frequency=relative,
            emf_v=magnitude * self._shape,
            distortion=np.repeat(frame.distortion[place][:, None], self.nominal_hz.size, axis=1),
        )

    def _build(self, step: IntArray) -> MainsFrame:
        first_leaf = step * STEP_MS // self._frequency.leaf_ms
        touched = first_leaf[:, None] + np.arange(self._frequency.spans + 1)
        leaves, leaf_place = np.unique(touched, return_inverse=True)
        deviation = self._frequency.leaves(leaves)[leaf_place.reshape(touched.shape)]
        nodes, place = np.unique(np.concatenate([step, step + 1]), return_inverse=True)
        magnitude = self._magnitude(nodes * STEP_MS)
        first = magnitude[place[: step.size]]
        middle = self._time.moment(step * STEP_MS + STEP_MS // 2).time_of_day_ms / _HOUR_MS
        peak = np.cos((middle - self._data.background_peak_hour) * (2 * np.pi / 24))
        return MainsFrame(
            step=step,
            first_leaf=first_leaf,
            deviation_hz=deviation,
            first_v=first,
            change_v=magnitude[place[step.size :]] - first,
            distortion=1 + self._data.background_daily * peak,
        )

    def _magnitude(self, t_ms: IntArray) -> FloatArray:
        """Open-circuit voltage without the unbalance at instants (n,): (n, S, 3)."""
        hours = self._time.moment(t_ms).time_of_day_ms / _HOUR_MS - 0.5  # an hour's mean stands at its middle
        hour = np.floor(hours).astype(np.int64)
        before = self._data.regional_load[hour % 24]
        regional = before + (self._data.regional_load[(hour + 1) % 24] - before) * (hours - hour)
        common = self._common_share * self._common.at(t_ms)[:, 0] - self._data.regional_share * (regional - 1)
        phase = self._phase_share * self._phase.at(t_ms).reshape(t_ms.size, -1, 3)
        nominal = (self._level * self._nominal_v)[:, None]
        return nominal * (1 + common[:, None, None]) * (1 + phase)

    def _unbalanced(self, keys: UintArray) -> ComplexArray:
        """Phasors of the three phases relative to L1 (S, 3): positive sequence plus a hashed negative one."""
        low, high = self._data.unbalance
        drawn = uniform(keys[:, None], Stream.UNBALANCE, np.arange(2))
        negative = (low + (high - low) * drawn[:, 0]) * np.exp(2j * np.pi * drawn[:, 1])
        shape = _SEQUENCE + negative[:, None] * _SEQUENCE.conj()
        relative: ComplexArray = shape / shape[:, :1]
        return relative

    def _background(self, keys: UintArray) -> ComplexArray:
        orders = np.array(ORDERS)
        drawn = 2 * uniform(keys[:, None], Stream.BACKGROUND, orders) - 1
        angle = self._data.background_angle_rad + self._data.background_spread_rad * drawn
        distortion = self._data.background * np.exp(1j * angle)
        # A shift by a third of a period is h thirds for order h: that makes its sequence.
        turned = distortion[:, None, :] * _SEQUENCE[:, None] ** orders
        background: ComplexArray = turned * self._nominal_v[:, None, None]
        return background
