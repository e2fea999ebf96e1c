"""What the control API offers: site, truth, time and faults. Knows the running site, but no socket."""

from __future__ import annotations

import asyncio
import hmac
from html import escape
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from virtual_digiware import __version__
from virtual_digiware.simulator.control.events import events
from virtual_digiware.simulator.durations import NotATime, duration_ms
from virtual_digiware.simulator.faults.parameters import FaultRefused
from virtual_digiware.simulator.instants import format_instant, parse_instant
from virtual_digiware.simulator.oracle.oracle import SnapshotOracle
from virtual_digiware.simulator.oracle.places import PointUnknown
from virtual_digiware.simulator.ready_file import describe_site
from virtual_digiware.simulator.time_control import TimeRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from virtual_digiware.devices.faults.book import Fault
    from virtual_digiware.simulator.running import RunningSite

BEARER = HTTPBearer(auto_error=False)
OUR_REFUSALS = (FaultRefused, NotATime, PointUnknown, TimeRefused)


WantedSite = Annotated[str | None, Query(alias="site", description="refused where another site runs")]


class TimeChange(BaseModel):
    """One change of time: exactly one of the keys."""

    model_config = ConfigDict(extra="forbid")

    rate: float | None = Field(None, description="simulated seconds per second; 0: frozen")
    step: str | None = Field(None, description="a duration such as `15 min`")
    to: str | None = Field(None, description="a time such as 2026-03-02T10:00:00Z, not in the past")


class Injection(BaseModel):
    """A fault to lay on all targets of a pattern."""

    model_config = ConfigDict(extra="forbid")

    fault: str = Field(description="its id, see `vdigiware faults`")
    target: str = Field(description="a name of the site, or a pattern")
    duration: str | None = Field(None, description="such as `10 s`; without it, until it is cleared")
    parameters: dict[str, Any] = Field({}, description="by name")


def control_app(
    site: RunningSite, token: str, is_ready: Callable[[], bool], closing: asyncio.Event
) -> FastAPI:
    """The API of one site; every path but the documentation wants the token as `Authorization: Bearer`."""

    def admitted(
        shown: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
    ) -> None:
        if shown is None or not hmac.compare_digest(shown.credentials.encode(), token.encode()):
            raise HTTPException(401, "the token is missing or wrong", {"WWW-Authenticate": "Bearer"})
        if not is_ready():
            raise HTTPException(503, "the site does not accept connections yet", {"Retry-After": "1"})

    app = FastAPI(title="Virtual Digiware control", version=__version__, docs_url=None, redoc_url=None)
    guarded = [Depends(admitted)]

    async def refused(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=422)

    for kind in OUR_REFUSALS:
        app.add_exception_handler(kind, refused)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(_page(app.openapi()))

    @app.get("/site", dependencies=guarded, summary="What is there: gateways, units, endpoints, and the time")
    async def tell_site() -> dict[str, Any]:
        described = describe_site(site.building.file.site, site.building.layout.gateways, site.endpoints)
        return {**described, **site.time.status.as_data()}

    @app.get("/truth", dependencies=guarded, summary="What clients should read now; `point` may be a pattern")
    async def tell_truth(point: str, site_name: WantedSite = None) -> list[dict[str, Any]]:
        running = site.building.file.site.site
        if site_name not in (None, running):
            raise HTTPException(422, f"the site that runs here is {running}, not {site_name}")
        return [truth.as_data() for truth in SnapshotOracle(site.building).truths(point)]

    @app.get("/time", dependencies=guarded, summary="How time passes")
    async def tell_time() -> dict[str, Any]:
        return site.time.status.as_data()

    @app.post("/time", dependencies=guarded, summary="Freeze, speed up, step or jump")
    async def change_time(change: TimeChange) -> dict[str, Any]:
        given = change.model_dump(exclude_none=True)
        if len(given) != 1:
            raise TimeRefused("exactly one of rate, step and to")
        if change.rate is not None:
            return (await site.time.pass_at(change.rate)).as_data()
        if change.step is not None:
            return (await site.time.step(duration_ms(change.step))).as_data()
        try:
            t_ms = parse_instant(change.to or "")
        except ValueError as error:
            raise TimeRefused(f"to: {error}") from error
        return (await site.time.jump(t_ms)).as_data()

    @app.get("/events", dependencies=guarded, summary="Server-sent events: value, alarm, journal")
    async def tell_events(point: str | None = None) -> StreamingResponse:
        if point is not None:
            SnapshotOracle(site.building).truths(point)  # a wrong name is refused, not streamed
        return StreamingResponse(events(site, point, closing), media_type="text/event-stream")

    @app.get("/faults", dependencies=guarded, summary="Faults that hold or wait")
    async def tell_faults() -> list[dict[str, Any]]:
        return [_fault(fault) for fault in (*site.faults.active, *site.faults.waiting)]

    @app.post("/faults", dependencies=guarded, status_code=201, summary="Inject a fault")
    async def inject(injection: Injection) -> list[dict[str, Any]]:
        length_ms = None if injection.duration is None else duration_ms(injection.duration)
        faults = site.faults.inject(
            injection.fault, injection.target, duration_ms=length_ms, **injection.parameters
        )
        return [_fault(fault) for fault in faults]

    @app.delete("/faults", dependencies=guarded, summary="Clear all faults")
    async def clear_all() -> dict[str, int]:
        return {"cleared": site.faults.clear_all()}

    @app.delete("/faults/{number}", dependencies=guarded, summary="Clear one fault")
    async def clear(number: int) -> dict[str, int]:
        site.faults.clear(number)
        return {"cleared": 1}

    return app


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "number": fault.number,
        "fault": fault.kind,
        "target": fault.target,
        "start": format_instant(fault.start_ms),
        "end": None if fault.end_ms is None else format_instant(fault.end_ms),
        "parameters": dict(fault.parameters),
    }


def _page(schema: dict[str, Any]) -> str:
    """The paths as a page that loads nothing from elsewhere."""
    rows = "".join(
        f"<tr><td><code>{method.upper()} {escape(path)}</code></td><td>{escape(what['summary'])}</td></tr>"
        for path, methods in schema["paths"].items()
        for method, what in methods.items()
    )
    title = escape(schema["info"]["title"])
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1>"
        "<p>Every request shows the token: <code>Authorization: Bearer TOKEN</code>. "
        f"All details: <a href=openapi.json>openapi.json</a>.</p><table>{rows}</table></html>"
    )
