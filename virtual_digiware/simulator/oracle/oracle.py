"""Asking a site what is true: at any time of a site file, or now of one that runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.simulator.opening import TimeOptions, open_site
from virtual_digiware.simulator.oracle.collected import Windows
from virtual_digiware.simulator.oracle.places import Place, PointUnknown, places
from virtual_digiware.simulator.oracle.registers import modbus_truth
from virtual_digiware.simulator.oracle.truth import Shown, Truth

if TYPE_CHECKING:
    from virtual_digiware.devices.collection import Quality
    from virtual_digiware.devices.unit import Unit
    from virtual_digiware.simulator.building import Building
    from virtual_digiware.simulator.site_file import SiteFile


class SnapshotOracle:
    """What is true of a site as its clients see it now. Asking changes nothing."""

    def __init__(self, building: Building) -> None:
        self.building = building
        self._windows = [Windows(building, name) for name in building.collections]

    @property
    def units(self) -> tuple[Unit, ...]:
        return tuple(self.building.model.units.values())

    @property
    def time_ms(self) -> int:
        return self.building.model.snapshot.time_ms

    def truths(self, name: str) -> list[Truth]:
        """All points that a name means, which may be a pattern; see `places`. Raises PointUnknown."""
        return [self.truth_of(place) for place in places(self.units, name)]

    def place(self, name: str) -> Place:
        """The one point that a name means. Raises PointUnknown, also where it means several."""
        found = places(self.units, name)
        if len(found) > 1:
            names = ", ".join(place.name for place in found[:5])
            more = "" if len(found) <= 5 else f" and {len(found) - 5} more"
            raise PointUnknown(f"{name!r} means {len(found)} points: {names}{more}; name one of them")
        return found[0]

    def truth(self, name: str) -> Truth:
        """The one point that a name means. Raises PointUnknown, also where it means several."""
        return self.truth_of(self.place(name))

    def truth_of(self, place: Place) -> Truth:
        unit, row = place.unit, place.row
        windows = [window for window in self._windows if window.shows(unit)]
        quality, age_ms = self._quality(place, windows)
        value = _exact(place)
        return Truth(
            name=place.name,
            unit_path=unit.path,
            product=unit.product.name,
            part=place.part,
            table=place.table,
            point=row.point,
            label=row.label,
            time_ms=self.time_ms,
            value=value,
            unit=row.unit,
            quality="not_available" if quality == "good" and value is None else quality,
            age_ms=age_ms,
            modbus=modbus_truth(place, self._is_answered(unit)),
            bacnet=tuple(one for window in windows for one in window.bacnet(place)),
            snmp=tuple(one for window in windows for one in window.snmp(place)),
            mqtt=tuple(one for window in windows for one in window.mqtt(place)),
        )

    def _is_answered(self, unit: Unit) -> bool:
        head = unit.path.partition("/")[0]
        station = self.building.stations.get(head) or self.building.meter_stations.get(head)
        return station is not None and unit.address is not None and station.find(unit.address) is unit

    def _quality(self, place: Place, windows: Sequence[Windows]) -> tuple[Quality, int]:
        """Of the gateway that shows the unit, the unit's own before those beyond; of the unit without one."""
        unit = place.unit
        own = unit.path.partition("/")[0]
        for window in sorted(windows, key=lambda one: one.gateway != own):
            collected_ms = window.collection.collected_ms(unit)
            if window.collection.is_lost(unit):
                return "lost", 0 if collected_ms is None else self.time_ms - collected_ms
            if collected_ms is not None:
                return "good", self.time_ms - collected_ms
        return ("good" if unit.is_present else "lost"), 0


class SiteOracle:
    """What is true of a site file at any time, whichever is asked first: truth is a function of time."""

    def __init__(self, file: SiteFile) -> None:
        self._file = file
        self._made: SnapshotOracle | None = None

    @property
    def refresh_ms(self) -> int:
        return self._file.site.refresh_ms

    @property
    def commissioned_ms(self) -> int | None:
        """Since when there is something to ask; None: the site file leaves it to the first time asked."""
        return self._file.site.commissioned

    def at(self, t_ms: int) -> SnapshotOracle:
        """The site at a time; what an earlier call returned follows to the new time.

        Raises:
            StartRefused: The site is not commissioned yet.
        """
        if self._made is None or t_ms < self._made.time_ms:
            opened = open_site(self._file, TimeOptions("manual", 1.0, t_ms))
            self._made = SnapshotOracle(opened.building)
        model = self._made.building.model
        model.publish(model.compute(t_ms))
        return self._made

    def over_time(self, name: str, times_ms: Sequence[int]) -> Iterator[Truth]:
        """One point at several times, ascending."""
        for t_ms in sorted(times_ms):
            yield self.at(t_ms).truth(name)


def _exact(place: Place) -> Shown:
    """The value that the unit has for a row, in engineering units, before a register rounds it."""
    value = place.unit.read(place.placed)[place.position]
    if value is None or isinstance(value, str):
        return value
    if ENCODINGS[place.row.encoding].kind == "text" and not value:
        return ""
    number = float(value) * (place.row.scale if place.unit.is_raw(place.placed.block) else 1.0)
    return None if math.isnan(number) else number
