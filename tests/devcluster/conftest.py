"""A dev cluster on a thread of its own, so that tests and kubectl can talk to it as they would to any other."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollouts.devcluster import DevCluster
from tests.devcluster.running import DEADLINE, Http, Running

WIDGETS = Path(__file__).with_name("widgets.yaml")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("home")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    cluster = DevCluster(pod_start=0.05, crash_back_off=0.2)

    async def start() -> None:
        await cluster.__aenter__()
        cluster.apply(WIDGETS.read_text())

    asyncio.run_coroutine_threadsafe(start(), loop).result(DEADLINE)
    yield Running(cluster, home)
    asyncio.run_coroutine_threadsafe(cluster.__aexit__(None, None, None), loop).result(DEADLINE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE)
    loop.close()


@pytest.fixture
def http(running: Running) -> Http:
    return running.http


_numbers = itertools.count(1)


@pytest.fixture
def namespace(running: Running, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    test: str = request.node.name
    name = test.replace("_", "-").partition("[")[0][:50].strip("-") + f"-{next(_numbers)}"
    code, _ = running.http.post("/api/v1/namespaces", {"metadata": {"name": name}})
    assert code == 201
    return name
