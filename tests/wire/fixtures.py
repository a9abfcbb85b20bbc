"""Which fixtures does the suite need besides a `server`?"""

import itertools
import os
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.wire.objects import GADGETS
from tests.wire.server import Client, Server

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_numbers = itertools.count(1)


@pytest_asyncio.fixture
async def api(server: Server) -> AsyncIterator[Client]:
    """A client in a namespace of the test's own."""
    name = f"wire-{os.getpid()}-{next(_numbers)}"
    async with server.session() as session:
        client = Client(session, name, server)
        made = await client.send("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        assert made.code == 201, made.body
        yield client
        await client.send("DELETE", f"/api/v1/namespaces/{name}")


@pytest_asyncio.fixture
async def gadgets(api: Client) -> Client:
    """The same client, where the definition of gadgets is served."""
    answer = await api.send("POST", DEFINITIONS, GADGETS)
    if answer.code != 409:
        _ = answer.object

        async def is_served() -> bool:
            return (await api.get("gadgets")).code == 200

        await api.wait(is_served)
    return api
