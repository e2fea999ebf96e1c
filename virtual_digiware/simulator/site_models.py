"""What a site file may say: keys, types, ranges and defaults. The rules between them: `site_checks.py`.

The JSON Schema of the site file is made from these models (`vdigiware schema`). Annotations are not kept as
text here, because pydantic would parse each of them again at every start.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)

from virtual_digiware.devices.layout import Measurement, Metrology, NetworkType, ReactiveMethod
from virtual_digiware.profiles.installation import Phase
from virtual_digiware.simulator.alarm_models import Alarm
from virtual_digiware.simulator.bacnet_models import Bacnet
from virtual_digiware.simulator.cabinet_models import Cabinet, Couplers, Supply
from virtual_digiware.simulator.datalogger_models import Datalogger
from virtual_digiware.simulator.dc_models import DcBoard
from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.line_models import DeviceOnLine, Line, Rs485
from virtual_digiware.simulator.meter_models import ListedRegister
from virtual_digiware.simulator.mqtt_models import Mqtt
from virtual_digiware.simulator.site_parts import Host, Model, Name, Port
from virtual_digiware.simulator.snmp_models import Snmp
from virtual_digiware.simulator.supervisor_models import Supervisor
from virtual_digiware.simulator.transfer_models import Coupler, Order, SourceKeys, Transfer

UnitId = Annotated[int, Field(ge=1, le=247, description="Modbus address, 1 to 247")]
Positive = Annotated[float, Field(gt=0)]
Phases = Annotated[list[Phase], Field(min_length=1, max_length=3)]


def _instant(value: Any) -> Any:
    return parse_instant(value) if isinstance(value, str) else value


def _timezone(name: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError("a zone of the IANA database, such as Europe/Paris or UTC") from error
    return name


def _drive(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Instant = Annotated[
    int,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation"),
]
"""Milliseconds since 1970 UTC; written as ISO 8601 with a zone."""

Drive = Annotated[
    str,
    BeforeValidator(_drive),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}]}, mode="validation"),
]
"""What drives an input, in words; a lone number stands for itself."""


class Source(SourceKeys):
    """A mains supply behind its transformer, or a generating set."""

    voltage_v: Positive = Field(400.0, description="nominal voltage between two phases", ge=50, le=1000)
    frequency_hz: Literal[50, 60] = 50
    transformer_kva: Positive = 400.0
    short_circuit_percent: float = Field(4.0, gt=0, le=20)
    load_loss_percent: float = Field(1.1, ge=0, le=10)
    level_percent: float = Field(102.0, ge=80, le=120, description="open-circuit voltage, of nominal")


class Cable(Model):
    """The cable of a feeder; phases and neutral have the same section unless said."""

    length_m: float = Field(gt=0, le=10_000)
    section_mm2: float = Field(gt=0, le=2000)
    neutral_section_mm2: Positive | None = None
    material: Literal["copper", "aluminium"] = "copper"
    parallel: int = Field(1, ge=1, le=12, description="conductors in parallel per phase")


class Load(Model):
    """One consumer on a circuit."""

    class_: str = Field(alias="class", description="a load class; `vdigiware loads` lists them")
    power_kw: Positive = Field(description="nominal active power")
    name: Name | None = Field(
        None, description="unique in the site; default: the circuit's name and a number"
    )
    phases: Phases | None = Field(None, description="default: the phases of the circuit")
    line_to_line: bool | None = Field(
        None, description="two phases: connected between them (default) or to neutral"
    )
    power_factor: float | None = Field(None, gt=0, le=1, description="default: of the load class")
    profile: str | None = Field(None, description="daily profile instead of the one of the class")


class Circuit(Model):
    """One outgoing line of a board, or its incomer. Exactly one of `incomer`, `feeds` and `loads`."""

    incomer: Literal[True] | None = Field(None, description="carries the whole current of its board")
    feeds: Name | None = Field(None, description="the board supplied by this circuit")
    loads: list[Load] | None = Field(None, min_length=1)
    phases: Phases = Field(["L1", "L2", "L3"])
    cable: Cable | None = Field(None, description="of a circuit that feeds a board")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        given = [name for name in ("incomer", "feeds", "loads") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("exactly one of `incomer: true`, `feeds: board` and `loads: [...]`")
        if self.cable is not None and self.feeds is None:
            raise ValueError(
                "`cable` only beside `feeds`: the model has no use for the cable of a final circuit"
            )
        return self


class Board(Model):
    """A busbar with its circuits; supplied by `source`, by another board's circuit that `feeds` it, or by a
    transfer switch."""

    source: Name | None = None
    transfer: Name | None = Field(None, description="the transfer switch that supplies it")
    circuits: dict[Name, Circuit] = Field(min_length=1)


class Wiring(Model):
    """One circuit measured by a current module: which inputs, which sensors."""

    circuit: Name
    network: NetworkType | None = Field(None, description="default: follows from the circuit's phases")
    inputs: list[Annotated[int, Field(ge=1, le=12)]] | None = Field(
        None,
        min_length=1,
        max_length=4,
        description="one per sensor, in the order of the phases; default: the next free",
    )
    phases: list[Phase | Literal["N"]] | None = Field(None, description="phase that each sensor sits on")
    reversed: bool = Field(False, description="sensors configured for the opposite current direction")
    nominal_a: Positive | None = Field(
        None, description="default: the next sensor size above the circuit's load"
    )
    sensor: str | None = Field(
        None, description="sensor type such as TE-25; default: the smallest TE that fits"
    )


class Module(Model):
    """One module on a Digiware bus."""

    name: Name
    product: str
    address: UnitId | None = Field(None, description="default: the next free one from 2 upward")
    board: Name | None = Field(
        None, description="U modules: where the voltage is tapped; default: the only board"
    )
    network: NetworkType = Field("3P+N", description="U modules: what is connected")
    circuits: list[Wiring] = Field([])
    transfer: Name | None = Field(None, description="ATyS C65: the transfer switch that it drives")
    measurement: Measurement | None = Field(None, description="default: of the site")
    cabinet: Name | None = Field(None, description="default: that of the gateway")
    cable_m: float = Field(0.5, gt=0, le=10_000, description="bus cable from the previous module")
    rj45_couplers: Couplers = 0
    supply: Supply | None = Field(None, description="C-32: its 24 V supply; default: a P15")
    inputs: list[Drive] = Field([], description="IO modules: what drives each input")
    outputs: list[Drive] = Field([], description="IO modules: what each output does at start")
    probes: list[Drive] = Field([], max_length=4, description="IO-20: what each temperature probe feels")
    alarms: list[Alarm] = Field([], description="what the alarm settings of the module hold at first")


class ModbusTcp(Model):
    """A TCP port: the standard one is tried first, the alternative where that is not possible."""

    enabled: bool = True
    host: Host | None = Field(None, description="default 127.0.0.1, or 0.0.0.0 with `listen: any`")
    port: Port = 502
    alternative: Port = 1502
    connections: int = Field(64, ge=1, le=1024, description="clients at once")
    idle_s: Positive = Field(60.0, description="a client silent for longer is disconnected")


class RtuOverTcp(Model):
    """RTU frames over TCP."""

    enabled: bool = True
    host: Host | None = Field(None, description="default 127.0.0.1, or 0.0.0.0 with `listen: any`")
    port: Port = 503
    alternative: Port = 1503
    connections: int = Field(64, ge=1, le=1024, description="clients at once")
    idle_s: Positive = Field(60.0, description="a client silent for longer is disconnected")


class Sensor(Model):
    """A Bluetooth environmental sensor that a gateway or display hears."""

    name: Name
    cabinet: Name | None = Field(None, description="default: that of the gateway")
    address: UnitId | None = Field(None, description="default: the next free one after the modules")
    temperature: Drive = Field(
        "room", description="degC: a number, `sine <low> <high> <period s>`, or `room`"
    )
    humidity: Drive | None = Field(None, description="%: as the temperature; default: follows from it")
    battery_percent: float = Field(100, ge=0, le=100, description="at the commissioning")
    battery_days: float = Field(1095, gt=0, le=10_000, description="what a full battery lasts")
    distance_m: float = Field(5, ge=0.1, le=200, description="to the gateway")


class Gateway(Model):
    """A head of a Digiware bus: what clients connect to, and the modules behind it in bus order."""

    name: Name
    product: str
    cabinet: Name | None = Field(None, description="where it stands")
    supply: Supply | None = Field(None, description="24 V supply of the bus at the head; default: a P15")
    address: UnitId | None = Field(None, description="default 1; a C-31 has none")
    modbus_tcp: ModbusTcp | None = Field(None, description="default: standard ports")
    rtu_over_tcp: RtuOverTcp | None = Field(None, description="default: standard ports")
    bacnet: Bacnet | None = Field(None, description="default: BACnet/IP is off")
    snmp: Snmp | None = Field(None, description="default: SNMP is off")
    mqtt: Mqtt | None = Field(None, description="default: nothing is published")
    rs485: Rs485 | None = None
    cascade: list[Name] = Field([], description="M-70, D-70: gateways of this site polled over Ethernet")
    default_passwords: bool = Field(
        False, description="its users still have the passwords it came with: a system alarm"
    )
    sensors: list[Sensor] = Field([], max_length=200, description="at most 16 behind one head")
    bus: list[Module] = Field([], max_length=246, description="modules and repeaters in cable order")


class Meter(Model):
    """A meter outside any Digiware bus: one circuit, at the voltage of the circuit's board."""

    name: Name
    product: str = Field(description="A-40, E23, SDM630, ... or `generic` with `registers` of your own")
    cabinet: Name | None = Field(None, description="where it stands")
    address: UnitId = 1
    circuits: list[Wiring] = Field(min_length=1, max_length=1, description="the circuit that it measures")
    rs485: DeviceOnLine | None = Field(None, description="on this line, or else")
    modbus_tcp: ModbusTcp | None = Field(None, description="on Ethernet, with a port of its own")
    registers: list[ListedRegister] | None = Field(None, min_length=1, description="of a `generic` meter")
    measurement: Measurement | None = None


