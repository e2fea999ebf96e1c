"""Polling of an RS485 line by the gateway that is its client: who is asked, how often, and who answers."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from virtual_digiware.buses.modbus.image import is_readable
from virtual_digiware.buses.modbus.line_master import LineMaster
from virtual_digiware.devices.block import PlacedBlock, Product
from virtual_digiware.devices.unit import Unit

POLLED = (
    "circuit.instantaneous",
    "circuit.energy",
    "network.instantaneous",
    "io.digital_inputs",
    "io.digital_outputs",
    "io.analogue_inputs",
    "io.temperatures",
    "io.meters",
    "meter.measured",
)
"""Tables that a gateway fetches in every cycle: a choice, what the real ones fetch is not published."""

IDENTIFICATION = "unit.identification"

_MAX_READ_WORDS = 125
_ALIGNED_WORDS = 4
_REQUEST_BYTES, _RESPONSE_OVERHEAD = 8, 5


class LinePolling:
    """One line in the eyes of its client.

    Every unit is polled once in a cycle, which is as long as all those frames take at the line's speed, with
    the time-out of one silent unit; on a line whose timing is "instant" it is one refresh of the site.

    Args:
        master: The client.
        units: All units behind the line, as the site's model has them.
        refresh_ms: Cycles are a multiple of it.
    """

    def __init__(self, master: LineMaster, units: Sequence[Unit], refresh_ms: int) -> None:
        self.master = master
        self.units = tuple(units)
        self.lost_after = master.time_outs.offline_after
        self.cycle_ms = refresh_ms
        if master.line.timing.pace == "real":
            silent_ms = master.time_outs.reply_ms * (1 + master.time_outs.retries)
            frames_ms = 1000 * sum(self._exchanges_s(unit) for unit in self.units)
            self.cycle_ms = ceil((frames_ms + silent_ms) / refresh_ms) * refresh_ms

    def answers(self, unit: Unit, t_ms: int) -> bool:
        """Ask a unit for the beginning of its identification, in one frame."""
        if unit.address is None:
            return False
        return self.master.ask(unit.address, probe_of(unit.product)) is not None

    def _exchanges_s(self, unit: Unit) -> float:
        timing = self.master.timing
        return sum(
            timing.exchange_s(_REQUEST_BYTES, _RESPONSE_OVERHEAD + 2 * words)
            for placed in polled_blocks(unit)
            for _, words in pieces(unit.product, placed)
        )


def polled_blocks(unit: Unit) -> list[PlacedBlock]:
    """Blocks with the measurements of a unit, those of its circuits only."""
    return [
        placed
        for placed in unit.product.blocks
        if is_readable(placed)
        and placed.block.table in POLLED
        and not (placed.block.table.startswith("circuit.") and placed.slot >= len(unit.slots))
    ]


def pieces(product: Product, placed: PlacedBlock) -> list[tuple[int, int]]:
    """Address and words of the reads that fetch a block, as large as the product takes them.

    All but the last are a multiple of four words, so that hardly a value is cut in two.
    """
    maximum = min(_MAX_READ_WORDS, int(product.features.get("read_words_maximum", _MAX_READ_WORDS)))
    step = max(1, maximum // _ALIGNED_WORDS) * _ALIGNED_WORDS
    return [(address, min(step, placed.end - address)) for address in range(placed.base, placed.end, step)]


def probe_of(product: Product) -> bytes:
    """The request PDU that finds out whether a unit is there."""
    blocks = [placed for placed in product.blocks if is_readable(placed)]
    first = next((placed for placed in blocks if placed.block.table == IDENTIFICATION), blocks[0])
    return read_request(first, first.base, min(4, first.block.words))


def read_request(placed: PlacedBlock, address: int, words: int) -> bytes:
    """The request PDU of a plain read in a block."""
    return bytes((placed.block.read_functions[0], address >> 8, address & 0xFF, 0, words))
