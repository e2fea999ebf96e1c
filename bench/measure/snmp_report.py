"""The results of SNMP side by side as Markdown."""

from __future__ import annotations

from statistics import median

from measure.report import table
from measure.snmp import CONNECTIONS, DISTURBED_SHARE, GOALS, Snmp, missing_servers
from measure.snmp_requests import WORKS

_LABELS = {
    "own": "this project, demo site alive",
    "pysnmp": "pysnmp, stock agent",
    "snmpsim": "snmpsim",
    "snmpd": "net-snmp's snmpd, C",
}
_WORK = {"get": "v2c GET", "bulk": "v2c GETBULK of 25", "v3 get": "v3 authPriv GET"}


def snmp_section(seen: Snmp) -> str:
    """Rates and waits of every server, then the ratios."""
    rows = []
    for work in WORKS:
        for name in seen.servers:
            loads = seen.loads(work, name)
            rates = [one.rate for one in loads]
            rows.append(
                [
                    f"{_WORK[work]}: {_LABELS[name]}",
                    f"{median(rates):,.0f}",
                    f"{min(rates):,.0f} to {max(rates):,.0f}",
                    f"{median(one.p50_us for one in loads):,.0f}",
                    f"{median(one.p99_us for one in loads):,.0f}",
                    f"{median(one.idle for one in loads):.0%}",
                ]
            )
    text = table(["", "replies/s", "over the rounds", "p50 µs", "p99 µs", "client idle"], rows)
    return f"{text}\n\n{_ratios(seen)}\n\n{_conditions(seen)}"


def _ratios(seen: Snmp) -> str:
    rows = []
    for work in WORKS:
        for peer in seen.servers[1:]:
            ratio, low, high = seen.ratio(work, peer)
            goal = GOALS.get((work, peer))
            reached = "" if goal is None else "yes" if ratio >= goal else "**no**"
            rows.append(
                [
                    f"{_WORK[work]}: own / {peer}",
                    f"{ratio:.2f}",
                    f"{low:.2f} to {high:.2f}",
                    "" if goal is None else f">= {goal:g}",
                    reached,
                ]
            )
    return table(["ratio of rates", "median", "over the rounds", "to reach", "reached"], rows)


def _conditions(seen: Snmp) -> str:
    loads = [one for round_ in seen.rounds for one in round_.values()]
    replies = sum(one.replies for one in loads)
    disturbed = sum(one.strangers > DISTURBED_SHARE for one in loads)
    text = (
        f"{CONNECTIONS} outstanding requests. {len(seen.rounds)} rounds, {replies:,} replies checked, "
        "none wrong, none missing. Measurements during which strangers used more than 5 % of a core: "
        f"{disturbed} of {len(loads)}."
    )
    missing = missing_servers(seen.servers)
    return text + (f" Not on this machine: {', '.join(missing)}." if missing else "")
