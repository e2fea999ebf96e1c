"""The settings of one alarm of one unit, as they count now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from virtual_digiware.devices.alarms.description import (
    ACKNOWLEDGE_CODES,
    DELAY_UNIT_MS,
    NAME_BLOCK,
    SETTINGS_BLOCK,
    Family,
)
from virtual_digiware.devices.alarms.plan import Guard, Source
from virtual_digiware.devices.block import Product
from virtual_digiware.devices.io_modules import IoModule
from virtual_digiware.devices.settings import Settings


class Member(Protocol):
    """What is asked of a unit."""

    @property
    def path(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def product(self) -> Product: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def address(self) -> int | None: ...
    @property
    def is_present(self) -> bool: ...
    @property
    def silent_since_ms(self) -> int | None: ...
    @property
    def circuits(self) -> tuple[str, ...]: ...
    @property
    def slots(self) -> tuple[int, ...]: ...
    @property
    def taps(self) -> tuple[int, ...]: ...
    @property
    def io(self) -> IoModule | None: ...


class Entry:
    """The settings of one alarm of one unit."""

    def __init__(self, unit: Member, family: Family, slot: int) -> None:
        self.unit, self.family, self.slot = unit, family, slot
        self._block = SETTINGS_BLOCK[family]

    def number(self, point: str) -> int:
        return self.unit.settings.number(self._block, self.slot, point) or 0

    def name(self, otherwise: str) -> str:
        """The name in the registers, or what the alarm is about."""
        if self.family not in NAME_BLOCK:
            return otherwise
        return self.unit.settings.text(*_name_key(self.family, self.slot)) or otherwise

    def guard(
        self,
        type: str,
        cause: int,
        source: Source,
        text: str,
        place: int | None,
        words: Mapping[str, int],
        delays: bool = True,
    ) -> Guard:
        start, end = self.number("startup_delay"), self.number("dropout_delay")
        carried = {**words, "startup_delay": start, "dropout_delay": end} if delays else dict(words)
        return Guard(
            unit=self.unit.path,
            address=self.unit.address,
            slot=place,
            family=self.family,
            number=self.slot + 1,
            type=type,
            criticality=self.number("criticality"),
            cause=cause,
            is_automatic=self.number("acknowledge_method") != ACKNOWLEDGE_CODES["modbus"],
            start_ms=start * DELAY_UNIT_MS if delays else 0,
            end_ms=end * DELAY_UNIT_MS if delays else 0,
            source=source,
            text=self.name(text),
            words=tuple(carried.items()),
        )


def _name_key(family: Family, slot: int) -> tuple[str, int, str]:
    block, point = NAME_BLOCK[family]
    return block, slot, point
