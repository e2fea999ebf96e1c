"""The command line. Every command loads what it needs and nothing else: start-up is part of the product."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from virtual_digiware import __version__

if TYPE_CHECKING:
    from virtual_digiware.simulator.site_file import SiteFile

MISTAKE_OF_THE_USER = 2
NOT_POSSIBLE_HERE = 1

app = typer.Typer(
    name="vdigiware",
    help="A simulated DIRIS Digiware metering installation for your own clients. Independent of Socomec.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


Site = Annotated[str, typer.Argument(metavar="SITE", help="A site file, or the name of a shipped site.")]
Seed = Annotated[int | None, typer.Option(help="Replaces the seed of the site file.", min=0)]
At = Annotated[str | None, typer.Option(metavar="TIME", help="A time such as 2026-03-02T10:00:00Z.")]

TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--control-token-file", metavar="PATH", help="Token of the control API; default: one file of yours."
    ),
]
ControlPort = Annotated[int, typer.Option("--control-port", metavar="N", help="Of the running site.")]


@contextmanager
def polite_refusals() -> Iterator[None]:
    """Turn what users and machines get wrong into a message and an exit code; our own mistakes stay seen."""
    from virtual_digiware.simulator.command_check import RulesBroken
    from virtual_digiware.simulator.journal import JournalRefused
    from virtual_digiware.simulator.listening import EndpointUnavailable
    from virtual_digiware.simulator.opening import StartRefused
    from virtual_digiware.simulator.yaml_text import FileFaults

    try:
        yield
    except FileFaults as error:
        count = len(error.faults)
        typer.echo(f"{error}\n{count} mistake{'s' if count > 1 else ''}", err=True)
        raise typer.Exit(MISTAKE_OF_THE_USER) from error
    except RulesBroken as error:
        count = len(error.findings)
        what = f"{count} broken rule{'s' if count > 1 else ''}"
        typer.echo(f"{error}\n{what}; --force runs the site all the same", err=True)
        raise typer.Exit(MISTAKE_OF_THE_USER) from error
    except (JournalRefused, StartRefused) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(MISTAKE_OF_THE_USER) from error
    except (EndpointUnavailable, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(NOT_POSSIBLE_HERE) from error


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vdigiware {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command()
def run(
    site: Site,
    clock: Annotated[
        Literal["real", "manual"], typer.Option(help="manual: the site stands still, and serves.")
    ] = "real",
    rate: Annotated[float, typer.Option(help="Simulated seconds per second.", min=0.001, max=1e6)] = 1.0,
    at: At = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Keep writes and time here, and continue from it.")
    ] = None,
    seed: Seed = None,
    port_base: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=65535,
            help="Number all TCP ports N, N+1, ...: gateways as in the file, Modbus TCP before RTU over TCP. "
            "0: any free ports.",
        ),
    ] = None,
    ready_file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Describe the endpoints here (JSON) once all accept connections."),
    ] = None,
    collected: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write what dataloggers hold here (JSON), after every poll."),
    ] = None,
    log_format: Annotated[
        Literal["text", "json", "off"], typer.Option("--log", help="Log on stderr.")
    ] = "text",
    control_port: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=65535, help="Offer the control API on this loopback port."),
    ] = None,
    control_token_file: TokenFile = None,
    force: Annotated[
        bool, typer.Option("--force", help="Run although rules of the architecture are broken.")
    ] = False,
) -> None:
    """Run a site until it is stopped with Ctrl+C or SIGTERM."""
    from virtual_digiware.simulator.command_check import refuse_errors
    from virtual_digiware.simulator.command_run import ControlRequest, run_site
    from virtual_digiware.simulator.opening import TimeOptions
    from virtual_digiware.simulator.ready_file import remove_ready_file

    if clock == "manual" and rate != 1.0:
        raise typer.BadParameter("a manual clock stands still; leave --rate out", param_hint="--rate")
    time = TimeOptions(clock, rate, _instant(at))
    if ready_file is not None:
        remove_ready_file(ready_file)  # of a run that was killed: whoever waits for it must not be misled
    with polite_refusals():
        file = _load(site, seed)
        for finding in refuse_errors(file, force):
            typer.echo(str(finding), err=True)
        control = None if control_port is None else ControlRequest(control_port, control_token_file)
        run_site(file, time, journal, port_base, ready_file, log_format, collected, control)


@app.command()
def check(
    site: Site,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Notes and items of budgets too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Check a site file: its mistakes, the rules of the architecture, the power budget of each bus."""
    from virtual_digiware.simulator.command_check import check_json, check_text
    from virtual_digiware.simulator.rules.book import findings

    with polite_refusals():
        file = _load(site, None)
        found = findings(file)
    typer.echo(check_json(file, found) if as_json else "\n".join(check_text(file, found, verbose)))
    if any(finding.rule.severity == "error" for finding in found):
        raise typer.Exit(MISTAKE_OF_THE_USER)


@app.command()
def rules() -> None:
    """Print the rules of the architecture (Markdown), with what each rests on and how grave it is."""
    from virtual_digiware.simulator.rules.book import rules_table

    sys.stdout.write(rules_table())


