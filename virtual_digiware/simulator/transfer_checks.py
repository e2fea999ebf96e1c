"""Rules for double sources: who is supplied by which switch, and from where."""

from __future__ import annotations

from virtual_digiware.devices.transfer_switch.controller import ORDERS
from virtual_digiware.simulator.bus_checks import source_of
from virtual_digiware.simulator.site_checks import Complaints, all_circuits
from virtual_digiware.simulator.site_models import Site
from virtual_digiware.simulator.yaml_text import KeyPath


def check_transfers(site: Site, complaints: Complaints) -> None:
    """Every rule about transfers, couplers and the events that concern them."""
    _check_boards(site, complaints)
    _check_sources(site, complaints)
    _check_couplers(site, complaints)
    _check_events(site, complaints)


def _check_boards(site: Site, complaints: Complaints) -> None:
    supplied: dict[str, str] = {}
    for name, board in site.boards.items():
        if board.transfer is None:
            continue
        path: KeyPath = ("boards", name, "transfer")
        if board.transfer not in site.transfers:
            complaints.unknown(path, board.transfer, "a transfer of this site", site.transfers)
        elif board.source is not None:
            complaints.add(path, board.transfer, f"one supply: this board has source {board.source} already")
        elif board.transfer in supplied:
            right = f"one board for each transfer; {supplied[board.transfer]} has this one"
            complaints.add(path, board.transfer, right)
        supplied.setdefault(board.transfer, name)
    for name in site.transfers:
        if name not in supplied:
            complaints.add(("transfers", name), "no board", f"a board with `transfer: {name}`")


def _check_sources(site: Site, complaints: Complaints) -> None:
    for name, transfer in site.transfers.items():
        path: KeyPath = ("transfers", name, "sources")
        for place, one in enumerate(transfer.sources):
            if one not in site.sources:
                complaints.unknown((*path, place), one, "a source of this site", site.sources)
        if transfer.sources[0] == transfer.sources[1]:
            complaints.add(path, ", ".join(transfer.sources), "two different sources")
    feeds: dict[tuple[str, str], str] = {}
    for circuit_name, (board_name, circuit) in all_circuits(site).items():
        fed = site.boards.get(circuit.feeds or "")
        if fed is None or fed.transfer is None or fed.transfer not in site.transfers:
            continue
        feeds_path: KeyPath = ("boards", board_name, "circuits", circuit_name, "feeds")
        source, wanted = source_of(site, board_name), site.transfers[fed.transfer].sources
        if source not in wanted:
            right = f"a circuit of {' or '.join(wanted)}: `{fed.transfer}` switches between these"
            complaints.add(feeds_path, f"{circuit_name}, fed by {source}", right)
        elif (fed.transfer, source) in feeds:
            right = f"one circuit for each source; {feeds[fed.transfer, source]} brings {source} already"
            complaints.add(feeds_path, circuit_name, right)
        feeds.setdefault((fed.transfer, source or ""), circuit_name)


def _check_couplers(site: Site, complaints: Complaints) -> None:
    coupled: dict[str, str] = {}
    for name, coupler in site.couplers.items():
        path: KeyPath = ("couplers", name)
        if name in site.transfers or any(name in board.circuits for board in site.boards.values()):
            complaints.add(path, name, "a name that no circuit and no transfer has")
        for place, board in enumerate(coupler.boards):
            board_path: KeyPath = (*path, "boards", place)
            if board not in site.boards:
                complaints.unknown(board_path, board, "a board of this site", site.boards)
            elif site.boards[board].source is None:
                complaints.add(board_path, board, "a board with a `source` of its own")
            elif board in coupled:
                complaints.add(board_path, board, f"one coupler for a board; {coupled[board]} has this one")
            coupled.setdefault(board, name)
        sources = [site.boards[board].source for board in coupler.boards if board in site.boards]
        if len(sources) == 2 and sources[0] == sources[1] and sources[0] is not None:
            complaints.add((*path, "boards"), f"both boards on {sources[0]}", "boards of different sources")


def _check_events(site: Site, complaints: Complaints) -> None:
    for index, event in enumerate(site.events):
        path: KeyPath = ("events", index)
        if event.kind == "no_start" and event.source in site.sources:
            if site.sources[event.source].kind != "genset":
                complaints.add((*path, "source"), event.source, "a source of kind genset")
        elif event.kind == "coupled" and event.coupler not in site.couplers:
            complaints.unknown((*path, "coupler"), event.coupler, "a coupler of this site", site.couplers)
        elif event.kind == "order":
            if event.transfer not in site.transfers:
                complaints.unknown(
                    (*path, "transfer"), event.transfer, "a transfer of this site", site.transfers
                )
            if event.order not in ORDERS:
                complaints.unknown((*path, "order"), event.order, "an order", ORDERS)
