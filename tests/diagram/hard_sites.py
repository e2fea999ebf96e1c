"""Sites that are hard to draw: one with everything that makes it so, and any that hypothesis thinks of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from virtual_digiware.simulator.site_file import SiteFile, parse_site
from virtual_digiware.simulator.site_models import Site

_CIRCUITS = range(1, 27)
_TEXT = """
site: large
title: {title}
sources: {{mains: {{}}}}
cabinets:
  a: {{title: "A cabinet whose title is far too long for one line or even two of them"}}
  b: {{}}
  c: {{}}
boards:
  main:
    source: mains
    circuits:
      incomer: {{incomer: true}}
      circuit_with_a_name_that_is_longer_than_any_tile_is_wide: {{feeds: sub}}
{circuits}
  sub: {{circuits: {{heater: {{loads: [{{class: resistive, power_kw: 1}}]}}}}}}
lines: {{one: {{length_m: 100}}, two: {{pty: /tmp/vdigiware/large/two}}, three: {{}}}}
gateways:
  - name: d70
    product: D-70
    cabinet: a
    rs485: {{line: one, role: client}}
    sensors: [{sensors}, {{name: far, cabinet: c}}]
    bus:
      - {{name: u, product: U-30, board: main}}
{modules}
      - name: a_module_with_a_name_that_is_longer_than_any_tile_is_wide
        product: I-30
        cabinet: c
        cable_m: 30
        circuits: [{{circuit: circuit_with_a_name_that_is_longer_than_any_tile_is_wide}}]
      - {{name: back, product: I-30, cabinet: a, cable_m: 30}}
      - {{name: on, product: I-30, cabinet: b, cable_m: 5}}
  - name: c31
    product: C-31
    cabinet: b
    rs485: {{line: one}}
    bus: [{{name: u, product: U-10, board: sub, address: 200}}]
  - name: c31_too
    product: C-31
    cabinet: b
    rs485: {{line: two}}
    bus: [{{name: u, product: U-10, board: sub}}]
  - name: m50
    product: M-50
    cabinet: c
    rs485: {{line: three, role: client}}
    modbus_tcp: {{host: 127.0.0.2}}
    rtu_over_tcp: {{host: 127.0.0.2}}
meters:
  - {{name: e1, product: SDM630, cabinet: c, address: 2, circuits: [{{circuit: c1}}], rs485: {{line: three}}}}
  - {{name: e2, product: SDM630, cabinet: c, address: 3, circuits: [{{circuit: c2}}], rs485: {{line: three}}}}
  - {{name: t1, product: SDM630, cabinet: b, circuits: [{{circuit: c1}}], modbus_tcp: {{host: 127.0.0.3}}}}
  - {{name: t2, product: SDM630, cabinet: b, circuits: [{{circuit: c2}}], modbus_tcp: {{host: 127.0.0.4}}}}
"""
_CLIENTS = """
supervisors:
  - {name: first, title: A supervisor with a title that does not fit, ethernet: true, gateways: [d70]}
  - {name: second, ethernet: true, gateways: [m50]}
  - {name: third, ethernet: true}
  - {name: plc, title: PLC, line: two}
"""


def large_site(with_clients: bool) -> SiteFile:
    """The site, with supervisors of its own or open to whoever comes."""
    text = _TEXT.format(
        title="A title so long that nobody would choose it " * 6,
        circuits="\n".join(f"      c{n}: {{loads: [{{class: resistive, power_kw: 1}}]}}" for n in _CIRCUITS),
        modules="\n".join(
            f"      - {{name: i{n}, product: I-30, circuits: [{{circuit: c{n}}}]}}" for n in _CIRCUITS
        ),
        sensors=", ".join(f"{{name: sensor_{n}}}" for n in range(15)),
    )
    return parse_site(text + (_CLIENTS if with_clients else ""))


_CABINETS = st.sampled_from([None, "a", "b", "c"])
_LINES = st.sampled_from([None, "one", "two"])
_MODULES = st.lists(st.tuples(st.sampled_from(["I-30", "IO-10", "C-32"]), _CABINETS), max_size=9)


@st.composite
def any_sites(draw: st.DrawFn) -> Site:
    """A site of any shape, without regard to the rules: also one that is wrong can be drawn."""
    gateways = [_gateway(draw, f"g{n}") for n in range(draw(st.integers(1, 4)))]
    names = [gateway["name"] for gateway in gateways]
    meters = [_meter(draw, f"m{n}") for n in range(draw(st.integers(0, 4)))]
    supervisors = [_supervisor(draw, f"s{n}", names) for n in range(draw(st.integers(0, 4)))]
    return Site.model_validate(
        {
            "site": "any",
            "sources": {"mains": {}},
            "boards": {"main": {"source": "mains", "circuits": {"incomer": {"incomer": True}}}},
            "cabinets": {name: {"title": draw(st.sampled_from(["", "Hall", "Hall " * 9]))} for name in "abc"},
            "lines": {"one": {}, "two": {"pty": "/tmp/two"}},
            "gateways": gateways,
            "meters": meters,
            "supervisors": supervisors,
        }
    )


def _gateway(draw: st.DrawFn, name: str) -> dict[str, Any]:
    line = draw(_LINES)
    role = draw(st.sampled_from(["server", "client"]))
    return {
        "name": name,
        "product": draw(st.sampled_from(["M-50", "D-70", "C-31"])),
        "cabinet": draw(_CABINETS),
        "rs485": None if line is None else {"line": line, "role": role},
        "bus": [
            {"name": f"i{number}", "product": product, "cabinet": cabinet}
            for number, (product, cabinet) in enumerate(draw(_MODULES))
        ],
        "sensors": [
            {"name": f"s{number}", "cabinet": cabinet}
            for number, cabinet in enumerate(draw(st.lists(_CABINETS, max_size=3)))
        ],
    }


def _meter(draw: st.DrawFn, name: str) -> dict[str, Any]:
    line = draw(_LINES)
    wire = {"modbus_tcp": {}} if line is None else {"rs485": {"line": line}}
    circuits = [{"circuit": "incomer"}]
    return {"name": name, "product": "A-40", "cabinet": draw(_CABINETS), "circuits": circuits, **wire}


def _supervisor(draw: st.DrawFn, name: str, gateways: list[str]) -> dict[str, Any]:
    line = draw(_LINES)
    if line is not None:
        return {"name": name, "line": line}
    return {
        "name": name,
        "ethernet": True,
        "gateways": draw(st.lists(st.sampled_from(gateways), unique=True)),
    }
