"""Server-sent events of a running site: values, alarms and records of the journal, as they happen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from virtual_digiware.simulator.instants import format_instant
from virtual_digiware.simulator.oracle.oracle import SnapshotOracle
from virtual_digiware.simulator.oracle.places import places

if TYPE_CHECKING:
    from virtual_digiware.simulator.running import RunningSite

LOOK_S = 0.05
"""How long a change waits to be sent at most."""


async def events(site: RunningSite, point: str | None, closing: asyncio.Event) -> AsyncIterator[str]:
    """Events from now on, until `closing`; first of all the values as they are.

    Args:
        point: Whose values are sent whenever anything may have changed, a pattern; None: no values.
    """
    model, seen = site.building.model, -1
    _, alarms = model.alarm_changes_since(0)
    records = len(site.journal.records)
    yield ": listening\n\n"
    while not closing.is_set():
        if model.version != seen:
            seen = model.version
            changes, alarms = model.alarm_changes_since(alarms)
            for change in changes:
                yield _event("alarm", {"time": format_instant(change.time_ms), **_alarm(change.event)})
            for value in () if point is None else _values(site, point):
                yield _event("value", value)
        for record in site.journal.records[records:]:
            records += 1
            told = {"time": format_instant(record.time_ms), "kind": record.kind, "target": record.target}
            yield _event("journal", {**told, "data": dict(record.data)})
        with suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), LOOK_S)


def _values(site: RunningSite, point: str) -> Iterator[dict[str, Any]]:
    oracle = SnapshotOracle(site.building)
    for place in places(oracle.units, point):
        truth = oracle.truth_of(place)
        shown = {"name": truth.name, "value": truth.value, "unit": truth.unit, "quality": truth.quality}
        yield {"time": format_instant(truth.time_ms), **shown}


def _alarm(event: Any) -> dict[str, Any]:
    return {"id": event.id, "unit": event.unit, "state": event.state, "type": event.type, "text": event.text}


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
