"""Digital and analogue inputs of IO modules over many times at once, as `io_modules.py` has them at one."""

from __future__ import annotations

import numpy as np

from virtual_digiware.devices.alarms.event_edges import EventEdges
from virtual_digiware.devices.alarms.plan import Analogue, Contact
from virtual_digiware.devices.extremes import BoolArray
from virtual_digiware.devices.io_drives import (
    HIGH_MA,
    LOW_MA,
    Breaker,
    Constant,
    Level,
    Output,
    Pulse,
    Room,
    Sine,
    Square,
)
from virtual_digiware.devices.points import FloatArray, IntArray

_LEAST_MA, _MOST_MA = 3.8, 20.5


def contact_states(contact: Contact, t_ms: IntArray, edges: EventEdges) -> BoolArray:
    """Whether an input is active (T,).

    Pulses of a meter are counted, not watched: never active. Nor is a wire from an output of another module,
    which clients switch while history is computed apart from them.
    """
    drive = contact.drive
    if isinstance(drive, Pulse | Output):
        return np.zeros(len(t_ms), np.bool_)
    if isinstance(drive, Level):
        closed = np.full(len(t_ms), drive.is_on)
    elif isinstance(drive, Breaker):
        closed = ~edges.is_open(t_ms, [drive.circuit])[:, 0]
    elif isinstance(drive, Square):
        closed = t_ms % drive.period_ms < drive.duty * drive.period_ms
    else:
        closed = drive.states(t_ms)
    active: BoolArray = closed != contact.is_inverted
    return active


def analogue_values(analogue: Analogue, t_ms: IntArray, circuits: FloatArray) -> FloatArray:
    """What an input shows (T,) in its configured unit; `circuits` is CIRCUIT_INSTANTANEOUS (P, T, N)."""
    drive = analogue.drive
    if isinstance(drive, Constant):
        quantity = np.full(len(t_ms), drive.value)
    elif isinstance(drive, Sine | Room):
        quantity = np.array([drive.at(one) for one in t_ms.tolist()])
    else:
        assert analogue.circuit is not None  # as planned
        place, row = analogue.circuit
        quantity = circuits[row, :, place]
    share = (quantity - drive.low) / (drive.high - drive.low)
    # 3.8 to 20.5 mA as in `io_drives.signal_ma`; NaN stays NaN.
    current_ma = np.clip(LOW_MA + (HIGH_MA - LOW_MA) * share, _LEAST_MA, _MOST_MA)
    (first_ma, first), (second_ma, second) = analogue.scale
    shown: FloatArray = first + (current_ma - first_ma) * (second - first) / (second_ma - first_ma)
    return shown
