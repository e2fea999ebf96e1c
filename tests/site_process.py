"""A site that runs in a process of its own, as a user starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class SiteProcess:
    """What is known of the run: its ready file, and, after it, what it said on stderr."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.ready = ready
        self.said = ""


@contextmanager
def site_process(folder: Path, text: str, *options: str) -> Iterator[SiteProcess]:
    """Run a site file on free ports until the end of the block."""
    site, ready = folder / "site.yaml", folder / "ready.json"
    site.write_text(text, encoding="utf-8")
    all_options = [*options, "--port-base", "0", "--ready-file", str(ready), "--log", "off"]
    process = subprocess.Popen(
        [sys.executable, "-m", "virtual_digiware", "run", str(site), *all_options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    running: SiteProcess | None = None
    try:
        assert process.stdout is not None
        while "Stop with" not in (line := process.stdout.readline()):
            assert line, process.communicate(timeout=20)
        running = SiteProcess(json.loads(ready.read_text()))
        yield running
    finally:
        process.terminate()
        _, said = process.communicate(timeout=20)
        if running is not None:
            running.said = said
