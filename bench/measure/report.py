"""Results as Markdown tables, on the terminal and between the markers of the benchmark's README."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from measure.footprint import (
    FURTHER_MEMORY_GOAL_MB,
    FURTHER_START_GOAL_MS,
    START_GOAL,
    CatchUp,
    Further,
    Memory,
    StartUp,
)
from measure.programs import Load, Waits
from measure.refreshing import CPU_GOAL, SAMPLED_CPU_GOAL, ManyCircuits, SampledCircuits
from measure.sites import MODULES_PER_GATEWAY
from measure.throughput import GOAL_CONNECTIONS, GOALS, Throughput

_WAITS = {"p50_us": "p50 µs", "p99_us": "p99 µs", "p99_9_us": "p99.9 µs", "max_us": "max µs"}
_COST_HEAD = ["", "reads/s", "server cores", *_WAITS.values(), "over 2 ms", "new values"]
LABELS = {
    "own": "this project, demo site alive",
    "pymodbus": "pymodbus, stock server",
    "libmodbus": "libmodbus, C",
    "limit": "canned reply, C epoll",
}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def throughput_section(seen: Throughput) -> str:
    """Rates and waits of every server, then the ratios."""
    rows = [_throughput_row(seen, name, count) for count in seen.connections for name in seen.servers]
    head = ["server", "connections", "replies/s", "over the rounds", *_WAITS.values(), "client idle"]
    text = table(head, rows)
    if "own" in seen.servers:
        text += "\n\n" + _ratio_table(seen)
    return text + "\n\n" + _conditions(seen)


def _throughput_row(seen: Throughput, name: str, connections: int) -> list[str]:
    loads = seen.loads(name, connections)
    rates = [one.rate for one in loads]
    waits = [median(getattr(one.waits, share) for one in loads) for share in _WAITS]
    return [
        LABELS[name],
        str(connections),
        f"{median(rates):,.0f}",
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        *(f"{wait:,.0f}" for wait in waits),
        f"{median(one.idle for one in loads):.0%}",
    ]


def _ratio_table(seen: Throughput) -> str:
    rows = []
    for peer, goal in GOALS:
        if peer not in seen.servers:
            continue
        for connections in seen.connections:
            ratio, low, high = seen.ratio("own", peer, connections)
            is_goal = connections == GOAL_CONNECTIONS
            rows.append(
                [f"own / {peer}", str(connections), f"{ratio:.2f}", f"{low:.2f} to {high:.2f}"]
                + ([f">= {goal}", _verdict(ratio >= goal)] if is_goal else ["", ""])
            )
    return table(["ratio of rates", "connections", "median", "over the rounds", "to reach", "reached"], rows)


def _conditions(seen: Throughput) -> str:
    loads = [one for round_ in seen.rounds for one in round_.values()]
    disturbed = sum(one.is_disturbed for one in loads)
    replies = sum(one.replies for one in loads)
    changed = {
        name: sum(one.changed for n in seen.connections for one in seen.loads(name, n))
        for name in seen.servers
    }
    moved = ", ".join(f"{name} {count / sum(1 for _ in seen.rounds):.0f}" for name, count in changed.items())
    return (
        f"{len(seen.rounds)} rounds, {replies:,} replies checked, none wrong, none missing. "
        f"Replies that brought new values, per round: {moved}. "
        f"Measurements during which strangers used more than 5 % of a core: {disturbed} of {len(loads)}."
    )


def circuits_section(seen: ManyCircuits) -> str:
    """CPU share of the refresh and the waits of reads beside it."""
    near, cpu = seen.moving.waits_near_refresh, seen.cpu_unread
    chance = f"no more than chance: {seen.slow_by_chance:.1f}"
    goals = table(
        ["", "measured", "to reach", "reached"],
        [
            ["cores used, nobody reading", f"{cpu:.3f}", f"< {CPU_GOAL}", _verdict(cpu < CPU_GOAL)],
            ["waits over 2 ms near a refresh", str(near.slow), chance, _verdict(seen.is_refresh_unnoticed)],
        ],
    )
    waits = [
        ("refreshing, all reads", seen.moving.waits),
        ("of these near a refresh", near),
        ("standing still (`--clock manual`)", seen.still.waits),
    ]
    polled = table(
        ["one connection, a read each ms", "reads", *_WAITS.values(), "over 2 ms"],
        [[label, f"{some.count:,}", *_wait_cells(some)] for label, some in waits],
    )
    everything = table(_COST_HEAD, [_cost_row("every circuit read in each refresh", seen.everything)])
    title = f"{seen.circuits:,} circuits behind {seen.gateways} gateways, refresh 1 s."
    return f"{title}\n\n{goals}\n\n{polled}\n\n{everything}"


def sampled_section(seen: SampledCircuits) -> str:
    """CPU share of measuring from samples."""
    cpu = seen.cpu_unread
    goals = table(
        ["", "measured", "to reach", "reached"],
        [
            [
                "cores used, every window synthesised and measured",
                f"{cpu:.3f}",
                f"< {SAMPLED_CPU_GOAL}",
                _verdict(cpu < SAMPLED_CPU_GOAL),
            ],
            ["cores used, all of it read over Modbus as well", f"{seen.sampled.server_cpu:.3f}", "", ""],
        ],
    )
    waits = table(
        _COST_HEAD,
        [
            _cost_row("sampled, everything read", seen.sampled),
            _cost_row("phasor, everything read", seen.phasor),
        ],
    )
    return (
        f"{seen.circuits} three-phase circuits, one window of 200 ms after the other, three blocks of "
        f"each circuit read in every window."
        f"\n\n{goals}\n\n{waits}"
    )


def memory_section(seen: Memory) -> str:
    """Resident memory."""
    rows = [
        ["nobody has read", *(f"{size / 2**20:,.1f}" for size in (seen.one, seen.many, seen.per_gateway))],
        [
            "every circuit has been read",
            *(f"{size / 2**20:,.1f}" for size in (seen.one_read, seen.many_read, seen.per_gateway_read)),
        ],
    ]
    head = ["resident memory, MiB", "1 gateway", f"{seen.gateways} gateways", "each further gateway"]
    return f"A gateway has {MODULES_PER_GATEWAY} modules that measure 186 circuits.\n\n{table(head, rows)}"


def further_section(seen: Sequence[Further]) -> str:
    """Time and memory of one more gateway with all protocols."""
    rows = [
        row
        for one in seen
        for row in (
            [
                one.gateway, "ms of the start", f"{one.start_ms:.1f}", f"< {FURTHER_START_GOAL_MS:.0f}",
                _verdict(one.start_ms < FURTHER_START_GOAL_MS),
            ],
            [
                one.gateway, "MB resident", f"{one.bytes / 1e6:.2f}", f"< {FURTHER_MEMORY_GOAL_MB:.0f}",
                _verdict(one.bytes / 1e6 < FURTHER_MEMORY_GOAL_MB),
            ],
        )
    ]  # fmt: skip
    return table(["each further gateway", "", "measured", "to reach", "reached"], rows)


def start_up_section(seen: StartUp) -> str:
    """Time from process start to the ready file."""

    def row(label: str, seconds: float) -> list[str]:
        multiple = seconds / seen.import_s
        return [
            label,
            f"{seconds:.3f}",
            f"{multiple:.2f}",
            f"<= {START_GOAL:.0f}",
            _verdict(multiple <= START_GOAL),
        ]

    rows = [
        ["`python -c 'import numpy, pymodbus'`", f"{seen.import_s:.3f}", "1.00", "", ""],
        row("`vdigiware run demo` to its ready file", seen.demo_s),
        row("`vdigiware run single` to its ready file", seen.single_s),
    ]
    return table(["", "seconds", "multiple", "to reach", "reached"], rows)


def catch_up_section(seen: CatchUp) -> str:
    """How fast history is computed."""
    rows = [
        ["commissioned now", f"{seen.now_s:.3f}"],
        ["commissioned one day ago", f"{seen.day_later_s:.3f}"],
        ["simulated time per time, history only", f"{seen.speed:,.0f}"],
    ]
    return table(["start of the demo site, seconds to the ready file", ""], rows)


def machine_section(facts: dict[str, str]) -> str:
    """What it was measured on."""
    return "\n".join(f"- {name}: {fact}" for name, fact in facts.items())


def put_into_readme(readme: Path, sections: dict[str, str]) -> None:
    """Replace what stands between `<!-- name:begin -->` and `<!-- name:end -->` for each section.

    Raises:
        LookupError: The README has no such markers.
    """
    text = readme.read_text(encoding="utf-8")
    for name, content in sections.items():
        pattern = re.compile(rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)", re.DOTALL)
        pieces = pattern.split(text)
        if len(pieces) != 4:
            raise LookupError(f"{readme} has no place for {name}")
        before, begin, end, after = pieces
        text = f"{before}{begin}{content}\n{end}{after}"
    readme.write_text(text, encoding="utf-8")


def _cost_row(label: str, seen: Load) -> list[str]:
    return [label, f"{seen.rate:,.0f}", f"{seen.server_cpu:.3f}", *_wait_cells(seen.waits), str(seen.changed)]


def _wait_cells(waits: Waits) -> list[str]:
    return [*(f"{getattr(waits, share):,.0f}" for share in _WAITS), str(waits.slow)]


def _verdict(is_reached: bool) -> str:
    return "yes" if is_reached else "**no**"
