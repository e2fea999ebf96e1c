"""What the registers of the demo's units show, point by point, for other protocols to agree with."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from tests.cabinet.cabinet import Cabinet, points_of

NO_CIRCUIT = ""


class Place(NamedTuple):
    """A point as `vdigiware points` lists it; `slot` counts the circuits of a unit from 1, 0 is the unit."""

    address: int
    slot: int
    table: str
    point: str


class Register(NamedTuple):
    value: float
    resolution: float


NOT_MEASURED = Register(0.0, 1e-9)


def registers_of(demo: Cabinet) -> dict[Place, Register]:
    """What the registers of the M-70's units show; the Modbus tests hold the wire against the same list."""
    circuits = {unit["address"]: unit["circuits"] for unit in gateway(demo)["units"]}
    found = {}
    inputs: Counter[tuple[int, str, str]] = Counter()
    for row in points_of(demo.site_file):
        if row["gateway"] != "m70" or row["address"] not in circuits or row["type"].startswith("STRING"):
            continue
        slot = 0 if row["circuit"] == NO_CIRCUIT else 1 + circuits[row["address"]].index(row["circuit"])
        if row["table"].startswith("io."):  # listed by ascending register, so input after input
            kind = row["address"], row["table"], row["point"]
            slot = inputs[kind] = inputs[kind] + 1
        place = Place(row["address"], slot, row["table"], row["point"])
        found[place] = Register(row["value"] or 0.0, row["scale"])
    return found


def gateway(demo: Cabinet) -> dict[str, Any]:
    """The M-70 in the ready file."""
    found: dict[str, Any] = demo.ready["gateways"][0]
    return found
