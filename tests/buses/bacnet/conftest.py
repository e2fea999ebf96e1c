"""One demo cabinet for tests that only read, and a fresh one for those that change it."""

from __future__ import annotations

import pytest

from tests.buses.bacnet.cabinet import Cabinet


@pytest.fixture(scope="session")
def standing() -> Cabinet:
    return Cabinet()


@pytest.fixture
def cabinet() -> Cabinet:
    return Cabinet()
