"""Which fixtures give a test its control plane, its namespace, its kubectl and its controllers?"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio

from e2e import build, controller, recipes, toolchain
from e2e.controller import Controller
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.program import Program
from e2e.recipe import Recipe
from e2e.router_kinds import RouterKinds
from e2e.sampler import Sampler
from e2e.servers.graphite import Graphite
from e2e.servers.influxdb import InfluxDB
from e2e.servers.prometheus import Prometheus
from e2e.servers.shop import Shop

CRDS = sorted((Path(__file__).parents[1] / "manifests" / "crds").glob("*.yaml"))
PROGRAMS = pytest.StashKey[list[Program]]()
FAILURES = pytest.StashKey[dict[Recipe, Exception]]()
# What is built for whom: a control plane always, the clients only where a test asks for them.
ASKED_FOR: dict[str, Recipe] = {
    "argo_rollouts": recipes.ARGO_ROLLOUTS,
    "compiled_plugins": recipes.COMPILED_PLUGINS,
    "argo_cd": recipes.ARGO_CD,
    "prometheus_program": recipes.PROMETHEUS,
    "influxdb": recipes.INFLUXDB,
    "graphite": recipes.GRAPHITE,
    "gateway_api": recipes.GATEWAY_API,
    "traefik_kinds": recipes.TRAEFIK_KINDS,
    "apisix_kinds": recipes.APISIX_KINDS,
    "emissary_kinds": recipes.EMISSARY_KINDS,
    "smi_kinds": recipes.SMI_KINDS,
    "istio_kinds": recipes.ISTIO_KINDS,
    "contour_kinds": recipes.CONTOUR_KINDS,
    "contour_program": recipes.CONTOUR,
    "ingress_nginx": recipes.INGRESS_NGINX,
    "nginx_tree": recipes.NGINX,
}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what the tests need before the first one's clock runs; a failure fails the tests, it never skips them."""
    config = session.config
    if config.option.collectonly or not session.items:
        return
    fixtures = {name for item in session.items if isinstance(item, pytest.Function) for name in item.fixturenames}
    failures = config.stash.setdefault(FAILURES, {})
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
        for recipe in (recipes.CONTROL_PLANE, *(ASKED_FOR[name] for name in ASKED_FOR.keys() & fixtures)):
            try:
                build.binaries(recipe)
            except (toolchain.BuildError, OSError) as error:
                failures[recipe] = error


def _built(config: pytest.Config, recipe: Recipe) -> Path:
    if failure := config.stash[FAILURES].get(recipe):
        raise failure
    return build.binaries(recipe)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the logs with a failure."""
    report = yield
    if report.failed:
        for program in item.stash.get(PROGRAMS, []):
            report.sections.append((f"end of {program.log}", program.tail()))
    return report


@pytest.fixture(scope="session", autouse=True)
def _current_loop() -> Iterator[None]:
    """Without a current event loop, looptime makes one before each synchronous test and nobody closes it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="session")
