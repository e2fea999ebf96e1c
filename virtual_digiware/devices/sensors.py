"""Current sensors of the range and the nominal currents that they cover; no measurement errors here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from virtual_digiware.devices.block import Confidence
from virtual_digiware.devices.catalogue_section import as_confidence, load


@dataclass(frozen=True, slots=True)
class Sensor:
    """One order code: a model (`TE-25`) with the nominal currents that it covers, in A."""

    name: str
    family: str
    construction: str
    current_min_a: float
    current_max_a: float
    confidence: Confidence
    order_code: str = ""

    def covers(self, nominal_a: float) -> bool:
        return self.current_min_a <= nominal_a <= self.current_max_a


@cache
def sensors() -> tuple[Sensor, ...]:
    """All known sensors. TE-18 appears twice: two order codes with different ranges."""
    path = Path(__file__).parent / "sensors.yaml"
    section = load(path, frozenset({"source", "note", "families", "models"}))
    families = dict(line.split(maxsplit=1) for line in section.text("families").splitlines())
    found = []
    for number, line in enumerate(section.text("models").splitlines(), 1):
        name, low, high, confidence, *order_code = line.split(maxsplit=4)
        family = name.partition("-")[0]
        if family not in families:
            raise section.error(f"models, line {number}", family, "one of " + ", ".join(families))
        found.append(
            Sensor(
                name=name,
                family=family,
                construction=families[family],
                current_min_a=float(low),
                current_max_a=float(high),
                confidence=as_confidence(section, f"models, line {number}", confidence),
                order_code="".join(order_code),
            )
        )
    return tuple(found)


def sensor_for(name: str, nominal_a: float) -> Sensor | None:
    """The sensor of that model that covers a nominal current in A; None if the model exists but none does.

    Raises:
        KeyError: No sensor of that name.
    """
    models = [sensor for sensor in sensors() if sensor.name == name]
    if not models:
        raise KeyError(name)
    return next((sensor for sensor in models if sensor.covers(nominal_a)), None)