class _Event(Model):
    start: Instant
    end: Instant | None = Field(None, description="neither `end` nor `duration_s`: for good")
    duration_s: Positive | None = None

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end is not None and self.duration_s is not None:
            raise ValueError("`end` or `duration_s`, not both")
        if self.end is not None and self.end <= self.start:
            raise ValueError("an `end` after `start`")
        return self

    @property
    def end_ms(self) -> int | None:
        return self.end if self.duration_s is None else self.start + max(1, round(self.duration_s * 1000))


class Dip(_Event):
    """The mains voltage falls to a residual."""

    kind: Literal["dip"]
    source: Name
    residual_percent: float = Field(ge=0, le=100)
    phases: Phases = Field(["L1", "L2", "L3"])


class Interruption(_Event):
    """The mains is gone."""

    kind: Literal["interruption"]
    source: Name


class OpenBreaker(_Event):
    """The breaker of a circuit is open."""

    kind: Literal["open"]
    circuit: Name


class FrequencyShift(_Event):
    """The frequency of a source is off."""

    kind: Literal["frequency"]
    source: Name
    shift_hz: float = Field(ge=-20, le=20)


class NoStart(_Event):
    """A generating set does not start when it is told to."""

    kind: Literal["no_start"]
    source: Name


class Coupled(_Event):
    """Somebody keeps a bus coupler closed."""

    kind: Literal["coupled"]
    coupler: Name


