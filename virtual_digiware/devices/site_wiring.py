"""What settings and presence of the units make of the planned connections: descriptions of slots and taps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from virtual_digiware.devices.connections import Conductor, CurrentInput, Slot, Tap
from virtual_digiware.devices.layout import NetworkType, SiteLayout
from virtual_digiware.devices.setting_codes import NETWORK_CODES, PHASE_CODES, WIRING_CODES
from virtual_digiware.devices.settings import Settings

_PHASE_OF_CODE: Mapping[int, Conductor] = {code: phase for phase, code in PHASE_CODES.items()}
_NETWORK_OF_CODE: Mapping[int, NetworkType] = {code: network for network, code in NETWORK_CODES.items()}
_WIRING_OF_CODE: Mapping[int, tuple[NetworkType, int]] = {
    code: wiring for wiring, code in WIRING_CODES.items()
}
_UNDEFINED = 0
_NEGATIVE = 1


class Member(Protocol):
    """What is asked of a unit here."""

    @property
    def is_present(self) -> bool: ...

    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True, slots=True)
class Connected:
    """Slots and taps as they measure now, and which voltage modules answer."""

    slots: tuple[Slot, ...]
    taps: tuple[Tap, ...]
    live_slots: tuple[bool, ...]
    """Whether each slot's voltage module answers; False without one."""
    live_taps: tuple[bool, ...]


def module_inputs(layout: SiteLayout) -> tuple[tuple[int, ...], ...]:
    """Module inputs (from 1) of the sensors of every slot, in the order of `connections.connect`."""
    modules = [module for gateway in layout.gateways for module in gateway.modules]
    modules += [meter.module for meter in layout.meters]
    return tuple(allocation.inputs for module in modules for allocation in module.allocations)


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
        taps=tuple(_described(tap, units[tap.unit].settings) for tap in taps),
        live_slots=tuple(slot.tap is not None and live_taps[slot.tap] for slot in planned),
        live_taps=live_taps,
    )


def _described(tap: Tap, settings: Settings) -> Tap:
    """A voltage module as its network description says; what is not defined stays as planned."""
    code = settings.number("electrical_network", 0, "network_type")
    network = tap.network if code is None else _NETWORK_OF_CODE.get(code, tap.network)
    ratio = _transformer_ratio(settings)
    first, second, third = (ratio * one for one in tap.ratios)
    return replace(tap, network=network, ratios=(first, second, third))


def _transformer_ratio(settings: Settings) -> float:
    """By which the module multiplies what it sees; 1 without voltage transformers, or with half a ratio."""
    used, primary, secondary = (
        settings.number("electrical_network", 0, f"voltage_transformer_{name}") or 0
        for name in ("used", "primary", "secondary")
    )
    return primary / secondary if used and primary and secondary else 1.0


def _configured(slot: Slot, numbers: Sequence[int], unit: Member) -> Slot:
    """A slot as its module is set: what is wired stays, what the module believes follows the settings."""
    settings = unit.settings
    enabled = settings.number("load_settings", slot.slot, "enabled")
    nominal = settings.number("load_settings", slot.slot, "current_nominal")
    # The register counts whole amperes; until somebody writes it, the sensor's exact rating holds.
    is_rewritten = nominal is not None and nominal != round(slot.nominal_a)
    code = settings.number("load_settings", slot.slot, "wiring")
    inputs = tuple(
        _believed(given, settings, number) for given, number in zip(slot.inputs, numbers, strict=True)
    )
    network = slot.network
    if code is not None and code in _WIRING_OF_CODE:
        network, count = _WIRING_OF_CODE[code]
        inputs = _fitted(inputs, count)
    return replace(
        slot,
        network=network,
        inputs=inputs,
        nominal_a=float(nominal) if is_rewritten and nominal is not None else slot.nominal_a,
        # A load whose wiring is not defined cannot be measured.
        is_enabled=slot.is_enabled and enabled != 0 and code != _UNDEFINED and unit.is_present,
    )


def _believed(given: CurrentInput, settings: Settings, number: int) -> CurrentInput:
    direction = settings.number("current_sensors", 0, f"sensor_{number}_direction")
    phase = settings.number("current_sensors", 0, f"sensor_{number}_phase")
    if direction is None or phase is None:
        return given
    return replace(given, direction=-1 if direction == _NEGATIVE else 1, phase=_PHASE_OF_CODE.get(phase))


def _fitted(inputs: tuple[CurrentInput, ...], count: int) -> tuple[CurrentInput, ...]:
    """As many inputs as a wiring has sensors: first those of phases; one that nobody connected reads 0 A."""
    if len(inputs) == count:
        return inputs
    chosen = sorted(inputs, key=lambda given: given.phase == "N")[:count]
    conductors: tuple[Conductor, ...] = ("L1", "L2", "L3", "N")
    free = [conductor for conductor in conductors if conductor not in {given.phase for given in chosen}]
    missing = [CurrentInput(encloses=None, phase=conductor) for conductor in free[: count - len(chosen)]]
    return (*chosen, *missing)
