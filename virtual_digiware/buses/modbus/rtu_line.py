"""One RS485 line with all its devices, heard through a port that a client opens or in memory by a gateway.

A device whose own settings differ from the line's hears what a receiver makes of them (`uart`), and is heard
the same way: garbage, or silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from virtual_digiware.buses.interfaces import Versioned, WriteHandler
from virtual_digiware.buses.interference import LineTrouble
from virtual_digiware.buses.modbus.answers import Answers
from virtual_digiware.buses.modbus.counters import Counters
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.buses.modbus.line_timing import LineTiming
from virtual_digiware.buses.modbus.rtu import RtuResponder, RtuSession
from virtual_digiware.buses.modbus.rtu_frames import FrameCutter
from virtual_digiware.buses.modbus.station import MAX_DEVICES, LineDirectory, Station
from virtual_digiware.buses.modbus.uart import as_heard


class LineSession(Protocol):
    """The devices of a line in conversation with the bytes of one port."""

    def receive(self, data: bytes) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """A device set to something else than the line that it hangs on; its pace is the line's."""

    station: Station
    settings: LineTiming


class RtuLine:
    """The devices of one RS485 line: one port to open, see `PtyLine` and `SerialLine`, or `exchange`.

    Args:
        stations: Every device of the line; a head counts once, and all that stands behind it answers.
        site: Its version tells when kept replies are out of date.
        images: Register images of the site's units.
        handler: Takes the writes.
        timing: Of the line.
        misset: Further devices, whose settings differ from the line's.

    Raises:
        ValueError: More devices than an RS485 line carries.
    """

    def __init__(
        self,
        stations: Sequence[Station],
        site: Versioned,
        images: Images,
        handler: WriteHandler,
        timing: LineTiming | None = None,
        misset: Sequence[OwnSettings] = (),
    ) -> None:
        self.counters = Counters()
        self.interference: LineTrouble | None = None
        """What happens to answers on the line; None while nothing does."""
        self.site = site
        self.timing = timing or LineTiming()
        if len(stations) + len(misset) > MAX_DEVICES:
            raise ValueError(
                f"{len(stations) + len(misset)} devices on one RS485 line; it carries {MAX_DEVICES}"
            )

        def responder(those: Sequence[Station]) -> RtuResponder:
            return RtuResponder(LineDirectory(those), site, images, handler, self.counters)

        self._listeners = [
            (self.timing, responder(stations)),
            *((one.settings, responder([one.station])) for one in misset),
        ]

    @property
    def answers(self) -> Sequence[Answers]:
        """Of all devices of the line, by their settings."""
        return [responder.answers for _, responder in self._listeners]

    def open_session(self, send: Callable[[bytes], None], *, is_timed_by_wire: bool = False) -> LineSession:
        """What a port passes its bytes to. `is_timed_by_wire`: its characters already take their time."""

        def say(data: bytes) -> None:
            if self.interference is None:
                send(data)
            else:
                self.interference.say(send, data)

        timing = self.timing
        delay_s: Callable[[int, int], float] | None = None
        if timing.pace == "real":
            delay_s = (lambda *_: timing.silence_s) if is_timed_by_wire else timing.exchange_s
        first, *others = (
            _Translated(timing, own, responder, say, delay_s)
            if own is not timing
            else RtuSession(responder, say, timing.patience_s, delay_s)
            for own, responder in self._listeners
        )
        return _Together([first, *others]) if others else first

    def exchange(self, frame: bytes, client: LineTiming) -> bytes:
        """What a client in memory hears after its frame; empty when nobody says anything.

        The frame ends with silence here, so nothing of it is left for the next one.
        """
        heard = b""
        for own, responder in self._listeners:
            cutter = FrameCutter(self.counters)
            frames = cutter.feed(as_heard(frame, client, own))
            replies = b"".join([responder.reply(one) for one in (*frames, *cutter.silence())])
            heard += as_heard(replies, own, client)
        return heard if self.interference is None else self.interference.heard(heard)


class _Translated:
    """A session with a device whose settings are its own."""

    def __init__(
        self,
        line: LineTiming,
        own: LineTiming,
        responder: RtuResponder,
        send: Callable[[bytes], None],
        delay_s: Callable[[int, int], float] | None,
    ) -> None:
        self._line, self._own = line, own
        self._send = send
        self._session = RtuSession(responder, self._say, line.patience_s, delay_s)

    def receive(self, data: bytes) -> None:
        self._session.receive(as_heard(data, self._line, self._own))

    def close(self) -> None:
        self._session.close()

    def _say(self, data: bytes) -> None:
        self._send(as_heard(data, self._own, self._line))


class _Together:
    """Several devices that hear the same bytes."""

    def __init__(self, sessions: Sequence[LineSession]) -> None:
        self._sessions = tuple(sessions)

    def receive(self, data: bytes) -> None:
        for session in self._sessions:
            session.receive(data)

    def close(self) -> None:
        for session in self._sessions:
            session.close()
