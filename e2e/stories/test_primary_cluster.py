"""Are Istio's objects, and no others, read and written in the cluster that a Secret leads to? With two real ones."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
import yaml

from e2e import controller as controllers
from e2e.controller import Controller
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.router_kinds import RouterKinds, install
from e2e.stories.story import Story
from e2e.stories.test_gateway_api import paused_at, weight
from e2e.waiting import eventually
from tests.docs.pages import ROOT, blocks
from tests.docs.router_pages import examples

Json = dict[str, Any]

PAGE = ROOT / "docs" / "how-to" / "routers" / "istio.md"
LABEL = "istio.argoproj.io/primary-cluster"
SECRET, KEY = "istio-primary", "primary"
ISTIO = "networking.istio.io"


@dataclass(frozen=True)
class Primary:
    """The other cluster, whose namespace has the same name as the story's, and a token that is good there."""

    plane: ControlPlane
    kubectl: Kubectl
    token: str

    def kubeconfig(self, **user: Any) -> str:
        authority = base64.b64encode(self.plane.authority.read_bytes()).decode()
        cluster = {"server": self.plane.server, "certificate-authority-data": authority}
        return json.dumps(
            {
                "current-context": "it",
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                "clusters": [{"name": "it", "cluster": cluster}],
                "users": [{"name": "it", "user": user or {"token": self.token}}],
            }
        )

    async def subsets(self) -> dict[str, int]:
        """Return the weights of the VirtualService's subsets."""
        found = await self.kubectl.json("get", f"virtualservices.{ISTIO}", "web")
        return {each["destination"]["subset"]: each["weight"] for each in found["spec"]["http"][-1]["route"]}

    async def has(self, wanted: dict[str, int]) -> None:
        async def look() -> bool:
            assert await self.subsets() == wanted
            return True

        await eventually(look)


def manifests() -> list[Json]:
    """What the page shows of subsets: a Rollout and a Service, a VirtualService and a DestinationRule."""
    (found,) = (each for each in examples([PAGE]) if len(each.services) == 1)
    return list(found.manifests)


def account() -> list[Json]:
    """What the page shows of the account in the primary cluster."""
    return list(yaml.safe_load_all(next(each.text for each in blocks(PAGE) if "ServiceAccount" in each.text)))


@pytest_asyncio.fixture
async def primary(tmp_path: Path, story: Story, router_kinds: RouterKinds) -> AsyncIterator[Primary]:
    """A second control plane, with Istio's definitions and the account of the page."""
    async with ControlPlane(tmp_path / "primary", workloads=False) as plane:
        await install(plane, router_kinds.of("istio"))
        kubectl = Kubectl(plane.admin_kubeconfig, story.namespace)
        for each in (story.namespace, "istio-system"):
            await kubectl("create", "namespace", each)
        await Kubectl(plane.admin_kubeconfig, "istio-system").apply(account())
        await kubectl.apply([each for each in manifests() if ISTIO in each["apiVersion"]])
        yield Primary(plane, kubectl, (await plane.access_of("istio-system", "rollouts-remote")).token)


@pytest_asyncio.fixture
async def home(plane: ControlPlane) -> AsyncIterator[Kubectl]:
    """kubectl in the controller's namespace, which is left without the Secret: other stories have no other cluster."""
    kubectl = Kubectl(plane.admin_kubeconfig, controllers.NAMESPACE)
    yield kubectl
    await kubectl("delete", "secret", "--selector", LABEL)


async def lead(home: Kubectl, kubeconfig: str, name: str = SECRET) -> None:
    """Write the Secret."""
    metadata = {"name": name, "labels": {LABEL: "true"}}
    await home.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {KEY: kubeconfig}})


async def says(story: Story, words: str) -> None:
    await story.until(lambda status: words in (status.get("message") or ""))


async def test_routes_are_in_the_primary_cluster_and_a_secret_can_be_mended(
    story: Story, home: Kubectl, primary: Primary, controller: Controller
) -> None:
    await lead(home, primary.kubeconfig())
    await story.kubectl.apply([each for each in manifests() if ISTIO not in each["apiVersion"]])
    await story.until(lambda status: status.get("phase") == "Healthy" and weight(status) == 0)
    await story.set_image("web:2.0")
    await paused_at(story, 20)
    await primary.has({"stable": 80, "canary": 20})

    where = f'Secret {controllers.NAMESPACE}/{SECRET}, key "{KEY}"'
    await lead(home, primary.kubeconfig(exec={"command": "/bin/true"}))
    await says(story, f"{where}: user.exec would have the controller run code for a Secret")
    await lead(home, primary.kubeconfig(username="nobody"))
    await says(story, f"nobody can tell whether the API server of {where} serves")
    await lead(home, primary.kubeconfig())
    await paused_at(story, 20)
    await story.cli("promote", "web")
    await paused_at(story, 60)
    await primary.has({"stable": 40, "canary": 60})

    await lead(home, primary.kubeconfig(), "another")
    await says(story, f"Secrets {controllers.NAMESPACE}/another, {controllers.NAMESPACE}/{SECRET} are all labelled")
    await home("delete", "secret", "another", SECRET)
    await says(story, "VirtualService")  # which isn't in our own cluster
    await lead(home, primary.kubeconfig())
    await paused_at(story, 60)
    await story.cli("promote", "web")
    await story.until(lambda status: status.get("phase") == "Healthy" and weight(status) == 0)
    await primary.has({"stable": 100, "canary": 0})

    await story.kubectl("delete", "rollout", "web")

    async def is_given_back() -> bool:
        rule = await primary.kubectl.json("get", f"destinationrules.{ISTIO}", "web")
        return [each["labels"] for each in rule["spec"]["subsets"]] == [{"app": "web"}, {"app": "web"}]

    await eventually(is_given_back)
    assert primary.token not in controller.log.read_text()
