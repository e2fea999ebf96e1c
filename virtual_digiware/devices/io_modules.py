"""Digital and analogue inputs and outputs: what an IO module shows of its drives, settings and outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol

from virtual_digiware.devices.block import Product
from virtual_digiware.devices.io_drives import (
    AnalogueDrive,
    Breaker,
    CircuitPoint,
    Constant,
    DigitalDrive,
    DriveError,
    Level,
    Output,
    Pulse,
    Square,
    Warmed,
    analogue_drive,
    digital_drive,
    probe_drive,
    signal_ma,
)
from virtual_digiware.devices.layout import ModuleLayout
from virtual_digiware.devices.settings import Settings

_MULTI_FLUID, _SYNCHRO, _TRIP, _TARIFF = 4, 6, 7, 8
_FUNCTION_OF_MODE: Mapping[int, int] = {1: _SYNCHRO, 2: _TRIP, 3: _TARIFF, 4: _TARIFF, 5: _TARIFF}
"""Function that an input shows by its mode. Source: MODBUS tables of DIRIS B30, V 153.745, logical inputs."""

Values = Mapping[str, int | float]


class Surroundings(Protocol):
    """What an IO module learns of the rest of the site at the time of a snapshot."""

    @property
    def time_ms(self) -> int: ...

    @property
    def average_span_ms(self) -> tuple[int, int]:
        """Start and end of the block whose averages are shown."""

    def imported_mj(self, circuit: str) -> int:
        """Active energy imported by a metered circuit."""

    def circuit_point(self, circuit: str, point: str, *, average: bool) -> float:
        """A measured value of a circuit; NaN when it is not available."""

    def heating_a2(self, circuit: str) -> float:
        """Mean square of a metered circuit's current, as its losses have warmed a cabinet."""

    def is_closed(self, circuit: str) -> bool:
        """Whether the breaker of a circuit is closed."""

    def mark(self, path: str, meter: int) -> tuple[int, int]:
        """Time in ms and imported energy in mJ from which a partial pulse counter counts."""


