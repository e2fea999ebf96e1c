"""The Digiware bus of one head: order, cable lengths, addresses, Net IDs, polling cycle, presence.

The bus holds no state of its own that changes: presence and addresses are read from the units, so a
cut cable is a set of modules that the caller makes absent, not a switch in here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from virtual_digiware.buses.bus_power import Segment
from virtual_digiware.buses.interfaces import Unit

MAX_MODULES = 32
"""Source: "Architectures de communication DIRIS Digiware", glossary."""

MAX_LENGTH_M = 100.0
"""Cable length of a bus without repeater. Source: same note, figures 8, 10, 11, 14, 19, 25."""

MODULE_POLL_MS = 25
"""Time the head spends on one module. A choice: neither bit rate nor framing of the bus is published."""

HEAD_POLL_MS = 100
"""Housekeeping of the head in every cycle (a choice, as above); 32 modules then take 0.9 s."""


def cycle_of(modules: int) -> int:
    """Time in ms that a head needs to poll so many modules once; it waits for dead ones as well."""
    return HEAD_POLL_MS + MODULE_POLL_MS * modules


@dataclass(frozen=True, slots=True)
class Stop:
    """One module on the cable: its place in the chain from 0, and its distance from the head."""

    unit: Unit
    order: int
    position_m: float


class DigiwareBus:
    """Modules chained from one head.

    Args:
        head: The bus head; None while a bus is looked at without one.
        modules: Modules in bus order, each with the cable between it and its predecessor, in metres.
        segments: The power segments of the bus, by the names of the modules, where they are known.

    Raises:
        ValueError: A cable length is negative, or a module stands twice on the bus.
    """

    def __init__(
        self,
        head: Unit | None,
        modules: Sequence[tuple[Unit, float]],
        segments: Sequence[Segment] = (),
    ) -> None:
        if any(cable_m < 0 for _, cable_m in modules):
            raise ValueError("a cable cannot have a negative length")
        if len({unit.path for unit, _ in modules}) != len(modules):
            raise ValueError("a module can stand only once on a bus")
        self.head = head
        self.segments = tuple(segments)
        positions = accumulate(cable_m for _, cable_m in modules)
        self.stops = tuple(
            Stop(unit, order, position)
            for order, ((unit, _), position) in enumerate(zip(modules, positions, strict=True))
        )
        self._order = {stop.unit.path: stop.order for stop in self.stops}

    def __len__(self) -> int:
        return len(self.stops)

    def __iter__(self) -> Iterator[Unit]:
        return (stop.unit for stop in self.stops)

    @property
    def length_m(self) -> float:
        """Cable from the head to the last module."""
        return self.stops[-1].position_m if self.stops else 0.0

    @property
    def cycle_ms(self) -> int:
        """Time the head needs to poll every module once."""
        return cycle_of(len(self.stops))

    def collected_at(self, unit: Unit, t_ms: int) -> int:
        """Start of the latest completed poll of a module at `t_ms` (same epoch), so the age of its values.

        Cycles are aligned to the epoch, so the answer depends on nothing but the time.

        Raises:
            KeyError: The unit is not a module of this bus.
        """
        offset_ms = HEAD_POLL_MS + MODULE_POLL_MS * self._order[unit.path]
        polls_done = (t_ms - offset_ms - MODULE_POLL_MS) // self.cycle_ms
        return polls_done * self.cycle_ms + offset_ms

    def find(self, address: int) -> Unit | None:
        """The live module with this address; None when absent, dead, or when two live modules share it.

        Of two modules with one address neither is understood: their answers collide on the bus.
        """
        found: Unit | None = None
        for stop in self.stops:
            unit = stop.unit
            if unit.address == address and unit.is_present:
                if found is not None:
                    return None
                found = unit
        return found

    def conflicts(self) -> dict[int, tuple[Unit, ...]]:
        """Addresses that several live modules claim, each with its claimants in bus order."""
        claims: dict[int, list[Unit]] = {}
        for unit in self:
            if unit.is_present and unit.address is not None:
                claims.setdefault(unit.address, []).append(unit)
        return {address: tuple(units) for address, units in claims.items() if len(units) > 1}

    def present(self) -> tuple[Unit, ...]:
        """Live modules in bus order."""
        return tuple(unit for unit in self if unit.is_present)

    def cut_at(self, metres: float) -> tuple[Unit, ...]:
        """Modules that vanish when the cable is cut `metres` away from the head: all that lie behind."""
        return tuple(stop.unit for stop in self.stops if stop.position_m > metres)

    def overloaded(self) -> tuple[Unit, ...]:
        """Modules that the supply of their segment does not reach, in bus order.

        Source of the budget: DIRIS Digiware instruction manual 542875G, page 52. Who goes first is a choice.
        """
        names = {name for segment in self.segments for name in segment.past_limit}
        return tuple(unit for unit in self if unit.path.rpartition("/")[2] in names)

    def voltage_reference(self) -> Unit | None:
        """The live U module whose voltage all I and S modules of the bus use; the first, should there be two.

        Source: "Architectures de communication DIRIS Digiware", figures 8, 10, 14, 19 (one U a system).
        """
        for unit in self:
            if unit.product.family == "voltage" and unit.is_present:
                return unit
        return None
