"""Time on a serial line: how long characters and silences last, and what an operating system adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Parity = Literal["none", "even", "odd"]
Pace = Literal["instant", "real"]

_FASTEST_COUNTED = 19200
_SILENCE_ABOVE_S = 0.00175


@dataclass(frozen=True, slots=True)
class LineTiming:
    """Settings of a serial line and how much of its slowness is kept.

    `pace` "real" delays an answer by the time that its frames would take on the wire; "instant" does not.
    `grace_s` is the least silence that ends a partial frame: schedulers and USB adapters pause for longer
    than three and a half characters in the middle of a frame. Default speed and format are this project's
    choice; those of the real devices are not published.
    """

    baudrate: int = 38400
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1
    pace: Pace = "instant"
    grace_s: float = 0.02

    def __post_init__(self) -> None:
        if self.baudrate <= 0 or self.grace_s < 0:
            raise ValueError("a line has a speed, and grace is never negative")

    @property
    def character_s(self) -> float:
        """One character: start bit, eight data bits, parity if any, stop bits. 11 bits in all for 8E1."""
        return (9 + (self.parity != "none") + self.stop_bits) / self.baudrate

    @property
    def silence_s(self) -> float:
        """The silence between two frames: 3.5 characters, 1.75 ms above 19200 baud.

        Source: MODBUS over Serial Line V1.02, section 2.5.1.1.
        """
        return _SILENCE_ABOVE_S if self.baudrate > _FASTEST_COUNTED else 3.5 * self.character_s

    @property
    def patience_s(self) -> float:
        """After so much silence a partial frame is given up."""
        return max(self.silence_s, self.grace_s)

    def exchange_s(self, request_bytes: int, response_bytes: int) -> float:
        """Time from the first bit of a request to the last bit of its response, at this line's speed."""
        return (request_bytes + response_bytes) * self.character_s + self.silence_s
