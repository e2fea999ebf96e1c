"""From a checked site file to what runs: installation, layout, truth, devices and their stations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from virtual_digiware.buses.digiware import cycle_of
from virtual_digiware.devices.catalogue import product
from virtual_digiware.devices.layout import (
    GatewayLayout,
    LineLayout,
    ModuleLayout,
    SensorLayout,
    SiteLayout,
)
from virtual_digiware.devices.site_units import SENSOR_PRODUCT
from virtual_digiware.profiles import installation as plan
from virtual_digiware.simulator.addressing import addressed_modules, addressed_sensors, gateway_address
from virtual_digiware.simulator.alarm_models import alarm_layout
from virtual_digiware.simulator.bus_chain import bus_segments, is_repeater
from virtual_digiware.simulator.dc_building import dc_installation, dc_layout
from virtual_digiware.simulator.io_checks import wired_input
from virtual_digiware.simulator.meter_building import meter_layouts, meter_products, meter_stations
from virtual_digiware.simulator.polled_units import missed_units, unheard_units
from virtual_digiware.simulator.site_checks import all_load_names, load_names
from virtual_digiware.simulator.transfer_building import (
    coupler_circuits,
    coupler_settings,
    couplers_of,
    genset_of,
    is_switched,
    transfer_settings,
    transfers_of,
)
from virtual_digiware.simulator.wiring import wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from virtual_digiware.buses.modbus.station import Station
    from virtual_digiware.devices.block import Product
    from virtual_digiware.devices.collection import GatewayCollection
    from virtual_digiware.devices.model import SiteModel
    from virtual_digiware.devices.records import Record
    from virtual_digiware.devices.transfer_switch.switchgear import TransferGear
    from virtual_digiware.profiles.truth import Truth
    from virtual_digiware.simulator import site_models
    from virtual_digiware.simulator.site_file import SiteFile

PHASE_VOLTAGES_V = {380.0: 220.0, 400.0: 230.0, 415.0: 240.0, 690.0: 400.0}
"""Nominal phase voltage of the usual systems. Source: IEC 60038, table 1 (230/400 V and its neighbours)."""

RESISTIVITY_OHM_MM2_PER_M = {"copper": 22.5e-3, "aluminium": 36e-3}
"""Of warm conductors. Source: IEC 60364-5-52, annex G."""

REACTANCE_OHM_PER_M = 0.08e-3
"""Of a cable. Source: IEC 60364-5-52, annex G."""


@dataclass(frozen=True)
class Building:
    """A site file built. Parts are made when first asked for, so that `check` pays for what it checks."""

    file: SiteFile
    commissioned_ms: int

    @cached_property
    def installation(self) -> plan.Installation:
        return installation_of(self.file)

    @cached_property
    def layout(self) -> SiteLayout:
        return layout_of(self.file.site)

    @cached_property
    def products(self) -> Mapping[str, Product]:
        """The products of this site, by name."""
        names = {gateway.product for gateway in self.layout.gateways}
        names.update(module.product for gateway in self.layout.gateways for module in gateway.modules)
        if any(gateway.sensors for gateway in self.layout.gateways):
            names.add(SENSOR_PRODUCT)
        found = {name: product(name) for name in sorted(names)}
        return {**found, **meter_products(self.file.site)}

    @cached_property
    def truth(self) -> Truth:
        from virtual_digiware.profiles.truth import Truth

        events = events_of(self.file.site)
        if self.gear is None:
            return Truth(self.installation, self.file.seed, events)
        from virtual_digiware.profiles.switched_truth import SwitchedTruth

        return SwitchedTruth(self.installation, self.file.seed, self.gear, events)

    @cached_property
    def gear(self) -> TransferGear | None:
        """What switches between sources; None where nothing does."""
        site = self.file.site
        if not is_switched(site):
            return None
        from virtual_digiware.devices.transfer_switch.switchgear import TransferGear

        return TransferGear(
            self.installation, self.file.seed, transfer_settings(site), coupler_settings(site)
        )

    @cached_property
    def model(self) -> SiteModel:
        from virtual_digiware.devices.model import SiteModel

        events = events_of(self.file.site)
        return SiteModel(self.truth, self.layout, self.products, self.file.seed, self.commissioned_ms, events)

    @cached_property
    def stations(self) -> Mapping[str, Station]:
        """Who answers behind each gateway, by the gateway's name."""
        from virtual_digiware.buses.digiware import DigiwareBus
        from virtual_digiware.buses.modbus.station import Station

        stations = {}
        for gateway, described in zip(self.layout.gateways, self.file.site.gateways, strict=True):
            head = self.model.units.get(gateway.name)
            modules = [
                (self.model.units[f"{gateway.name}/{module.name}"], module.cable_m)
                for module in gateway.modules
            ]
            sensors = [self.model.units[f"{gateway.name}/{sensor.name}"] for sensor in gateway.sensors]
            bus = DigiwareBus(head, modules, bus_segments(described))
            stations[gateway.name] = Station(head, bus, sensors=sensors)
        return stations

    @cached_property
    def meter_stations(self) -> Mapping[str, Station]:
        """Meters outside any Digiware bus, by name, as who answers on their line or port."""
        return meter_stations(self.model, self.layout)

    @cached_property
    def collections(self) -> Mapping[str, GatewayCollection]:
        """What each gateway with an address has collected from its bus, by the gateway's name."""
        from virtual_digiware.devices.collection import GatewayCollection

        return {
            name: GatewayCollection(self.model, name, station.bus.cycle_ms)
            for name, station in self.stations.items()
            if station.own is not None and station.own.address is not None
        }

    def replay(self, records: Iterable[Record]) -> None:
        """Apply what a journal has kept, without computing anything yet."""
        for record in records:
            self.model.apply(record)


