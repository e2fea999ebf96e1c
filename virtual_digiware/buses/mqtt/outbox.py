"""What waits for the broker: bounded in number and size; the oldest telemetry goes first, and is counted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One message; an `is_event` one (an alarm) is dropped only when nothing else is left to drop."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    is_event: bool = False

    @property
    def size(self) -> int:
        return len(self.topic) + len(self.payload)


@dataclass(slots=True)
class MqttCounters:
    """What became of messages and connections since the start."""

    published: int = 0
    dropped: int = 0
    refused: int = 0
    connections: int = 0
    failures: int = 0


class Outbox:
    """Messages in the order in which they were made, until the broker has taken them.

    Args:
        messages: bound of their number, at least 1.
        octets: bound of their topics and payloads together; one message larger than that is dropped itself.
    """

    def __init__(self, messages: int, octets: int, counters: MqttCounters) -> None:
        self._most, self._most_octets = messages, octets
        self._counters = counters
        self._waiting: deque[Message] = deque()
        self.filled = asyncio.Event()
        self.octets = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Message) -> None:
        """Add a message; makes room by dropping where the bound demands it."""
        self._waiting.append(message)
        self.octets += message.size
        while len(self._waiting) > self._most or self.octets > self._most_octets:
            self._drop()
        if self._waiting:
            self.filled.set()

    def first(self, count: int) -> tuple[Message, ...]:
        """The oldest messages; they stay until `taken`."""
        return tuple(self._waiting[i] for i in range(min(count, len(self._waiting))))

    def taken(self, messages: Iterable[Message]) -> None:
        """Forget what the broker has; what was dropped meanwhile is gone already."""
        for message in messages:
            place = next((i for i, one in enumerate(self._waiting) if one is message), None)
            if place is not None:
                del self._waiting[place]
                self.octets -= message.size
        if not self._waiting:
            self.filled.clear()

    def _drop(self) -> None:
        place = next((i for i, one in enumerate(self._waiting) if not one.is_event), 0)
        self.octets -= self._waiting[place].size
        del self._waiting[place]
        self._counters.dropped += 1
        if not self._waiting:
            self.filled.clear()
