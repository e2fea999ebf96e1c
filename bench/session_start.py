"""How long a test waits for a site of its own: the first of a process and every later one, by its parts.

.venv/bin/python bench/session_start.py [SITE] [--starts N] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import sys
from collections.abc import Callable
from time import perf_counter


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that something takes."""
    began_s = perf_counter()
    work()
    return 1000 * (perf_counter() - began_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", nargs="?", default="demo")
    parser.add_argument("--starts", type=int, default=50)
    parser.add_argument("--profile", action="store_true", help="of the starts after the first")
    options = parser.parse_args()

    def load() -> None:
        global Site
        from virtual_digiware.testing import Site

    print(f"loading the package      {timed(load):8.1f} ms")
    first = Site(options.site)
    print(f"first start              {timed(first.start):8.1f} ms")
    print(f"first stop               {timed(first.stop):8.1f} ms")
    profile = cProfile.Profile()
    parts: dict[str, list[float]] = {"read": [], "start": [], "stop": [], "all": []}
    for _ in range(options.starts):
        sites: list[Site] = []
        if options.profile:
            profile.enable()
        row = [
            timed(lambda sites=sites: sites.append(Site(options.site))),
            timed(lambda sites=sites: sites[0].start()),
            timed(lambda sites=sites: sites[0].stop()),
        ]
        profile.disable()
        for part, value in zip(parts, (*row, sum(row)), strict=True):
            parts[part].append(value)
    for part, values in parts.items():
        spread = f"median {statistics.median(values):7.1f} ms, worst {max(values):7.1f} ms"
        print(f"later: {part:<8} {spread}, of {options.starts}")
    if options.profile:
        pstats.Stats(profile, stream=sys.stdout).sort_stats("cumtime").print_stats(40)


if __name__ == "__main__":
    main()