def installation_of(file: SiteFile) -> plan.Installation:
    """The electrical installation that a site file describes."""
    site = file.site
    feeders = {
        circuit.feeds: name
        for board in site.boards.values()
        for name, circuit in board.circuits.items()
        if circuit.feeds is not None
    }
    recordings = _recordings(file)
    return plan.Installation(
        name=site.site,
        sources=tuple(_source(name, source) for name, source in site.sources.items()),
        boards=tuple(
            plan.Board(name, board.source, feeders.get(name) if _is_fed(board) else None, board.transfer)
            for name, board in site.boards.items()
        ),
        circuits=tuple(
            _circuit(name, board_name, circuit)
            for board_name, board in site.boards.items()
            for name, circuit in board.circuits.items()
        )
        + coupler_circuits(site),
        loads=tuple(
            _load(load_name, name, circuit, load, recordings.get(load_name))
            for board in site.boards.values()
            for name, circuit in board.circuits.items()
            for load_name, load in zip(
                load_names(name, circuit.loads or ()), circuit.loads or (), strict=True
            )
        ),
        timezone=site.timezone,
        transfers=transfers_of(site),
        couplers=couplers_of(site),
    )


def _is_fed(board: site_models.Board) -> bool:
    return board.source is None and board.transfer is None


def phase_voltage_v(voltage_v: float) -> float:
    """Nominal phase-to-neutral voltage of a system named by its phase-to-phase voltage."""
    return PHASE_VOLTAGES_V.get(voltage_v, voltage_v / 3**0.5)


def _source(name: str, source: site_models.Source) -> plan.Source:
    if source.kind == "genset":
        return genset_of(name, source, phase_voltage_v(source.voltage_v))
    return plan.Source(
        name=name,
        voltage_v=phase_voltage_v(source.voltage_v),
        frequency_hz=float(source.frequency_hz),
        rated_va=source.transformer_kva * 1000,
        short_circuit_percent=source.short_circuit_percent,
        load_loss_percent=source.load_loss_percent,
        level=source.level_percent / 100,
    )


def _circuit(name: str, board: str, circuit: site_models.Circuit) -> plan.Circuit:
    kind: plan.CircuitKind = "incomer" if circuit.incomer else "feeder" if circuit.feeds else "loads"
    cable = plan.Cable() if circuit.cable is None else cable_impedance(circuit.cable)
    return plan.Circuit(name, board, kind, tuple(circuit.phases), cable)


def cable_impedance(cable: site_models.Cable) -> plan.Cable:
    """Series impedance of a cable, per phase and of its neutral."""
    resistance = RESISTIVITY_OHM_MM2_PER_M[cable.material] * cable.length_m / cable.parallel
    reactance = REACTANCE_OHM_PER_M * cable.length_m / cable.parallel
    return plan.Cable(
        resistance_ohm=resistance / cable.section_mm2,
        reactance_ohm=reactance,
        neutral_resistance_ohm=resistance / (cable.neutral_section_mm2 or cable.section_mm2),
        neutral_reactance_ohm=reactance,
    )


def _load(
    name: str,
    circuit_name: str,
    circuit: site_models.Circuit,
    load: site_models.Load,
    recording: plan.Recording | None,
) -> plan.Load:
    phases = tuple(load.phases or circuit.phases)
    return plan.Load(
        name=name,
        circuit=circuit_name,
        load_class=load.class_,
        nominal_w=load.power_kw * 1000,
        phases=phases,
        line_to_line=len(phases) == 2 and load.line_to_line is not False,
        power_factor=load.power_factor,
        profile=load.profile,
        recording=recording,
    )


