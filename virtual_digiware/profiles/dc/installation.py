"""What a direct-current installation consists of, as plain descriptions; `truth.py` compiles them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CircuitKind = Literal["load", "string", "incomer", "battery"]


@dataclass(frozen=True, slots=True)
class Rectifier:
    """Holds a board at its float voltage, less a droop with the current, while `mains` is there.

    `mains` names the source of alternating current that feeds it; None: one that never fails.
    """

    rated_w: float
    float_v: float
    droop: float = 0.005
    """Relative fall of the voltage at rated current."""
    mains: str | None = None

    @property
    def resistance_ohm(self) -> float:
        """Of the droop."""
        return self.droop * self.float_v**2 / self.rated_w

    @property
    def limit_a(self) -> float:
        """Current at rated power; recharging stops there, so loads must stay below."""
        return self.rated_w / self.float_v


@dataclass(frozen=True, slots=True)
class Battery:
    """Floats on a board and carries it while the rectifier has no mains.

    `full_v` and `empty_v` are the open-circuit voltages of a full and an empty battery, `cut_off_v` the bus
    voltage at which the loads are disconnected; `charge_c` limits the recharging current, per capacity.
    """

    capacity_ah: float
    full_v: float
    empty_v: float
    cut_off_v: float
    resistance_ohm: float
    charge_c: float = 0.1


@dataclass(frozen=True, slots=True)
class Sun:
    """Where photovoltaic strings stand, and the open-circuit voltage of one at 25 degC."""

    open_circuit_v: float
    latitude_deg: float = 48.6
    longitude_deg: float = 7.8


@dataclass(frozen=True, slots=True)
class DcBoard:
    """A direct-current busbar: a rectifier with or without a battery, or the strings of a generator."""

    name: str
    rectifier: Rectifier | None = None
    battery: Battery | None = None
    sun: Sun | None = None


@dataclass(frozen=True, slots=True)
class DcCircuit:
    """One branch of a board that a current sensor can measure. Positive current flows away from the board.

    kind `load`: a consumer of `load_class` and `nominal_w` behind a feeder of `resistance_ohm` (both ways);
    `string`: photovoltaic modules of `nominal_a` short-circuit current, flowing in, so negative; `battery`:
    positive while it charges; `incomer`: what rectifier or strings bring, positive inwards.
    """

    name: str
    board: str
    kind: CircuitKind = "load"
    load_class: str = ""
    nominal_w: float = 0.0
    nominal_a: float = 0.0
    resistance_ohm: float = 0.0


@dataclass(frozen=True, slots=True)
class DcInstallation:
    """All direct-current boards of a site; names are unique within each kind."""

    site: str
    boards: tuple[DcBoard, ...]
    circuits: tuple[DcCircuit, ...]
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Outage:
    """A source of alternating current that is gone from `start_ms` until just before `end_ms`."""

    source: str
    start_ms: int
    end_ms: int | None
