"""Which cluster has the objects of a group, as Secrets come, change and go, and what is said of those that are bad?"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml
from structlog.testing import capture_logs

from rollouts.controller.clusters import RETRY, Clusters, labels_of
from rollouts.controller.following import PATIENCE
from rollouts.kube.errors import ConfigError, Forbidden, Unreachable
from rollouts.kube.resources import VERTICAL_POD_AUTOSCALERS, Resource
from rollouts.registry import load_kit
from tests.controller.world import error

if TYPE_CHECKING:
    from rollouts.kube.client import Api

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

LABEL = "istio.argoproj.io/primary-cluster=true"
ISTIO = "networking.istio.io"
TOKEN = "s3cr3t-t0ken"  # noqa: S105 - of nothing
MARK = {"metadata": {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}}


def kubeconfig(server: str = "https://east.example", **user: Any) -> str:
    return yaml.safe_dump(
        {
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": {"server": server}}],
            "users": [{"name": "it", "user": user or {"token": TOKEN}}],
        }
    )


class Server:
    """Streams the Secrets of a label, to those who may read them."""

    def __init__(self) -> None:
        self.refuses = False
        self.asked: list[tuple[str | None, str | None]] = []
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._versions = iter(range(10, 100))

    async def watch(
        self, resource: Resource, namespace: str | None, *, label_selector: str | None, **_: Any
    ) -> AsyncGenerator[dict[str, Any], None]:
        assert resource.kind == "Secret"
        self.asked.append((namespace, label_selector))
        if self.refuses:
            raise error(Forbidden, 403, "Forbidden", "no right to watch secrets")
        yield {"type": "BOOKMARK", "object": MARK}
        while True:
            yield await self._events.get()

    async def say(self, kind: str, name: str, data: dict[str, str] | None, **metadata: Any) -> None:
        metadata |= {"name": name, "namespace": "rollouts", "resourceVersion": str(next(self._versions))}
        encoded = {key: b64encode(text.encode()).decode() for key, text in (data or {}).items()}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"uid": name, **metadata}, "data": encoded}
        self._events.put_nowait({"type": kind, "object": secret})
        await asyncio.sleep(0.1)


@asynccontextmanager
async def following(server: Server) -> AsyncIterator[Clusters]:
    clusters = Clusters(cast("Api", server), "rollouts", {ISTIO: LABEL})
    task = asyncio.create_task(clusters.run())
    await asyncio.sleep(0.1)
    try:
        yield clusters
    finally:
        task.cancel()
        await asyncio.wait({task})


def where(clusters: Clusters) -> str:
    """Return the address that is found for Istio's objects, or what is in the way."""
    cluster = clusters.of(ISTIO)
    if cluster.api is None:
        return cluster.trouble
    return "our own" if isinstance(cluster.api, Server) else cluster.api.connection.server


async def test_nobody_reads_secrets_before_somebody_asks() -> None:
    server = Server()
    async with following(server) as clusters:
        assert clusters.of(VERTICAL_POD_AUTOSCALERS.group).api is not None
        assert server.asked == []
        assert where(clusters) == ""
        await asyncio.sleep(0.1)
        assert where(clusters) == "our own"
        assert server.asked == [("rollouts", LABEL)]


async def test_a_secret_comes_changes_and_goes() -> None:
    server = Server()
    async with following(server) as clusters:
        assert isinstance(await clusters.api_of(ISTIO), Server)
        await server.say("ADDED", "primary", {"east": kubeconfig()})
        assert where(clusters) == "https://east.example"
        east = await clusters.api_of(ISTIO)
        await server.say("MODIFIED", "primary", {"east": kubeconfig()}, annotations={"team": "mesh"})
        assert await clusters.api_of(ISTIO) is east
        await server.say("MODIFIED", "primary", {"east": kubeconfig("https://west.example")})
        assert where(clusters) == "https://west.example"
        with pytest.raises(Unreachable, match="was closed"):
            await east.fetch("/version")
        await server.say("DELETED", "primary", {"east": kubeconfig("https://west.example")})
        assert where(clusters) == "our own"


async def test_who_waits_is_told_of_a_change() -> None:
    server = Server()
    async with following(server) as clusters:
        waits = asyncio.create_task(clusters.other_than(ISTIO, clusters.of(ISTIO)))
        await asyncio.wait_for(waits, 1)
        waits = asyncio.create_task(clusters.other_than(ISTIO, clusters.of(ISTIO)))
        await asyncio.sleep(PATIENCE)
        assert not waits.done()
        await server.say("ADDED", "primary", {"east": kubeconfig()})
        assert waits.done()


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        ({}, "Secret rollouts/primary has no data: it must have one key, with a kubeconfig"),
        ({"a": "x", "b": "y"}, "Secret rollouts/primary has the keys a, b: it must have one key, with a kubeconfig"),
        ({"east": "x"}, 'Secret rollouts/primary, key "east": not a kubeconfig: it isn\'t a mapping'),
        (
            {"east": kubeconfig(exec={"command": TOKEN})},
            (
                'Secret rollouts/primary, key "east": user.exec would have the controller run code for a Secret, which'
                " it doesn't: give a token or a client certificate instead"
            ),
        ),
        (
            {"east": kubeconfig(**{"client-key-data": b64encode(TOKEN.encode()).decode()})},
            'Secret rollouts/primary, key "east": client-certificate and client-key belong together, one is missing',
        ),
    ],
)
async def test_a_bad_secret_is_named_its_words_are_not_and_it_can_be_mended(data: dict[str, str], trouble: str) -> None:
    server = Server()
    with capture_logs() as logs:
        async with following(server) as clusters:
            await clusters.api_of(ISTIO)
            await server.say("ADDED", "primary", data)
            assert where(clusters) == trouble
            with pytest.raises(ConfigError, match="Secret rollouts/primary"):
                await clusters.api_of(ISTIO)
            await server.say("MODIFIED", "primary", {"east": kubeconfig()})
            assert where(clusters) == "https://east.example"
    assert TOKEN not in str(logs)
    assert [each["reason"] for each in logs if each["event"] == "in no cluster"] == [trouble]


async def test_of_two_secrets_none_counts() -> None:
    server = Server()
    async with following(server) as clusters:
        await clusters.api_of(ISTIO)
        await server.say("ADDED", "b", {"east": kubeconfig()})
        await server.say("ADDED", "a", {"west": kubeconfig("https://west.example")})
        assert where(clusters) == (
            f"Secrets rollouts/a, rollouts/b are all labelled {LABEL}, and only one can say which cluster it is: "
            "take the label off the others"
        )
        await server.say("DELETED", "b", {})
        assert where(clusters) == "https://west.example"


async def test_who_may_not_look_for_secrets_does_not_take_our_own_cluster_for_granted() -> None:
    server = Server()
    server.refuses = True
    async with following(server) as clusters:
        with pytest.raises(ConfigError, match="no right to watch secrets"):
            await clusters.api_of(ISTIO)
        assert where(clusters).startswith(f"Secrets labelled {LABEL} in namespace rollouts")
        server.refuses = False
        await asyncio.sleep(60 + RETRY)
        assert where(clusters) == "our own"


async def test_istio_may_be_in_another_cluster() -> None:
    assert labels_of(load_kit()) == {ISTIO: LABEL}
