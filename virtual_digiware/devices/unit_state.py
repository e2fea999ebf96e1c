"""The writable state of one unit, a fold over accepted writes: settings, lock, clock, outputs, commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from virtual_digiware.devices import commands
from virtual_digiware.devices.block import PlacedBlock, Product, Row
from virtual_digiware.devices.commands import Action, points_of
from virtual_digiware.devices.meter_settings import METER_RESETS, meter_reset
from virtual_digiware.devices.records import Refusal
from virtual_digiware.devices.register_words import from_words
from virtual_digiware.devices.settings import BAD_VALUE, Key, Settings
from virtual_digiware.devices.transfer_switch.registers import ORDER_CODES, position_orders

ADDRESS_BLOCKS = ("modbus_address", "gateway_slave_address", "meter_address", "sdm630_settings")
MEASURING_BLOCKS = ("load_settings", "current_sensors", "electrical_network")
"""Tables whose values decide what a module measures."""
ADDRESSES = range(1, 248)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK = ("year", "month", "day", "hour", "minute", "second")


class UnitState:
    """What clients have done to one unit so far."""

    def __init__(
        self,
        product: Product,
        initial: Mapping[Key, int | str],
        address: int | None,
        start_ms: int,
        outputs: int,
    ) -> None:
        """`outputs` are the digital outputs that are on from the start, bit 0 is output 1."""
        self.product = product
        self.settings = Settings(product, initial)
        self.is_unlocked = False
        self.clock_offset_ms = 0
        self._jumped: dict[int, int] = {}
        self.outputs = outputs
        self.hours_since_ms = start_ms
        self._lit_until_ms: int | None = None
        self.selected: dict[str, int] = {}
        """What was last written to the commands of logs, by "<block>.<point>"."""
        self._address = address
        self._address_row = _find(product, ADDRESS_BLOCKS)
        self._output_count = int(product.features.get("digital_outputs", 0))

    @property
    def address(self) -> int | None:
        """Modbus address as last saved; None for a unit that has none."""
        if self._address is None or self._address_row is None:
            return self._address
        return int(self.settings.effective(*self._address_row))

    def is_identifying(self, t_ms: int) -> bool:
        """Whether the ON LED is lit because a client asked for it."""
        return self._lit_until_ms is not None and t_ms < self._lit_until_ms

    def local_ms(self, t_ms: int) -> int:
        """What the unit's clock shows, as unix time: UTC until somebody sets it."""
        return t_ms + self.clock_offset_ms

    def clock(self, t_ms: int) -> Mapping[str, int]:
        """The unit's clock by point name."""
        shown = _EPOCH + timedelta(milliseconds=self.local_ms(t_ms))
        values = {name: int(getattr(shown, name)) for name in _CLOCK}
        return {**values, "millisecond": shown.microsecond // 1000}

    def check(self, function: int, address: int, values: Sequence[int]) -> Refusal | None:
        """Whether the unit takes a write; changes nothing."""
        refusal = self.settings.check(function, address, values, is_unlocked=self.is_unlocked)
        if refusal is not None:
            return refusal
        for placed, row, words in self.settings.rows_written(address, values):
            if (placed, row) == self._address_row and len(words) == row.words:
                written = from_words(words, row)
                if written not in ADDRESSES:
                    return Refusal(BAD_VALUE, f"{row.point} is {written}, right is 1 to 247")
        for placed in self.settings.map.spanned(address, len(values)) or ():
            if placed.block.table == "unit.clock" and _written_time(placed, address, values) is None:
                return Refusal(
                    BAD_VALUE, f"{placed.block.name} takes all its words at once, a date from 2000 to 2099"
                )
        return None

    def write(self, t_ms: int, address: int, values: Sequence[int]) -> list[Action]:
        """Take a write that `check` let pass; returns what it means for others."""
        actions: list[Action] = []
        stored: set[str] = set()
        for placed, row, words in self.settings.rows_written(address, values):
            table, name = placed.block.table, placed.block.name
            if table == "command":
                actions += self._command(t_ms, placed, row, words[-1])
            elif table == "unit.clock":
                pass  # as a whole, below
            elif table == "io.digital_outputs":
                self._drive(row, words[0])
            elif name == "lock" and row.point == "unlock_code":
                self.is_unlocked = words[0] == commands.UNLOCK_CODE
                stored.add(name)
            else:
                stored.add(name)
            if table not in ("command", "unit.clock", "io.digital_outputs"):
                first = max(placed.base + row.offset, address)
                self.settings.write(first, words)
        for placed in self.settings.map.spanned(address, len(values)) or ():
            written = _written_time(placed, address, values) if placed.block.table == "unit.clock" else None
            if written is not None:
                self.clock_offset_ms = written - t_ms
                self._jumped.clear()  # whoever sets a clock sets it right
        if any(name in MEASURING_BLOCKS for name in stored):
            actions.append(Action("remeasure"))
        return actions

    def jump(self, number: int, shift_ms: int | None) -> None:
        """The clock jumps because of the fault of that number; None: it is over.

        Somebody may have set the clock meanwhile: then nothing is left to be undone.
        """
        self.clock_offset_ms -= self._jumped.pop(number, 0)
        if shift_ms is not None:
            self._jumped[number] = shift_ms
            self.clock_offset_ms += shift_ms

    def restart(self) -> None:
        """As after a loss of power: what was not saved is forgotten, and tables are locked."""
        self._system(commands.REBOOT)

    def _drive(self, row: Row, mask: int) -> None:
        """Outputs follow the command masks; the other words of the table are states and not ours to write.

        Rows come in address order, so a request that asks for both ends with the output on.
        """
        present = (1 << self._output_count) - 1
        if row.point == "command_off_mask":
            self.outputs &= ~mask
        elif row.point == "command_on_mask":
            self.outputs |= mask & present

    def _command(self, t_ms: int, placed: PlacedBlock, row: Row, value: int) -> list[Action]:
        match placed.block.name:
            case "action_system" | "meter_action_system":
                return self._system(value)
            case "led_blink":
                self._lit_until_ms = t_ms + commands.LED_MS
            case "gateway_address_reset" if self._address_row is not None:
                self.settings.set(*self._address_row, commands.ADDRESS_AFTER_RESET)
            case "operating_hours_reset":
                self.hours_since_ms = t_ms
            case "history_reset" if value == commands.CLEAR_LOAD_CURVES:
                return [Action("curves")]
            case "load_reset_partial_energy":
                return [Action("partial", placed.slot, points_of(value, commands.PARTIAL_MASK))]
            case "load_reset_extremes" if row.point == "average_extremes_mask":
                return [Action("average_extremes", placed.slot, points_of(value, commands.AVERAGE_MASK))]
            case "load_reset_extremes":
                return [Action("extremes", placed.slot, points_of(value, commands.INSTANTANEOUS_MASK))]
            case "network_reset_extremes":
                return [Action("network_extremes", 0, points_of(value, commands.NETWORK_MASK))]
            case "pulse_reset" if row.point == "pulse_counter_mask":
                return [Action("pulses", mask=value)]
            case name if name in METER_RESETS:
                return meter_reset(row.point, value)
            case "transfer_position_order":
                return [Action("order", order=order) for order in position_orders(value)]
            case "extension_transfer_order" if value in ORDER_CODES:
                return [Action("order", order=ORDER_CODES[value])]
            case "alarm_ack":
                return [Action("acknowledge", mask=value)]
            case "alarm_log_command" | "quality_log_command":
                self.selected[f"{placed.block.name}.{row.point}"] = value
            case "compact_en50160_log_command":
                page = f"{placed.block.name}.page"
                self.selected[page] = 0 if value == commands.REWIND else self.selected.get(page, 0) + 1
            case _:
                # Selection in other logs, USB function: taken, and nothing follows from them.
                pass
        return []

    def _system(self, action: int) -> list[Action]:
        if action == commands.SAVE:
            self.settings.save()
        elif action == commands.REBOOT:
            self.settings.reboot()
        elif action == commands.FACTORY_SETTINGS:
            self.settings.restore()
        self.is_unlocked = False
        lock = _find(self.product, ("lock",))
        if lock is not None:
            self.settings.set(*lock, 0)
        return [Action("remeasure")]


def _find(product: Product, blocks: Sequence[str]) -> tuple[PlacedBlock, Row] | None:
    """First row of the first of these blocks that the product has."""
    for placed in product.blocks:
        if placed.block.name in blocks:
            rows = placed.block.rows
            return placed, next((row for row in rows if row.point == "modbus_address"), rows[0])
    return None


def _written_time(placed: PlacedBlock, address: int, values: Sequence[int]) -> int | None:
    """Unix time in ms that a write to a clock table sets; None when it is no whole, possible time."""
    words = values[max(0, placed.base - address) : placed.end - address]
    if len(words) != placed.block.words:
        return None
    parts = {row.point: words[row.offset] for row in placed.block.rows}
    if not 2000 <= parts["year"] <= 2099 or parts.get("millisecond", 0) > 999:
        return None
    try:
        moment = datetime(*(parts[name] for name in _CLOCK), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1) + parts.get("millisecond", 0)
