"""What a port has seen: requests by function, exceptions, bad frames, connections."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """Counts of one port since it was opened; every one only grows.

    `bad_frames` are frames that no server may answer (wrong CRC, impossible header, garbage);
    `unanswered` are well-formed requests to a unit that does not answer, met with silence or exception 0x0B;
    `collisions` those among them for which several units would have answered at once;
    `failures` answers that could not be made because of a mistake of ours (exception 4);
    `dropped` answers that nobody took.
    """

    by_function: list[int] = field(default_factory=lambda: [0] * 256)
    exceptions: int = 0
    bad_frames: int = 0
    unanswered: int = 0
    broadcasts: int = 0
    collisions: int = 0
    failures: int = 0
    dropped: int = 0
    connections: int = 0
    refused_connections: int = 0
    idle_connections: int = 0

    @property
    def requests(self) -> int:
        """Well-formed frames, whatever was answered to them."""
        return sum(self.by_function)

    @property
    def functions(self) -> dict[int, int]:
        """Requests by function code, those that occurred."""
        return {code: count for code, count in enumerate(self.by_function) if count}
