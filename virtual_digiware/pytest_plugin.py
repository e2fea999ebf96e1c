"""Fixtures for the tests of supervisors: `digiware_site`, `digiware_site_factory`.

pytest loads this file in every run, so it imports nothing of the simulator until a test asks for a site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from virtual_digiware.testing import Site

MARKER = "digiware_site"
SCOPES = ("test", "session")
_OPTIONS = ("site", "scope", "at", "clock", "rate", "seed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        MARKER,
        "site of the fixture digiware_site: a path from the root of the project, or a name",
        default="demo",
    )
    parser.addini(
        "digiware_site_scope",
        "test: every test has a site of its own; session: all share one",
        default="test",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        'digiware_site(site, scope="test", at=..., clock="manual", rate=1.0, seed=...): '
        "the site of the fixture digiware_site; beside the test, from the root of the project, or shipped",
    )


class _SessionSites:
    """Sites that live as long as the session, by what was asked for."""

    def __init__(self, stack: ExitStack, make_folder: Callable[[], Path]) -> None:
        self._stack, self._make_folder = stack, make_folder
        self._running: dict[str, Site] = {}

    def get(self, site: str | Path, options: dict[str, Any]) -> Site:
        key = repr((site, sorted(options.items())))
        if key not in self._running:
            self._running[key] = _start(self._stack, site, self._make_folder(), options)
        return self._running[key]


@pytest.fixture(scope="session")
def _digiware_session_sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_SessionSites]:
    with ExitStack() as stack:
        yield _SessionSites(stack, lambda: tmp_path_factory.mktemp("digiware"))


@pytest.fixture
def digiware_site(request: pytest.FixtureRequest) -> Site:
    """A running site: that of the marker `digiware_site`, else of the ini option, else the demo.

    Its clock stands at 2026-03-02T10:00:00Z until the test advances it.
    """
    site, scope, options = _asked_for(request)
    if scope == "session":
        sites: _SessionSites = request.getfixturevalue("_digiware_session_sites")
        return sites.get(site, options)
    factory: Callable[..., Site] = request.getfixturevalue("digiware_site_factory")
    return factory(site, **options)


@pytest.fixture
def digiware_site_factory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Starts sites that stop with the test: `digiware_site_factory(site, at=..., clock=..., rate=...)`.

    A site is a path (beside the test or from the root of the project), a shipped name, or the text of a file;
    the options are those of `virtual_digiware.testing.Site`.
    """
    with ExitStack() as stack:

        def start(site: str | Path = "demo", *, folder: Path | None = None, **options: Any) -> Site:
            number = len(list(tmp_path.glob("digiware-*"))) + 1
            place = tmp_path / f"digiware-{number}" if folder is None else folder
            place.mkdir(parents=True, exist_ok=True)
            return _start(stack, _located(site, request), place, options)

        yield start


def _start(stack: ExitStack, site: str | Path, folder: Path, options: dict[str, Any]) -> Site:
    """Start a site that ends with `stack`; mistakes in its file are told without a traceback."""
    from virtual_digiware.testing import FileFaults, Site

    try:
        return stack.enter_context(Site(site, folder=folder, **options))
    except FileFaults as faults:
        mistakes = str(faults)
    pytest.fail(mistakes, pytrace=False)


def _asked_for(request: pytest.FixtureRequest) -> tuple[str | Path, str, dict[str, Any]]:
    """Site, scope and further options of a test, from its marker and the ini options."""
    config, marker = request.config, request.node.get_closest_marker(MARKER)
    given = {} if marker is None else dict(marker.kwargs)
    if marker is not None and len(marker.args) > 1:
        raise pytest.UsageError(f"digiware_site{marker.args!r}: right would be one site and named options")
    for name in given:
        if name not in _OPTIONS:
            raise pytest.UsageError(f"digiware_site: no option `{name}`; known are {', '.join(_OPTIONS)}")
    if marker is not None and marker.args:
        given["site"] = marker.args[0]
    site = given.pop("site", None) or config.getini(MARKER)
    scope = given.pop("scope", None) or config.getini("digiware_site_scope")
    if scope not in SCOPES:
        raise pytest.UsageError(f"digiware_site: scope {scope!r}; right would be {' or '.join(SCOPES)}")
    return _located(site, request), scope, given


def _located(site: str | Path, request: pytest.FixtureRequest) -> str | Path:
    """The file beside the test or from the root of the project where there is one; else what was said."""
    if isinstance(site, str) and "\n" in site:
        return site
    for folder in (request.path.parent, request.config.rootpath):
        if (folder / site).is_file():
            return folder / site
    return site
