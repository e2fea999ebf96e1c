"""The closed lists of words that register tables may use: units, tables that fill a block, kinds of slots."""

from __future__ import annotations

from typing import Literal, get_args

UNITS = frozenset(
    {"", "V", "A", "Hz", "W", "var", "VA", "%", "deg", "degC", "dBm", "s", "min", "h", "ms", "Ah"}
    | {"kWh", "kvarh", "kVAh", "Wh", "varh", "VAh"}
    # Decided by another register of the same device, so no fixed unit can be given.
    | {"configured_unit", "meter_unit", "weight", "power_unit"}
)

TABLES = frozenset(
    {
        "circuit.instantaneous",
        "circuit.average",
        "circuit.fundamental",
        "circuit.maximum",
        "circuit.minimum",
        "circuit.average_maximum",
        "circuit.average_minimum",
        "circuit.quality_extremes",
        "circuit.harmonic_current",
        "circuit.energy",
        "circuit.energy_history",
        "network.instantaneous",
        "network.average",
        "network.fundamental",
        "network.quality_extremes",
        "network.harmonic_voltage_ln",
        "network.harmonic_voltage_ll",
        "network.float_instantaneous",
        "network.float_average",
        "io.digital_inputs",
        "io.digital_outputs",
        "io.analogue_inputs",
        "io.analogue_outputs",
        "io.temperatures",
        "io.meters",
        "dc.network",
        "dc.circuit",
        "sensor.environment",
        "meter.measured",
        "transfer.status",
        "unit.identification",
        "unit.operating_hours",
        "unit.clock",
        "alarms.status",
        "alarms.log_header",
        "alarms.log",
        "events.in_progress",
        "events.log_header",
        "events.log",
        "events.compact",
        "events.compact_header",
        "events.compact_log",
        "settings",
        "command",
        "zero",
    }
)

SLOT_KINDS = frozenset(
    {
        "circuit",
        "digital_input",
        "digital_output",
        "analogue_input",
        "analogue_output",
        "temperature_probe",
        "meter",
        "phase",
        "tariff",
        "threshold_alarm",
        "input_alarm",
        "combined_alarm",
        "inrush_alarm",
        "en50160_alarm",
        "system_alarm",
        "en50160_event",
        "record",
    }
)

CONFIDENCES = ("confirmed", "partial", "inferred", "extension")
"""From the best to the weakest; `extension` is the simulator's own invention, outside the order."""

Family = Literal[
    "voltage",
    "current",
    "dc_voltage",
    "dc_current",
    "io",
    "gateway",
    "interface",
    "repeater",
    "sensor",
    "meter",
    "transfer_switch",
]
FAMILIES: tuple[Family, ...] = get_args(Family)