def _recordings(file: SiteFile) -> dict[str, plan.Recording]:
    if not file.site.recordings:
        return {}
    from virtual_digiware.simulator.recordings import read_recordings

    return read_recordings(file.site.recordings, file.folder, all_load_names(file.site), file.site.timezone)


def events_of(site: site_models.Site) -> tuple[plan.Event, ...]:
    """The electrical events that the site file announces."""
    events = []
    for event in site.events:
        match event.kind:
            case "open":
                events.append(plan.Event(event.start, event.end_ms, "open", event.circuit))
            case "dip":
                residual, phases = event.residual_percent / 100, tuple(event.phases)
                events.append(plan.Event(event.start, event.end_ms, "dip", event.source, residual, phases))
            case "frequency":
                shifted = plan.Event(
                    event.start, event.end_ms, "frequency", event.source, shift_hz=event.shift_hz
                )
                events.append(shifted)
            case "coupled":
                events.append(plan.Event(event.start, event.end_ms, "coupled", event.coupler))
            case "order":
                events.append(plan.Event(event.start, None, "order", event.transfer, order=event.order))
            case kind:
                events.append(plan.Event(event.start, event.end_ms, kind, event.source))
    return tuple(events)


def layout_of(site: site_models.Site) -> SiteLayout:
    """Gateways, modules and wiring, with every default of the site file filled in."""
    source = next(iter(site.sources.values()))
    return SiteLayout(
        site=site.site,
        gateways=tuple(
            GatewayLayout(
                name=gateway.name,
                product=gateway.product,
                address=gateway_address(gateway),
                modules=tuple(
                    replace(_module(site, gateway, one.module, one.address), cable_m=cable_m)
                    for one, cable_m in zip(addressed_modules(gateway), _cables_m(gateway), strict=True)
                ),
                line=None if gateway.rs485 is None else gateway.rs485.line,
                cycle_ms=cycle_of(len(addressed_modules(gateway))),
                polled=missed_units(site, gateway),
                unheard=unheard_units(site, gateway),
                has_default_passwords=gateway.default_passwords,
                sensors=tuple(_sensor(one.sensor, one.address) for one in addressed_sensors(gateway)),
            )
            for gateway in site.gateways
        ),
        nominal_voltage_v=phase_voltage_v(source.voltage_v),
        nominal_frequency_hz=float(source.frequency_hz),
        metrology=site.metrology,
        reactive_method=site.reactive_method,
        demand_period_s=site.demand_period_s,
        refresh_ms=site.refresh_ms,
        lines=tuple(
            LineLayout(name, line.baudrate, line.parity, line.stop_bits) for name, line in site.lines.items()
        ),
        meters=meter_layouts(site),
        dc=dc_installation(site),
    )


def _cables_m(gateway: site_models.Gateway) -> list[float]:
    """Cable from each module back to the module before it, whether or not repeaters stand between."""
    cables_m, passed_m = [], 0.0
    for module in gateway.bus:
        passed_m += module.cable_m
        if not is_repeater(module.product):
            cables_m.append(passed_m)
            passed_m = 0.0
    return cables_m


def _sensor(sensor: site_models.Sensor, address: int) -> SensorLayout:
    return SensorLayout(
        name=sensor.name,
        address=address,
        temperature=sensor.temperature,
        humidity=sensor.humidity,
        battery_percent=sensor.battery_percent,
        battery_days=sensor.battery_days,
        distance_m=sensor.distance_m,
    )


def _module(
    site: site_models.Site, gateway: site_models.Gateway, module: site_models.Module, address: int
) -> ModuleLayout:
    described = product(module.product)
    dc = dc_layout(site, gateway, module, described.family)
    board = module.board or next(iter(site.boards))
    return ModuleLayout(
        name=module.name,
        product=module.product,
        address=address,
        board=board if described.family == "voltage" else None,
        network=module.network,
        allocations=()
        if dc is not None
        else tuple(wire(site, module, described.inputs, described.name).allocations),
        measurement=module.measurement or site.measurement,
        inputs=tuple(wired_input(site, text) for text in module.inputs),
        outputs=tuple(module.outputs),
        probes=tuple(module.probes),
        alarms=tuple(alarm_layout(alarm) for alarm in module.alarms),
        transfer=module.transfer,
        dc=dc,
    )
