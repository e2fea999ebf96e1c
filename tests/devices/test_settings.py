"""Writable registers of one unit: what it takes, what it refuses and why, and when a setting takes effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.devices.sites import MINUTE, SECOND, START
from virtual_digiware.devices.block import PlacedBlock, Row
from virtual_digiware.devices.catalogue import product
from virtual_digiware.devices.commands import Action
from virtual_digiware.devices.records import Refusal
from virtual_digiware.devices.register_words import from_words, to_words
from virtual_digiware.devices.unit_state import UnitState

LOCK, SYSTEM, ADDRESS, RS485, CLOCK = 58112, 57856, 57344, 57345, 57600
GATEWAY_ADDRESS, GATEWAY_RESET, SENSORS, LOAD, LOAD_NAME = 29440, 4352, 13568, 13824, 46592
SAVE, REBOOT, FACTORY = 0xA1, 0xB2, 0xE5


def state_of(name: str = "I-35", address: int | None = 5) -> UnitState:
    initial: Mapping[tuple[str, int, str], int | str] = {
        ("modbus_address", 0, "modbus_address"): address or 0,
        ("gateway_slave_address", 0, "modbus_address"): address or 0,
        ("load_name", 0, "load_name"): "Chiller",
    }
    return UnitState(product(name), initial, address, START, outputs=0)


def shown(state: UnitState, block: str, point: str, slot: int = 0) -> int | str:
    for one in state.product.blocks:
        if one.block.name == block and one.slot == slot:
            row = next(row for row in one.block.rows if row.point == point)
            return state.settings.shown(one, row)
    raise LookupError(block)


def write(state: UnitState, address: int, *values: int, t_ms: int = START) -> list[Action]:
    function = 6 if len(values) == 1 else 16
    refusal = state.check(function, address, values)
    assert refusal is None, refusal
    return state.write(t_ms, address, values)


def code(state: UnitState, function: int, address: int, *values: int) -> int | None:
    refusal = state.check(function, address, values)
    return None if refusal is None else refusal.exception_code


# Words as the tables print them: SOCO one character a register; STRING_NORM two, first in the high byte.
WORDS: Sequence[tuple[str, int, int | str, tuple[int, ...]]] = [
    ("STRING_16", 4, "SOCO", (0x0053, 0x004F, 0x0043, 0x004F)),
    ("STRING_NORM", 3, "SOCO", (0x534F, 0x434F, 0)),
    ("U32", 2, 0x12345678, (0x1234, 0x5678)),
    ("S32", 2, -2, (0xFFFF, 0xFFFE)),
    ("U8", 1, 7, (7,)),
    ("S64", 4, -1, (0xFFFF,) * 4),
]


@pytest.mark.parametrize(("encoding", "words", "value", "registers"), WORDS)
def test_words_are_those_of_the_tables(
    encoding: str, words: int, value: int | str, registers: tuple[int, ...]
) -> None:
    row = Row("point", 0, encoding, words)
    assert to_words(value, row) == registers
    assert from_words(registers, row) == value


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=32))
def test_a_name_survives_its_registers(name: str) -> None:
    row = Row("name", 0, "STRING_NORM", 16)
    assert from_words(to_words(name, row), row) == name


def test_locked_settings_are_refused_until_the_code_is_written() -> None:
    state = state_of()
    assert code(state, 6, ADDRESS, 9) == 1
    write(state, LOCK, 999)
    assert code(state, 6, ADDRESS, 9) == 1
    write(state, LOCK, 1000)
    assert code(state, 6, ADDRESS, 9) is None


@pytest.mark.parametrize("action", [SAVE, REBOOT, FACTORY])
def test_every_system_action_locks_again(action: int) -> None:
    state = state_of()
    write(state, LOCK, 1000)
    write(state, SYSTEM, action)
    assert code(state, 6, ADDRESS, 9) == 1
    assert shown(state, "lock", "unlock_code") == 0


def test_a_new_address_is_read_back_at_once_and_answers_after_saving() -> None:
    state = state_of()
    write(state, LOCK, 1000)
    write(state, ADDRESS, 77)
    assert shown(state, "modbus_address", "modbus_address") == 77
    assert state.address == 5
    write(state, SYSTEM, SAVE)
    assert state.address == 77


def test_a_reboot_forgets_what_was_not_saved() -> None:
    state = state_of()
    write(state, LOCK, 1000)
    write(state, RS485, 3)
    write(state, SYSTEM, SAVE)
    write(state, LOCK, 1000)
    write(state, RS485, 7)
    write(state, ADDRESS, 77)
    write(state, SENSORS, 1)
    write(state, SYSTEM, REBOOT)
    assert shown(state, "rs485", "baudrate") == 3
    assert shown(state, "modbus_address", "modbus_address") == 5
    assert shown(state, "current_sensors", "sensor_1_direction") == 1  # no lock, so nothing to save


def test_factory_settings_bring_back_the_first_values_and_the_address() -> None:
    state = state_of()
    write(state, LOCK, 1000)
    write(state, ADDRESS, 77)
    write(state, LOAD_NAME, *to_words("Boiler", Row("name", 0, "STRING_NORM", 16)))
    write(state, SYSTEM, SAVE)
    assert (state.address, shown(state, "load_name", "load_name")) == (77, "Boiler")
    write(state, SYSTEM, FACTORY)
    assert (state.address, shown(state, "load_name", "load_name")) == (5, "Chiller")


@pytest.mark.parametrize("address", [0, 248, 255])
def test_an_address_outside_1_to_247_is_a_bad_value(address: int) -> None:
    state = state_of()
    write(state, LOCK, 1000)
    assert code(state, 6, ADDRESS, address) == 3


REFUSALS = [  # function, address, values, exception code
    (6, 50000, (1,), 2),  # identification is read only
    (6, 18432, (1,), 2),  # so are measured values
    (6, 9999, (1,), 2),  # no such register
    (16, 57856, (0xA1,), 2),  # the system action takes function 6 only
    (6, 20097, (1,), 2),  # clearing extremes takes function 16 only
    (16, 13568, (0,) * 9, 2),  # runs out of its table
    (5, 13568, (0,), 2),
    (16, 13568, (), 2),
    (6, 57856, (1,), 3),  # no such action
    (6, 13568, (2,), 3),  # a direction is 0 or 1
    (6, 13569, (4,), 3),  # a phase is 0 to 3 or 5
    (6, 13824, (256,), 3),  # one byte
    (16, 57600, (30, 2, 2026, 0, 0, 0), 3),  # no 30th of February
    (16, 57600, (1, 2, 1999, 0, 0, 0), 3),
    (6, 57600, (1,), 3),  # the clock takes all six words at once
    (16, 57600, (1, 2, 2026), 3),
]


@pytest.mark.parametrize(("function", "address", "values", "expected"), REFUSALS)
def test_each_refusal_has_its_exception_code(
    function: int, address: int, values: tuple[int, ...], expected: int
) -> None:
    state = state_of()
    before = {one.base: [state.settings.shown(one, row) for row in one.block.rows] for one in writable(state)}
    assert code(state, function, address, *values) == expected
    after = {one.base: [state.settings.shown(one, row) for row in one.block.rows] for one in writable(state)}
    assert after == before


def writable(state: UnitState) -> list[PlacedBlock]:
    return [one for one in state.product.blocks if one.block.write_functions]


def test_bits_of_a_mask_combine_and_unknown_ones_do_nothing() -> None:
    state = state_of("U-30")
    (action,) = write(state, 37744, 0x0401 | 0x0010)
    assert action.points == {
        "voltage_ln_unbalance",
        "voltage_ln_amplitude_unbalance",
        "thd_voltage_l1_n",
        "thd_voltage_l2_n",
        "thd_voltage_l3_n",
        "thd_voltage_ln_system",
    }


def test_single_words_of_a_longer_value_are_stored_as_they_come() -> None:
    state = state_of()
    address = placed_base(state, "electrical_network") + 1
    write(state, address, 1)
    write(state, address + 1, 0)
    assert shown(state, "electrical_network", "voltage_nominal") == 65536
    assert state.settings.number("electrical_network", 0, "voltage_nominal") == 65536


def placed_base(state: UnitState, block: str) -> int:
    return next(one.base for one in state.product.blocks if one.block.name == block)


def test_one_request_may_run_over_neighbouring_tables() -> None:
    state = state_of()
    write(state, LOCK, 1000)
    write(state, ADDRESS, 9, 4, 1, 2)
    assert shown(state, "modbus_address", "modbus_address") == 9
    assert [shown(state, "rs485", point) for point in ("baudrate", "stop_bits", "parity")] == [4, 1, 2]


def test_reserved_words_take_anything_and_read_nothing() -> None:
    state = state_of()
    write(state, LOAD, 1, 8, 100, 7, 7, 7, 7, 7, 7, 7, 7, 7, 2, 3)
    assert shown(state, "load_settings", "nature") == 2
    assert state.settings.number("load_settings", 0, "current_nominal") == 100


def test_the_clock_follows_what_was_written_and_runs_on() -> None:
    state = state_of()
    assert state.clock(START)["hour"] == 10  # UTC until it is set
    write(state, CLOCK, 24, 12, 2030, 18, 30, 15, t_ms=START)
    assert state.clock(START + 50 * SECOND) == {
        "day": 24,
        "month": 12,
        "year": 2030,
        "hour": 18,
        "minute": 31,
        "second": 5,
        "millisecond": 0,
    }


def test_the_led_is_lit_for_ten_seconds() -> None:
    state = state_of()
    write(state, 57864, 1, t_ms=START)
    assert state.is_identifying(START + 9_999)
    assert not state.is_identifying(START + 10_000)


def test_the_addressing_command_of_a_gateway_makes_it_15_at_once() -> None:
    """CVE-2025-54849 on the M-70."""
    state = state_of("M-70", address=1)
    write(state, GATEWAY_RESET, 1)
    assert state.address == 15
    assert shown(state, "gateway_slave_address", "modbus_address") == 15


def test_a_gateway_changes_its_address_in_three_steps() -> None:
    """CVE-2025-54850: announce 1000, write, commit 161."""
    state = state_of("M-70", address=1)
    assert code(state, 6, GATEWAY_ADDRESS, 20) == 1
    write(state, LOCK, 1000)
    write(state, GATEWAY_ADDRESS, 20)
    assert state.address == 1
    write(state, SYSTEM, SAVE)
    assert state.address == 20


@pytest.mark.parametrize("value", range(1, 9))
def test_the_usb_function_is_taken_and_changes_nothing(value: int) -> None:
    state = state_of("M-70", address=1)
    assert write(state, 57872, value) == []


def test_a_reset_command_needs_the_code_and_starts_the_partial_hours_again() -> None:
    state = state_of()
    assert code(state, 6, 528, 0) == 1
    write(state, LOCK, 1000)
    write(state, 528, 0, t_ms=START + MINUTE)
    assert state.hours_since_ms == START + MINUTE


@pytest.mark.parametrize("name", ["I-35", "U-30", "M-70", "IO-10", "IO-20", "S-135", "I-60MID"])
@given(data=st.data())
def test_whatever_is_written_the_unit_answers_and_keeps_its_ranges(name: str, data: st.DataObject) -> None:
    state = state_of(name)
    state.write(START, LOCK, [1000])
    targets = writable(state)
    for _ in range(6):
        where = data.draw(st.sampled_from(targets))
        first = data.draw(st.integers(0, where.block.words - 1))
        count = data.draw(st.integers(1, where.block.words - first))
        values = data.draw(
            st.lists(st.one_of(st.integers(0, 12), st.integers(0, 65535)), min_size=count, max_size=count)
        )
        function = 6 if count == 1 else 16
        refusal = state.check(function, where.base + first, values)
        if isinstance(refusal, Refusal):
            assert refusal.exception_code in (1, 2, 3)
            continue
        state.write(START, where.base + first, values)
        assert state.address in range(1, 248)
        for row in where.block.rows:
            state.settings.shown(where, row)


def test_a_row_is_found_by_name_where_the_product_has_it() -> None:
    state = state_of("I-60")
    assert state.settings.number("load_settings", 5, "enabled") is None
    assert state.settings.number("load_settings", 3, "enabled") == 0
