"""The MQTT publishers of a site, made from its file, and telling them what alarms do."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from virtual_digiware.simulator.listening import EndpointUnavailable
from virtual_digiware.simulator.logs import log
from virtual_digiware.simulator.mqtt_checks import mqtt_sections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from virtual_digiware.buses.mqtt.publisher import MqttPublisher
    from virtual_digiware.buses.mqtt.settings import MqttSettings
    from virtual_digiware.devices.alarms.events import AlarmChange
    from virtual_digiware.devices.model import SiteModel
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.mqtt_models import Mqtt


class PasswordUnavailable(EndpointUnavailable):
    """The password that the site file points to is not there."""


def mqtt_publishers(building: Building) -> dict[str, MqttPublisher]:
    """Publishers by the name of their gateway, not yet started.

    Raises:
        PasswordUnavailable: a password file cannot be read, or a variable is not set.
    """
    sections = mqtt_sections(building.file.site)
    if not sections:
        return {}
    from virtual_digiware.buses.mqtt.publisher import MqttPublisher

    return {
        name: MqttPublisher(building.collections[name], _settings(building, name, section), _tell)
        for name, section in sections.items()
    }


def base_topic(site: str, gateway: str, section: Mqtt) -> str:
    """What all topics of a gateway begin with."""
    return section.topic or f"digiware/{site}/{gateway}"


def _settings(building: Building, gateway: str, section: Mqtt) -> MqttSettings:
    from virtual_digiware.buses.mqtt.settings import MqttSettings, Tls

    site, folder = building.file.site.site, building.file.folder

    def place(name: str | None) -> Path | None:
        return None if name is None else folder / name

    tls = section.tls
    return MqttSettings(
        host=section.broker,
        port=section.port_number,
        client_id=section.client_id or f"vdigiware-{site}-{gateway}",
        base_topic=base_topic(site, gateway, section),
        version=section.version,
        period_ms=round(section.period_s * 1000),
        qos=section.qos,
        retain=section.retain,
        keepalive_s=section.keepalive_s,
        username=section.username,
        password=_password(gateway, place(section.password_file), section.password_variable),
        tls=None
        if tls is None
        else Tls(place(tls.ca), place(tls.certificate), place(tls.key), tls.check_host),
        messages=section.buffer_messages,
        octets=section.buffer_kib << 10,
    )


def _password(gateway: str, file: Path | None, variable: str | None) -> str | None:
    if variable is not None:
        if variable not in os.environ:
            raise PasswordUnavailable(f"{gateway}: mqtt: the environment has no variable {variable}")
        return os.environ[variable]
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise PasswordUnavailable(f"{gateway}: mqtt: the password file {file}: {error}") from error


class MqttAlarms:
    """Follows the alarms of a site for its publishers; what happened before them is only listed."""

    def __init__(self, model: SiteModel, publishers: Mapping[str, MqttPublisher]) -> None:
        self._model, self._publishers = model, publishers
        _, self._cursor = model.alarm_changes_since(0)
        for name in publishers:
            self._publish(name, [])

    def tell(self) -> None:
        """Hand on what has been published since the last time."""
        changes, self._cursor = self._model.alarm_changes_since(self._cursor)
        for name in dict.fromkeys(_gateway(change) for change in changes):
            self._publish(name, [change for change in changes if _gateway(change) == name])

    def _publish(self, name: str, changes: list[AlarmChange]) -> None:
        publisher = self._publishers.get(name)
        if publisher is not None:
            active = self._model.snapshot.alarms.active
            publisher.alarms(changes, [event for event in active if event.unit.partition("/")[0] == name])


def _gateway(change: AlarmChange) -> str:
    return change.event.unit.partition("/")[0]


def _tell(event: str, facts: dict[str, object]) -> None:
    with suppress(OSError):  # whether anybody reads the log changes nothing for the broker
        log().info(event, **facts)
