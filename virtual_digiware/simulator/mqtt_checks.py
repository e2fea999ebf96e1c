"""Which gateways publish over MQTT, and the rules for them: two clients of one broker are never the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtual_digiware.simulator.yaml_text import KeyPath

if TYPE_CHECKING:
    from virtual_digiware.simulator.mqtt_models import Mqtt
    from virtual_digiware.simulator.site_checks import Complaints
    from virtual_digiware.simulator.site_models import Site


def mqtt_sections(site: Site) -> dict[str, Mqtt]:
    """What holds for each gateway that publishes: its own section, else that of the site."""
    sections = {}
    for gateway in site.gateways:
        section = gateway.mqtt or (None if gateway.product == "C-31" else site.mqtt)
        if section is not None and section.enabled:
            sections[gateway.name] = section
    return sections


def check_mqtt(site: Site, complaints: Complaints) -> None:
    """A broker throws out the first of two clients with one id, and two gateways on one topic overwrite."""
    clients: dict[tuple[str, int, str], str] = {}
    topics: dict[tuple[str, int, str], str] = {}
    index = {gateway.name: number for number, gateway in enumerate(site.gateways)}
    for name, section in mqtt_sections(site).items():
        own = site.gateways[index[name]].mqtt is section
        path: KeyPath = ("gateways", index[name], "mqtt") if own else ("mqtt",)
        for key, given, taken in (
            ("client_id", section.client_id, clients),
            ("topic", section.topic, topics),
        ):
            if given is None:
                continue
            place = section.broker, section.port_number, given
            if place in taken:
                right = f"`{key}:` of its own for each gateway; {taken[place]} has that one"
                complaints.add((*path, key), given, right)
            taken.setdefault(place, name)
