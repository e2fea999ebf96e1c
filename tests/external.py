"""Programs that tests use and that Python cannot install."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NoReturn

import pytest


def require_program(name: str) -> str:
    """Path of a program. Without it the test is skipped, with a reason; under CI=true it fails."""
    path = shutil.which(name)
    return path or _missing(f"the program {name} is not installed")


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
