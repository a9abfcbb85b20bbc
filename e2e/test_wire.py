"""Does a real kube-apiserver do what the wire suite says? The same tests, with the real control plane as `server`."""

import importlib
import ssl
from pathlib import Path

import pytest

from e2e.plane import ControlPlane
from tests.wire.fixtures import api, controlled, gadgets
from tests.wire.server import Server

__all__ = ["api", "controlled", "gadgets"]

SUITE = Path(__file__).parents[1] / "tests" / "wire"


@pytest.fixture
def server(plane: ControlPlane) -> Server:
    """The real thing."""

    async def forget() -> None:
        await plane.compact_etcd()
        await plane.restart_apiserver()  # it would go on serving what it has in memory
        await plane.restart_controllers()

    return Server(
        plane.server,
        plane.admin_kubeconfig,
        tls=ssl.create_default_context(cafile=str(plane.authority)),
        headers={"Authorization": f"Bearer {plane.admin.token}"},
        forget=forget,
    )


for file in sorted(SUITE.glob("test_*.py")):
    for name, found in vars(importlib.import_module(f"tests.wire.{file.stem}")).items():
        if name.startswith("test_"):
            assert name not in globals(), f"two tests of the wire suite are called {name}"
            globals()[name] = found
