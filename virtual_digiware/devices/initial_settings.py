"""What stands in a unit's settings before anybody writes: the product's values under those of the site."""

from __future__ import annotations

from virtual_digiware.devices.alarms.initial import alarm_settings
from virtual_digiware.devices.block import Product
from virtual_digiware.devices.io_drives import Pulse
from virtual_digiware.devices.io_modules import (
    analogue_drives,
    analogue_outputs_at_start,
    digital_drives,
)
from virtual_digiware.devices.layout import Allocation, GatewayLayout, ModuleLayout, SiteLayout
from virtual_digiware.devices.setting_codes import (
    BAUDRATE_CODES,
    NETWORK_CODES,
    PARITY_CODES,
    PHASE_CODES,
    WIRING_CODES,
)
from virtual_digiware.devices.settings import Key

_WATT_HOUR = 0
_INTEGRATION_UNIT_MS = 200


def initial_settings(
    layout: SiteLayout, gateway: GatewayLayout, module: ModuleLayout | None, product: Product, timezone: str
) -> dict[Key, int | str]:
    """Register values by (block, slot, point); blocks that the product lacks do no harm.

    `module` None: the unit is the gateway itself.

    Raises:
        DriveError: See `io_drives`.
        AlarmError: See `alarms.initial`.
    """
    values: dict[Key, int | str] = {}
    _network(values, layout, gateway)
    _line(values, layout, gateway)
    address = gateway.address if module is None else module.address
    if address is not None:
        values["modbus_address", 0, "modbus_address"] = address
        values["gateway_slave_address", 0, "modbus_address"] = address
    values["power_settings", 0, "instantaneous_integration_time"] = layout.refresh_ms // _INTEGRATION_UNIT_MS
    values["power_settings", 0, "average_integration_time"] = layout.demand_period_s // 60
    values["energy_settings", 0, "load_curve_period"] = layout.demand_period_s // 60
    if module is not None:
        for slot, allocation in enumerate(module.allocations):
            _load(values, slot, allocation)
        _inputs(values, module, product, timezone)
        circuits = [allocation.circuit for allocation in module.allocations]
        values.update(alarm_settings(product, circuits, module.alarms))
    return values


def _network(values: dict[Key, int | str], layout: SiteLayout, gateway: GatewayLayout) -> None:
    """The network that the bus's voltage module measures, which all its modules share."""
    for module in gateway.modules:
        if module.board is not None:
            values["electrical_network", 0, "network_type"] = NETWORK_CODES[module.network]
    values["electrical_network", 0, "voltage_nominal"] = round(layout.nominal_voltage_v)
    values["electrical_network", 0, "frequency_nominal"] = int(layout.nominal_frequency_hz == 60)


def _line(values: dict[Key, int | str], layout: SiteLayout, gateway: GatewayLayout) -> None:
    for line in layout.lines:
        if line.name == gateway.line:
            values["rs485", 0, "baudrate"] = BAUDRATE_CODES[line.baudrate]
            values["rs485", 0, "stop_bits"] = line.stop_bits - 1
            values["rs485", 0, "parity"] = PARITY_CODES[line.parity]


def _load(values: dict[Key, int | str], slot: int, allocation: Allocation) -> None:
    values["load_settings", slot, "enabled"] = 1
    values["load_settings", slot, "wiring"] = WIRING_CODES.get(
        (allocation.network, len(allocation.phases)), 0
    )
    values["load_settings", slot, "current_nominal"] = round(allocation.nominal_a)
    values["load_name", slot, "load_name"] = allocation.circuit
    for number, phase, direction in zip(
        allocation.inputs, allocation.phases, allocation.directions, strict=True
    ):
        values["current_sensors", 0, f"sensor_{number}_direction"] = int(direction < 0)
        values["current_sensors", 0, f"sensor_{number}_phase"] = PHASE_CODES[phase]


def _inputs(values: dict[Key, int | str], module: ModuleLayout, product: Product, timezone: str) -> None:
    for i, drive in enumerate(digital_drives(product, module, timezone)):
        if isinstance(drive, Pulse):
            values["digital_input_settings", i, "pulse_weight"] = round(drive.weight_wh * 100)
            values["digital_input_settings", i, "pulse_unit"] = _WATT_HOUR
            values["meter_settings", i, "meter_enabled"] = 1
            values["meter_settings", i, "meter_input"] = i
    count = len(module.probes)
    values["temperature_availability", 0, "external_probe_count"] = count
    values["temperature_availability", 0, "external_probe_mask"] = (1 << count) - 1
    for i, signal in enumerate(analogue_drives(product, module, timezone)):
        values["analogue_input_settings", i, "point_1_value"] = round(signal.low)
        values["analogue_input_settings", i, "point_2_value"] = round(signal.high)
    for i, value in enumerate(analogue_outputs_at_start(product, module)):
        values["analogue_outputs", i, "analogue_output_command"] = value