@app.command()
def points(
    site: Site,
    at: At = None,
    unit: Annotated[
        str | None, typer.Option(help="Name, path, address or product; patterns such as i* too.")
    ] = None,
    circuit: Annotated[str | None, typer.Option(help="Name of a circuit, or a pattern.")] = None,
    point: Annotated[
        str | None, typer.Option(help="Name of a point, or a pattern such as voltage_*.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Settings, logs and alarm words too.")] = False,
    listing_format: Annotated[
        Literal["table", "csv", "json", "markdown"], typer.Option("--format", "-f")
    ] = "table",
    seed: Seed = None,
) -> None:
    """List every point: where it is measured, its value at a time, and the register that shows it."""
    from virtual_digiware.simulator.opening import TimeOptions, open_site
    from virtual_digiware.simulator.points_listing import Selection, format_points, point_lines, print_points

    with polite_refusals():
        opened = open_site(_load(site, seed), TimeOptions("manual", 1.0, _instant(at)))
        selection = Selection(unit, circuit, point, everything)
        lines = list(point_lines(opened.building, opened.clock.now_ms(), selection))
    if not lines:
        typer.echo("no point matches", err=True)
        raise typer.Exit(NOT_POSSIBLE_HERE)
    if listing_format == "table":
        from rich.console import Console

        print_points(Console(width=None if sys.stdout.isatty() else 200), lines)
    else:
        sys.stdout.write(format_points(lines, listing_format))


@app.command()
def truth(
    site: Site,
    point: Annotated[
        str,
        typer.Argument(
            metavar="POINT", help="UNIT/CIRCUIT/POINT or UNIT/POINT; patterns such as i35/*/current_* too."
        ),
    ],
    at: At = None,
    output_format: Annotated[Literal["text", "json"], typer.Option("--format", "-f")] = "text",
    seed: Seed = None,
    live: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Ask the running site behind this control port what its clients see now."
        ),
    ] = None,
    control_token_file: TokenFile = None,
) -> None:
    """Tell what is true of a point at a time, and exactly how each protocol shows it."""
    from virtual_digiware.simulator.clock import wall_ms
    from virtual_digiware.simulator.oracle.oracle import SiteOracle
    from virtual_digiware.simulator.oracle.places import PointUnknown
    from virtual_digiware.simulator.oracle.report import truths_json, truths_text

    if live is not None and (at is not None or seed is not None):
        raise typer.BadParameter("a running site has its own time and seed", param_hint="--live")
    with polite_refusals():
        if live is not None:
            from virtual_digiware.simulator.oracle.truth import Truth

            asked = {"point": point, "site": _load(site, None).site.site}
            told = _answer(live, control_token_file, "GET", "/truth", query=asked)
            shown = [Truth.from_data(one) for one in told]
            sys.stdout.write(truths_json(shown) if output_format == "json" else truths_text(shown))
            return
        t_ms = _instant(at)
        oracle = SiteOracle(_load(site, seed)).at(wall_ms() if t_ms is None else t_ms)
        try:
            truths = oracle.truths(point)
        except PointUnknown as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(MISTAKE_OF_THE_USER) from error
    sys.stdout.write(truths_json(truths) if output_format == "json" else truths_text(truths))


@app.command("time")
def change_time(
    control_port: ControlPort,
    rate: Annotated[float | None, typer.Option(help="Simulated seconds per second; 0: frozen.")] = None,
    step: Annotated[str | None, typer.Option(help="Go forward by a duration, such as '15 min'.")] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="Leap to a time.")] = None,
    control_token_file: TokenFile = None,
) -> None:
    """Tell how time passes in a running site, or change it."""
    given = {name: value for name, value in (("rate", rate), ("step", step), ("to", to)) if value is not None}
    _ask(control_port, control_token_file, "POST" if given else "GET", "/time", given or None)


@app.command()
def inject(
    fault: Annotated[str, typer.Argument(metavar="FAULT", help="See `vdigiware faults`.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A name of the site, or a pattern.")],
    control_port: ControlPort,
    duration: Annotated[str | None, typer.Option(help="Such as '10 s'; default: until cleared.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Once for each.")
    ] = None,
    control_token_file: TokenFile = None,
) -> None:
    """Lay a fault on a running site."""
    from virtual_digiware.simulator.control.client import parameters

    try:
        given = parameters(parameter or [])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--parameter") from error
    body = {"fault": fault, "target": target, "duration": duration, "parameters": given}
    _ask(control_port, control_token_file, "POST", "/faults", body)


@app.command()
def clear(
    control_port: ControlPort,
    number: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="Default: all faults.")] = None,
    control_token_file: TokenFile = None,
) -> None:
    """Clear one fault of a running site, or all."""
    path = "/faults" if number is None else f"/faults/{number}"
    _ask(control_port, control_token_file, "DELETE", path)


def _ask(
    port: int, token_file: Path | None, method: str, path: str, body: dict[str, Any] | None = None
) -> None:
    """Print what the control API of a running site answers."""
    import json

    with polite_refusals():
        typer.echo(json.dumps(_answer(port, token_file, method, path, body), indent=1))


