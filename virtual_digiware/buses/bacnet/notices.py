"""Confirmed notifications on their way: sent again until they are acknowledged, given up after some tries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from virtual_digiware.buses.bacnet.peers import Peer

INVOKE_IDS = 256


@dataclass(slots=True)
class _Waiting:
    apdu: bytes
    tries: int
    timer: asyncio.TimerHandle


class Notices:
    """What one device has sent and waits to be acknowledged.

    Args:
        send: takes an APDU for a peer.
        timeout_s: time to wait for an acknowledgement; the APDU timeout of the device.
        retries: how often it is sent again.
        most: how many may wait; the next one is not sent. Whoever notices changes will notice later ones.
    """

    def __init__(
        self, send: Callable[[bytes, Peer], None], timeout_s: float, retries: int, most: int
    ) -> None:
        self._send = send
        self._timeout_s, self._retries, self._most = timeout_s, retries, most
        self._waiting: dict[tuple[Peer, int], _Waiting] = {}
        self._next_id = 0
        self.given_up = 0

    def invoke_id(self, peer: Peer) -> int | None:
        """A free invoke id for a peer; None while too many wait."""
        if len(self._waiting) >= self._most:
            return None
        for _ in range(INVOKE_IDS):
            self._next_id = (self._next_id + 1) % INVOKE_IDS
            if (peer, self._next_id) not in self._waiting:
                return self._next_id
        return None

    def send(self, peer: Peer, invoke_id: int, apdu: bytes) -> None:
        """Send, and again while nobody acknowledges."""
        self._send(apdu, peer)
        self._waiting[peer, invoke_id] = _Waiting(apdu, 0, self._timer(peer, invoke_id))

    def answered(self, peer: Peer, invoke_id: int) -> None:
        """An acknowledgement or a refusal has come: either ends the matter."""
        waiting = self._waiting.pop((peer, invoke_id), None)
        if waiting is not None:
            waiting.timer.cancel()

    def close(self) -> None:
        for waiting in self._waiting.values():
            waiting.timer.cancel()
        self._waiting.clear()

    def _timer(self, peer: Peer, invoke_id: int) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._timeout_s, self._again, peer, invoke_id)

    def _again(self, peer: Peer, invoke_id: int) -> None:
        waiting = self._waiting[peer, invoke_id]
        if waiting.tries >= self._retries:
            del self._waiting[peer, invoke_id]
            self.given_up += 1
            return
        waiting.tries += 1
        waiting.timer = self._timer(peer, invoke_id)
        self._send(waiting.apdu, peer)
