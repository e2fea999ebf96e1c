"""What the history of metered circuits consists of, in pieces that never change: steps, records, moments."""

from __future__ import annotations

from dataclasses import dataclass

from virtual_digiware.devices.alarms.events import SiteAlarms
from virtual_digiware.devices.alarms.watch import Watch
from virtual_digiware.devices.demand import DemandBlock, Points
from virtual_digiware.devices.extremes import Extremes
from virtual_digiware.devices.heating import Heating
from virtual_digiware.devices.metering import Reading
from virtual_digiware.devices.partial_counters import PartialCounters
from virtual_digiware.devices.points import IntArray


@dataclass(frozen=True)
class Step:
    """T steps between `edges`: what the counters gain (counters, T, N), and the points' means or None."""

    edges: IntArray
    gained_mj: IntArray
    points: Points | None


@dataclass(frozen=True)
class Records:
    """Extremes of instantaneous values, and the alarms."""

    circuits: Extremes
    quality: Extremes
    network_quality: Extremes
    watch: Watch


@dataclass(frozen=True)
class Present:
    """The running refresh slot: what was measured at its start, and the extremes with it counted in.

    `reading` is what modules show; `plain` the same from phasors, which alone goes into history (`kept`).
    `shown` counts both.
    """

    slot_ms: int
    plain: Reading
    reading: Reading
    kept: Records
    shown: Records


@dataclass(frozen=True)
class Moment:
    """Everything the history has to say at one time; nothing in it changes afterwards."""

    time_ms: int
    present: Present
    counters_mj: IntArray
    """(counters, N)"""
    partial: PartialCounters
    average: DemandBlock
    """The last complete block; before the first complete one, the running block."""
    average_extremes: Extremes
    heating: Heating
    curve: tuple[DemandBlock, ...]
    curve_since_ms: IntArray
    """(N,) points of the curve that ended before are forgotten."""
    running_gain_mj: IntArray
    """(counters, N) what the counters have gained in the running block so far."""
    running_start_ms: int
    running_end_ms: int
    alarms: SiteAlarms
