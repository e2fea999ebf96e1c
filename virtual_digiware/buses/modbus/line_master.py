"""A gateway as the client of an RS485 line: one RTU exchange at a time, with time-outs, retries and a queue.

Requests of its own clients to units behind the line become real frames on it. A unit that does not answer
costs its time-outs and nothing else: whoever waits behind is served next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from virtual_digiware.buses.modbus.line_timing import LineTiming
from virtual_digiware.buses.modbus.rtu_line import RtuLine
from virtual_digiware.buses.modbus.station import Station

MAX_WAITING = 64
"""Requests that wait for the line; one more is answered as busy."""

BUSY = 6
"""Exception "server device busy". Source: MODBUS Application Protocol V1.1b3, section 7."""


@dataclass(frozen=True, slots=True)
class TimeOuts:
    """Patience with the units of a line. The real gateways' is not published; these defaults are a choice."""

    reply_ms: int = 1000
    retries: int = 2
    offline_after: int = 3
    """Requests in a row without answer; from there on a unit is asked once, without retries."""


@dataclass(slots=True)
class MasterCounters:
    """What a line's client has done; every one only grows. `garbled` answers were not understood."""

    exchanges: int = 0
    forwarded: int = 0
    time_outs: int = 0
    garbled: int = 0
    refused: int = 0


@dataclass(slots=True)
class _Waiting:
    unit_id: int
    pdu: bytes
    answer: Callable[[bytes | None], None]
    attempts: int = 0


class LineMaster:
    """The only client of a line in memory.

    Args:
        line: The line with its devices.
        stations: The devices on it, whose units are asked for here.
        timing: The gateway's own settings; by default the line's.
        time_outs: Its patience.
    """

    def __init__(
        self,
        line: RtuLine,
        stations: Sequence[Station],
        timing: LineTiming | None = None,
        time_outs: TimeOuts | None = None,
    ) -> None:
        self.line = line
        self.stations = tuple(stations)
        self.timing = timing or line.timing
        self.time_outs = time_outs or TimeOuts()
        self.counters = MasterCounters()
        self._queue: deque[_Waiting] = deque()
        self._current: _Waiting | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unanswered: dict[int, int] = {}
        self._claimed: set[int | None] = set()
        self._claimed_version: int | None = None

    def claims(self, unit_id: int) -> bool:
        """Whether a device of the line has this address, whether or not it answers."""
        version = self.line.site.version
        if version != self._claimed_version:
            self._claimed = {unit.address for station in self.stations for unit in station.units()}
            self._claimed_version = version
        return unit_id in self._claimed

    def forward(self, unit_id: int, pdu: bytes, answer: Callable[[bytes | None], None]) -> None:
        """Put a request on the line when its turn comes.

        `answer` gets the response PDU, None when the unit was silent to the last retry, or the exception
        "busy" at once when too many wait.
        """
        if len(self._queue) >= MAX_WAITING:
            self.counters.refused += 1
            answer(bytes((pdu[0] | 0x80, BUSY)))
            return
        self.counters.forwarded += 1
        self._queue.append(_Waiting(unit_id, pdu, answer))
        if self._current is None:
            self._take_next()

    def ask(self, unit_id: int, pdu: bytes) -> bytes | None:
        """One exchange of the gateway's own polling, without time passing; None when nobody is understood."""
        return self._exchange(unit_id, pdu)[0]

    def close(self) -> None:
        """Give up what waits; nobody is answered."""
        if self._timer is not None:
            self._timer.cancel()
        self._queue.clear()
        self._current = None

    def _exchange(self, unit_id: int, pdu: bytes) -> tuple[bytes | None, float]:
        """The response to one frame, and how long it took on a line whose pace is real."""
        from virtual_digiware.buses.modbus import endpoint

        frame = endpoint.rtu_frame(pdu, unit_id)
        heard = self.line.exchange(frame, self.timing)
        self.counters.exchanges += 1
        response = endpoint.rtu_response(heard, unit_id, pdu[0])
        if heard and response is None:
            self.counters.garbled += 1
        is_real = self.line.timing.pace == "real"
        return response, self.timing.exchange_s(len(frame), len(heard)) if is_real else 0.0

    def _take_next(self) -> None:
        while self._queue and self._current is None:
            self._current = self._queue.popleft()
            self._attempt()

    def _attempt(self) -> None:
        one = self._current
        assert one is not None
        one.attempts += 1
        response, took_s = self._exchange(one.unit_id, one.pdu)
        loop = asyncio.get_running_loop()
        if response is None:
            self._timer = loop.call_later(self.time_outs.reply_ms / 1000, self._timed_out)
        elif took_s:
            self._timer = loop.call_later(took_s, self._answered, response)
        else:
            self._finish(response)

    def _answered(self, response: bytes) -> None:
        self._finish(response)
        self._take_next()

    def _timed_out(self) -> None:
        one = self._current
        assert one is not None
        self.counters.time_outs += 1
        is_offline = self._unanswered.get(one.unit_id, 0) >= self.time_outs.offline_after
        if one.attempts <= self.time_outs.retries and not is_offline:
            self._attempt()
            if self._current is not None:
                return
        else:
            self._finish(None)
        self._take_next()

    def _finish(self, response: bytes | None) -> None:
        one, self._current, self._timer = self._current, None, None
        assert one is not None
        self._unanswered[one.unit_id] = 0 if response else self._unanswered.get(one.unit_id, 0) + 1
        one.answer(response)
