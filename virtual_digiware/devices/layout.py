"""Which products are installed where, and which input measures which circuit: the site of the devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from virtual_digiware.devices.alarms.description import AlarmLayout
from virtual_digiware.profiles.installation import Phase

if TYPE_CHECKING:
    from virtual_digiware.profiles.dc.installation import DcInstallation

NetworkType = Literal["1P+N", "2P", "2P+N", "3P", "3P+N"]
Measurement = Literal["phasor", "sampled"]
Metrology = Literal["ideal", "realistic"]
ReactiveMethod = Literal["total", "budeanu"]


@dataclass(frozen=True, slots=True)
class Allocation:
    """One circuit (the vendor says load) of a current module: slot n of its register blocks.

    `inputs` are 1-based inputs of the module, one per sensor; `phases` the phase that each sensor
    sits on (same length; "N" only for the fourth sensor of a 3P+N 4CT circuit);
    `directions` +1 or -1 as configured (not as miswired).
    """

    circuit: str
    network: NetworkType
    inputs: tuple[int, ...]
    phases: tuple[Phase | Literal["N"], ...]
    directions: tuple[int, ...]
    nominal_a: float
    sensor: str = "TE-25"


@dataclass(frozen=True, slots=True)
class DcLayout:
    """Where a direct-current module is connected: the board of its bus, and its circuits in slot order.

    `board` None: the bus has no voltage module, so there are currents only.
    """

    board: str | None = None
    circuits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModuleLayout:
    """One module on a Digiware bus. `board` is where a U module taps its voltage."""

    name: str
    product: str
    address: int
    board: str | None = None
    network: NetworkType = "3P+N"
    allocations: tuple[Allocation, ...] = ()
    measurement: Measurement = "phasor"
    cable_m: float = 0.5
    inputs: tuple[str, ...] = ()
    """IO modules: what drives each input, in the grammar of the site file."""
    outputs: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    """What each temperature probe feels."""
    alarms: tuple[AlarmLayout, ...] = ()
    """Those that are set before anybody writes to the module."""
    transfer: str | None = None
    """The transfer switch that a controller drives."""
    dc: DcLayout | None = None

    @property
    def circuits(self) -> tuple[str, ...]:
        """What it measures, of alternating or of direct current, in the order of its slots."""
        return tuple(one.circuit for one in self.allocations) if self.dc is None else self.dc.circuits


@dataclass(frozen=True, slots=True)
class SensorLayout:
    """A Bluetooth environmental sensor that a head hears; drives in the grammar of the site file.

    `humidity` None: that of the room's air at the sensor's temperature. `battery_days`: of a full battery.
    """

    name: str
    address: int
    temperature: str = "room"
    humidity: str | None = None
    battery_percent: float = 100.0
    battery_days: float = 1095.0
    distance_m: float = 5.0


@dataclass(frozen=True, slots=True)
class GatewayLayout:
    """A head with the modules of its bus, in bus order. A C-31 has no address of its own."""

    name: str
    product: str
    address: int | None
    modules: tuple[ModuleLayout, ...]
    line: str | None = None
    cycle_ms: int = 0
    """Time in which it polls its bus once; a silent module is given up at the end of a cycle. 0: at once."""
    polled: tuple[str, ...] = ()
    """Paths of units that it polls over a line or a network, and misses when they do not answer."""
    unheard: frozenset[str] = frozenset()
    """Those among them whose serial settings keep the two from understanding each other."""
    has_default_passwords: bool = False
    """Its users still have the passwords that it came with, which it reports as a system alarm."""
    sensors: tuple[SensorLayout, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterLayout:
    """A meter outside any Digiware bus. Its module has both a board and one allocation.

    The module's `product` is a key among the products of the site: a list of registers that the site
    file itself gives has a product of its own.
    """

    module: ModuleLayout
    line: str | None = None


@dataclass(frozen=True, slots=True)
class LineLayout:
    """Transmission parameters of an RS485 line, as the devices on it show them in their settings."""

    name: str
    baudrate: int = 38400
    parity: Literal["none", "odd", "even"] = "none"
    stop_bits: Literal[1, 2] = 1


@dataclass(frozen=True, slots=True)
class SiteLayout:
    """All gateways of a site and the options that hold for every module."""

    site: str
    gateways: tuple[GatewayLayout, ...]
    nominal_voltage_v: float = 230.0
    nominal_frequency_hz: float = 50.0
    metrology: Metrology = "ideal"
    reactive_method: ReactiveMethod = "total"
    demand_period_s: int = 600
    refresh_ms: int = 1000
    lines: tuple[LineLayout, ...] = ()
    dc: DcInstallation | None = None
    """Direct-current boards, if there are any."""
    meters: tuple[MeterLayout, ...] = ()
