"""Running pytest as the user of the plugin does: in a process of its own, in a folder of the user's."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import virtual_digiware

TOP = Path(virtual_digiware.__file__).parents[1]
PLUGIN = "virtual_digiware.pytest_plugin"


def run_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with this working copy, whether or not it is installed, and warnings as errors."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=55)


def run_pytest(folder: Path, *options: str) -> tuple[str, str]:
    """All that pytest prints, and the last line of it, with the counts."""
    is_declared = any(one.value == PLUGIN for one in entry_points(group="pytest11"))
    load = [] if is_declared else ["-p", PLUGIN]  # a working copy that is not installed declares nothing
    fixed = ["-m", "pytest", "-p", "no:asyncio", "-p", "no:cacheprovider", "-W", "error", *load]
    ended = run_python(folder, *fixed, *options)
    return ended.stdout + ended.stderr, ended.stdout.strip().rpartition("\n")[2]
