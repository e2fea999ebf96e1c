"""Settings and resets of meters that stand outside any Digiware bus."""

from __future__ import annotations

from collections.abc import Mapping

from virtual_digiware.devices import commands
from virtual_digiware.devices.block import Product
from virtual_digiware.devices.commands import Action, points_of
from virtual_digiware.devices.energies import PARTIAL
from virtual_digiware.devices.initial_settings import initial_settings
from virtual_digiware.devices.layout import GatewayLayout, LineLayout, MeterLayout, NetworkType, SiteLayout
from virtual_digiware.devices.metering import CIRCUIT_EXTREMES
from virtual_digiware.devices.partial_counters import HOURS
from virtual_digiware.devices.setting_codes import BAUDRATE_CODES, PARITY_CODES
from virtual_digiware.devices.settings import Key

METER_RESETS = (
    "countis_value_reset",
    "countis_e3_value_reset",
    "countis_partial_reset",
    "diris_reset",
    "sdm630_reset",
)
"""Blocks of reset commands; what a value means follows from the row."""

_PARTIAL_MASK: Mapping[int, tuple[str, ...]] = {
    0x0001: ("active_energy_import",),
    0x0002: ("reactive_energy_import",),
    0x0004: ("apparent_energy",),
    0x0008: ("active_energy_export",),
    0x0010: ("reactive_energy_export",),
    0x0020: (HOURS,),
}
"""Source: MODBUS tables of COUNTIS E23, version 103.18, and E34/E44, table of value resets."""
_ALL_PARTIAL = 32

_DIRIS_ENERGIES: Mapping[int, tuple[str, ...]] = {
    0x0040: (HOURS,),
    0x0080: ("active_energy_import",),
    0x0100: ("reactive_energy_import",),
    0x0200: ("apparent_energy",),
    0x0400: ("active_energy_export",),
    0x0800: ("reactive_energy_export",),
    0x1000: PARTIAL,
}
_DIRIS_MAXIMA: Mapping[int, tuple[str, ...]] = {
    0x0001: tuple(f"current_{row}" for row in ("l1", "l2", "l3", "n")),
    0x0002: tuple(f"{kind}_power_total" for kind in ("active", "reactive", "apparent")),
}
"""Source: DIRIS A40/A41 JBUS/MODBUS operating instructions 536 103 B, table of resets."""

_NETWORK_CODES: Mapping[NetworkType, int] = {"1P+N": 0, "2P": 1, "2P+N": 1, "3P": 3, "3P+N": 5}
"""1BL, 2BL, 3NBL, 4NBL. Source: MODBUS tables of DIRIS A-10, version 202.81, and COUNTIS E34/E44."""

_SDM_NETWORKS: Mapping[NetworkType, int] = {"1P+N": 1, "2P": 1, "2P+N": 3, "3P": 2, "3P+N": 3}
_SDM_BAUDRATES = {2400: 0, 4800: 1, 9600: 2, 19200: 3, 38400: 4}
_SDM_PARITY = {("none", 1): 0, ("even", 1): 1, ("odd", 1): 2, ("none", 2): 3}
"""Source: Eastron SDM630Modbus protocol implementation V1.7, holding registers."""


def meter_settings(
    layout: SiteLayout, meter: MeterLayout, product: Product, timezone: str
) -> dict[Key, int | str]:
    """Register values of a meter's settings by (block, slot, point); blocks that it lacks do no harm."""
    module = meter.module
    allocation = module.allocations[0]
    # Those that it shares with the Digiware modules are set as on a bus of its own.
    alone = GatewayLayout(module.name, product.name, module.address, (module,), meter.line)
    values = initial_settings(layout, alone, module, product, timezone)
    values["meter_address", 0, "modbus_address"] = module.address
    values["sdm630_settings", 0, "modbus_address"] = module.address
    values["sdm630_settings", 0, "system_type"] = _SDM_NETWORKS[allocation.network]
    values["sdm630_settings", 0, "demand_period"] = layout.demand_period_s // 60
    values["sunspec_common", 0, "modbus_address"] = module.address
    for block in ("diris_network_settings", "countis_network_settings"):
        values[block, 0, "network_type"] = _NETWORK_CODES[allocation.network]
        values[block, 0, "transformer_primary"] = round(allocation.nominal_a)
        values[block, 0, "demand_period"] = layout.demand_period_s
    for line in layout.lines:
        if line.name == meter.line:
            _line(values, line)
    return values


def _line(values: dict[Key, int | str], line: LineLayout) -> None:
    values["meter_rs485", 0, "baudrate"] = BAUDRATE_CODES[line.baudrate]
    values["meter_rs485", 0, "stop_bits"] = line.stop_bits - 1
    values["meter_rs485", 0, "parity"] = PARITY_CODES[line.parity]
    if line.baudrate in _SDM_BAUDRATES:
        values["sdm630_settings", 0, "baudrate"] = _SDM_BAUDRATES[line.baudrate]
    if (line.parity, line.stop_bits) in _SDM_PARITY:
        values["sdm630_settings", 0, "parity_and_stop_bits"] = _SDM_PARITY[line.parity, line.stop_bits]


def meter_reset(point: str, value: int) -> list[Action]:
    """What a reset command asks for; a value that means nothing asks for nothing."""
    match point:
        case "partial_energy_mask":
            return [Action("partial", 0, points_of(value, _PARTIAL_MASK))]
        case "all_partial_energies" if value == _ALL_PARTIAL:
            return [Action("partial", 0, frozenset(PARTIAL))]
        case "diris_mask":
            return [
                Action("partial", 0, points_of(value, _DIRIS_ENERGIES)),
                Action("average_extremes", 0, points_of(value, _DIRIS_MAXIMA)),
            ]
        case "average_extremes_mask":
            return [Action("average_extremes", 0, points_of(value, commands.AVERAGE_MASK))]
        case "instantaneous_extremes_mask":
            return [Action("extremes", 0, points_of(value, commands.INSTANTANEOUS_MASK))]
        case "maximum_demand" if value == 0:
            return [Action("average_extremes", 0, frozenset(CIRCUIT_EXTREMES))]
    return []
