from collections.abc import AsyncIterator

import aiohttp
import pytest

from rollouts.fetch import open_session


@pytest.fixture(autouse=True)
def _direct(no_proxy: None) -> None:
    """Ask every server directly; what a proxy changes is a test of its own."""


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as opened:
        yield opened
