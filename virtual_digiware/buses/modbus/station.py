"""Who answers for a unit identifier: behind one gateway, or among the devices of one RS485 line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from virtual_digiware.buses.digiware import DigiwareBus
from virtual_digiware.buses.interfaces import Unit

MAX_DEVICES = 32
"""Devices on one RS485 line; a head counts once, whatever stands behind it.

Source: DIRIS Digiware DC manual 545830B p. 37, R-60 manual 551066A p. 53.
"""


class Station:
    """A gateway's own unit and the modules of its bus, in one address space.

    A C-31 is transparent: it has no address of its own, so only its modules answer (a choice; its own
    identity on RS485 is not published). A gateway whose address a module shares answers itself: what it
    is asked it never puts on its bus.

    Args:
        own: The gateway as a device; None, or a unit without address, for a C-31.
        bus: The modules behind it.
        sensors: What the gateway hears over the air and answers for.
        answers_any_unit: Unit ids 0 and 255, which clients use for "the device at this IP address",
            reach the gateway too. Off by default: whether the real one does is not published.
    """

    def __init__(
        self,
        own: Unit | None,
        bus: DigiwareBus,
        *,
        answers_any_unit: bool = False,
        sensors: Sequence[Unit] = (),
    ) -> None:
        self.own = own
        self.bus = bus
        self.sensors = tuple(sensors)
        self.answers_any_unit = answers_any_unit

    def units(self) -> Iterator[Unit]:
        """Every unit with an address, the gateway first, whether or not it answers."""
        if self.own is not None and self.own.address is not None:
            yield self.own
        yield from self.bus
        yield from self.sensors

    def find(self, unit_id: int) -> Unit | None:
        """The unit that answers, or None: absent, dead, two sharing the address, or 0 and 255."""
        own = self.own
        is_any = self.answers_any_unit and unit_id in (0, 255)
        if own is not None and own.is_present and (is_any or own.address == unit_id):
            return own
        heard = [unit for unit in self._sensors_shown() if unit.address == unit_id]
        if not heard:
            return self.bus.find(unit_id)
        return heard[0] if self.claims(unit_id) == 1 else None

    def _sensors_shown(self) -> list[Unit]:
        """The gateway answers for its sensors, heard or not, from its own memory."""
        return list(self.sensors) if self.own is not None and self.own.is_present else []

    def claims(self, unit_id: int) -> int:
        """How many devices would talk at once when this unit is asked over a shared line."""
        own = self.own
        is_own = own is not None and own.is_present and own.address == unit_id
        sensors = sum(unit.address == unit_id for unit in self._sensors_shown())
        return is_own + sensors + sum(unit.is_present and unit.address == unit_id for unit in self.bus)


class LineDirectory:
    """All devices of one RS485 line as one directory: exactly one of them may answer."""

    def __init__(self, stations: Sequence[Station]) -> None:
        self._stations = tuple(stations)

    def find(self, unit_id: int) -> Unit | None:
        """The only unit with this address on the line. Two that talk at once garble each other: nobody."""
        if self.claims(unit_id) != 1:
            return None
        return next((unit for station in self._stations if (unit := station.find(unit_id))), None)

    def claims(self, unit_id: int) -> int:
        """How many devices of the line have this address, over all its stations."""
        return sum(station.claims(unit_id) for station in self._stations)
