"""Each protocol library enters by one door, and only when somebody goes through it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import virtual_digiware

PACKAGE = Path(virtual_digiware.__file__).parent


def files_that_import(library: str) -> set[str]:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if any(name.split(".")[0] == library for name in names):
                found.add(path.relative_to(PACKAGE).as_posix())
    return found


@pytest.mark.parametrize(
    ("library", "door"),
    [
        ("pymodbus", "buses/modbus/endpoint.py"),
        ("serialx", "buses/serial_port.py"),
        ("bacpypes3", "buses/bacnet/endpoint.py"),
        ("pysnmp", "buses/snmp/endpoint.py"),
        ("aiomqtt", "buses/mqtt/endpoint.py"),
    ],
)
def test_a_protocol_library_has_one_door(library: str, door: str) -> None:
    assert files_that_import(library) == {door}


def test_servers_and_lines_can_be_named_without_loading_a_protocol_library() -> None:
    code = (
        "import sys, virtual_digiware.buses.modbus.tcp, virtual_digiware.buses.modbus.rtu, "
        "virtual_digiware.buses.pty_line; "
        "print(*sorted({name.split('.')[0] for name in sys.modules} & {'pymodbus', 'serialx', 'structlog'}))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert printed.stdout.strip() == ""
