"""What a serial receiver makes of characters that were sent with other settings: bits on a wire, sampled.

A receiver looks for the edge of a start bit and then in the middle of each bit of its own length. So another
baud rate gives other bytes, always the same ones; a parity bit that is wrong, or a stop bit that is missing,
drops the character. A second stop bit is only a longer pause, and disturbs nobody.
"""

from __future__ import annotations

from functools import lru_cache

from virtual_digiware.buses.modbus.line_timing import LineTiming, Parity

_DATA_BITS = 8
_IDLE = 1


def as_heard(data: bytes, sent: LineTiming, heard: LineTiming) -> bytes:
    """Bytes that a receiver with settings `heard` takes from a wire on which `data` is sent without pause."""
    if (sent.baudrate, sent.parity) == (heard.baudrate, heard.parity):
        return data
    return _sampled(data, sent.baudrate, sent.parity, sent.stop_bits, heard.baudrate, heard.parity)


@lru_cache(maxsize=1024)
def _sampled(
    data: bytes, sent_baud: int, sent_parity: Parity, stop_bits: int, heard_baud: int, heard_parity: Parity
) -> bytes:
    wire = [bit for byte in data for bit in _character(byte, sent_parity, stop_bits)]
    heard = bytearray()
    # Positions in units of 1 / (2 x sent x heard) seconds, so that every edge and middle is a whole number.
    sent_length, heard_length = 2 * heard_baud, 2 * sent_baud
    at, end = 0, len(wire) * sent_length

    def level(position: int) -> int:
        place = position // sent_length
        return wire[place] if place < len(wire) else _IDLE

    while at < end:
        if level(at) == _IDLE:
            at = (at // sent_length + 1) * sent_length
            continue
        middle = at + heard_length // 2
        bits = [level(middle + heard_length * place) for place in range(1, _DATA_BITS + 1)]
        place = _DATA_BITS + 1
        is_good = True
        if heard_parity != "none":
            is_good = level(middle + heard_length * place) == _parity_bit(sum(bits), heard_parity)
            place += 1
        stop_at = middle + heard_length * place
        if level(stop_at) != _IDLE:  # a framing error: nothing is heard before the wire is idle again
            at = stop_at
            while at < end and level(at) != _IDLE:
                at = (at // sent_length + 1) * sent_length
            continue
        if is_good:
            heard.append(sum(bit << place for place, bit in enumerate(bits)))
        at = stop_at
    return bytes(heard)


def _character(byte: int, parity: Parity, stop_bits: int) -> list[int]:
    """Start bit, data bits from the lowest, parity, stop bits.

    Source: MODBUS over Serial Line V1.02, section 2.5.1.
    """
    data = [byte >> place & 1 for place in range(_DATA_BITS)]
    check = [] if parity == "none" else [_parity_bit(sum(data), parity)]
    return [0, *data, *check, *[_IDLE] * stop_bits]


def _parity_bit(ones: int, parity: Parity) -> int:
    return ones & 1 if parity == "even" else 1 - (ones & 1)
