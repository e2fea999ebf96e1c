"""Faults of the wire and of those who answer over it: which answers they strike, and what becomes of these.

Nothing here is asked while there is no fault. Which answers are struck is told by a hash of how many there
have been since the fault began, so the same requests meet the same fate.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from virtual_digiware.buses.modbus.listener import Connection

Send = Callable[[bytes], None]


@dataclass
class Strikes:
    """One fault: what it does, and whether it strikes this time.

    Args:
        number: of the fault.
        share: of the answers that are struck, 0 to 1.
        left: how many are struck yet; None: no end.
        used_up: called when the last one has been struck.
    """

    number: int
    effect: str
    parameters: Mapping[str, Any]
    seed: int
    used_up: Callable[[int], None]
    share: float = 1.0
    left: int | None = None
    answers: int = 0
    _hashed: dict[str, int] = field(default_factory=dict)

    def strike(self) -> bool:
        """Count one answer, and tell whether it is struck."""
        if self.left == 0:
            return False
        self.answers += 1
        if self.hashed("strike") >= self.share * 2**64:
            return False
        if self.left is not None:
            self.left -= 1
            if not self.left:
                self.used_up(self.number)
        return True

    def hashed(self, what: str) -> int:
        """A number from 0 to 2^64 - 1, always the same for the same answer."""
        text = f"{self.seed}\0{self.number}\0{self.answers}\0{what}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())

    def delay_s(self) -> float:
        return float(self.parameters["delay_ms"]) / 1000


class UnitTrouble:
    """Units that answer late, or with exceptions, by path."""

    def __init__(self, faults: Mapping[str, Sequence[Strikes]]) -> None:
        self._faults = faults

    def concerns(self, path: str) -> bool:
        """Whether anything is the matter with a unit."""
        return path in self._faults

    def exception(self, path: str) -> int:
        """The exception code that this request is answered with; 0: none."""
        for fault in self._faults.get(path, ()):
            if fault.effect == "exception" and fault.strike():
                return int(fault.parameters["code"])
        return 0

    def delay_s(self, path: str) -> float:
        """By how much the answer to this request is late."""
        struck = (fault for fault in self._faults.get(path, ()) if fault.effect == "slow" and fault.strike())
        return sum(fault.delay_s() for fault in struck)


class PortTrouble:
    """What happens to the answers of a TCP port."""

    def __init__(self, faults: Sequence[Strikes]) -> None:
        self._faults = tuple(faults)

    def write(self, connection: Connection, data: bytes) -> None:
        """Send an answer as far as it gets."""
        for fault in self._faults:
            if not fault.strike():
                continue
            if fault.effect == "tcp_silent":
                return
            if fault.effect == "tcp_reset":
                connection.write(data[: len(data) // 2])
                connection.reset()
                return
            if fault.effect == "tcp_drip":
                _drip(connection, data, fault.delay_s())
                return
        connection.write(data)


def _drip(connection: Connection, data: bytes, pause_s: float) -> None:
    """One byte after the other; a second answer waits for the first."""
    loop = asyncio.get_running_loop()
    for place in range(len(data)):
        connection.busy_until_s = max(connection.busy_until_s, loop.time()) + pause_s
        loop.call_at(connection.busy_until_s, connection.write, data[place : place + 1])


class LineTrouble:
    """What happens to the answers on an RS485 line."""

    def __init__(self, faults: Sequence[Strikes]) -> None:
        self._faults = tuple(faults)

    def say(self, send: Send, data: bytes) -> None:
        """Send what becomes of an answer, when it comes."""
        heard, late_s = self._becomes(data)
        if not heard:
            return
        if late_s:
            asyncio.get_running_loop().call_later(late_s, send, heard)
        else:
            send(heard)

    def heard(self, data: bytes) -> bytes:
        """What a client in memory hears; of an answer that is late, nothing."""
        heard, late_s = self._becomes(data)
        return b"" if late_s else heard

    def _becomes(self, data: bytes) -> tuple[bytes, float]:
        late_s = 0.0
        for fault in self._faults:
            if not data or not fault.strike():
                continue
            match fault.effect:
                case "line_lost":
                    data = b""
                case "line_late":
                    late_s += fault.delay_s()
                case "line_crc":
                    data = data[:-2] + bytes(byte ^ 0xFF for byte in data[-2:])
                case "line_noise":
                    hashed = fault.hashed("noise")
                    place, bit = hashed % len(data), hashed >> 32 & 7
                    data = data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
                case "line_twice":
                    data += data
                case "line_cut":
                    data = data[: len(data) // 2]
                case "line_second_client":
                    data = bytes.fromhex(str(fault.parameters["frame"])) + data
        return data, late_s
