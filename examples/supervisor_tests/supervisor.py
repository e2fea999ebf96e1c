"""A small supervisor: polls meters behind a gateway by Modbus TCP, and notices what is wrong.

It stands for yours. It knows nothing of the simulator: `test_supervisor.py` points it at a simulated site.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Dates in the registers are seconds since then."""

PRESENT = 18432  # address and words of the present values of load 1
PRESENT_WORDS = 46
ENERGY = 19841  # kWh in two words, then tenths of Wh in one
LOAD_CURVE = 19982  # five closed demand periods, the newest first, of 13 words each
CURVE_POINTS, CURVE_WORDS = 5, 13
UNDERVOLTAGE = 39249  # state of threshold alarm 1: 0 never, 1 active, 2 finished, 3 acknowledged


@dataclass(frozen=True)
class Reading:
    """What one meter showed at one time, in W, V, A and Wh; negative power flows back to the grid."""

    measured_at: datetime
    power_w: int
    voltage_l1_v: float
    current_l1_a: float
    energy_wh: float


class Supervisor:
    """Polls meters by the Modbus address of each; `poll` when it is time."""

    def __init__(self, host: str, port: int, meters: Mapping[str, int], timezone: str = "UTC") -> None:
        self.readings: dict[str, Reading] = {}
        self.offline: set[str] = set()
        self._meters = dict(meters)
        self._timezone = ZoneInfo(timezone)
        self._client = ModbusTcpClient(host, port=port, timeout=2, retries=1)
        self._curve: dict[str, dict[datetime, int]] = {name: {} for name in meters}

    def close(self) -> None:
        self._client.close()

    def poll(self) -> None:
        """Read every meter; one that does not answer keeps its last reading and is offline."""
        for name, unit in self._meters.items():
            try:
                self.readings[name] = self._read(unit)
                self._curve[name].update(self._read_curve(unit))
            except OSError:
                self.offline.add(name)
            else:
                self.offline.discard(name)

    def is_stale(self, name: str, now: datetime, limit: timedelta = timedelta(minutes=1)) -> bool:
        """Whether the last reading of a meter is too old to be shown as the present."""
        reading = self.readings.get(name)
        return reading is None or now - reading.measured_at > limit

    def has_undervoltage(self, unit: int) -> bool:
        """Whether the alarm of a voltage module is active."""
        return self._registers(unit, UNDERVOLTAGE, 1)[0] == 1

    def consumption_wh(self, name: str, day: date, period: timedelta) -> float:
        """Consumption of a local day, which has 23 or 25 hours twice a year, from the load curve."""
        return sum(
            power_w * (period / timedelta(hours=1))
            for end, power_w in self._curve[name].items()
            if (end - period).astimezone(self._timezone).date() == day
        )

    def unexplained_w(self, incomer: str) -> float:
        """Power of the incomer that no feeder accounts for."""
        feeders = sum(reading.power_w for name, reading in self.readings.items() if name != incomer)
        return self.readings[incomer].power_w - feeders

    def suspects(self) -> set[str]:
        """Meters of loads that seem to feed the grid: a current sensor is the wrong way round."""
        return {name for name, reading in self.readings.items() if reading.power_w < 0}

    def _read(self, unit: int) -> Reading:
        words = self._registers(unit, PRESENT, PRESENT_WORDS)
        kwh_high, kwh_low, tenths_of_wh = self._registers(unit, ENERGY, 3)
        return Reading(
            measured_at=EPOCH + timedelta(seconds=unsigned(words, 1)),
            voltage_l1_v=unsigned(words, 12) / 100,
            current_l1_a=unsigned(words, 26) / 1000,
            power_w=signed(words, 44),
            energy_wh=unsigned([kwh_high, kwh_low], 0) * 1000 + tenths_of_wh / 10,
        )

    def _read_curve(self, unit: int) -> dict[datetime, int]:
        """Mean power by the end of each demand period that the meter still knows."""
        words = self._registers(unit, LOAD_CURVE, CURVE_POINTS * CURVE_WORDS)
        points = {}
        for first in range(0, len(words), CURVE_WORDS):
            seconds = unsigned(words, first)
            if seconds not in (0, 0xFFFFFFFF):  # not filled yet
                points[EPOCH + timedelta(seconds=seconds)] = unsigned(words, first + 3)
        return points

    def _registers(self, unit: int, address: int, count: int) -> list[int]:
        """Raises OSError when there is no answer, or one that says no."""
        try:
            answer = self._ask(unit, address, count)
        except ConnectionError:
            answer = self._ask(unit, address, count)  # the gateway may have restarted meanwhile
        if answer.isError():
            raise OSError(f"unit {unit} answers {answer}")
        return list(answer.registers)

    def _ask(self, unit: int, address: int, count: int) -> ModbusPDU:
        if not self._client.connected and not self._client.connect():
            raise ConnectionError("the gateway cannot be reached")
        try:
            return self._client.read_holding_registers(address, count=count, device_id=unit)
        except ModbusException as error:
            self._client.close()
            raise ConnectionError(str(error)) from error


def unsigned(words: list[int], first: int) -> int:
    """32 bits, the high word first."""
    return words[first] << 16 | words[first + 1]


def signed(words: list[int], first: int) -> int:
    """As `unsigned`, in two's complement."""
    return int(struct.unpack(">i", struct.pack(">HH", *words[first : first + 2]))[0])
