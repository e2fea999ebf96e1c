"""What the demo site shows to mbpoll and libmodbus, against the truth computed by another process."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.cabinet.cabinet import Cabinet, mbpoll, output_of, points_of
from tests.external import require_header, require_program

CLIENT = Path(__file__).parents[1] / "buses" / "clients" / "libmodbus_client.c"
SIZES = {"U8", "U16", "S16", "U32", "S32", "DATETIME"}
"""Encodings that are plain integers on the wire."""


@pytest.fixture(scope="module")
def points(demo: Cabinet) -> list[dict[str, Any]]:
    return points_of(demo.site_file)


@pytest.fixture(scope="module")
def libmodbus(tmp_path_factory: pytest.TempPathFactory) -> str:
    compiler = require_program("gcc")
    require_header("modbus/modbus.h")
    program = tmp_path_factory.mktemp("libmodbus") / "client"
    output_of(compiler, "-O1", "-o", str(program), str(CLIENT), "-lmodbus")
    return str(program)


def way(demo: Cabinet, gateway: str) -> list[str]:
    """mbpoll's options for a gateway: TCP for the M-70, the pseudo-terminal for the C-31."""
    require_program("mbpoll")
    if gateway == "m70":
        host, port = demo.tcp
        return ["-m", "tcp", "-p", str(port), host]
    return ["-m", "rtu", "-b", "38400", "-P", "none", "-s", "1", demo.pty]


def test_every_unit_identifies_itself_over_its_own_path(demo: Cabinet) -> None:
    seen = 0
    for gateway in demo.ready["gateways"]:
        for unit in gateway["units"]:
            words = mbpoll(way(demo, gateway["name"]), unit["address"], 50000, 69)
            assert bytes(words[:4]).decode() == "SOCO"
            assert words[4] == 400
            name = b"".join(word.to_bytes(2, "big") for word in words[50:58]).rstrip(b"\0").decode()
            assert name == unit["product"]
            seen += 1
    assert seen == 9


def test_mbpoll_reads_what_the_truth_says_for_every_measured_point(
    demo: Cabinet, points: list[dict[str, Any]]
) -> None:
    asked = 0
    for (gateway, unit), shown in by_unit(points).items():
        for first, last in windows(shown):
            words = mbpoll(way(demo, gateway), unit, first, last - first)
            for point in shown:
                if first <= point["register"] < last:
                    at = point["register"] - first
                    value = decoded(words[at : at + point["words"]], point["type"]) * point["scale"]
                    expected = point["value"] or 0.0  # what is not available reads 0
                    assert value == pytest.approx(expected, abs=0.51 * point["scale"]), point
                    asked += 1
    assert asked > 1000


def by_unit(points: list[dict[str, Any]]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    found = defaultdict(list)
    for point in points:
        if point["type"] in SIZES:
            found[point["gateway"], point["address"]].append(point)
    return {unit: sorted(shown, key=lambda point: point["register"]) for unit, shown in found.items()}


def windows(points: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """First address, and first one behind, of stretches of points that one request can read."""
    found: list[tuple[int, int]] = []
    for point in points:
        first, end = point["register"], point["register"] + point["words"]
        if found and first <= found[-1][1] and end - found[-1][0] <= 120:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((first, end))
    return found


def decoded(words: list[int], encoding: str) -> int:
    data = b"".join(word.to_bytes(2, "big") for word in words)
    return int.from_bytes(data, "big", signed=encoding.startswith("S"))


def test_libmodbus_reads_the_same_registers_as_mbpoll_over_tcp_and_over_the_line(
    demo: Cabinet, libmodbus: str
) -> None:
    host, port = demo.tcp
    for gateway, unit, where in (
        ("m70", 3, ["tcp", host, str(port)]),
        ("c31", 13, ["rtu", demo.pty, "38400"]),
    ):
        for address, count in ((50000, 69), (18432, 92), (19840, 28)):
            printed = output_of(libmodbus, *where, str(unit), "read", str(address), str(count))
            assert [int(word, 16) for word in printed.split()] == mbpoll(
                way(demo, gateway), unit, address, count
            )


def test_the_incomer_is_the_sum_of_the_feeders_in_power_and_energy(demo: Cabinet) -> None:
    tcp = way(demo, "m70")
    feeders = [(unit["address"], slot) for unit in demo.ready["gateways"][0]["units"]
               for slot in range(len(unit["circuits"])) if unit["name"] != "i35"]  # fmt: skip
    assert len(feeders) == 6

    def power_w(unit: int, slot: int) -> int:
        return mbpoll(tcp, unit, 18476 + 2048 * slot, 1, "4:int")[0]

    def energy_tenth_wh(unit: int, slot: int) -> int:
        whole = mbpoll(tcp, unit, 19841 + 2048 * slot, 1, "4:int")[0]
        return whole * 10_000 + mbpoll(tcp, unit, 19843 + 2048 * slot, 1)[0]

    # Every register is rounded by itself: half a watt, and at most a tenth of a watt-hour cut off.
    assert power_w(3, 0) == pytest.approx(sum(power_w(*feeder) for feeder in feeders), abs=3.5)
    total = sum(energy_tenth_wh(*feeder) for feeder in feeders)
    assert energy_tenth_wh(3, 0) > 100_000
    assert total <= energy_tenth_wh(3, 0) <= total + len(feeders)


def test_the_remote_cabinet_measures_the_feeder_less_the_loss_of_its_cable(demo: Cabinet) -> None:
    [feeder] = mbpoll(way(demo, "m70"), 5, 18476, 1, "4:int")
    remote = sum(mbpoll(way(demo, "c31"), 13, 18476 + 2048 * slot, 1, "4:int")[0] for slot in range(3))
    assert remote < feeder < 1.05 * remote


def test_modules_of_one_bus_share_voltage_and_frequency(demo: Cabinet) -> None:
    tcp = way(demo, "m70")
    shared = defaultdict(set)
    shared["frequency"].add(mbpoll(tcp, 2, 36871, 1, "4:int")[0])
    shared["voltage_l1_n"].add(mbpoll(tcp, 2, 36873, 1, "4:int")[0])
    for unit in (3, 5, 6):
        shared["frequency"].add(mbpoll(tcp, unit, 18442, 1, "4:int")[0])
        shared["voltage_l1_n"].add(mbpoll(tcp, unit, 18444, 1, "4:int")[0])
    assert {name: len(values) for name, values in shared.items()} == {"frequency": 1, "voltage_l1_n": 1}
