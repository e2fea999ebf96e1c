"""Cutting RTU requests out of a stream of bytes: by length where the function tells it, by CRC always.

RTU marks the end of a frame by silence only, and a stream that an operating system hands over in chunks
knows little of silence. So a frame is taken as soon as it is whole; silence, which the caller reports, ends
what never became whole. Knows no clock, no unit and no socket.
"""

from __future__ import annotations

from virtual_digiware.buses.modbus.counters import Counters

MAX_FRAME = 256
"""Bytes of the longest frame. Source: MODBUS over Serial Line V1.02, section 2.5.1."""

_MIN_FRAME = 4  # unit id, function code, CRC
_MAX_NOISE = 2 * MAX_FRAME  # without one good frame in so much, only silence helps
_SIZE_TOLD_BY = 11  # bytes at the front of a request that tell its length, whatever its function


class FrameCutter:
    """Bytes in, whole frames with a right CRC out, the rest counted as bad frames.

    In step, the bytes at the front begin a frame and are waited for. Out of step (a wrong CRC, an impossible
    length, a function whose length is not known) a good frame anywhere behind is taken at once.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._buffer = bytearray()
        self._is_in_step = True
        self._is_deaf = False  # too much noise: nothing is looked at before the next silence
        self._open: list[int] = []  # offsets of what may yet become a good frame, while out of step
        self._searched = 0  # offsets below are open or begin no frame

    @property
    def is_waiting(self) -> bool:
        """Whether only more bytes, or silence, can say what those held are."""
        return bool(self._buffer) or self._is_deaf

    def feed(self, data: bytes) -> list[bytes]:
        """Frames that are whole now, in order."""
        if self._is_deaf:
            return []
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        if len(self._buffer) > _MAX_NOISE:
            self._drop()
            self._is_deaf = True
        return frames

    def silence(self) -> list[bytes]:
        """The line fell silent: frames that this completes. Everything else held is dropped.

        A frame of a function whose length is not known ends here, and so does the wait for the rest of a
        long frame when the bytes at the front only looked like one.
        """
        frames = []
        if _MIN_FRAME <= len(self._buffer) <= MAX_FRAME and _is_good(bytes(self._buffer)):
            frames.append(bytes(self._buffer))
            self._take(len(self._buffer))
        while self._buffer:
            frame = self._next()
            if frame is not None:
                frames.append(frame)
            elif self._is_in_step:
                self._is_in_step = False
            else:
                self._drop()
        self._is_deaf = False
        return frames

    def _next(self) -> bytes | None:
        if self._is_in_step:
            size = _request_size(self._buffer, 0)
            if size is not None and len(self._buffer) < (size or MAX_FRAME):
                return None
            if size and _is_good(bytes(self._buffer[:size])):
                return self._take(size)
            self._is_in_step = False
        return self._search()

    def _search(self) -> bytes | None:
        """The first good frame behind noise. No offset is looked at twice once it cannot begin a frame."""
        buffer = self._buffer
        last = min(len(buffer) - _MIN_FRAME, _MAX_NOISE)
        candidates = [*self._open, *range(self._searched, last + 1)]
        self._searched = max(self._searched, last + 1)
        self._open = []
        for offset in candidates:
            size = _request_size(buffer, offset)
            if size is None:
                continue
            if size == 0 or offset + size > len(buffer):
                self._open.append(offset)
            elif _is_good(frame := bytes(buffer[offset : offset + size])):
                self._counters.bad_frames += 1
                self._take(offset + size)
                return frame
        return None

    def _take(self, end: int) -> bytes:
        """Everything up to `end`, which leaves the buffer; what follows is in step again."""
        taken = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._is_in_step = True
        self._open = []
        self._searched = 0
        return taken

    def _drop(self) -> None:
        self._counters.bad_frames += 1
        self._take(len(self._buffer))


def _request_size(buffer: bytearray, offset: int) -> int | None:
    """Length of the request that begins at `offset`: 0 not yet known, None unknowable or impossible."""
    from virtual_digiware.buses.modbus import endpoint

    size = endpoint.rtu_request_size(bytes(buffer[offset : offset + _SIZE_TOLD_BY]))
    return None if size is None or size > MAX_FRAME else size


def _is_good(frame: bytes) -> bool:
    from virtual_digiware.buses.modbus import endpoint

    return endpoint.has_valid_crc(frame)
