"""Keeps ports and lines of a running site in step with the faults that are laid on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from virtual_digiware.buses.interference import LineTrouble, PortTrouble, Strikes, UnitTrouble

if TYPE_CHECKING:
    from virtual_digiware.buses.modbus.answers import Answers
    from virtual_digiware.buses.modbus.listener import Listener
    from virtual_digiware.buses.modbus.rtu_line import RtuLine
    from virtual_digiware.devices.faults.book import Fault, FaultBook

UNIT_EFFECTS = ("slow", "exception")
ANSWER_EFFECTS = ("tcp_silent", "tcp_reset", "tcp_drip")
DATAGRAM_EFFECTS = ("tcp_silent",)
LINE_EFFECTS = (
    "line_lost", "line_late", "line_crc", "line_noise", "line_twice", "line_cut", "line_second_client",
)  # fmt: skip


class WireFaults:
    """Ports and lines as the active faults have them.

    Args:
        faults: of the site.
        seed: of the site.
        ports: servers by "<gateway>/<service>".
        lines: by name.
        used_up: told the number of a fault that has struck as often as it was to.
    """

    def __init__(
        self,
        faults: FaultBook,
        seed: int,
        ports: Mapping[str, Any],
        lines: Mapping[str, RtuLine],
        used_up: Callable[[int], None],
    ) -> None:
        self._faults, self._seed, self._used_up = faults, seed, used_up
        self._ports, self._lines = ports, lines
        self._strikes: dict[int, Strikes] = {}
        self._version = 0

    def follow(self) -> None:
        """Take over what has changed; a fault goes on counting where it was."""
        if self._version == self._faults.version:
            return
        self._version = self._faults.version
        active = self._faults.active
        self._strikes = {fault.number: self._strikes_of(fault) for fault in active}
        by_unit: dict[str, list[Strikes]] = {}
        for fault in self._faults.of(*UNIT_EFFECTS):
            by_unit.setdefault(fault.target, []).append(self._strikes[fault.number])
        trouble = UnitTrouble(by_unit) if by_unit else None
        for name, server in self._ports.items():
            self._port(name, server, trouble)
        for name, line in self._lines.items():
            own = self._on(name, LINE_EFFECTS)
            line.interference = LineTrouble(own) if own else None
            for answers in line.answers:
                answers.trouble = trouble

    def _port(self, name: str, server: Any, trouble: UnitTrouble | None) -> None:
        if name.endswith(("/snmp", "/bacnet")):
            own = self._on(name, DATAGRAM_EFFECTS)
            server.deafness = own[0] if own else None
            return
        listener: Listener = server
        answers: Answers = server.answers
        answers.trouble = trouble
        own = self._on(name, ANSWER_EFFECTS)
        listener.disturb(PortTrouble(own) if own else None)
        limits = [fault for fault in self._faults.of("tcp_limit") if fault.target == name]
        listener.limit(min((int(fault.parameters["connections"]) for fault in limits), default=None))
        listener.refuse(any(fault.target == name for fault in self._faults.of("tcp_refuse")))

    def _on(self, target: str, effects: tuple[str, ...]) -> list[Strikes]:
        return [self._strikes[fault.number] for fault in self._faults.of(*effects) if fault.target == target]

    def _strikes_of(self, fault: Fault) -> Strikes:
        known = self._strikes.get(fault.number)
        if known is not None:
            return known
        parameters = fault.parameters
        return Strikes(
            fault.number,
            fault.effect,
            parameters,
            self._seed,
            self._used_up,
            float(parameters.get("share", 1.0)),
            parameters.get("count"),
        )
