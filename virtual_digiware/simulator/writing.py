"""Writes of clients: checked by the device, kept by the journal, applied, visible, and only then answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from virtual_digiware.devices.records import Record, Refusal

if TYPE_CHECKING:
    from virtual_digiware.buses.interfaces import Unit
    from virtual_digiware.devices.model import SiteModel
    from virtual_digiware.simulator.journal import Journal

DEVICE_FAILURE = 0x04


class JournaledWrites:
    """The write handler of a running site.

    Args:
        now_ms: simulated time for the next record; never before the last one.
        recompute: makes the consequences of everything up to a time visible. It takes as long as a refresh
            of the whole site, so it is asked for only by records that change more than a stored word.
        tell: hears of every accepted and every failed write.
    """

    def __init__(
        self,
        model: SiteModel,
        journal: Journal,
        now_ms: Callable[[], int],
        recompute: Callable[[int], None],
        tell: Callable[[str, Record], None],
    ) -> None:
        self._model = model
        self._journal = journal
        self._now_ms = now_ms
        self._recompute = recompute
        self._tell = tell

    def write(self, unit: Unit, function: int, address: int, values: Sequence[int]) -> Refusal | None:
        """None once the write is on the disk and can be read back."""
        now_ms = self._now_ms()
        checked = self._model.check_write(unit.path, function, address, values, now_ms)
        if isinstance(checked, Refusal):
            return checked
        try:
            self._journal.append(checked)
        except OSError as error:
            self._tell(f"the journal does not take a write: {error}", checked)
            return Refusal(DEVICE_FAILURE, "the write cannot be kept")
        if self._model.apply(checked):
            self._recompute(checked.time_ms)
        self._tell("write", checked)
        return None
