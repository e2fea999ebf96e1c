"""Where the benchmark's files are, and which core does what."""

from __future__ import annotations

import os
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
BUILD = BENCH / "build"
LOGS = BUILD / "logs"
README = BENCH / "README.md"
RESULTS = BUILD / "results.json"

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = _CORES[0]
CLIENT_CORE = _CORES[-1]
"""The same core as the server's on a machine with one core: figures then only show that the harness works."""


VDIGIWARE = (sys.executable, "-m", "virtual_digiware")
"""The `vdigiware` command of the Python that runs the benchmark."""
