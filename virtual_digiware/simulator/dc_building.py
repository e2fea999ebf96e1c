"""From the `dc` section of a site file to the direct-current installation and to what its modules measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.devices.layout import DcLayout
from virtual_digiware.profiles.dc import installation as plan

if TYPE_CHECKING:
    from virtual_digiware.simulator.dc_models import DcBoard, DcCircuit
    from virtual_digiware.simulator.site_models import Gateway, Module, Site

DC_FAMILIES = ("dc_voltage", "dc_current")


def dc_installation(site: Site) -> plan.DcInstallation | None:
    """The direct-current boards of a site; None without any."""
    if not site.dc:
        return None
    return plan.DcInstallation(
        site=site.site,
        boards=tuple(_board(name, board) for name, board in site.dc.items()),
        circuits=tuple(
            _circuit(name, board_name, circuit)
            for board_name, board in site.dc.items()
            for name, circuit in board.circuits.items()
        ),
        timezone=site.timezone,
    )


def dc_layout(site: Site, gateway: Gateway, module: Module, family: str) -> DcLayout | None:
    """What a direct-current module is connected to; None for another module."""
    from virtual_digiware.simulator.bus_checks import family_of

    if family not in DC_FAMILIES:
        return None
    tapped = [
        one.board or next(iter(site.dc)) for one in gateway.bus if family_of(one.product) == "dc_voltage"
    ]
    return DcLayout(
        board=tapped[0] if tapped else None, circuits=tuple(wiring.circuit for wiring in module.circuits)
    )


def _board(name: str, board: DcBoard) -> plan.DcBoard:
    rectifier, battery, strings = board.rectifier, board.battery, board.strings
    full_v, empty_v, cut_off_v = board.battery_voltages_v
    return plan.DcBoard(
        name=name,
        rectifier=None
        if rectifier is None
        else plan.Rectifier(rectifier.rated_kw * 1000, board.float_v, mains=rectifier.mains),
        battery=None
        if battery is None
        else plan.Battery(
            capacity_ah=battery.capacity_ah,
            full_v=full_v,
            empty_v=empty_v,
            cut_off_v=cut_off_v,
            resistance_ohm=battery.resistance_ohm or 10 / battery.capacity_ah,
            charge_c=battery.charge_percent / 100,
        ),
        sun=None
        if strings is None
        else plan.Sun(strings.open_circuit_v, strings.latitude_deg, strings.longitude_deg),
    )


def _circuit(name: str, board: str, circuit: DcCircuit) -> plan.DcCircuit:
    kind: plan.CircuitKind = "load"
    if circuit.incomer:
        kind = "incomer"
    elif circuit.battery:
        kind = "battery"
    elif circuit.string_a is not None:
        kind = "string"
    return plan.DcCircuit(
        name=name,
        board=board,
        kind=kind,
        load_class=circuit.class_ or "",
        nominal_w=(circuit.power_kw or 0.0) * 1000,
        nominal_a=circuit.string_a or 0.0,
        resistance_ohm=circuit.resistance_ohm,
    )
