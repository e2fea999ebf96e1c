"""What the command registers of a unit ask for, in the words of the history: which points, of which slot.

Masks whose bits the tables only give in pairs (P 0x0030, Q 0x00C0) clear on either bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from virtual_digiware.devices.energies import PARTIAL
from virtual_digiware.devices.partial_counters import HOURS

SAVE, REBOOT, FACTORY_SETTINGS = 0xA1, 0xB2, 0xE5
UNLOCK_CODE = 1000
ADDRESS_AFTER_RESET = 15
"""Address a gateway takes by its addressing command. Source: CVE-2025-54849 on DIRIS Digiware M-70 1.6.9."""
LED_MS = 10_000
"""How long the ON LED stays lit. Source: DIRIS Digiware manual 542875H, page 119."""
CLEAR_LOAD_CURVES = 8
REWIND = 1
"""Of the compact EN 50160 log; any other value goes on. Source: MODBUS tables of DIRIS B30, V 153.745."""

_ROWS = ("l1", "l2", "l3")
_VOLTAGES = ("voltage_l1_n", "voltage_l2_n", "voltage_l3_n", "voltage_n_pe")
_LINE_VOLTAGES = ("voltage_l1_l2", "voltage_l2_l3", "voltage_l3_l1")
_CURRENTS = (*(f"current_{row}" for row in _ROWS), "current_n")
_UNBALANCES = ("current_amplitude_unbalance", "current_unbalance")


def _powers(quantity: str) -> tuple[str, ...]:
    return (f"{quantity}_total", *(f"{quantity}_{row}" for row in _ROWS))


AVERAGE_MASK: Mapping[int, tuple[str, ...]] = {
    0x0001: _VOLTAGES,
    0x0002: _LINE_VOLTAGES,
    0x0004: _CURRENTS,
    0x0008: ("frequency",),
    0x0030: _powers("active_power"),
    0x00C0: _powers("reactive_power"),
    0x0100: _powers("apparent_power"),
    0x0200: _powers("power_factor"),
}
"""Bits of the reset mask of averaged extremes. Source: MODBUS tables of DIRIS B30, V 153.745."""
INSTANTANEOUS_MASK: Mapping[int, tuple[str, ...]] = {
    **AVERAGE_MASK,
    # The table names no bit for the unbalances; they go with the currents they are made of.
    0x0004: (*_CURRENTS, *_UNBALANCES),
    0x0200: (*_powers("power_factor"), *(f"displacement_angle_{row}" for row in (*_ROWS, "n"))),
    0x1000: (*(f"thd_current_{row}" for row in (*_ROWS, "n")), "thd_current_system"),
    0x8000: tuple(f"crest_factor_current_{row}" for row in (*_ROWS, "n")),
}
NETWORK_MASK: Mapping[int, tuple[str, ...]] = {
    0x0001: ("voltage_ln_unbalance", "voltage_ln_amplitude_unbalance"),
    0x0002: ("voltage_ll_unbalance", "voltage_ll_amplitude_unbalance"),
    0x0400: (*(f"thd_{name}" for name in _VOLTAGES[:3]), "thd_voltage_ln_system"),
    0x0800: (*(f"thd_{name}" for name in _LINE_VOLTAGES), "thd_voltage_ll_system"),
    0x2000: tuple(f"crest_factor_{name}" for name in _VOLTAGES[:3]),
    0x4000: tuple(f"crest_factor_{name}" for name in _LINE_VOLTAGES),
}
PARTIAL_MASK: Mapping[int, tuple[str, ...]] = {
    1 << bit: (point,) for bit, point in enumerate((HOURS, *PARTIAL))
}
"""The table gives only 0x003F, all; that the six bits follow the order of the six counters is a guess."""


def points_of(mask: int, meaning: Mapping[int, tuple[str, ...]]) -> frozenset[str]:
    """Points that a reset mask names."""
    return frozenset(point for bits, points in meaning.items() if mask & bits for point in points)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a write set off beyond the registers of its unit; `slot` counts the unit's own."""

    kind: Literal[
        "remeasure",
        "partial",
        "extremes",
        "average_extremes",
        "network_extremes",
        "curves",
        "pulses",
        "acknowledge",
        "order",
    ]
    slot: int = 0
    points: frozenset[str] = frozenset()
    mask: int = 0
    """Bits of a command, or the id of an alarm."""
    order: str = ""
    """What a transfer controller is told."""
