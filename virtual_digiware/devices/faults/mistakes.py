"""Settings that somebody has got wrong: what stands in a unit's registers instead of what was written."""

from __future__ import annotations

from collections.abc import Sequence

from virtual_digiware.devices.connections import SENSOR_COUNTS, Slot
from virtual_digiware.devices.faults.book import Fault
from virtual_digiware.devices.setting_codes import NETWORK_CODES, WIRING_CODES
from virtual_digiware.devices.settings import Key


def mistaken_settings(slots: Sequence[Slot], faults: Sequence[Fault]) -> dict[Key, int]:
    """Wrong settings of one unit by block, slot and point; of two mistakes the later one stands.

    `slots` are those of the unit as planned, `faults` its active faults.
    """
    mistaken: dict[Key, int] = {}
    for fault in faults:
        network = fault.parameters.get("network")
        if fault.effect == "wrong_network":
            mistaken["electrical_network", 0, "network_type"] = NETWORK_CODES[network]  # type: ignore[index]
        elif fault.effect == "wrong_load_wiring":
            for slot in slots:
                if fault.parameters.get("circuit") in (None, slot.circuit):
                    counts = SENSOR_COUNTS[network]  # type: ignore[index]
                    fitting = [count for count in counts if count <= len(slot.inputs)]
                    code = WIRING_CODES[network, max(fitting, default=counts[0])]  # type: ignore[index]
                    mistaken["load_settings", slot.slot, "wiring"] = code
    return mistaken
