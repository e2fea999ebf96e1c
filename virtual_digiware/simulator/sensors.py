"""Current sensors that a site file may name, and the choice of one for a current.

Source: public price list of a distributor (TE order codes and ranges; confirmed); DIRIS Digiware S
manual 546420C, page 43 (names of the iTR range; ranges inferred); TR and TF ranges inferred.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor model; the same type name may come in several ranges."""

    name: str
    minimum_a: float
    maximum_a: float


SENSORS: tuple[Sensor, ...] = (
    Sensor("TE-18", 5, 20),
    Sensor("TE-18", 25, 63),
    Sensor("TE-25", 40, 160),
    Sensor("TE-35", 63, 250),
    Sensor("TE-45", 160, 630),
    Sensor("TE-55", 400, 1000),
    Sensor("TE-90", 600, 2000),
    Sensor("TR-10", 25, 75),
    Sensor("TR-14", 40, 120),
    Sensor("TR-21", 63, 200),
    Sensor("TR-32", 160, 600),
    Sensor("iTR-10", 25, 63),
    Sensor("iTR-14", 40, 160),
    Sensor("iTR-21", 63, 250),
    Sensor("iTR-32", 160, 600),
    Sensor("TF-55", 150, 600),
    Sensor("TF-120", 400, 2000),
    Sensor("TF-300", 1600, 6000),
)


def sensor_names() -> list[str]:
    """Every type once, in the order of the table."""
    return list(dict.fromkeys(sensor.name for sensor in SENSORS))


def ranges(name: str) -> list[Sensor]:
    """The models of one type; empty when there is none of that name."""
    return [sensor for sensor in SENSORS if sensor.name == name]


def smallest_for(current_a: float) -> Sensor:
    """The smallest solid-core sensor that takes the current, else the largest there is."""
    solid = [sensor for sensor in SENSORS if sensor.name.startswith("TE")]
    return next((sensor for sensor in solid if sensor.maximum_a >= current_a), solid[-1])
