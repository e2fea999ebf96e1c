"""The RS485 lines of a site with their devices, and the gateways that are the clients of some of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from virtual_digiware.buses.modbus.line_master import LineMaster, TimeOuts
from virtual_digiware.buses.modbus.line_polling import LinePolling
from virtual_digiware.buses.modbus.line_timing import LineTiming
from virtual_digiware.buses.modbus.rtu_line import OwnSettings, RtuLine
from virtual_digiware.buses.modbus.station import MAX_DEVICES
from virtual_digiware.simulator.addressing import gateway_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from virtual_digiware.buses.interfaces import WriteHandler
    from virtual_digiware.buses.modbus.image import Images
    from virtual_digiware.buses.modbus.station import Station
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.line_models import DeviceOnLine, Rs485


@dataclass
class SiteLines:
    """Lines by name; their clients among the gateways, by the gateway's name."""

    lines: dict[str, RtuLine] = field(default_factory=dict)
    masters: dict[str, LineMaster] = field(default_factory=dict)
    polling: dict[str, LinePolling] = field(default_factory=dict)
    """What the clients collect, by the gateway's name."""

    def close(self) -> None:
        for master in self.masters.values():
            master.close()


def build_lines(building: Building, images: Images, handler: WriteHandler) -> SiteLines:
    """Every line of the site; nothing is opened yet.

    A site that is forced to run with more devices on a line than it carries hears the first 32 of them.
    """
    built = SiteLines()
    site = building.file.site
    for name, line in site.lines.items():
        timing = LineTiming(line.baudrate, line.parity, line.stop_bits, line.timing)
        devices = [(station, _own(timing, port)) for station, port in _devices(building, name)][:MAX_DEVICES]
        built.lines[name] = RtuLine(
            [station for station, own in devices if own == timing],
            building.model,
            images,
            handler,
            timing,
            [OwnSettings(station, own) for station, own in devices if own != timing],
        )
        for gateway in site.gateways:
            port = gateway.rs485
            if gateway_address(gateway) is None:
                continue  # a C-31 collects nothing, whatever it is told to be
            if port is not None and port.role == "client" and port.line == name:
                stations = [station for station, _ in devices]
                master = LineMaster(built.lines[name], stations, _own(timing, port), _time_outs(port))
                built.masters[gateway.name] = master
                units = [building.model.units[one.path] for station in stations for one in station.units()]
                built.polling[gateway.name] = LinePolling(master, units, site.refresh_ms)
    return built


def _devices(building: Building, line: str) -> Iterator[tuple[Station, DeviceOnLine]]:
    """Whoever answers on a line."""
    for gateway in building.file.site.gateways:
        port = gateway.rs485
        if port is not None and port.line == line and port.role == "server":
            yield building.stations[gateway.name], port
    for meter in building.file.site.meters:
        if meter.rs485 is not None and meter.rs485.line == line:
            yield building.meter_stations[meter.name], meter.rs485


def _own(line: LineTiming, port: DeviceOnLine) -> LineTiming:
    """The settings of a device: the line's, but for those that it has of its own."""
    return replace(
        line,
        baudrate=port.baudrate or line.baudrate,
        parity=port.parity or line.parity,
        stop_bits=port.stop_bits or line.stop_bits,
    )


def _time_outs(port: Rs485) -> TimeOuts:
    given = {
        key: value
        for key in ("reply_ms", "retries", "offline_after")
        if (value := getattr(port, key)) is not None
    }
    return TimeOuts(**given)
