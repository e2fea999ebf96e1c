"""Where the power of a site comes from: trees of sources, transfer switches and boards."""

from __future__ import annotations

from virtual_digiware.simulator.dc_models import DcBoard
from virtual_digiware.simulator.diagram.parts import Supply
from virtual_digiware.simulator.site_models import Site, Source


def supplies_of(site: Site) -> tuple[Supply, ...]:
    """One tree for each source; one for each transfer switch, below the first of its sources.

    A source that also feeds boards past its switch is shown twice: its branches would be hard to tell apart.
    """
    switched = {source for transfer in site.transfers.values() for source in transfer.sources}
    found = []
    for name, source in site.sources.items():
        boards = _boards(site, source=name)
        if boards or name not in switched:
            found.append(Supply("source", name, _rating(source), boards))
    for name, transfer in site.transfers.items():
        first, *others = (Supply("source", one, _rating(site.sources[one])) for one in transfer.sources)
        switch = Supply("transfer", name, "transfer switch", _boards(site, transfer=name))
        found.append(Supply("source", first.label, first.note, (switch,), tuple(others)))
    return (*found, *(_direct_current(name, board) for name, board in site.dc.items()))


def couplers_of(site: Site) -> tuple[str, ...]:
    """A line of text for each bus coupler."""
    return tuple(
        f"Bus coupler {name} between {' and '.join(coupler.boards)}, normally open"
        for name, coupler in site.couplers.items()
    )


def _rating(source: Source) -> str:
    nominal = f"{source.voltage_v:g} V {source.frequency_hz} Hz"
    if source.kind == "genset":
        return f"generating set, {nominal}, {source.rated_kva:g} kVA"
    return f"transformer, {nominal}, {source.transformer_kva:g} kVA"


def _direct_current(name: str, board: DcBoard) -> Supply:
    """A board behind its rectifier and battery, or behind its strings."""
    fed = Supply("board", name, f"{board.voltage_v:g} V DC")
    battery = (
        () if board.battery is None else (Supply("source", "battery", f"{board.battery.capacity_ah:g} Ah"),)
    )
    if board.rectifier is None:
        return Supply("source", "strings", "photovoltaic", (fed,), battery)
    mains = "" if board.rectifier.mains is None else f", from {board.rectifier.mains}"
    return Supply("source", "rectifier", f"{board.rectifier.rated_kw:g} kW{mains}", (fed,), battery)


def _boards(site: Site, source: str | None = None, transfer: str | None = None) -> tuple[Supply, ...]:
    return tuple(
        _board(site, name)
        for name, board in site.boards.items()
        if (source is not None and board.source == source)
        or (transfer is not None and board.transfer == transfer)
    )


def _board(site: Site, name: str) -> Supply:
    fed = [circuit.feeds for circuit in site.boards[name].circuits.values() if circuit.feeds is not None]
    return Supply("board", name, "", tuple(_board(site, one) for one in fed))
