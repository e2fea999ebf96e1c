"""What a server asks of whoever reaches the units that it cannot answer for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Forwarder(Protocol):
    """The other side of a gateway: units behind a line of which it is the client."""

    def claims(self, unit_id: int) -> bool:
        """Whether requests to a unit go there, whether or not it answers at the moment."""

    def forward(self, unit_id: int, pdu: bytes, answer: Callable[[bytes | None], None]) -> None:
        """Pass a request on; `answer` is called once, now or later, with the response PDU or None."""
