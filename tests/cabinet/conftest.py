"""The demo site as its users meet it: its own process, real sockets and a real pseudo-terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.cabinet.cabinet import Cabinet, running_demo


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Cabinet]]:
    """Start the demo site; arguments are those of `running_demo`. All end with the module."""
    with ExitStack() as stack:

        def begin(*options: str, clock: str = "manual") -> Cabinet:
            return stack.enter_context(running_demo(tmp_path_factory.mktemp("demo"), *options, clock=clock))

        yield begin


@pytest.fixture(scope="module")
def demo(start: Callable[..., Cabinet]) -> Cabinet:
    """The demo site standing still on a Monday morning, two hours after its commissioning."""
    return start()
