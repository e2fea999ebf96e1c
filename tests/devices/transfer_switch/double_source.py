"""Installations with two sources that the tests of transfer are made on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from virtual_digiware.devices.transfer_switch.settings import (
    DEFAULT_TIMERS_S,
    CouplerSettings,
    TransferSettings,
)
from virtual_digiware.devices.transfer_switch.switchgear import TransferGear
from virtual_digiware.profiles.installation import (
    Board,
    Circuit,
    Coupler,
    Event,
    Genset,
    Installation,
    Load,
    Source,
    Transfer,
)
from virtual_digiware.profiles.switched_truth import SwitchedTruth

T0 = 1_772_409_600_000
"""2026-03-02, a Monday, 00:00 UTC."""
MAINS = Source("mains")
OTHER = Source("other", level=1.01)
GENSET = Source(
    "genset", rated_va=100e3, short_circuit_percent=12, load_loss_percent=1.5, level=1.0, genset=Genset()
)


def essential(second: Source = GENSET) -> Installation:
    """A board with pump and lights behind a transfer switch, metered before and behind it."""
    return Installation(
        "essential",
        (MAINS, second),
        (
            Board("main", source="mains"),
            Board("reserve", source=second.name),
            Board("essential", transfer="ats"),
        ),
        (
            Circuit("main incomer", "main", kind="incomer"),
            Circuit("to ats 1", "main", kind="feeder"),
            Circuit("office", "main"),
            Circuit("reserve incomer", "reserve", kind="incomer"),
            Circuit("to ats 2", "reserve", kind="feeder"),
            Circuit("essential incomer", "essential", kind="incomer"),
            Circuit("pump", "essential"),
            Circuit("light", "essential", phases=("L2",)),
        ),
        (
            Load("office", "office", "office-sockets", 8000),
            Load("pump", "pump", "server-room", 20_000),
            Load("light", "light", "office-lighting", 1500, phases=("L2",)),
        ),
        transfers=(Transfer("ats", ("mains", second.name), ("to ats 1", "to ats 2")),),
    )


def settings(
    second: Source = GENSET, timers_s: dict[str, float] | None = None, **choices: Any
) -> TransferSettings:
    """Those of its controller."""
    timers = {**DEFAULT_TIMERS_S, **(timers_s or {})}
    return TransferSettings(
        "ats",
        ("mains", second.name),
        (False, second.genset is not None),
        timers_ms={name: round(1000 * value) for name, value in timers.items()},
        **choices,
    )


def gear(second: Source = GENSET, timers_s: dict[str, float] | None = None, **choices: Any) -> TransferGear:
    """Its switchgear."""
    return TransferGear(essential(second), 1, [settings(second, timers_s, **choices)])


def truth(events: Sequence[Event], second: Source = GENSET, **choices: Any) -> SwitchedTruth:
    """Its truth under some events."""
    return SwitchedTruth(essential(second), 1, gear(second, **choices), events)


def coupled_boards() -> Installation:
    """Two boards of different mains with a coupler between them."""
    return Installation(
        "coupled",
        (MAINS, OTHER),
        (Board("left", source="mains"), Board("right", source="other")),
        (
            Circuit("left incomer", "left", kind="incomer"),
            Circuit("left load", "left"),
            Circuit("right incomer", "right", kind="incomer"),
            Circuit("right load", "right"),
            Circuit("tie", "left", kind="feeder"),
        ),
        (Load("a", "left load", "server-room", 9000), Load("b", "right load", "ups", 7000)),
        couplers=(Coupler("tie", ("left", "right")),),
    )


def coupled_truth(events: Sequence[Event], **choices: Any) -> SwitchedTruth:
    """Its truth under some events."""
    coupler = CouplerSettings("tie", ("mains", "other"), **choices)
    installation = coupled_boards()
    return SwitchedTruth(installation, 1, TransferGear(installation, 1, [], [coupler]), events)


def lost(start_s: float, end_s: float | None, source: str = "mains") -> Event:
    """A source is interrupted between two times, in seconds after T0."""
    return Event(at(start_s), None if end_s is None else at(end_s), "interruption", source)


def order(start_s: float, text: str) -> Event:
    """Somebody gives the controller an order."""
    return Event(at(start_s), None, "order", "ats", order=text)


def at(seconds: float) -> int:
    """Unix time of a time in seconds after T0."""
    return T0 + round(1000 * seconds)
