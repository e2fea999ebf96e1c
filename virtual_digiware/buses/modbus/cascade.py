"""An Ethernet cascade: a gateway collects other gateways over Modbus TCP, in cycles of simulated time.

Each slave is asked on its own port with its own addresses, so a unit is known by slave and address.
Source: Socomec note on DIRIS Digiware communication architectures, figures 21, 27 and 29.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from math import ceil

from virtual_digiware.buses.modbus.block_reading import Client, read_blocks
from virtual_digiware.buses.modbus.line_polling import polled_blocks, probe_of
from virtual_digiware.devices.unit import Unit

CYCLE_MS = 5000
"""Simulated time between two polls. A choice: that of the real gateways is not published."""

LOST_AFTER = 3

FIRST_NUMBER, LAST_NUMBER = 101, 247
"""Simulator numbering of units whose addresses belong to the address space of another gateway."""


class CascadePolling:
    """The Ethernet slaves of one gateway.

    Args:
        slaves: The units imported from each slave, by the slave's name.
        refresh_ms: The cycle is a multiple of it.
    """

    def __init__(self, slaves: Mapping[str, Sequence[Unit]], refresh_ms: int) -> None:
        self.slaves = tuple(slaves)
        self._slave_of = {unit.path: slave for slave, units in slaves.items() for unit in units}
        self.units = tuple(unit for units in slaves.values() for unit in units)
        self.cycle_ms = ceil(CYCLE_MS / refresh_ms) * refresh_ms
        self.lost_after = LOST_AFTER
        self._answered: dict[str, tuple[int, bool]] = {}
        """The cycle in which each unit was polled last, and whether it answered."""
        self._polled_cycle: int | None = None

    def answers(self, unit: Unit, t_ms: int) -> bool | None:
        """Whether a unit answered in the poll of the running cycle; None before that is over.

        Before the first poll of all, while no port is open yet, what it would have found: so a site that is
        started again shows what it would show had it never stopped.
        """
        if self._polled_cycle is None:
            return unit.is_present
        cycle, is_answered = self._answered.get(unit.path, (None, None))
        return is_answered if t_ms // self.cycle_ms == cycle else None

    def is_due(self, t_ms: int) -> bool:
        """Whether a cycle has begun that nothing was polled in yet; told once."""
        cycle = t_ms // self.cycle_ms
        is_due = cycle != self._polled_cycle
        self._polled_cycle = cycle
        return is_due

    async def poll(
        self, clients: Mapping[str, Client], t_ms: int, is_skipped: Callable[[Unit], bool]
    ) -> None:
        """Read identification and measurements of all units at once, by the clients of their slaves."""
        cycle = t_ms // self.cycle_ms

        async def ask(unit: Unit) -> None:
            is_answered = await self._ask(clients[self._slave_of[unit.path]], unit)
            self._answered[unit.path] = cycle, is_answered

        await asyncio.gather(*(ask(unit) for unit in self.units if not is_skipped(unit)))

    async def _ask(self, client: Client, unit: Unit) -> bool:
        if unit.address is None:
            return False
        if await client.ask(unit.address, probe_of(unit.product)) is None:
            return False
        return await read_blocks(client, unit.address, unit.product, polled_blocks(unit)) is not None


def numbers_of(units: Sequence[Unit], taken: set[int]) -> dict[str, int]:
    """A number for each imported unit, by path, in the order of the import; none where all are taken."""
    free = (number for number in range(FIRST_NUMBER, LAST_NUMBER + 1) if number not in taken)
    return {unit.path: number for unit, number in zip(units, free, strict=False)}
