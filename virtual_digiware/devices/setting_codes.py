"""Register values of settings that stand for something: networks, load wirings, sensor phases, lines.

Source: MODBUS tables of DIRIS B30, V 153.745; network types also I-60MID and I-61MID 2023-06.
"""

from __future__ import annotations

from collections.abc import Mapping

from virtual_digiware.devices.connections import Conductor
from virtual_digiware.devices.layout import NetworkType

NETWORK_CODES: Mapping[NetworkType, int] = {"1P+N": 1, "2P": 2, "2P+N": 3, "3P": 4, "3P+N": 5}
WIRING_CODES: Mapping[tuple[NetworkType, int], int] = {
    ("1P+N", 1): 1,
    ("2P", 1): 2,
    ("2P+N", 2): 3,
    ("3P", 1): 4,
    ("3P", 2): 5,
    ("3P", 3): 6,
    ("3P+N", 1): 7,
    ("3P+N", 3): 8,
    ("3P+N", 4): 9,
}
PHASE_CODES: Mapping[Conductor, int] = {"L1": 0, "L2": 1, "L3": 2, "N": 3}
"""Phases of sensors; 5 is undefined."""
BAUDRATE_CODES: Mapping[int, int] = {
    1200: 0,
    2400: 1,
    4800: 2,
    9600: 3,
    19200: 4,
    38400: 5,
    57600: 6,
    115200: 7,
}
PARITY_CODES: Mapping[str, int] = {"none": 0, "odd": 1, "even": 2}
