"""Site files of any size: gateways full of modules that measure circuits of an office building."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from measure.places import BUILD
from measure.programs import Read

MODULES_PER_GATEWAY = 32
"""One of them is the U-30 that gives the others their voltage reference."""
INSTANTANEOUS = (18432, 92)
FUNDAMENTAL = (18688, 84)
HARMONICS = (19712, 109)
"""First address and words of blocks of load 1."""
LOAD_STRIDE = 2048
_CLASSES = ("office-lighting", "office-sockets", "server-room", "hvac-motor", "ups", "hvac-vsd")
_FIRST_PORT = 15_020
_MODULES_PER_SUPPLY = 11
"""With more of them a P15 is overdrawn."""
_NO_BROKER = 9
"""TCP port of the discard service, which nothing listens on."""


@dataclass(frozen=True, slots=True)
class Size:
    """How big a site is, and what its circuits are measured with."""

    circuits: int
    module: str = "I-60"
    circuits_per_module: int = 6
    phases: int = 1
    refresh_ms: int = 1000
    measurement: str = "phasor"
    modules_per_gateway: int = MODULES_PER_GATEWAY
    all_protocols: bool = False
    """Every gateway has all its services; the MQTT broker is one that nobody has started."""

    @property
    def modules(self) -> int:
        """Current modules."""
        return -(-self.circuits // self.circuits_per_module)

    @property
    def gateways(self) -> int:
        """Gateways, each with a U-30 beside its current modules."""
        return -(-self.modules // (self.modules_per_gateway - 1))


def write_site(name: str, size: Size) -> Path:
    """Write the site file of that size into `bench/build` and return its path."""
    path = BUILD / f"{name}.yaml"
    path.write_text("\n".join(_lines(name, size)) + "\n", encoding="ascii")
    return path


def circuit_reads(ready: dict[str, Any], size: Size, *blocks: tuple[int, int]) -> list[Read]:
    """Reads of the given blocks of every circuit of a running site of that size."""
    reads: list[Read] = []
    circuits = 0
    for gateway in ready["gateways"]:
        for unit in gateway["units"]:
            if unit["product"] != size.module:
                continue
            for slot in range(min(size.circuits_per_module, size.circuits - circuits)):
                circuits += 1
                reads += (
                    Read(gateway["modbus_tcp"]["port"], unit["address"], base + LOAD_STRIDE * slot, words)
                    for base, words in blocks
                )
    if circuits != size.circuits:
        raise LookupError(f"the site shows {circuits} circuits instead of {size.circuits}")
    return reads


def _lines(name: str, size: Size) -> Iterator[str]:
    boards = [f"b{number}" for number in range(1, size.gateways + 1)]
    modules = iter(range(size.modules))
    shares = [list(islice(modules, size.modules_per_gateway - 1)) for _ in boards]
    yield f"site: {name}"
    yield f"refresh_ms: {size.refresh_ms}"
    yield f"measurement: {size.measurement}"
    yield "sources: {mains: {transformer_kva: 16000}}"
    yield "boards:"
    yield "  main:"
    yield "    source: mains"
    yield "    circuits:"
    for board in boards:
        yield f"      to-{board}: {{feeds: {board}, cable: {{length_m: 20, section_mm2: 240, parallel: 4}}}}"
    for board, share in zip(boards, shares, strict=True):
        yield f"  {board}:"
        yield "    circuits:"
        for module in share:
            for number in _circuits(module, size):
                yield f"      c{number}: {_circuit(number, size)}"
    yield "gateways:"
    for index, (board, share) in enumerate(zip(boards, shares, strict=True)):
        port = _FIRST_PORT + index
        yield f"- name: m{index + 1}"
        yield "  product: M-70"
        yield f"  modbus_tcp: {{port: {port}, alternative: {port + 10_000}}}"
        if size.all_protocols:
            yield f"  rtu_over_tcp: {{port: {port + 1_000}, alternative: {port + 11_000}}}"
            yield f"  bacnet: {{network: {2001 + index}, main_instance: {100 + 300 * index}}}"
            yield "  snmp: {}"
            yield f"  mqtt: {{port: {_NO_BROKER}}}"
        else:
            yield "  rtu_over_tcp: {enabled: false}"
        yield "  bus:"
        yield f"  - {{name: u, product: U-30, board: {board}}}"
        for place, module in enumerate(share, start=1):
            if place % _MODULES_PER_SUPPLY == 0:
                yield f"  - {{name: r{place}, product: C-32, supply: P15}}"
            circuits = ", ".join(f"{{circuit: c{number}}}" for number in _circuits(module, size))
            yield f"  - {{name: i{module}, product: {size.module}, circuits: [{circuits}]}}"


def _circuits(module: int, size: Size) -> range:
    first = module * size.circuits_per_module
    return range(first, min(first + size.circuits_per_module, size.circuits))


def _circuit(number: int, size: Size) -> str:
    load = f"{{class: {_CLASSES[number % len(_CLASSES)]}, power_kw: {1 + number % 7}}}"
    phases = f"phases: [L{number % 3 + 1}], " if size.phases == 1 else ""
    return f"{{{phases}loads: [{load}]}}"
