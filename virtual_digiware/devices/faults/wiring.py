"""What an electrician can get wrong: sensors and voltage taps as they are really connected.

Source of the effects: the model's own physics; a fault replaces what is (`encloses`, `ratio`, `conductors`),
never what the module believes, so every register follows by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from virtual_digiware.devices.connections import CurrentInput, Slot, Tap
from virtual_digiware.devices.faults.book import Fault
from virtual_digiware.profiles.installation import PHASES


def miswired_slots(
    slots: Sequence[Slot], faults: Sequence[Fault], taps: Sequence[Tap] = ()
) -> tuple[Slot, ...]:
    """Slots with all wiring faults of current sensors applied, in the order of the faults.

    A fault's target is a unit; its parameter `circuit` narrows it to one circuit of that unit. One whose
    target is a voltage module concerns every slot that takes its voltage from that module's tap.
    """
    result = list(slots)
    for fault in faults:
        change = SENSOR_EFFECTS.get(fault.effect)
        if change is None and fault.effect != "sensor_saturated":
            continue
        circuit = fault.parameters.get("circuit")
        fed = [index for index, tap in enumerate(taps) if tap.unit == fault.target]
        for i, slot in enumerate(result):
            if (slot.unit == fault.target or slot.tap in fed) and circuit in (None, slot.circuit):
                if change is None:
                    result[i] = replace(slot, saturates_at=float(fault.parameters["at"]))
                else:
                    result[i] = replace(slot, inputs=change(slot.inputs, fault.parameters))
    return tuple(result)


def miswired_taps(taps: Sequence[Tap], faults: Sequence[Fault]) -> tuple[Tap, ...]:
    """Voltage taps with all faults of their wires applied."""
    result = list(taps)
    for fault in faults:
        change = TAP_EFFECTS.get(fault.effect)
        if change is not None:
            result = [change(tap, fault.parameters) if tap.unit == fault.target else tap for tap in result]
    return tuple(result)


def _scaled(inputs: Sequence[CurrentInput], parameters: Mapping[str, Any]) -> tuple[CurrentInput, ...]:
    """`sensors` (from 1; none: all) give `factor` times what they should; -1 is one put on backwards."""
    chosen, factor = parameters.get("sensors"), float(parameters["factor"])
    return tuple(
        replace(one, ratio=one.ratio * factor) if chosen is None or number in chosen else one
        for number, one in enumerate(inputs, start=1)
    )


def _open(inputs: Sequence[CurrentInput], parameters: Mapping[str, Any]) -> tuple[CurrentInput, ...]:
    """`sensors` are missing or their wires are open."""
    chosen = parameters.get("sensors")
    return tuple(
        replace(one, encloses=None) if chosen is None or number in chosen else one
        for number, one in enumerate(inputs, start=1)
    )


def _permuted(inputs: Sequence[CurrentInput], parameters: Mapping[str, Any]) -> tuple[CurrentInput, ...]:
    """Sensor k sits where sensor `order[k]` should; sensors beyond the list stay."""
    order = [int(one) - 1 for one in parameters["order"] if int(one) <= len(inputs)]
    places = [*order, *range(len(order), len(inputs))]
    if sorted(places) != list(range(len(inputs))):
        return tuple(inputs)
    return tuple(replace(inputs[k], encloses=inputs[place].encloses) for k, place in enumerate(places))


def _taps_permuted(tap: Tap, parameters: Mapping[str, Any]) -> Tap:
    """Input Vk taps the conductor of `order[k]`."""
    first, second, third = (tap.conductors[int(one) - 1] for one in parameters["order"])
    return replace(tap, conductors=(first, second, third))


def _taps_open(tap: Tap, parameters: Mapping[str, Any]) -> Tap:
    """The fuses of `phases` are blown: their inputs read 0 V."""
    phases = parameters["phases"]
    first, second, third = (
        None if phase in phases else conductor
        for phase, conductor in zip(PHASES, tap.conductors, strict=True)
    )
    return replace(tap, conductors=(first, second, third))


SensorChange = Callable[[Sequence[CurrentInput], Mapping[str, Any]], tuple[CurrentInput, ...]]
SENSOR_EFFECTS: Mapping[str, SensorChange] = {
    "sensor_scaled": _scaled,
    "sensor_open": _open,
    "sensor_permuted": _permuted,
    "phases_permuted": _permuted,
}
TAP_EFFECTS: Mapping[str, Callable[[Tap, Mapping[str, Any]], Tap]] = {
    "voltage_permuted": _taps_permuted,
    "voltage_open": _taps_open,
    "phases_permuted": _taps_permuted,
}
"""`phases_permuted` changes the taps of a voltage module and the sensors of its whole bus alike."""
