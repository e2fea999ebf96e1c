"""The rules between the keys of a site file: names that must exist and differ, trees without loops.

Every rule that is broken becomes one `Fault`; all of them are reported together. What the
gateways and their buses must obey is in `bus_checks.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from virtual_digiware.simulator.site_models import Circuit, Load, Site
from virtual_digiware.simulator.yaml_text import Fault, KeyPath, YamlText, describe, near_miss


@dataclass(slots=True)
class Complaints:
    """Collects faults of one file, with the wording that every rule shares."""

    text: YamlText
    faults: list[Fault] = field(default_factory=list)

    def add(self, path: KeyPath, found: object, right: str) -> None:
        self.faults.append(self.text.fault(path, describe(found), right))

    def unknown(self, path: KeyPath, found: str, what: str, known: Iterable[str]) -> None:
        """A name that nothing in the site (or the product range) has."""
        names = list(known)
        right = f"{what}: {', '.join(names)}." if names else f"{what}, but there is none."
        self.add(path, found, right + near_miss(found, names))

    def line_of(self, path: KeyPath) -> int:
        return self.text.where(path)[1]


def check_site(site: Site, text: YamlText) -> list[Fault]:
    """All broken rules of a site whose structure is already right."""
    from virtual_digiware.simulator.bacnet_checks import check_bacnet
    from virtual_digiware.simulator.bus_checks import check_gateways
    from virtual_digiware.simulator.cabinet_checks import check_cabinets
    from virtual_digiware.simulator.cascade_checks import check_cascades
    from virtual_digiware.simulator.datalogger_checks import check_dataloggers
    from virtual_digiware.simulator.dc_checks import check_dc
    from virtual_digiware.simulator.lines_checks import check_lines
    from virtual_digiware.simulator.meter_checks import check_meters
    from virtual_digiware.simulator.mqtt_checks import check_mqtt
    from virtual_digiware.simulator.port_checks import check_listening
    from virtual_digiware.simulator.snmp_checks import check_snmp
    from virtual_digiware.simulator.supervisor_checks import check_supervisors
    from virtual_digiware.simulator.transfer_checks import check_transfers

    complaints = Complaints(text)
    _check_circuit_names(site, complaints)
    _check_supplies(site, complaints)
    _check_incomers(site, complaints)
    _check_loads(site, complaints)
    _check_events(site, complaints)
    _check_recordings(site, complaints)
    check_dc(site, complaints)
    check_gateways(site, complaints)
    check_cabinets(site, complaints)
    check_meters(site, complaints)
    check_lines(site, complaints)
    check_cascades(site, complaints)
    check_dataloggers(site, complaints)
    check_listening(site, complaints)
    check_bacnet(site, complaints)
    check_mqtt(site, complaints)
    check_snmp(site, complaints)
    check_supervisors(site, complaints)
    check_transfers(site, complaints)
    return complaints.faults


def all_circuits(site: Site) -> dict[str, tuple[str, Circuit]]:
    """Board and description of every circuit, by name; the breaker of a coupler is a circuit as well."""
    return coupler_breakers(site) | {
        name: (board_name, circuit)
        for board_name, board in site.boards.items()
        for name, circuit in board.circuits.items()
    }


def circuit_named(site: Site, name: str) -> tuple[str, Circuit] | None:
    """One of `all_circuits`, without making a list of thousands for each module that asks."""
    for board_name, board in site.boards.items():
        if name in board.circuits:
            return board_name, board.circuits[name]
    return coupler_breakers(site).get(name)


def coupler_breakers(site: Site) -> dict[str, tuple[str, Circuit]]:
    """The breakers of the couplers as circuits of their first boards."""
    return {
        name: (coupler.boards[0], Circuit.model_construct(feeds=coupler.boards[1], phases=["L1", "L2", "L3"]))
        for name, coupler in site.couplers.items()
    }


def load_names(circuit_name: str, loads: Sequence[Load]) -> list[str]:
    """The names of a circuit's loads: as given, else the circuit's name, numbered when there are several."""
    alone = len(loads) == 1
    return [
        load.name or (circuit_name if alone else f"{circuit_name}_{position}")
        for position, load in enumerate(loads, start=1)
    ]


def _check_circuit_names(site: Site, complaints: Complaints) -> None:
    seen: dict[str, KeyPath] = {}
    for board_name, board in site.boards.items():
        for name in board.circuits:
            path: KeyPath = ("boards", board_name, "circuits", name)
            if name in seen:
                line = complaints.line_of(seen[name])
                complaints.add(path, name, f"a name of its own; line {line} has a circuit of that name")
            seen.setdefault(name, path)


def _check_supplies(site: Site, complaints: Complaints) -> None:
    feeders: dict[str, list[tuple[str, KeyPath]]] = {}
    for board_name, board in site.boards.items():
        path: KeyPath = ("boards", board_name)
        if board.source is not None and board.source not in site.sources:
            complaints.unknown((*path, "source"), board.source, "a source of this site", site.sources)
        for name, circuit in board.circuits.items():
            if circuit.feeds is None:
                continue
            feeds_path: KeyPath = (*path, "circuits", name, "feeds")
            if circuit.feeds not in site.boards:
                complaints.unknown(feeds_path, circuit.feeds, "a board of this site", site.boards)
            feeders.setdefault(circuit.feeds, []).append((board_name, feeds_path))
    # A misspelt `feeds` already has its complaint; the board that it meant must not get a second one.
    is_whole = all(fed in site.boards for fed in feeders)
    for board_name, board in site.boards.items():
        if board.transfer is not None:
            continue  # may have a feeder from each of its sources; see `transfer_checks`
        supplies = feeders.get(board_name, [])
        for _, feeds_path in supplies[0 if board.source else 1 :]:
            other = f"source {board.source}" if board.source else f"line {complaints.line_of(supplies[0][1])}"
            complaints.add(feeds_path, board_name, f"one supply for each board; this one already has {other}")
        if not supplies and not board.source and is_whole:
            complaints.add(
                ("boards", board_name),
                "no supply",
                "a `source`, or a circuit of another board that `feeds` it",
            )
    _check_loops(site, {name: found[0] for name, found in feeders.items() if found}, complaints)


def _check_loops(site: Site, feeders: dict[str, tuple[str, KeyPath]], complaints: Complaints) -> None:
    reported: set[str] = set()
    for start in site.boards:
        chain = [start]
        while chain[-1] in feeders and feeders[chain[-1]][0] not in chain:
            chain.append(feeders[chain[-1]][0])
        closing = feeders.get(chain[-1])
        if closing is None or closing[0] != start or start in reported or _is_root(site, start):
            continue
        reported.update(chain)
        loop = " -> ".join([*reversed(chain), chain[-1]])
        complaints.add(
            feeders[start][1], f"a loop: {loop}", "boards that form a tree, with a `source` at its root"
        )


def _is_root(site: Site, board: str) -> bool:
    return bool(site.boards[board].source or site.boards[board].transfer)


def _check_incomers(site: Site, complaints: Complaints) -> None:
    for board_name, board in site.boards.items():
        incomers = [name for name, circuit in board.circuits.items() if circuit.incomer]
        for name in incomers[1:]:
            right = f"one incomer for each board; `{incomers[0]}` already is the one of {board_name}"
            complaints.add(("boards", board_name, "circuits", name, "incomer"), name, right)


def _check_loads(site: Site, complaints: Complaints) -> None:
    from virtual_digiware.simulator.load_library import load_class_names, profile_names

    classes, profiles = load_class_names(), profile_names()
    seen: dict[str, KeyPath] = {}
    for board_name, board in site.boards.items():
        for circuit_name, circuit in board.circuits.items():
            loads = circuit.loads or []
            for index, (load, name) in enumerate(zip(loads, load_names(circuit_name, loads), strict=True)):
                path: KeyPath = ("boards", board_name, "circuits", circuit_name, "loads", index)
                if load.class_ not in classes:
                    complaints.unknown((*path, "class"), load.class_, "a load class", classes)
                if load.profile is not None and load.profile not in profiles:
                    complaints.unknown((*path, "profile"), load.profile, "a daily profile", profiles)
                if name in seen and circuit_name not in seen[name]:
                    line = complaints.line_of(seen[name])
                    complaints.add(
                        (*path, "name"), name, f"a name of its own; line {line} has a load of that name"
                    )
                seen.setdefault(name, path)
                _check_load_phases(load, circuit, path, complaints)


def _check_load_phases(load: Load, circuit: Circuit, path: KeyPath, complaints: Complaints) -> None:
    phases = load.phases or circuit.phases
    if len(set(phases)) != len(phases):
        complaints.add((*path, "phases"), ", ".join(phases), "each phase once")
    outside = [phase for phase in phases if phase not in circuit.phases]
    if outside:
        complaints.add(
            (*path, "phases"), ", ".join(outside), f"phases of its circuit: {', '.join(circuit.phases)}"
        )
    if load.line_to_line and len(phases) != 2:
        complaints.add(
            (*path, "line_to_line"), f"{len(phases)} phases", "two phases for a load between phases"
        )


def _check_events(site: Site, complaints: Complaints) -> None:
    circuits = all_circuits(site)
    for index, event in enumerate(site.events):
        path: KeyPath = ("events", index)
        if event.kind == "open":
            if event.circuit not in circuits:
                complaints.unknown((*path, "circuit"), event.circuit, "a circuit of this site", circuits)
        elif event.kind == "coupled" or event.kind == "order":
            pass  # in `transfer_checks`
        elif event.source not in site.sources:
            complaints.unknown((*path, "source"), event.source, "a source of this site", site.sources)


def all_load_names(site: Site) -> list[str]:
    """Names of all loads, in the order of the file."""
    return [
        name
        for circuit_name, (_, circuit) in all_circuits(site).items()
        for name in load_names(circuit_name, circuit.loads or [])
    ]


def _check_recordings(site: Site, complaints: Complaints) -> None:
    seen: dict[str, str] = {}
    for index, recording in enumerate(site.recordings):
        from virtual_digiware.simulator.recordings import check_recording

        path: KeyPath = ("recordings", index)
        known = all_load_names(site)
        if recording.load is not None and recording.load not in known:
            complaints.unknown((*path, "load"), recording.load, "a load of this site", known)
            continue
        folder = complaints.text.where(path)[0].parent
        if not (folder / recording.file).is_file():
            right = f"a CSV file; there is none at {folder / recording.file}"
            complaints.add((*path, "file"), recording.file, right)
            continue
        faults, loads = check_recording(recording, folder, known, site.timezone)
        complaints.faults.extend(faults)
        for load in loads:
            if load in seen:
                complaints.add(
                    (*path, "file"), load, f"one recording for each load; {seen[load]} has this one too"
                )
            seen.setdefault(load, recording.file)
