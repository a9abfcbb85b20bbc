from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rollouts.kube.client import Api
from rollouts.kube.connection import Connection, connect
from tests.kube.scripted_server import Server, write_kubeconfig
from tests.serving import serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    scripted = Server()
    async with serving(scripted.handle) as url:
        scripted.url = url
        yield scripted


@pytest.fixture
async def connection(server: Server, tmp_path: Path) -> AsyncIterator[Connection]:
    async with await connect(kubeconfig=str(write_kubeconfig(tmp_path / "config", server.url))) as connected:
        yield connected


@pytest.fixture
def api(connection: Connection) -> Api:
    return Api(connection, timeout=30)
