"""The suite's server here: the dev cluster, on a thread of its own. e2e/test_wire.py gives it a real one."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollouts.devcluster import DevCluster
from tests.wire.fixtures import api, controlled, gadgets
from tests.wire.server import DEADLINE, Server

__all__ = ["api", "controlled", "gadgets"]

CRDS = Path(__file__).parents[2] / "manifests" / "crds"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A dev cluster that no test shares an event loop with, as no client does."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    cluster = DevCluster(pod_start=0.02, crash_back_off=0.2, crds=CRDS)

    async def forget() -> None:
        loop.call_soon_threadsafe(cluster.server.compact)

    asyncio.run_coroutine_threadsafe(cluster.__aenter__(), loop).result(DEADLINE)
    try:
        yield Server(cluster.url, cluster.kubeconfig_path, forget=forget)
    finally:
        asyncio.run_coroutine_threadsafe(cluster.__aexit__(None, None, None), loop).result(DEADLINE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(DEADLINE)
        loop.close()
