"""Agents for the tests of SNMP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.buses.snmp.agents import Bench, bench


@pytest.fixture
async def listening() -> AsyncIterator[Bench]:
    """An agent with the delivered communities and some users on a free loopback port."""
    made = bench()
    made.host, made.port = await made.agent.start("127.0.0.1", 0)
    yield made
    await made.agent.close()
