"""Energy counters of metered circuits: whole millijoules by sign and quadrant, and how registers show them.

Which step has which energy is not decided here (see `history.py`); neither is any register address.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from virtual_digiware.devices.points import FloatArray, IntArray

COUNTERS: tuple[str, ...] = (
    "active_import",
    "active_export",
    "reactive_1",
    "reactive_2",
    "reactive_3",
    "reactive_4",
    "apparent",
)
"""What is stored. The reactive counters are those of the four quadrants of the P-Q plane (IEC 61557-12):
1 import and inductive (lag), 2 export and capacitive (lead), 3 export and inductive (lag), 4 import and
capacitive (lead). All other reactive registers are sums of them."""

SHOWN: Mapping[str, tuple[str, ...]] = {
    "active_energy_import": ("active_import",),
    "active_energy_export": ("active_export",),
    "reactive_energy_import": ("reactive_1", "reactive_2"),
    "reactive_energy_export": ("reactive_3", "reactive_4"),
    "apparent_energy": ("apparent",),
    "reactive_energy_import_lagging": ("reactive_1",),
    "reactive_energy_import_leading": ("reactive_2",),
    "reactive_energy_export_lagging": ("reactive_3",),
    "reactive_energy_export_leading": ("reactive_4",),
}
"""Energy points and the counters they add up. Er+ and Er- go by the sign of Q alone."""

PARTIAL: tuple[str, ...] = tuple(SHOWN)[:5]
"""Points that also exist as partial and previous partial counters."""

MJ_PER_KILO = 3_600_000_000
"""Millijoule in one kWh (mvarms in one kvarh, mVAms in one kVAh)."""
MJ_PER_TENTH = 360_000
"""Millijoule in 0.1 Wh, the step of a residual register."""


def whole_mj(power_w: FloatArray, duration_ms: IntArray) -> IntArray:
    """Energy of steps in whole millijoule; nothing (NaN) counts as nothing.

    `power_w` (T, N) in W, var or VA; `duration_ms` (T,).
    """
    energy = np.rint(np.where(np.isnan(power_w), 0.0, power_w) * duration_ms[:, None])
    return energy.astype(np.int64)


def split(active_mj: IntArray, reactive_mj: IntArray, apparent_mj: IntArray) -> IntArray:
    """Sort the net energies of steps into counters, shape (len(COUNTERS), T, N), none negative.

    The arguments are (T, N): phases already summed, so a circuit with single-phase generation is
    booked net (physics: three-phase default is net).
    """
    exports, capacitive = active_mj < 0, reactive_mj < 0
    magnitude = np.abs(reactive_mj)
    return np.stack(
        [
            np.maximum(active_mj, 0),
            np.maximum(-active_mj, 0),
            np.where(~exports & ~capacitive, magnitude, 0),
            np.where(exports & ~capacitive, magnitude, 0),
            np.where(exports & capacitive, magnitude, 0),
            np.where(~exports & capacitive, magnitude, 0),
            np.maximum(apparent_mj, 0),
        ]
    )


def within(part_mj: IntArray, whole_mj: IntArray) -> IntArray:
    """What the counters show of the first part of a step, so that none falls back when the step is booked.

    Power that turns round inside the step is booked net, so no counter shows more than the whole step gives
    it; and apparent energy is that of the active and reactive energy shown, for while they wait for the turn
    to make itself felt, the magnitude of the net power first falls and then rises again.

    Both arguments and the result are (len(COUNTERS), ...) in mJ.
    """
    shown_mj = np.minimum(part_mj, whole_mj)
    active, reactive = shown_mj[:2].sum(axis=0), shown_mj[2:6].sum(axis=0)
    apparent = np.floor(np.hypot(active, reactive)).astype(np.int64)
    shown_mj[6] = np.minimum(shown_mj[6], apparent)
    return shown_mj


def shown(counters_mj: IntArray) -> dict[str, IntArray]:
    """Energy points in millijoule from counters of shape (len(COUNTERS), N)."""
    row = {name: counters_mj[i] for i, name in enumerate(COUNTERS)}
    return {
        point: np.sum([row[counter] for counter in counters], axis=0) for point, counters in SHOWN.items()
    }


def register_columns(point: str, energy_mj: IntArray) -> dict[str, FloatArray]:
    """The two values a meter shows of one energy: floored whole kilo-units and the residual.

    `<point>` in kWh (kvarh, kVAh), whole numbers; `<point>_residual` in Wh (varh, VAh), 0.0 to 999.9.
    """
    return {
        point: (energy_mj // MJ_PER_KILO).astype(np.float64),
        f"{point}_residual": (energy_mj % MJ_PER_KILO // MJ_PER_TENTH) / 10.0,
    }