def plane(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The real control plane, one for all tests, with our CRDs. It outlives the event loops of the tests."""
    _built(request.config, recipes.CONTROL_PLANE)
    running = ControlPlane(tmp_path_factory.mktemp("plane"), crds=CRDS)
    try:
        asyncio.run(running.start())
        yield running
    finally:
        asyncio.run(running.stop())


@pytest.fixture(scope="session")
def argo_rollouts(request: pytest.FixtureRequest) -> Path:
    """The directory of the kubectl plugin of Argo Rollouts."""
    return _built(request.config, recipes.ARGO_ROLLOUTS)


@pytest.fixture(scope="session")
def compiled_plugins(request: pytest.FixtureRequest) -> Path:
    """The directory of plugins that were compiled for Argo Rollouts, and of two programs of ours beside them."""
    return _built(request.config, recipes.COMPILED_PLUGINS)


@pytest.fixture(scope="session")
def argo_cd(request: pytest.FixtureRequest) -> Path:
    """The directory of Argo CD's scripts for the kinds of argoproj.io."""
    return _built(request.config, recipes.ARGO_CD)


@pytest.fixture(scope="session")
def gateway_api(request: pytest.FixtureRequest) -> Path:
    """The directory of the definitions of the Gateway API, in their channels."""
    return _built(request.config, recipes.GATEWAY_API) / "crd"


@pytest.fixture(scope="session")
def traefik_kinds(request: pytest.FixtureRequest) -> Path:
    """The directory of the definitions of Traefik's kinds."""
    return _built(request.config, recipes.TRAEFIK_KINDS) / "dynamic-configuration"


@pytest.fixture(scope="session")
def apisix_kinds(request: pytest.FixtureRequest) -> Path:
    """The directory of the definitions of APISIX's kinds, by the version of the API that they are written in."""
    return _built(request.config, recipes.APISIX_KINDS) / "crd"


@pytest.fixture(scope="session")
def emissary_kinds(request: pytest.FixtureRequest) -> Path:
    """The file with the definitions of Emissary-ingress' kinds."""
    return _built(request.config, recipes.EMISSARY_KINDS) / "emissary" / "emissary-crds.yaml.in"


@pytest.fixture(scope="session")
def smi_kinds(request: pytest.FixtureRequest) -> Path:
    """The directory of the definitions of the Service Mesh Interface."""
    return _built(request.config, recipes.SMI_KINDS) / "crds"


@pytest.fixture(scope="session")
def istio_kinds(request: pytest.FixtureRequest) -> Path:
    """The file of the definitions of Istio's kinds."""
    return _built(request.config, recipes.ISTIO_KINDS) / "kubernetes" / "customresourcedefinitions.gen.yaml"


@pytest.fixture(scope="session")
def contour_kinds(request: pytest.FixtureRequest) -> Path:
    """The file of the definitions of Contour's kinds."""
    return _built(request.config, recipes.CONTOUR_KINDS) / "contour" / "01-crds.yaml"


@pytest.fixture(scope="session")
def contour_program(request: pytest.FixtureRequest) -> Path:
    """The directory of Contour's program."""
    return _built(request.config, recipes.CONTOUR)


@pytest.fixture(scope="session")
def ingress_nginx(request: pytest.FixtureRequest) -> Path:
    """The directory of Ingress NGINX's controller and of what its image has in /etc/nginx."""
    return _built(request.config, recipes.INGRESS_NGINX)


@pytest.fixture(scope="session")
def nginx_tree(request: pytest.FixtureRequest) -> Path:
    """The files of Debian's nginx and of what it needs for Lua."""
    return _built(request.config, recipes.NGINX) / "tree"


@pytest.fixture(scope="session")
def router_kinds(
    gateway_api: Path,
    istio_kinds: Path,
    contour_kinds: Path,
    traefik_kinds: Path,
    apisix_kinds: Path,
    emissary_kinds: Path,
    smi_kinds: Path,
) -> RouterKinds:
    """The definitions of all routers' kinds."""
    return RouterKinds(
        {
            "gatewayAPI": sorted((gateway_api / "standard").glob("gateway.networking.k8s.io_*routes.yaml")),
            "istio": [istio_kinds],
            "contour": [contour_kinds],
            "traefik": [traefik_kinds / "traefik.io_traefikservices.yaml"],
            "apisix": [apisix_kinds / "v1" / "ApisixRoute.yaml"],
            "ambassador": [emissary_kinds],
            "smi": [smi_kinds / "split.yaml"],
        }
    )


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop that Prometheus scrapes, one for all tests: each has apps of its own."""
    running = Shop(tmp_path_factory.mktemp("shop"))
    try:
        yield asyncio.run(running.open())
    finally:
        running.kill()


@pytest.fixture(scope="session")
def prometheus_program(request: pytest.FixtureRequest) -> Path:
    """The directory of Prometheus' program."""
    return _built(request.config, recipes.PROMETHEUS)


@pytest.fixture(scope="session")
def prometheus(prometheus_program: Path, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that scrapes the shop, one for all tests."""
    running = Prometheus(prometheus_program, tmp_path_factory.mktemp("prometheus"), shop.address)
    try:
        yield asyncio.run(running.open())
    finally:
        running.kill()


@pytest.fixture(scope="session")
def influxdb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    """An InfluxDB, one for all tests."""
    running = InfluxDB(_built(request.config, recipes.INFLUXDB), tmp_path_factory.mktemp("influxdb"))
    try:
        yield asyncio.run(running.open())
    finally:
        running.kill()


@pytest.fixture(scope="session")
def graphite(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graphite]:
    """A Graphite, one for all tests."""
    running = Graphite(_built(request.config, recipes.GRAPHITE), tmp_path_factory.mktemp("graphite"))
    try:
        yield asyncio.run(running.open())
    finally:
        asyncio.run(running.stop())


@pytest.fixture
def admin(plane: ControlPlane) -> Kubectl:
    """kubectl with all rights, in `default`."""
    return Kubectl(plane.admin_kubeconfig)


_numbers = itertools.count(1)


@pytest_asyncio.fixture
async def namespace(admin: Kubectl) -> AsyncIterator[str]:
    """A fresh namespace; its deletion goes on while the next test runs."""
    name = f"e2e-{next(_numbers)}"
    await admin("create", "namespace", name)
    await admin.wait("--for=create", f"--namespace={name}", "serviceaccount/default")
    yield name
    await admin("delete", "namespace", name, "--wait=false")


@pytest.fixture
def kubectl(plane: ControlPlane, namespace: str) -> Kubectl:
    """kubectl with all rights, in the test's namespace."""
    return Kubectl(plane.admin_kubeconfig, namespace)


@pytest.fixture(scope="session")
def controller_kubeconfig(plane: ControlPlane) -> Path:
    """The credentials of the controller's own ServiceAccount, with the rights that manifests/ grant it."""

    async def install_and_ask() -> Path:
        await controller.install(Kubectl(plane.admin_kubeconfig, controller.NAMESPACE))
        return await plane.kubeconfig_of(controller.NAMESPACE, controller.SERVICE_ACCOUNT)

    return asyncio.run(install_and_ask())


class StartController(Protocol):
    """`await start_controller("--namespace", namespace)`: ready when it returns; all are ended after the test.

    `program` is another command line for `rollouts`: that of an environment with plugins.
    """

    async def __call__(
        self, *flags: str, kubeconfig: Path | None = None, program: Sequence[str | Path] = (controller.PROGRAM,)
    ) -> Controller: ...


@pytest_asyncio.fixture
async def start_controller(
    request: pytest.FixtureRequest, controller_kubeconfig: Path, tmp_path: Path
) -> AsyncIterator[StartController]:
    """Starts the controller as its own ServiceAccount; the ends of the logs are shown when the test fails."""
    started: list[Program] = []
    shown: list[Program] = request.node.stash.setdefault(PROGRAMS, [])

    async def start(
        *flags: str, kubeconfig: Path | None = None, program: Sequence[str | Path] = (controller.PROGRAM,)
    ) -> Controller:
        name = f"controller-{len(started) + 1}"
        running = Controller(name, kubeconfig or controller_kubeconfig, tmp_path, flags, program)
        started.append(running)
        shown.append(running)
        running.start()
        await running.ready()
        return running

    yield start
    for program in started:
        await program.stop()


@pytest_asyncio.fixture
async def sample(plane: ControlPlane, namespace: str) -> AsyncIterator[Callable[..., Sampler]]:
    """`async with sample("app=web") as sampler:` samples the pods of the test's namespace."""
    async with plane.admin.session() as api:
        yield lambda selector, **options: Sampler(api, namespace, selector, **options)