class IoModule:
    """The inputs of one IO module and what its tables show. Outputs and settings live in the unit's state."""

    def __init__(
        self, path: str, product: Product, layout: ModuleLayout, settings: Settings, timezone: str
    ) -> None:
        """Raises DriveError for a drive that cannot be read, or that has no input."""
        self.path = path
        self._product, self._settings = product, settings
        self.digital = digital_drives(product, layout, timezone)
        self.pulse_outputs = pulse_outputs(product, layout)
        self.is_output_on: Callable[[str, int], bool] = lambda path, number: False
        """Whether an output (from 1) of another module is on; given once all modules are there."""
        self.probes = tuple(probe_drive(text, timezone) for text in layout.probes)
        self.analogue = analogue_drives(product, layout, timezone)
        self._outputs = _count(product, "digital_outputs")
        self._probe_count = _count(product, "temperature_probes")

    def digital_inputs(self, around: Surroundings) -> Values:
        """States of the digital inputs; bit 0 is input 1 (unverified)."""
        closed = self._contacts("digital_input_settings", len(self.digital))
        active = 0
        for i, drive in enumerate(self.digital):
            active |= self._is_closed(drive, around) << i
        metered = self._metered_inputs()
        functions = {
            f"input_{i + 1}_function": _MULTI_FLUID
            if i in metered
            else _FUNCTION_OF_MODE.get(self._setting("digital_input_settings", i, "input_mode"), 0)
            for i in range(len(self.digital))
        }
        return {
            "input_count": len(self.digital),
            "available_mask": (1 << len(self.digital)) - 1,
            # A normally closed contact is active while it is open.
            "active_mask": active ^ closed,
            "normally_closed_mask": closed,
            **functions,
        }

    def output_states(self, driven: int, around: Surroundings) -> int:
        """A bit for each output that is on: as `driven` by clients, or by the energy that it pulses."""
        for i, drive in self.pulse_outputs.items():
            driven = driven & ~(1 << i) | drive.closed(around.imported_mj(drive.circuit)) << i
        return driven

    def digital_outputs(self, driven: int, around: Surroundings) -> Values:
        """States of the digital outputs; `driven` has a bit for each output that clients have switched on."""
        return {
            "output_count": self._outputs,
            "available_mask": (1 << self._outputs) - 1,
            "active_mask": self.output_states(driven, around),
            "normally_closed_mask": self._contacts("digital_output_settings", self._outputs),
        }

    def analogue_input(self, slot: int, around: Surroundings) -> Values:
        """Value and average of one analogue input in its configured unit."""
        start_ms, end_ms = around.average_span_ms
        drive = self.analogue[slot]
        if isinstance(drive, CircuitPoint):
            now, mean = (
                around.circuit_point(drive.circuit, drive.point, average=average) for average in (False, True)
            )
        else:
            now, mean = drive.at(around.time_ms), drive.mean(start_ms, end_ms)
        return {
            "analogue_input_value": self._reading(slot, signal_ma(now, drive.low, drive.high)),
            "analogue_input_average": self._reading(slot, signal_ma(mean, drive.low, drive.high)),
        }

    def temperature(self, slot: int, around: Surroundings) -> Values:
        """Temperature of one probe, degC; NaN where no probe is connected."""
        start_ms, end_ms = around.average_span_ms
        return {
            "temperature": self._probe_c(slot, around.time_ms, around),
            # Air moves so slowly that the middle of a block is its mean.
            "temperature_average": self._probe_c(slot, (start_ms + end_ms) // 2, around),
        }

    def meter(self, slot: int, around: Surroundings) -> Values:
        """One pulse meter: pulses since commissioning and since the last clearing, times their weight."""
        source = self._setting("meter_settings", slot, "meter_input")
        is_connected = source < len(self.digital)
        weight, unit, total, partial = 0, 0, 0, 0
        if is_connected:
            weight = self._setting("digital_input_settings", source, "pulse_weight")
            unit = self._setting("digital_input_settings", source, "pulse_unit")
            total, partial = self._pulses(slot, self.digital[source], around)
        is_enabled = self._setting("meter_settings", slot, "meter_enabled")
        return {
            "meter_enabled": is_enabled,
            "meter_source_status": int(bool(is_connected and is_enabled)),
            "meter_nature": self._setting("meter_settings", slot, "meter_nature"),
            "meter_usage": self._setting("meter_settings", slot, "meter_usage"),
            "meter_partial": partial * weight // 100 if is_enabled else 0,
            "meter_total": total * weight // 100 if is_enabled else 0,
            "meter_unit": unit,
            "pulse_weight": weight / 100,
        }

    @property
    def circuits(self) -> tuple[str, ...]:
        """Circuits whose values or energies drive an input."""
        drives = (*self.digital, *self.analogue, *self.probes, *self.pulse_outputs.values())
        return tuple(drive.circuit for drive in drives if isinstance(drive, Pulse | CircuitPoint | Warmed))

    def pulse_circuit(self, meter: int) -> str | None:
        """The circuit whose energy a pulse meter counts, or None."""
        source = self._setting("meter_settings", meter, "meter_input")
        drive = self.digital[source] if source < len(self.digital) else None
        return drive.circuit if isinstance(drive, Pulse) else None

    def _pulses(self, meter: int, drive: DigitalDrive, around: Surroundings) -> tuple[int, int]:
        marked_ms, marked_mj = around.mark(self.path, meter)
        if isinstance(drive, Pulse):
            total = drive.count(around.imported_mj(drive.circuit))
            return total, total - drive.count(marked_mj)
        if isinstance(drive, Square):
            total = around.time_ms // drive.period_ms - marked_ms // drive.period_ms
            return total, total
        return 0, 0

    def _metered_inputs(self) -> set[int]:
        return {
            self._setting("meter_settings", placed.slot, "meter_input")
            for placed in self._product.blocks
            if placed.block.name == "meter_settings"
            and self._setting("meter_settings", placed.slot, "meter_enabled")
        }

    def _contacts(self, block: str, count: int) -> int:
        return sum((self._setting(block, slot, "contact_type") == 1) << slot for slot in range(count))

    def _reading(self, slot: int, current_ma: float) -> float:
        first, second = (
            (
                self._setting("analogue_input_settings", slot, f"point_{n}_current"),
                self._setting("analogue_input_settings", slot, f"point_{n}_value"),
            )
            for n in (1, 2)
        )
        if first[0] == second[0]:
            return math.nan
        return first[1] + (current_ma - first[0]) * (second[1] - first[1]) / (second[0] - first[0])

    def _probe_c(self, slot: int, t_ms: int, around: Surroundings) -> float:
        if slot >= min(len(self.probes), self._probe_count):
            return math.nan
        drive = self.probes[slot]
        if isinstance(drive, Warmed):
            return drive.temperature_c(t_ms, around.heating_a2(drive.circuit))
        return drive.at(t_ms)

    def _is_closed(self, drive: DigitalDrive, around: Surroundings) -> bool:
        match drive:
            case Pulse():
                return drive.closed(around.imported_mj(drive.circuit))
            case Breaker():
                return around.is_closed(drive.circuit)
            case Output():
                return self.is_output_on(drive.path, drive.number)
        return drive.state(around.time_ms)

    def _setting(self, block: str, slot: int, point: str) -> int:
        """Effective value of a numeric setting; 0 where the product has none."""
        return self._settings.number(block, slot, point) or 0


def _count(product: Product, feature: str) -> int:
    return int(product.features.get(feature, 0))


def digital_drives(product: Product, layout: ModuleLayout, timezone: str) -> tuple[DigitalDrive, ...]:
    """Drives of all digital inputs; those not mentioned are off."""
    count = _count(product, "digital_inputs")
    if not count:
        return ()
    drives = [digital_drive(text, timezone) for text in _fitting(product, layout, count)]
    return (*drives, *[Level(False)] * (count - len(drives)))


def analogue_drives(product: Product, layout: ModuleLayout, timezone: str) -> tuple[AnalogueDrive, ...]:
    """Drives of all analogue inputs; those not mentioned stand at 4 mA."""
    count = _count(product, "analogue_inputs")
    if not count:
        return ()
    drives = [analogue_drive(text, timezone) for text in _fitting(product, layout, count)]
    return (*drives, *[Constant(0.0)] * (count - len(drives)))


def digital_outputs_at_start(product: Product, layout: ModuleLayout) -> int:
    """Bits of the outputs that are on from the start; those that give pulses are off. Raises DriveError."""
    count = _count(product, "digital_outputs")
    driven = 0
    if not count:
        return driven
    for i, text in enumerate(layout.outputs):
        is_pulse = i < count and text.startswith("pulse ")
        if i >= count or not (is_pulse or text in ("on", "off")):
            right = f"on, off, or pulse of <circuit> <Wh per pulse>, for {count} outputs at most"
            raise DriveError(text, right)
        driven |= (text == "on") << i
    return driven


def pulse_outputs(product: Product, layout: ModuleLayout) -> Mapping[int, Pulse]:
    """Digital outputs (from 0) that give pulses of an energy. Raises DriveError for pulses of nothing."""
    if not _count(product, "digital_outputs"):
        return {}
    found = {}
    for i, text in enumerate(layout.outputs):
        if text.startswith("pulse "):
            drive = digital_drive(text, "UTC")
            assert isinstance(drive, Pulse)
            found[i] = drive
    return found


def analogue_outputs_at_start(product: Product, layout: ModuleLayout) -> tuple[int, ...]:
    """Values of the analogue outputs from the start. Raises DriveError for anything but whole numbers."""
    count = _count(product, "analogue_outputs")
    if not count:
        return ()
    values = []
    for i, text in enumerate(layout.outputs):
        try:
            values.append(int(text))
        except ValueError as problem:
            raise DriveError(text, "a whole number in the unit of the output") from problem
        if i >= count:
            raise DriveError(text, f"{count} outputs at most")
    return tuple(values)


def _fitting(product: Product, layout: ModuleLayout, count: int) -> tuple[str, ...]:
    if len(layout.inputs) > count:
        raise DriveError(layout.inputs[count], f"no more than the {count} inputs of the {product.name}")
    return layout.inputs
