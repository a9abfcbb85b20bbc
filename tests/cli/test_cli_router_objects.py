"""Does the command line see what the traffic routers of a Rollout read, or say why it doesn't?"""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from rollouts.cli.router_objects import OutOfSightError, router_objects
from rollouts.kube.client import Listing
from rollouts.kube.errors import Forbidden, NotFound
from rollouts.kube.resources import Resource
from rollouts.ports import Kit, Reference
from rollouts.traffic.gateway_api.router import GatewayApi

if TYPE_CHECKING:
    from rollouts.cli.session import Session

Json = dict[str, Any]

KIT = Kit(steps={}, routers={"gatewayAPI": GatewayApi()})
GROUP = "gateway.networking.k8s.io"
WEB = {"metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}}}


class Server:
    """An API server with one HTTPRoute, if its definition is installed and it may be read."""

    def __init__(self, *, is_installed: bool = True, may_read: bool = True) -> None:
        self.api = self
        self._is_installed = is_installed
        self._may_read = may_read

    async def fetch(self, path: str) -> Json:
        if not self._is_installed:
            raise NotFound("no such group", status=404, reason="NotFound")
        if path == f"/apis/{GROUP}":
            return {"versions": [{"version": "v1"}]}
        return {"resources": [{"name": "httproutes", "kind": "HTTPRoute", "namespaced": True}]}

    async def get(self, resource: Resource, namespace: str, name: str) -> Json:
        assert (resource.api_version, namespace) == (f"{GROUP}/v1", "default")
        if not self._may_read:
            raise Forbidden("no right to get httproutes", status=403, reason="Forbidden")
        if name != "web":
            raise NotFound("no such route", status=404, reason="NotFound")
        return WEB

    async def list(self, resource: Resource, namespace: str, *, label_selector: str) -> Listing:
        assert (resource.plural, namespace, label_selector) == ("httproutes", "default", "app=web")
        return Listing([WEB], "1")


async def seen(server: Server, *routes: Json) -> dict[Reference, Any]:
    routing = {"gatewayAPI": {"httpRoutes": list(routes)}}
    canary = {"canaryService": "c", "stableService": "s", "trafficRouting": routing}
    rollout = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"strategy": {"canary": canary}}}
    return dict(await router_objects(cast("Session", server), rollout, KIT))


def reference(name: str) -> Reference:
    return Reference(GROUP, "HTTPRoute", "default", name)


async def test_objects_by_name_and_by_labels() -> None:
    found = await seen(Server(), {"name": "web"}, {"name": "other"})
    assert found == {reference("web"): WEB, reference("other"): None}
    assert await seen(Server(), {"selector": {"matchLabels": {"app": "web"}}}) == {reference("web"): WEB}


async def test_what_is_not_installed_or_may_not_be_read() -> None:
    with pytest.raises(OutOfSightError, match=r"HTTPRoute web can't be read: the API server doesn't serve HTTPRoute"):
        await seen(Server(is_installed=False), {"name": "web"})
    with pytest.raises(OutOfSightError, match="no right to get httproutes"):
        await seen(Server(may_read=False), {"name": "web"})


async def test_without_a_router_nothing_is_read() -> None:
    rollout = {"metadata": {"name": "web"}, "spec": {"strategy": {"canary": {}}}}
    assert await router_objects(cast("Session", SimpleNamespace(api=None)), rollout, KIT) == {}
