"""What the registers of a transfer controller show, and what is meant by what is written to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from virtual_digiware.devices.transfer_switch.controller import TransferState
from virtual_digiware.devices.transfer_switch.settings import TIMERS, TransferSettings
from virtual_digiware.devices.transfer_switch.switchgear import GearCourse
from virtual_digiware.profiles.truth import Truth

MODES = {"manual": 0, "automatic": 0x10, "remote": 0x20, "inhibited": 0x40}
SOURCE_STATES = {"lost": 0, "present": 1, "available": 2}
TESTS = {"none": 0, "off_load": 1, "on_load": 4}
"""Codes of ATyS p M. Source: its MODBUS tables, communication table 2021-09, status."""
FAULTS = {"start_failure": 1, "too_many_operations": 2}
ORDER_CODES: Mapping[int, str] = {
    1: "automatic",
    2: "manual",
    3: "remote",
    4: "inhibit",
    5: "test_on_load",
    6: "test_off_load",
    7: "end_test",
    8: "confirm_return",
    9: "reset_faults",
    10: "start_generator",
    11: "stop_generator",
}
"""Of the simulator's own order register."""
_POSITION_BITS = {1: "test_on_load", 2: "test_off_load", 4: "position_1", 8: "position_0", 16: "position_2"}
"""Source: ATyS 3e / 6e / 6s manual 531848, communication module."""


@dataclass(frozen=True, slots=True)
class TransferShown:
    """One controller at one time."""

    state: TransferState
    settings: TransferSettings
    run_ms: int
    load_ms: int


def transfers_at(truth: Truth, t_ms: int) -> Mapping[str, TransferShown]:
    """What each controller of the site shows at an instant, by the name of its switch."""
    course = truth.course
    if not isinstance(course, GearCourse):
        return {}
    return {
        settings.name: TransferShown(
            course.of(settings.name, t_ms),
            settings,
            sum(
                max(0, min(t_ms, run.stopped_ms or t_ms) - run.ordered_ms)
                for source, is_genset in zip(settings.sources, settings.is_genset, strict=True)
                if is_genset
                for run in course.runs.get(source, ())
            ),
            course.on_load_ms(settings, t_ms),
        )
        for settings in course.settings
    }


def transfer_values(shown: TransferShown, t_ms: int) -> Mapping[str, int]:
    """Register values of the tables of a controller, by point."""
    state, settings = shown.state, shown.settings
    values = {
        "network_voltage_class": 2,
        "mode": MODES[state.mode],
        "position": state.position + 1,
        "generator_start_1": int(state.starts[0]),
        "generator_start_2": int(state.starts[1]),
        "priority": settings.priority,
        "source_1_state": SOURCE_STATES[state.sources[0]],
        "source_2_state": SOURCE_STATES[state.sources[1]],
        "test_mask": TESTS[state.test],
        "cycle_count": state.cycles & 0xFFFF,
        "fault_mask": sum(bit for name, bit in FAULTS.items() if name in state.faults),
        "waits_for_confirmation": int(state.waits_for_confirmation),
        "operations": state.operations,
        "cycles": state.cycles,
        "generator_run_time": shown.run_ms // 1000,
        "generator_load_time": shown.load_ms // 1000,
    }
    running = {_SHOWN_AS.get(name, name): end_ms for name, end_ms in state.timers.items()}
    for name in TIMERS:
        left_ms = max(0, running.get(name, t_ms) - t_ms)
        values[f"remaining_{name.lower()}"] = -(-left_ms // 1000)
        values[f"setting_{name.lower()}"] = settings.timer_ms(name) // 1000
    return values


def position_orders(mask: int) -> list[str]:
    """What a write to the order word of the relatives asks for; without a test bit, a test ends."""
    orders = [order for bit, order in _POSITION_BITS.items() if mask & bit]
    return orders if mask & 3 else ["end_test", *orders]


_SHOWN_AS = {"dead_band": "0DT", "1ST": "2ST", "1CT": "2CT"}
"""Timers of the sequence that carry another name in the menus."""
