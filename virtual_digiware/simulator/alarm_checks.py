"""Rules for the alarms of a module: that it can have them, and that what they name is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from virtual_digiware.devices.block import Product
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Module
    from virtual_digiware.simulator.yaml_text import KeyPath


def check_alarms(module: Module, product: Product, path: KeyPath, complaints: Complaints) -> None:
    """Every alarm of a module; the first mistake only, for the numbers behind it depend on it."""
    if not module.alarms:
        return
    from virtual_digiware.devices.alarms.description import AlarmError
    from virtual_digiware.devices.alarms.initial import alarm_settings
    from virtual_digiware.simulator.alarm_models import alarm_layout

    alarms = [alarm_layout(alarm) for alarm in module.alarms]
    try:
        alarm_settings(product, [wiring.circuit for wiring in module.circuits], alarms)
    except AlarmError as error:
        complaints.add((*path, "alarms", error.position), error.found, error.right)