def _answer(
    port: int,
    token_file: Path | None,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    query: dict[str, str] | None = None,
) -> Any:
    from virtual_digiware.simulator.control.client import ControlRefused, ask

    try:
        return ask(port, token_file, method, path, body, query)
    except ControlRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(MISTAKE_OF_THE_USER) from error


@app.command()
def waveform(
    site: Site,
    circuit: Annotated[str, typer.Argument(metavar="CIRCUIT")],
    cycles: Annotated[float, typer.Option(help="Cycles of the mains.", min=0.1, max=1000)] = 4.0,
    at: At = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="A .csv or .svg file; default: CSV on stdout."),
    ] = None,
    seed: Seed = None,
) -> None:
    """Write the voltages and currents of one circuit, sample by sample or as a picture."""
    from virtual_digiware.simulator.opening import TimeOptions, open_site
    from virtual_digiware.simulator.waveform_output import (
        CircuitUnknown,
        NothingToShow,
        waveforms_csv,
        waveforms_of,
    )

    if output is not None and output.suffix not in (".csv", ".svg"):
        raise typer.BadParameter(f"{output}: a name that ends with .csv or .svg", param_hint="--output")
    with polite_refusals():
        opened = open_site(_load(site, seed), TimeOptions("manual", 1.0, _instant(at)))
        t_ms = opened.clock.now_ms()
        try:
            waveforms = waveforms_of(opened.building.truth, circuit, t_ms, cycles)
        except (CircuitUnknown, NothingToShow) as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(MISTAKE_OF_THE_USER) from error
        if output is None:
            sys.stdout.write(waveforms_csv(waveforms))
        elif output.suffix == ".csv":
            output.write_text(waveforms_csv(waveforms), encoding="utf-8")
        else:
            from virtual_digiware.profiles.waveform_picture import waveform_svg
            from virtual_digiware.simulator.instants import format_instant

            title = f"{opened.building.file.site.site}: {circuit} at {format_instant(t_ms)}"
            output.write_text(waveform_svg(waveforms, title), encoding="utf-8")


@app.command()
def diagram(
    site: Site,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="An .svg file; default: on stdout."),
    ] = None,
) -> None:
    """Draw a site: cabinets, devices, buses, lines, networks and supplies, for a sheet of A4 across."""
    from virtual_digiware.simulator.diagram.drawing import site_svg

    if output is not None and output.suffix != ".svg":
        raise typer.BadParameter(f"{output}: a name that ends with .svg", param_hint="--output")
    with polite_refusals():
        svg = site_svg(_load(site, None))
        if output is None:
            sys.stdout.write(svg)
        else:
            output.write_text(svg, encoding="utf-8")


@app.command()
def registers(
    product: Annotated[
        str | None,
        typer.Argument(metavar="[PRODUCT]", help="Such as I-35; without it, a table of all products."),
    ] = None,
) -> None:
    """Print the register tables of a product (Markdown), with source and confidence of every row."""
    from virtual_digiware.devices.catalogue import ProductUnknown, products
    from virtual_digiware.devices.register_table import markdown
    from virtual_digiware.simulator.register_summary import register_summary
    from virtual_digiware.simulator.yaml_text import near_miss

    try:
        text = register_summary() if product is None else markdown(products()[product])
    except ProductUnknown as error:
        typer.echo(f"{error}.{near_miss(error.name, list(error.known))}", err=True)
        raise typer.Exit(MISTAKE_OF_THE_USER) from error
    sys.stdout.write(text)


@app.command()
def schema() -> None:
    """Print the JSON Schema of site files, for editors."""
    import json

    from virtual_digiware.simulator.site_models import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


@app.command()
def sites() -> None:
    """List the sites that come with the program: what each is, and its equipment."""
    from virtual_digiware.simulator.site_listing import listed_sites

    for site in listed_sites():
        typer.echo(f"{site.name:10} {site.title}\n{'':10} {site.equipment}")


@app.command()
def faults(
    form: Annotated[
        Literal["text", "markdown"], typer.Option("--format", "-f", help="markdown: tables for a page.")
    ] = "text",
) -> None:
    """List the faults that can be injected into a running site: what each does, and what a client sees."""
    from virtual_digiware.simulator.faults.listing import faults_markdown, faults_text

    sys.stdout.write(faults_markdown() if form == "markdown" else faults_text())


@app.command()
def loads() -> None:
    """List the load classes and daily profiles that a site file may use."""
    from virtual_digiware.profiles.library import load_classes
    from virtual_digiware.simulator.load_library import profile_names

    for name, load_class in load_classes().items():
        typer.echo(f"{name:20} {load_class.label}")
    typer.echo(f"\nprofiles: {', '.join(profile_names())}")


def _load(site: str, seed: int | None) -> SiteFile:
    from virtual_digiware.simulator.site_file import load_site

    return load_site(site, seed)


def _instant(text: str | None) -> int | None:
    from virtual_digiware.simulator.instants import parse_start

    if text is None:
        return None
    try:
        return parse_start(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: {error}", param_hint="--at") from error
