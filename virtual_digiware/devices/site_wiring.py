"""What settings and presence of the units make of the planned connections: descriptions of slots and taps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from virtual_digiware.devices.connections import Conductor, CurrentInput, Slot, Tap
from virtual_digiware.devices.layout import SiteLayout
from virtual_digiware.devices.settings import Settings

_PHASE_OF_CODE: Mapping[int, Conductor] = {0: "L1", 1: "L2", 2: "L3", 3: "N"}
"""Sensor phases; 5 is undefined. Source: MODBUS tables of DIRIS B30, V 153.745."""
_NEGATIVE = 1


class Member(Protocol):
    """What is asked of a unit here."""

    @property
    def is_present(self) -> bool: ...

    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True, slots=True)
class Connected:
    """Slots as they measure now, and which voltage modules answer."""

    slots: tuple[Slot, ...]
    live_slots: tuple[bool, ...]
    """Whether each slot's voltage module answers; False without one."""
    live_taps: tuple[bool, ...]


def module_inputs(layout: SiteLayout) -> tuple[tuple[int, ...], ...]:
    """Module inputs (from 1) of the sensors of every slot, in the order of `connections.connect`."""
    return tuple(
        allocation.inputs
        for gateway in layout.gateways
        for module in gateway.modules
        for allocation in module.allocations
    )


def connected(
    planned: Sequence[Slot],
    taps: Sequence[Tap],
    inputs: Sequence[tuple[int, ...]],
    units: Mapping[str, Member],
) -> Connected:
    """The planned connections under the units' present settings.

    A module that is not there measures nothing; without a live voltage module there are currents only.
    """
    live_taps = tuple(units[tap.unit].is_present for tap in taps)
    return Connected(
        slots=tuple(
            _configured(slot, numbers, units[slot.unit])
            for slot, numbers in zip(planned, inputs, strict=True)
        ),
        live_slots=tuple(slot.tap is not None and live_taps[slot.tap] for slot in planned),
        live_taps=live_taps,
    )


def _configured(slot: Slot, numbers: Sequence[int], unit: Member) -> Slot:
    """A slot as its module is set: what is wired stays, what the module believes follows the settings."""
    settings = unit.settings
    enabled = settings.number("load_settings", slot.slot, "enabled")
    nominal = settings.number("load_settings", slot.slot, "current_nominal")
    # The register counts whole amperes; until somebody writes it, the sensor's exact rating holds.
    is_rewritten = nominal is not None and nominal != round(slot.nominal_a)
    return replace(
        slot,
        inputs=tuple(
            _believed(given, settings, number) for given, number in zip(slot.inputs, numbers, strict=True)
        ),
        nominal_a=float(nominal) if is_rewritten and nominal is not None else slot.nominal_a,
        is_enabled=slot.is_enabled and enabled != 0 and unit.is_present,
    )


def _believed(given: CurrentInput, settings: Settings, number: int) -> CurrentInput:
    direction = settings.number("current_sensors", 0, f"sensor_{number}_direction")
    phase = settings.number("current_sensors", 0, f"sensor_{number}_phase")
    if direction is None or phase is None:
        return given
    return replace(given, direction=-1 if direction == _NEGATIVE else 1, phase=_PHASE_OF_CODE.get(phase))
