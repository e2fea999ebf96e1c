"""Reading whole blocks of a unit through a Modbus client, as devices do that collect others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from virtual_digiware.buses.modbus.line_polling import pieces, read_request
from virtual_digiware.devices.block import PlacedBlock, Product

_EXCEPTION = 0x80


class Client(Protocol):
    """Whoever asks."""

    async def ask(self, unit_id: int, pdu: bytes) -> bytes | None: ...


async def read_blocks(
    client: Client, unit_id: int, product: Product, blocks: Sequence[PlacedBlock]
) -> list[tuple[PlacedBlock, bytes]] | None:
    """The bytes of all blocks, one read after the other; None as soon as one of them is not answered."""
    found = []
    for placed in blocks:
        data = b""
        for address, words in pieces(product, placed):
            response = await client.ask(unit_id, read_request(placed, address, words))
            if response is None or response[0] & _EXCEPTION or len(response) != 2 + 2 * words:
                return None
            data += response[2:]
        found.append((placed, data))
    return found
