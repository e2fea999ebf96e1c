"""Sites with alarms, and what became of them in words a table can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.devices.scripted_truth import ScriptedTruth
from tests.devices.sites import HOUR, SECOND, START, office, office_layout, scripted_layout
from virtual_digiware.devices.alarms.description import AlarmLayout
from virtual_digiware.devices.alarms.events import AlarmEvent
from virtual_digiware.devices.catalogue import products
from virtual_digiware.devices.layout import SiteLayout
from virtual_digiware.devices.model import SiteModel
from virtual_digiware.devices.records import Record
from virtual_digiware.profiles.truth import Truth

WATTS_PER_AMPERE = 690.0
"""Three phases of 230 V at power factor 1."""
LOCK, UNLOCK, SYSTEM, SAVE = 58112, 1000, 57856, 0xA1
ACKNOWLEDGE = 39616


def with_alarms(layout: SiteLayout, alarms: Mapping[str, Sequence[AlarmLayout]]) -> SiteLayout:
    """The layout with alarms on modules, by path."""
    return replace(
        layout,
        gateways=tuple(
            replace(
                gateway,
                modules=tuple(
                    replace(module, alarms=tuple(alarms.get(f"{gateway.name}/{module.name}", ())))
                    for module in gateway.modules
                ),
            )
            for gateway in layout.gateways
        ),
    )


def metered(amperes: Sequence[tuple[float, float]], *alarms: AlarmLayout, **changes: object) -> SiteModel:
    """Module M1/i0 measures circuit c0, whose three phases carry (from this second on, A)."""
    script = [
        (START - HOUR, amperes[0][1] * WATTS_PER_AMPERE, 0.0),
        *((START + round(s * SECOND), a * WATTS_PER_AMPERE, 0.0) for s, a in amperes),
    ]
    truth = ScriptedTruth({"c0": script})
    layout = with_alarms(scripted_layout(["c0"], **changes), {"M1/i0": alarms})
    return SiteModel(truth, layout, products(), 7, START)  # type: ignore[arg-type]


def offices(alarms: Mapping[str, Sequence[AlarmLayout]], **changes: object) -> SiteModel:
    layout = with_alarms(office_layout(**changes), alarms)
    return SiteModel(Truth(office(), seed=7), layout, products(), 7, START)


def log(model: SiteModel, path: str) -> list[AlarmEvent]:
    """Events of a unit, oldest first."""
    return list(reversed(model.snapshot.alarms.of(path).log))


def spans(model: SiteModel, path: str) -> list[tuple[float, float | None]]:
    """Begin and end of each event of a unit, in seconds since START."""
    return [
        ((event.start_ms - START) / SECOND, None if event.end_ms is None else (event.end_ms - START) / SECOND)
        for event in log(model, path)
    ]


def dip(
    at_ms: int,
    lasts_ms: int,
    residual: float,
    phases: Sequence[str] = ("L1", "L2", "L3"),
    kind: str = "dip",
    target: str = "mains",
) -> Record:
    data = {
        "start_ms": at_ms,
        "end_ms": at_ms + lasts_ms,
        "kind": kind,
        "target": target,
        "residual": residual,
        "phases": list(phases),
    }
    return Record(START, "event", "", data)


def opening(circuit: str, at_ms: int, lasts_ms: int) -> Record:
    return dip(at_ms, lasts_ms, 0.0, kind="open", target=circuit)


def present(path: str, is_present: bool, t_ms: int) -> Record:
    return Record(t_ms, "presence", path, {"present": is_present})
