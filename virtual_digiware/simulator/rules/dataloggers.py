"""Rules of dataloggers: how much one of them collects."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.devices.datalogger import MAX_DEVICES
from virtual_digiware.simulator.polled_units import own_units, polled_units
from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_models import Site


@rule("datalogger-devices", "error", f"{NOTE}, figures 23, 24 and 34")
def datalogger_devices(site: Site) -> Iterator[Broken]:
    """A DATALOG H80 collects at most 200 devices, gateways and all behind them."""
    gateways = {gateway.name: gateway for gateway in site.gateways}
    for index, logger in enumerate(site.dataloggers):
        devices: set[str] = set()
        for one in logger.collects:
            if one.gateway is None:
                devices.add(one.meter or "")
            else:
                gateway = gateways[one.gateway]
                devices.update(own_units(gateway), polled_units(site, gateway))
        if len(devices) > MAX_DEVICES:
            yield Broken(
                ("dataloggers", index, "collects"),
                f"{len(devices)} devices of {logger.name}",
                f"at most {MAX_DEVICES}; further gateways take another datalogger (forced: the first "
                f"{MAX_DEVICES} are collected)",
            )


RULES = (datalogger_devices,)
