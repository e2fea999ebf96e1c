"""How a generating set runs: cranking, run-up with overshoot, excitation, droop, dips on steps of load.

Everything is a function of the orders to start and stop and of the load; the set remembers nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from virtual_digiware.profiles.installation import Genset
from virtual_digiware.profiles.noise import normal, uniform
from virtual_digiware.profiles.solution import FloatArray, IntArray

CRANKING_SPEED = 0.15
EXCITED_SPEED = 0.85
"""Voltage builds up above it."""
FULL_VOLTAGE_SPEED = 0.95
COASTING_MS = 3000.0
"""Time constant of a set that has been stopped."""
JITTER = 0.0005
_JITTER_LEAF_MS = 1000
_GOVERNOR_MS, _ENGINE_MS, _REGULATOR_MS = 1500.0, 300.0, 400.0
_START_STREAM, _JITTER_STREAM = 60, 61
_SEARCHED_MS = 60_000
REMEMBERED_MS = 12_000
"""A step of load is felt no longer than this."""


@dataclass(frozen=True, slots=True)
class Run:
    """One order to start, given at `ordered_ms` and withdrawn at `stopped_ms` (None: not yet).

    `fails`: the set cranks, but its engine does not fire.
    """

    ordered_ms: int
    stopped_ms: int | None = None
    fails: bool = False


@dataclass(frozen=True, slots=True)
class LoadStep:
    """A load, in parts of the rating, that was switched on (or off: negative) at `time_ms`."""

    time_ms: int
    step: float


@dataclass(frozen=True, slots=True)
class _Start:
    crank_ms: float
    rise_ms: float
    overshoot: float
    peak_ms: float
    """From nominal speed to the highest."""


@lru_cache(maxsize=256)
def _start_of(genset: Genset, key: int, ordered_ms: int) -> _Start:
    drawn = uniform(key, _START_STREAM, np.array([3 * ordered_ms, 3 * ordered_ms + 1, 3 * ordered_ms + 2]))
    crank, rise, overshoot = (
        low + (high - low) * float(share)
        for (low, high), share in zip(
            (genset.crank_ms, genset.run_up_ms, genset.overshoot), drawn.ravel(), strict=True
        )
    )
    # The overshoot goes on as fast as the run-up ended, and peaks at its own height after this time.
    peak_ms = float(np.e) * overshoot * rise / (1 - CRANKING_SPEED)
    return _Start(crank, rise, overshoot, peak_ms)


def _turning(genset: Genset, key: int, run: Run, t_ms: FloatArray) -> FloatArray:
    """Speed of one run as if it were never stopped."""
    start = _start_of(genset, key, run.ordered_ms)
    elapsed = t_ms - run.ordered_ms
    cranking = CRANKING_SPEED * np.clip(elapsed / 300.0, 0.0, 1.0)
    if run.fails:
        return np.where(elapsed < 2 * start.crank_ms, cranking, 0.0)
    share = np.clip((elapsed - start.crank_ms) / start.rise_ms, 0.0, 1.0)
    beyond = np.maximum(elapsed - start.crank_ms - start.rise_ms, 0.0) / start.peak_ms
    running = CRANKING_SPEED + (1 - CRANKING_SPEED) * share + start.overshoot * beyond * np.exp(1 - beyond)
    return np.where(elapsed < start.crank_ms, cranking, running)


def speed(genset: Genset, key: int, runs: Sequence[Run], t_ms: FloatArray) -> FloatArray:
    """Speed relative to nominal, without load, at instants of any shape; `key` is the set's own noise."""
    total = np.zeros(t_ms.shape)
    for run in runs:
        turning = _turning(genset, key, run, t_ms)
        if run.stopped_ms is not None:
            last = _turning(genset, key, run, np.array([float(run.stopped_ms)]))[0]
            coasting = last * np.exp(-np.maximum(t_ms - run.stopped_ms, 0.0) / COASTING_MS)
            turning = np.where(t_ms < run.stopped_ms, turning, coasting)
        total = np.maximum(total, turning)
    return total


