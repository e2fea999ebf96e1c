"""Units that do not answer because of a fault."""

from __future__ import annotations

from collections.abc import Sequence

from virtual_digiware.devices.faults.book import Fault


def dead_units(faults: Sequence[Fault]) -> frozenset[str]:
    """Paths of the units that are dead. Dead is not unplugged: a unit plugged in again may still be dead."""
    return frozenset(fault.target for fault in faults if fault.effect == "unit_dead")
