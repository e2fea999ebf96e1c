"""What faults do to single units: power, address, identity, settings and clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from virtual_digiware.devices.connections import Slot
from virtual_digiware.devices.faults.book import Fault, Turn
from virtual_digiware.devices.faults.mistakes import mistaken_settings
from virtual_digiware.devices.faults.presence import dead_units
from virtual_digiware.devices.unit import Unit


def befall(
    units: Mapping[str, Unit], planned: Sequence[Slot], active: Sequence[Fault], turns: Sequence[Turn]
) -> None:
    """Make the units as the active faults have them, after some faults began or ended.

    `planned` are all slots of the site.
    """
    t_ms = turns[-1].time_ms
    dead = dead_units(active)
    addresses = _addresses(units, active)
    for turn in turns:
        _turn(units, turn)
    for path, unit in units.items():
        own = [fault for fault in active if fault.target == path]
        unit.is_dead = path in dead
        unit.note_presence(t_ms)
        unit.other_address = addresses.get(path)
        unit.settings.mistaken = mistaken_settings([planned[place] for place in unit.slots], own)
        unit.mistaken_identity = {
            name: value
            for fault in own
            if fault.effect == "other_identity"
            for name, value in fault.parameters.items()
        }
        if unit.sensor is not None:
            weak = [fault for fault in own if fault.effect == "battery_low"]
            unit.sensor.weakened = [(one.start_ms, float(one.parameters["percent"])) for one in weak]
        if unit.dc is not None:
            unit.dc.take_faults(own, t_ms)


def _turn(units: Mapping[str, Unit], turn: Turn) -> None:
    """What happens at the moment only: clocks jump, and who loses power forgets what was not saved."""
    fault, unit = turn.fault, units.get(turn.fault.target)
    if unit is None:
        return
    if fault.effect == "clock_jump":
        shift_ms = round(float(fault.parameters["shift_s"]) * 1000) if turn.begins else None
        unit.state.jump(fault.number, shift_ms)
    elif fault.effect == "unit_rebooting" and turn.begins:
        unit.state.restart()


def _addresses(units: Mapping[str, Unit], active: Sequence[Fault]) -> dict[str, int | None]:
    """Addresses that faults give to units, by path."""
    given: dict[str, int | None] = {}
    for fault in active:
        if fault.effect == "address_taken":
            given[fault.target] = int(fault.parameters["address"])
        elif fault.effect == "addresses_swapped":
            one, other = fault.target, str(fault.parameters["partner"])
            given[one], given[other] = units[other].state.address, units[one].state.address
    return given