def excitation(relative_speed: FloatArray) -> FloatArray:
    """Open-circuit voltage relative to nominal at a speed."""
    return np.clip((relative_speed - EXCITED_SPEED) / (FULL_VOLTAGE_SPEED - EXCITED_SPEED), 0.0, 1.0)


def ready_ms(genset: Genset, key: int, run: Run, least_voltage: float, widest: float) -> int | None:
    """When a run that goes on is inside limits of voltage and of frequency (±`widest`) for good."""
    if run.fails:
        return None
    t_ms = run.ordered_ms + np.arange(0.0, _SEARCHED_MS, 10.0)
    turning = _turning(genset, key, run, t_ms)
    is_outside = (excitation(turning) < least_voltage) | (np.abs(turning - 1) > widest)
    return int(t_ms[np.flatnonzero(is_outside)[-1]]) + 10


def milestones(genset: Genset, key: int, run: Run) -> tuple[int, ...]:
    """Instants of a run between which its voltage moves smoothly: order, build-up, end."""
    start = _start_of(genset, key, run.ordered_ms)
    first = run.ordered_ms + round(start.crank_ms)
    # Voltage builds up from 82 to 94 % of the run-up: watched in pieces, as it is no step.
    build_up = (
        () if run.fails else tuple(first + round(start.rise_ms * share / 20) for share in range(15, 21))
    )
    instants = (run.ordered_ms, first, *build_up)
    if run.stopped_ms is None:
        return instants
    stopped = run.stopped_ms
    return (*(one for one in instants if one < stopped), stopped, *range(stopped + 100, stopped + 800, 100))


@dataclass(frozen=True)
class Output:
    """What a set gives at T instants, or on the mean of T intervals."""

    relative_frequency: FloatArray
    """(T,)"""
    voltage: FloatArray
    """(T,) open-circuit, relative to nominal, at no load and no compensation."""


_NODES = (np.arange(8) + 0.5) / 8


def output(
    genset: Genset,
    key: int,
    runs: Sequence[Run],
    steps: Sequence[LoadStep],
    load: FloatArray,
    start_ms: IntArray,
    end_ms: IntArray,
) -> Output:
    """Frequency and voltage under `load` (T,), in parts of the rating, and after `steps` of it."""
    span = (end_ms - start_ms).astype(np.float64)
    t_ms = start_ms[:, None] + span[:, None] * _NODES
    turning = speed(genset, key, runs, t_ms)
    voltage = excitation(turning)
    frequency = turning * (1 - genset.droop * load[:, None])
    leaf = np.floor(t_ms / _JITTER_LEAF_MS).astype(np.int64)
    share = t_ms / _JITTER_LEAF_MS - leaf
    before, after = normal(key, _JITTER_STREAM, leaf), normal(key, _JITTER_STREAM, leaf + 1)
    frequency *= 1 + JITTER * (before + (after - before) * share)
    for step in steps:
        elapsed = np.clip(t_ms - step.time_ms, 0.0, REMEMBERED_MS)
        is_over = (t_ms < step.time_ms) | (elapsed >= REMEMBERED_MS)
        shape = np.exp(-elapsed / _GOVERNOR_MS) - np.exp(-elapsed / _ENGINE_MS)
        frequency -= np.where(is_over, 0.0, genset.frequency_dip * step.step * shape)
        sag = genset.voltage_dip * step.step * np.exp(-elapsed / _REGULATOR_MS)
        voltage = voltage * np.where(is_over, 1.0, 1 - sag)
    return Output(_middle(np.maximum(frequency, 0.0)), _middle(voltage))


def _middle(values: FloatArray) -> FloatArray:
    """Mean over the 8 nodes (T, 8), exact where they are equal, as those of an instant are."""
    halves = values[:, :4] + values[:, 4:]
    quarters = halves[:, :2] + halves[:, 2:]
    mean: FloatArray = (quarters[:, 0] + quarters[:, 1]) / 8
    return mean


RunsOf = Mapping[str, tuple[Run, ...]]
"""Runs of each generating set, in the order of their times."""
