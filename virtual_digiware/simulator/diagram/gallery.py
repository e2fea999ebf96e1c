"""The page of the documentation that shows every shipped figure: `make gallery` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from virtual_digiware.simulator.diagram.drawing import site_svg
from virtual_digiware.simulator.site_file import load_site
from virtual_digiware.simulator.site_listing import ListedSite, listed_sites

PAGE = "architectures.md"
PICTURES = "architectures"
_INTRODUCTION = """\
# The 36 architectures

The communication note of the DIRIS Digiware range shows 36 ways to put its devices together. They are sites
that come with the program, each with a use of its own: `vdigiware run fig-12` runs one, `vdigiware check`
holds it against the rules. The pictures show what the site files say; `vdigiware diagram SITE -o FILE.svg`
draws yours as well, for a sheet of A4 across.
"""
_GROUPS = (
    (1, 7, "One cabinet"),
    (8, 13, "Several cabinets"),
    (14, 18, "Several cabinets with displays"),
    (19, 24, "Several cabinets on WEBVIEW"),
    (25, 29, "Several cabinets with displays and WEBVIEW-M"),
    (30, 31, "Two coupled sources"),
    (32, 33, "AC and DC"),
    (34, 36, "Devices of many kinds, and transfer between sources"),
)
"""Source: Socomec note on DIRIS Digiware communication architectures, chapters."""


def gallery() -> Iterator[tuple[str, str]]:
    """Paths in the documentation's folder, and what is in those files."""
    figures = {int(site.name[4:]): site for site in listed_sites() if site.name.startswith("fig-")}
    parts = [_INTRODUCTION]
    for first, last, title in _GROUPS:
        shown = [site for number, site in figures.items() if first <= number <= last]
        if shown:
            parts.append(f"\n## {title}\n")
            parts += map(_entry, shown)
    yield PAGE, "".join(parts)
    for site in figures.values():
        yield f"{PICTURES}/{site.name}.svg", site_svg(load_site(site.name))


def _entry(site: ListedSite) -> str:
    picture = f"{PICTURES}/{site.name}.svg"
    return f"\n**{site.name}**: {site.title}. {site.equipment}.\n\n[![{site.title}]({picture})]({picture})\n"


def main() -> None:
    """Write the page and its pictures into the folder that the command line names."""
    folder = Path(sys.argv[1])
    (folder / PICTURES).mkdir(exist_ok=True)
    written = dict(gallery())
    for old in (folder / PICTURES).glob("*.svg"):
        if f"{PICTURES}/{old.name}" not in written:
            old.unlink()
    for path, text in written.items():
        (folder / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
