"""What each load would draw at nominal voltage: profile, day, weather, slow noise, pulses, detail.

Everything slow is evaluated at the edges of base steps and is a straight line between them, so the
mean over any part of a step is the value at its middle. Nothing here depends on events or on the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from virtual_digiware.profiles.daily import DailyProfiles
from virtual_digiware.profiles.detail import Detail
from virtual_digiware.profiles.installation import Load
from virtual_digiware.profiles.library import LoadClass
from virtual_digiware.profiles.local_time import LocalTime
from virtual_digiware.profiles.noise import OrnsteinUhlenbeck, Stream, as_normal, bits, derive
from virtual_digiware.profiles.power_factor import PowerFactor
from virtual_digiware.profiles.pulses import STEP_MS, Pulses, PulseSet
from virtual_digiware.profiles.recordings import Replay
from virtual_digiware.profiles.solution import ComplexArray, FloatArray, IntArray
from virtual_digiware.profiles.step_frames import StepFrames

_LEAF_MS = 120_000
_WEATHER = ((Stream.WEATHER_SLOW, 4 * 3_600_000, 0.8), (Stream.WEATHER_FAST, 20 * 60_000, 0.6))
"""Stream, correlation time in ms and weight: hours of weather with passing clouds; variance 1 together."""


@dataclass(frozen=True)
class Frame:
    """Everything about F base steps that does not change within them; N loads."""

    step: IntArray
    """(F,) start divided by the base step."""
    first_w: FloatArray
    """(F, N) slow part at the start of the step."""
    change_w: FloatArray
    """(F, N) slow part at its end, less that at its start."""
    recorded_var: FloatArray
    """(F, R) reactive power of the loads that replay a recording."""
    pulses: PulseSet
    detail_w: FloatArray
    """(F, N) standard deviation between the 200 ms windows."""


@dataclass(frozen=True)
class Demand:
    """Powers at nominal voltage and frequency of T instants or intervals."""

    conjugate_va: ComplexArray
    """(T, N) P - jQ."""
    level: FloatArray
    """(T, N) |P| relative to nominal power."""


class Envelope:
    """The N loads of a site, in the order given."""

    def __init__(
        self,
        loads: tuple[Load, ...],
        classes: Mapping[str, LoadClass],
        profiles: Callable[[str], FloatArray],
        keys: Mapping[str, int],
        site_key: int,
        timezone: str,
    ) -> None:
        """
        Args:
            loads: In the order of all results.
            classes: Load classes by name.
            profiles: Table (3, 2, 96) of a daily profile by name.
            keys: Noise key of each load by name.
            site_key: Noise key of the site, for the weather that all share.
            timezone: IANA name.
        """
        kinds = [classes[load.load_class] for load in loads]
        own = np.array([keys[load.name] for load in loads], dtype=np.uint64)
        self._time = LocalTime(timezone)
        self.nominal_w = np.array([load.nominal_w for load in loads], dtype=np.float64)
        names = [load.profile or kind.profile for load, kind in zip(loads, kinds, strict=True)]
        used = sorted(set(names))
        self._profile = np.array([used.index(name) for name in names], dtype=np.int64)
        self._daily = DailyProfiles(np.array([profiles(name) for name in used]).reshape(len(used), 3, 2, 96))
        self._base_w = np.array([kind.night_base for kind in kinds]) * self.nominal_w
        self._swing_w = np.array([kind.mean_level for kind in kinds]) * self.nominal_w - self._base_w
        self._weather_share = np.array([kind.weather for kind in kinds])
        self._sigma = np.array([kind.sigma for kind in kinds])
        day_sigma = np.array([kind.day_sigma for kind in kinds])
        self._day_sigma = day_sigma
        self._day_shift = -(day_sigma**2) / 2  # keeps the mean of the log-normal factor at 1
        tau_ms = np.array([kind.tau_s * 1000 if kind.sigma else 1.0 for kind in kinds])
        self._slow = OrnsteinUhlenbeck(own, Stream.SLOW, tau_ms, _LEAF_MS)
        self._day = derive(own, Stream.DAY)
        self._weather = [
            (weight, OrnsteinUhlenbeck(site_key, stream, tau, _LEAF_MS)) for stream, tau, weight in _WEATHER
        ]
        recorded = [index for index, load in enumerate(loads) if load.recording]
        self._recorded = np.array(recorded, dtype=np.int64)
        self._replays = [Replay(load.recording) for load in loads if load.recording]
        kf = np.array([0.0 if load.recording else kind.kf for load, kind in zip(loads, kinds, strict=True)])
        self._following = np.flatnonzero(kf)
        self._kf = kf
        fluctuation = np.array([kind.fluctuation for kind in kinds])
        fluctuation[self._recorded] = 0.0
        self._fluctuation = fluctuation
        self._detail = Detail(own)
        cycles = [
            (index, number, cycle)
            for index, (load, kind) in enumerate(zip(loads, kinds, strict=True))
            if load.recording is None
            for number, cycle in enumerate(kind.cycles)
        ]
        self._pulses = Pulses(cycles, self.nominal_w, own)
        self._power_factor = PowerFactor(loads, kinds)
        self._frames = StepFrames(self._build)

    def at(self, t_ms: IntArray) -> Demand:
        """Demand at instants (T,)."""
        step = t_ms // STEP_MS
        frame, place = self._frames.of(step)
        fraction = (t_ms - step * STEP_MS)[:, None] / STEP_MS
        active = frame.first_w.take(place, axis=0) + frame.change_w.take(place, axis=0) * fraction
        if self._pulses.count:
            active[:, self._pulses.loads] += self._pulses.at(frame.pulses.rows(place), t_ms)
        active += frame.detail_w.take(place, axis=0) * self._detail.at(t_ms)
        return self._demand(active, frame.recorded_var[place])

    def mean(self, start_ms: IntArray, end_ms: IntArray) -> Demand:
        """Mean demand over intervals (T,), each within one base step and longer than nothing."""
        step = start_ms // STEP_MS
        frame, place = self._frames.of(step)
        middle = (start_ms + end_ms - 2 * step * STEP_MS)[:, None] / (2 * STEP_MS)
        active = frame.first_w.take(place, axis=0) + frame.change_w.take(place, axis=0) * middle
        if self._pulses.count:
            active[:, self._pulses.loads] += self._pulses.mean(frame.pulses.rows(place), start_ms, end_ms)
        # The detail of a whole step is nothing by construction.
        partial = np.flatnonzero(end_ms - start_ms < STEP_MS)
        if partial.size:
            detail = self._detail.mean(start_ms[partial], end_ms[partial])
            active[partial] += frame.detail_w[place[partial]] * detail
        return self._demand(active, frame.recorded_var[place])

    def follow_frequency(
        self, conjugate_va: ComplexArray, frequency: FloatArray, source: IntArray
    ) -> ComplexArray:
        """Powers P - jQ (T, N) at the frequency of the loads' sources: P ~ f^kf.

        Args:
            conjugate_va: (T, N) at nominal frequency.
            frequency: (T, S) relative to nominal.
            source: (N,) source of each load.
        """
        if not self._following.size:
            return conjugate_va
        pick = self._following
        followed = conjugate_va.copy()
        followed.real[:, pick] *= np.exp(np.log(frequency).take(source[pick], axis=1) * self._kf[pick])
        return followed

    def _demand(self, active: FloatArray, recorded_var: FloatArray) -> Demand:
        magnitude = np.abs(active)
        level = magnitude / self.nominal_w
        demand = np.empty((*active.shape, 2))
        demand[..., 0] = active
        np.multiply(magnitude, -self._power_factor.tangent(level), out=demand[..., 1])
        if self._recorded.size:
            demand[:, self._recorded, 1] = -recorded_var
        return Demand(demand.view(np.complex128)[..., 0], level)

    def _build(self, step: IntArray) -> Frame:
        nodes, place = np.unique(np.concatenate([step, step + 1]), return_inverse=True)
        slow = self._slow_w(nodes * STEP_MS)
        first = slow[place[: step.size]]
        change = slow[place[step.size :]] - first
        recorded_var = np.zeros((step.size, self._recorded.size))
        for column, replay in enumerate(self._replays):
            means = replay.means(step)
            first[:, self._recorded[column]] = means[:, 0]
            change[:, self._recorded[column]] = 0.0
            recorded_var[:, column] = means[:, 1]
        pulses = self._pulses.of_steps(step, self._profile_of_scaled)
        textured = np.abs(first + 0.5 * change)
        if self._pulses.count:
            textured[:, self._pulses.loads] += np.abs(self._pulses.plateau(pulses, step))
        return Frame(step, first, change, recorded_var, pulses, textured * self._fluctuation)

    def _profile_of_scaled(self, t_ms: IntArray) -> FloatArray:
        return self._daily.each(self._profile[self._pulses.scaled_loads], self._time.moment(t_ms))

    def _slow_w(self, t_ms: IntArray) -> FloatArray:
        """Profile, day, weather and slow noise at instants (n,): (n, N)."""
        moment = self._time.moment(t_ms)
        slow = self._base_w + self._swing_w * self._daily.at(moment)[:, self._profile]
        days, place = np.unique(moment.day, return_inverse=True)
        drawn = as_normal(bits(self._day, days[:, None]))
        slow *= np.exp(self._day_sigma * drawn + self._day_shift)[place]
        weather = sum(weight * process.at(t_ms) for weight, process in self._weather)
        # No shipped class is noisy enough to reach these limits; a class of one's own must not change sign.
        slow *= np.maximum(1 + self._weather_share * weather, 0)
        slow *= np.maximum(1 + self._sigma * self._slow.at(t_ms), 0)
        return slow
