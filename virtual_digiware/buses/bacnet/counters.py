"""What a BACnet port has seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class BacnetCounters:
    """Counts of one gateway's port since it was opened; every one only grows.

    `short` are requests that the short path answered; `bad_datagrams` what nobody may answer; `unanswered`
    messages for a device that does not exist; `failures` answers that could not be made because of a mistake
    of ours; `dropped` answers that the system did not take.
    """

    datagrams: int = 0
    broadcasts: int = 0
    short: int = 0
    errors: int = 0
    rejects: int = 0
    aborts: int = 0
    bad_datagrams: int = 0
    unanswered: int = 0
    failures: int = 0
    dropped: int = 0
