"""Measure the project beside its peers, print the tables and put them into `bench/README.md`.

Run it with the Python that the project is installed in (`make bench` does): `python bench/run.py [--quick]`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from measure import report
from measure.bacnet import bacnet_section, measure_bacnet
from measure.footprint import (
    measure_catch_up,
    measure_further_gateways,
    measure_memory,
    measure_start_up,
)
from measure.machine import describe
from measure.places import BUILD, CLIENT_CORE, README, RESULTS
from measure.programs import build
from measure.refreshing import measure_many_circuits, measure_sampled_circuits
from measure.servers import SERVERS
from measure.snmp import measure_snmp
from measure.snmp_report import snmp_section
from measure.throughput import measure_throughput

PARTS = ("throughput", "bacnet", "snmp", "circuits", "sampled", "memory", "further", "start_up", "catch_up")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that were asked for."""
    asked = _read_arguments(arguments)
    os.sched_setaffinity(0, {CLIENT_CORE})  # this process only waits, but not on the server's core
    build()
    facts = describe()
    seconds, runs = (0.4, 1) if asked.quick else (asked.seconds, asked.rounds)
    measures: dict[str, Callable[[], tuple[Any, str]]] = {
        "throughput": lambda: _with(
            measure_throughput(asked.servers, runs, seconds, _say), report.throughput_section
        ),
        "bacnet": lambda: _with(measure_bacnet(runs, seconds, _say), bacnet_section),
        "snmp": lambda: _with(measure_snmp(runs, seconds, _say), snmp_section),
        "circuits": lambda: _with(
            measure_many_circuits(2.0 if asked.quick else 20.0), report.circuits_section
        ),
        "sampled": lambda: _with(
            measure_sampled_circuits(2.0 if asked.quick else 10.0), report.sampled_section
        ),
        "memory": lambda: _with(measure_memory(3 if asked.quick else 10), report.memory_section),
        "further": lambda: _with(measure_further_gateways(1 if asked.quick else 5), report.further_section),
        "start_up": lambda: _with(measure_start_up(1 if asked.quick else 9), report.start_up_section),
        "catch_up": lambda: _with(measure_catch_up(1 if asked.quick else 3), report.catch_up_section),
    }
    results: dict[str, Any] = {"machine": facts}
    sections = {"machine": report.machine_section(facts)}
    for part in asked.only:
        _say(f"measuring {part} ...")
        results[part], sections[part] = measures[part]()
        _say(f"\n{sections[part]}\n")
    RESULTS.write_text(json.dumps(results, indent=1, default=_plain), encoding="utf-8")
    _say(f"numbers of every round: {RESULTS.relative_to(BUILD.parent.parent)}")
    if not asked.quick and not asked.no_readme:
        report.put_into_readme(README, sections)
    return 0


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short round of each; the README is left alone"
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds of the side-by-side part (7)")
    parser.add_argument(
        "--seconds", type=float, default=1.2, help="counted seconds of one of its measurements (1.2)"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure (all)")
    parser.add_argument(
        "--servers", nargs="+", choices=tuple(SERVERS), default=tuple(SERVERS), help="side by side (all)"
    )
    parser.add_argument("--no-readme", action="store_true", help="leave bench/README.md alone")
    return parser.parse_args(arguments)


def _with(measured: Any, section: Callable[[Any], str]) -> tuple[Any, str]:
    return measured, section(measured)


def _plain(value: Any) -> Any:
    """For JSON: dataclasses as objects, the (server, connections) cells of a round as text."""
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(type(value).__name__)
    if hasattr(value, "rounds"):
        return {
            "rounds": [
                {f"{name} {connections}": asdict(seen) for (name, connections), seen in round_.items()}
                for round_ in value.rounds
            ]
        }
    return asdict(value)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
