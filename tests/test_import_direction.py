"""The house rules that the source itself must keep: imports one way, one door per library, one wall clock."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import virtual_digiware

PACKAGE = Path(virtual_digiware.__file__).parent
ROOMS = ("profiles", "devices", "buses", "simulator")
"""Each room may import from those before it, never from those behind."""

DOORS = {
    "pymodbus": "buses/modbus/endpoint.py",
    "serialx": "buses/serial_port.py",
    "uvloop": "simulator/command_run.py",
    "typer": "simulator/cli.py",
    "fastapi": "simulator/control/app.py",
    "uvicorn": "simulator/control/server.py",
}
LIBRARIES = {
    "profiles": {"numpy", "yaml"},
    "devices": {"numpy", "yaml"},
    "buses": {"numpy", "structlog", "cryptography"},
}
"""Third-party libraries that any file of a room below the simulator may use."""

DOOR_NAMES = ("endpoint.py", "serial_port.py")
"""Files of the buses through which a protocol library may enter."""

WALL_CLOCKS = {"time", "time_ns", "now", "utcnow", "today", "localtime", "gmtime"}


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


def foreign_to(path: Path) -> set[str]:
    """Third-party libraries that a file imports."""
    packages = {name.partition(".")[0] for name in imports(parsed(path))}
    return packages - {*sys.stdlib_module_names, "virtual_digiware"}


def room_of(path: Path) -> str:
    return name_of(path).partition("/")[0]


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_a_room_imports_only_from_rooms_below(path):
    room = room_of(path)
    if room not in ROOMS:
        return
    allowed = ROOMS[: ROOMS.index(room) + 1]
    for name in imports(parsed(path)):
        package, _, rest = name.partition(".")
        if package == "virtual_digiware":
            target = rest.partition(".")[0]
            assert target in (*allowed, "__version__"), f"{name_of(path)} imports {name}"


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library):
    users = {
        name_of(path)
        for path in sources()
        if any(name.partition(".")[0] == library for name in imports(parsed(path)))
    }
    assert users == {DOORS[library]}


def test_a_protocol_library_enters_by_one_door_only():
    users: dict[str, set[str]] = {}
    for path in sources():
        if path.name in DOOR_NAMES:
            for name in foreign_to(path) - LIBRARIES["buses"]:
                users.setdefault(name, set()).add(name_of(path))
    assert {"pymodbus", "serialx"} <= set(users)
    assert all(len(files) == 1 for files in users.values()), users


@pytest.mark.parametrize("path", [path for path in sources() if room_of(path) in LIBRARIES], ids=name_of)
def test_rooms_below_the_simulator_use_few_libraries(path):
    if path.name not in DOOR_NAMES:
        assert foreign_to(path) <= LIBRARIES[room_of(path)]


@pytest.mark.parametrize("path", [path for path in sources() if room_of(path) in ROOMS], ids=name_of)
def test_only_the_clock_knows_the_time_of_the_machine(path):
    if name_of(path) == "simulator/clock.py":
        return
    tree = parsed(path)
    names = set(imports(tree))
    assert not {name for name in names if name.partition(".")[0] in ("random", "secrets", "uuid")}
    assert not {name for name in names if name.startswith("numpy.random")}
    if room_of(path) != "simulator":
        assert not {name for name in names if name.partition(".")[0] == "time"}
    assert names.isdisjoint({"time", "time.time", "time.time_ns"})
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in WALL_CLOCKS
        ):
            owner = ast.unparse(node.func.value)
            # A loop's own time paces what is on the wire, which is never simulated.
            assert not owner.endswith(("datetime", "date")), (
                f"{name_of(path)} asks {owner}.{node.func.attr}()"
            )
        if isinstance(node, ast.Attribute) and node.attr == "random":
            assert ast.unparse(node.value) not in ("np", "numpy")


def test_the_rooms_are_linked_at_the_top_of_the_repository():
    top = PACKAGE.parent
    for room in ROOMS:
        assert (top / room).is_symlink()
        assert (top / room).readlink() == Path("virtual_digiware") / room
