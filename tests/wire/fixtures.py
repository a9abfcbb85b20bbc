"""Which fixtures does the suite need besides a `server`?"""

import asyncio
import contextlib
import itertools
import os
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.wire.objects import GADGETS
from tests.wire.server import DEADLINE, Client, Server

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PROGRAM = Path(sysconfig.get_path("scripts")) / "rollouts"
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


@pytest_asyncio.fixture
async def controlled(api: Client, tmp_path: Path) -> AsyncIterator[Client]:
    """The same client, where a controller looks after the namespace."""
    environment = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    flags = ["--namespace", api.namespace, "--no-leader-elect", "--healthzPort=0", "--metricsPort=0"]
    with (tmp_path / "controller.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            PROGRAM,
            "controller",
            f"--kubeconfig={api.server.kubeconfig}",
            "--bind-address=127.0.0.1",
            *flags,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )
    yield api
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    async with asyncio.timeout(DEADLINE):
        await child.wait()
