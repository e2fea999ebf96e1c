"""Cabinets that devices stand in must exist, where a site file has any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Site
    from virtual_digiware.simulator.yaml_text import KeyPath


def check_cabinets(site: Site, complaints: Complaints) -> None:
    """Every cabinet that is named is described."""
    for path, cabinet in _named(site):
        if cabinet is not None and cabinet not in site.cabinets:
            complaints.unknown((*path, "cabinet"), cabinet, "a cabinet of this site", site.cabinets)


def _named(site: Site) -> Iterator[tuple[KeyPath, str | None]]:
    for index, gateway in enumerate(site.gateways):
        yield ("gateways", index), gateway.cabinet
        for position, module in enumerate(gateway.bus):
            yield ("gateways", index, "bus", position), module.cabinet
        for position, sensor in enumerate(gateway.sensors):
            yield ("gateways", index, "sensors", position), sensor.cabinet
    for index, meter in enumerate(site.meters):
        yield ("meters", index), meter.cabinet
    for index, logger in enumerate(site.dataloggers):
        yield ("dataloggers", index), logger.cabinet