class TransferOrder(Model):
    """Somebody at the front of a transfer controller gives an order."""

    kind: Literal["order"]
    start: Instant
    transfer: Name
    order: Order


class Recording(Model):
    """A CSV of measured powers that replaces the model of the loads it names."""

    file: str = Field(description="relative to the site file")
    load: Name | None = Field(None, description="whose recording it is, when the file has no column `load`")
    repeat: bool = Field(True, description="begin again after the last sample; false: the load is off then")


class Site(Model):
    """A site file: one metered electrical installation and everything clients can connect to."""

    site: Name = Field(description="short name; also seeds the noise of the loads")
    title: str = ""
    extends: str | None = Field(
        None, description="a site (path or shipped name) whose top-level keys hold where this one has none"
    )
    seed: int = Field(1, ge=0, lt=2**63)
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    commissioned: Instant | None = Field(
        None, description="energies count from here; default: the first start"
    )
    refresh_ms: int = Field(1000, ge=50, le=60_000)
    metrology: Metrology = "ideal"
    measurement: Measurement = "phasor"
    reactive_method: ReactiveMethod = "total"
    demand_period_s: Literal[300, 600, 900, 1200, 1800, 3600] = 600
    listen: Literal["loopback", "any"] = Field(
        "loopback", description="any: hosts beyond loopback are allowed"
    )
    sources: dict[Name, Source] = Field(min_length=1)
    boards: dict[Name, Board] = Field(min_length=1)
    transfers: dict[Name, Transfer] = Field({})
    couplers: dict[Name, Coupler] = Field({})
    cabinets: dict[Name, Cabinet] = Field({})
    dc: dict[Name, DcBoard] = Field({}, description="direct-current boards")
    gateways: list[Gateway] = Field(min_length=1)
    mqtt: Mqtt | None = Field(
        None, description="of every gateway with Ethernet that has no `mqtt` of its own"
    )
    meters: list[Meter] = Field([], description="meters outside any Digiware bus")
    lines: dict[Name, Line] = Field({})
    supervisors: list[Supervisor] = Field([], description="drawn in diagrams; your program takes their place")
    dataloggers: list[Datalogger] = Field([])
    events: list[
        Annotated[
            Dip | Interruption | OpenBreaker | FrequencyShift | NoStart | Coupled | TransferOrder,
            Field(discriminator="kind"),
        ]
    ] = Field([])
    recordings: list[Recording] = Field([])


def json_schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of a site file."""
    schema = Site.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
