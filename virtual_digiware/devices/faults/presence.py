"""Units that do not answer because of a fault."""

from __future__ import annotations

from collections.abc import Sequence

from virtual_digiware.devices.faults.book import Fault

SILENCING = ("unit_dead", "unit_rebooting")
SILENCING_OTHERS = ("cable_cut", "supply_weak", "repeater_dead")
"""Effects that silence the `units` of their parameters, by path: those that were behind it when it began."""


def dead_units(faults: Sequence[Fault]) -> frozenset[str]:
    """Paths of the units that are dead. Dead is not unplugged: a unit plugged in again may still be dead."""
    dead = {fault.target for fault in faults if fault.effect in SILENCING}
    for fault in faults:
        if fault.effect in SILENCING_OTHERS:
            dead.update(fault.parameters["units"])
    return frozenset(dead)
