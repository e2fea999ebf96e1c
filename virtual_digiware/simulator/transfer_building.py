"""From the transfers and couplers of a site file to what the installation and its switchgear need."""

from __future__ import annotations

from virtual_digiware.devices.transfer_switch.settings import (
    DEFAULT_TIMERS_S,
    CouplerSettings,
    TransferSettings,
)
from virtual_digiware.profiles import installation as plan
from virtual_digiware.simulator import site_models, transfer_models
from virtual_digiware.simulator.bus_checks import source_of

GENSETS = {
    "G1": plan.Genset(droop=0.08, frequency_dip=0.20, voltage_dip=0.25),
    "G2": plan.Genset(),
    "G3": plan.Genset(droop=0.03, frequency_dip=0.09, voltage_dip=0.15),
}
"""By performance class. Source: ISO 8528-5; dips of a step of the whole rating are scaled from G2."""
REACTANCE_PERCENT, RESISTANCE_PERCENT = 12.0, 1.5
"""Subtransient reactance of a generator, in the middle of 10 to 15 %; engineering judgement."""


def genset_of(name: str, source: site_models.Source, voltage_v: float) -> plan.Source:
    """A generating set; `voltage_v` is phase to neutral."""
    return plan.Source(
        name=name,
        voltage_v=voltage_v,
        frequency_hz=float(source.frequency_hz),
        rated_va=source.rated_kva * 1000,
        short_circuit_percent=REACTANCE_PERCENT,
        load_loss_percent=RESISTANCE_PERCENT,
        level=1.0,
        genset=GENSETS[source.class_],
    )


def is_switched(site: site_models.Site) -> bool:
    """Whether anything of the site changes its supply, or must be started."""
    has_genset = any(source.kind == "genset" for source in site.sources.values())
    return bool(site.transfers or site.couplers) or has_genset


def transfers_of(site: site_models.Site) -> tuple[plan.Transfer, ...]:
    """The transfer switches, with the circuits that bring them their sources."""
    return tuple(
        plan.Transfer(
            name,
            (transfer.sources[0], transfer.sources[1]),
            (_way(site, name, transfer.sources[0]), _way(site, name, transfer.sources[1])),
        )
        for name, transfer in site.transfers.items()
    )


def _way(site: site_models.Site, transfer: str, source: str) -> str | None:
    for board_name, board in site.boards.items():
        for circuit_name, circuit in board.circuits.items():
            fed = site.boards.get(circuit.feeds or "")
            if fed is not None and fed.transfer == transfer and source_of(site, board_name) == source:
                return circuit_name
    return None


def couplers_of(site: site_models.Site) -> tuple[plan.Coupler, ...]:
    """The bus couplers."""
    return tuple(plan.Coupler(name, (one.boards[0], one.boards[1])) for name, one in site.couplers.items())


def coupler_circuits(site: site_models.Site) -> tuple[plan.Circuit, ...]:
    """The breaker of each coupler, as a circuit of its first board."""
    return tuple(plan.Circuit(name, one.boards[0], "feeder") for name, one in site.couplers.items())


def transfer_settings(site: site_models.Site) -> tuple[TransferSettings, ...]:
    """Settings of the controllers."""
    return tuple(_settings(site, name, one) for name, one in site.transfers.items())


def _settings(site: site_models.Site, name: str, transfer: transfer_models.Transfer) -> TransferSettings:
    first, second = transfer.sources
    timers = transfer.timers
    given = {} if timers is None else timers.model_dump(by_alias=True, exclude_none=True)
    return TransferSettings(
        name=name,
        sources=(first, second),
        is_genset=(site.sources[first].kind == "genset", site.sources[second].kind == "genset"),
        priority=transfer.priority,
        timers_ms={code: round(1000 * seconds) for code, seconds in {**DEFAULT_TIMERS_S, **given}.items()},
        has_return_to_0=transfer.return_to_0,
        has_manual_retransfer=transfer.manual_retransfer,
    )


def coupler_settings(site: site_models.Site) -> tuple[CouplerSettings, ...]:
    """Settings of the couplers; the sources are those of their boards."""
    return tuple(
        CouplerSettings(
            name,
            (source_of(site, one.boards[0]) or "", source_of(site, one.boards[1]) or ""),
            one.automatic,
            round(1000 * one.loss_s),
            round(1000 * one.return_s),
            round(1000 * one.dead_s),
        )
        for name, one in site.couplers.items()
    )
