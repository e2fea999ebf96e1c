"""Power budget of a Digiware bus: who draws how much from which 24 V supply, and who is left without.

Arithmetic only; what a product draws is in the catalogue, what a site has on its bus in the site file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CABLE_W_PER_M = 0.03
"""Source: DIRIS Digiware instruction manual 542875G, page 52: 1.5 W for 50 m."""

COUPLER_W = 0.1
"""An RJ45 coupler, female to female; an average of the maker's. Source: as above."""

COUPLER_M = COUPLER_W / CABLE_W_PER_M
"""A coupler also counts as 3.33 m of cable. Source: as above."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """One device in the chain of a bus, with the cable between it and its predecessor.

    `supply_w` is set where the device is fed by a supply of its own and passes it on: the head and each
    repeater. `is_estimate`: the maker's figure for the device was not found.
    """

    name: str
    own_w: float
    cable_m: float = 0.0
    couplers: int = 0
    supply_w: float | None = None
    is_estimate: bool = False

    @property
    def link_w(self) -> float:
        return self.cable_m * CABLE_W_PER_M + self.couplers * COUPLER_W

    @property
    def link_m(self) -> float:
        return self.cable_m + self.couplers * COUPLER_M


@dataclass(frozen=True, slots=True)
class Segment:
    """A head or repeater with the devices that live on its supply, in bus order.

    `tail` is the repeater that the cable of the segment ends at, if any: its cable belongs here, the
    repeater itself to the next segment.
    """

    feeder: Consumer
    modules: tuple[Consumer, ...]
    tail: Consumer | None = None

    @property
    def supply_w(self) -> float:
        return self.feeder.supply_w or 0.0

    @property
    def total_w(self) -> float:
        """What is drawn from the supply: the devices, their cables and couplers."""
        return (
            self.feeder.own_w
            + sum(module.own_w + module.link_w for module in self.modules)
            + (self.tail.link_w if self.tail else 0.0)
        )

    @property
    def length_m(self) -> float:
        """Cable of the segment, couplers counted as cable."""
        return sum(module.link_m for module in self.modules) + (self.tail.link_m if self.tail else 0.0)

    @property
    def has_estimates(self) -> bool:
        return any(one.is_estimate for one in (self.feeder, *self.modules))

    @property
    def is_overloaded(self) -> bool:
        # 14.6 W are not above 14.6 W because of how binary fractions add.
        return self.total_w > self.supply_w + 1e-9

    @property
    def past_limit(self) -> tuple[str, ...]:
        """Names of the modules that the supply does not reach: from where the sum along the bus exceeds it.

        How a bus really browns out is not published; that the far end goes first is a choice.
        """
        drawn_w, names = self.feeder.own_w, []
        for module in self.modules:
            drawn_w += module.own_w + module.link_w
            if drawn_w > self.supply_w + 1e-9:
                names.append(module.name)
        return tuple(names)


def segments(chain: Sequence[Consumer]) -> tuple[Segment, ...]:
    """The segments of a bus, head first.

    Args:
        chain: The head, then everything on the bus in its order. Repeaters have a `supply_w`.

    Raises:
        ValueError: The chain does not begin with a supply.
    """
    if not chain or chain[0].supply_w is None:
        raise ValueError("a bus begins with a head that has a supply")
    starts = [i for i, one in enumerate(chain) if one.supply_w is not None]
    ends = [*starts[1:], len(chain)]
    return tuple(
        Segment(chain[start], tuple(chain[start + 1 : end]), chain[end] if end < len(chain) else None)
        for start, end in zip(starts, ends, strict=True)
    )
