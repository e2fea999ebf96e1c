"""Programs that tests use and that Python cannot install."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest


def require_program(name: str) -> str:
    """Path of a program. Without it the test is skipped, with a reason; under CI=true it fails."""
    path = shutil.which(name)
    return path or _missing(f"the program {name} is not installed")


def require_module(name: str) -> None:
    """A Python package that only tests use; without it as without a program."""
    if find_spec(name) is None:
        _missing(f"the Python package {name} is not installed")


def require_file(path: Path, how: str) -> None:
    """A file or folder that `how` installs; without it as without a program."""
    if not path.exists():
        _missing(f"{path.name} is not installed: {how}")


def require_header(name: str) -> None:
    """A C header that the compiler finds, say `modbus/modbus.h`; without it as without a program."""
    compiler = require_program("gcc")
    command = [compiler, "-E", "-include", name, "-x", "c", "/dev/null"]
    if subprocess.run(command, capture_output=True, timeout=20).returncode:
        _missing(f"the C header {name} is not installed")


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)
