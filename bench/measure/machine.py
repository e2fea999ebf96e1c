"""What the benchmark runs on, and how busy all of it is."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """CPU time since boot of all cores in user, nice, system and stolen time, in seconds.

    Interrupt time is left out: the kernel does not charge it to the process on whose behalf a packet
    travels, so it would look like a stranger's.
    """
    user, nice, system, _idle, _iowait, _irq, _softirq, steal = (
        int(field) for field in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + steal) / _TICKS_PER_S


def describe() -> dict[str, str]:
    """The machine and the versions that a figure depends on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pymodbus", "uvloop"))
    return {
        "processor": f"{os.cpu_count()} cores of {cpu}",
        "system": f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": versions,
    }
