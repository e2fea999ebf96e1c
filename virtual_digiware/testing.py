"""The public Python interface: sites that a program or a test-suite runs and commands."""

from __future__ import annotations

from virtual_digiware.simulator.durations import NotATime
from virtual_digiware.simulator.faults.parameters import FaultRefused
from virtual_digiware.simulator.session.async_site import AsyncInjectedFaults, AsyncSite
from virtual_digiware.simulator.session.control import DEFAULT_AT
from virtual_digiware.simulator.session.places import BacnetEndpoint, Endpoint, LineEnd, UnknownName
from virtual_digiware.simulator.session.site import InjectedFaults, Site
from virtual_digiware.simulator.session.thread import SiteStopped
from virtual_digiware.simulator.time_control import TimeRefused
from virtual_digiware.simulator.yaml_text import FileFaults

__all__ = [
    "DEFAULT_AT",
    "AsyncInjectedFaults",
    "AsyncSite",
    "BacnetEndpoint",
    "Endpoint",
    "FaultRefused",
    "FileFaults",
    "InjectedFaults",
    "LineEnd",
    "NotATime",
    "Site",
    "SiteStopped",
    "TimeRefused",
    "UnknownName",
]
