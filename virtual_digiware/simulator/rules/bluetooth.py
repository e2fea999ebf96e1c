"""Rules of Bluetooth environmental sensors."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_models import Site

MAX_SENSORS = 16
"""Source: communication-architecture note, glossary; counted apart from the modules."""


@rule("bluetooth-sensors", "error", f"{NOTE}, glossary")
def bluetooth_sensors(site: Site) -> Iterator[Broken]:
    """A head has at most 16 Bluetooth environmental sensors, beside its modules."""
    for index, gateway in enumerate(site.gateways):
        for sensor in gateway.sensors[MAX_SENSORS : MAX_SENSORS + 1]:
            yield Broken(
                ("gateways", index, "sensors", MAX_SENSORS),
                f"{len(gateway.sensors)} sensors of {gateway.name}",
                f"at most {MAX_SENSORS}; another gateway or display for {sensor.name} and those after it",
            )


@rule("bluetooth-radio", "error", f"{NOTE}, figures 1 to 7")
def bluetooth_radio(site: Site) -> Iterator[Broken]:
    """Sensors are heard by a D-50, D-70, M-50 or M-70; a C-31 has no radio."""
    for index, gateway in enumerate(site.gateways):
        if gateway.sensors and gateway.product == "C-31":
            yield Broken(
                ("gateways", index, "sensors"),
                f"{len(gateway.sensors)} sensors of a C-31",
                "the sensors at a D-50, D-70, M-50 or M-70; forced to run, this site is without them",
            )


RULES = (bluetooth_sensors, bluetooth_radio)
