"""Does the traffic go where a Rollout's steps say, by Ingress NGINX, and does every request get an answer?"""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from e2e import ingress_nginx
from e2e.controller import Controller
from e2e.data_plane import DataPlane
from e2e.stories.story import BETTER, Story
from e2e.stories.traffic import courses
from e2e.stories.traffic.served import Served, is_near
from e2e.waiting import eventually

Json = dict[str, Any]
INSIDER = "--header=X-Canary: insider"
ROUTING: Json = {
    "nginx": {
        "stableIngress": "web",
        "additionalIngressAnnotations": {"canary-by-header": "X-Canary", "canary-by-header-value": "insider"},
    }
}


def ingress(host: str) -> Json:
    backend = {"service": {"name": "web-stable", "port": {"number": 80}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web"},
        "spec": {
            "ingressClassName": ingress_nginx.CLASS,
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
        },
    }


class ServedByNginx(Served):
    """A story whose requests go through Ingress NGINX."""

    async def told(self) -> Json | None:
        """What nginx knows of the canary."""
        return await ingress_nginx.canary(self.data, f"{self.story.namespace}-web-canary-80")

    async def follows(self, weight: int) -> None:
        """Wait until nginx has been told a weight, and until its workers, which look once a second, go by it."""

        async def look() -> bool:
            told = await self.told()
            assert told, "nginx doesn't know the canary"
            assert told["weight"] == weight, told
            count = await self.load(500)
            assert is_near(count, BETTER, weight), count
            return True

        await eventually(look, what=f"nginx sends {weight} % to the canary")


@pytest_asyncio.fixture
async def served(story: Story, with_nginx: DataPlane) -> AsyncIterator[ServedByNginx]:
    """The story. Its Ingresses go before the next one starts: reading its configuration nginx ends idle connections."""
    served = ServedByNginx(story, with_nginx, ingress_nginx.ENTRY)
    yield served
    await story.kubectl("delete", "rollout,ingress", "--all", "--wait")

    async def is_forgotten() -> bool:
        return await served.told() is None

    await eventually(is_forgotten, what="nginx has forgotten the story's Ingresses")


async def test_the_share_is_the_weight_at_each_step_and_no_request_fails(served: ServedByNginx) -> None:
    await served.create(ingress(served.host), ROUTING)
    await courses.whole(served, INSIDER)


async def test_no_request_fails_in_an_abort_and_all_go_back(served: ServedByNginx) -> None:
    await served.create(ingress(served.host), ROUTING)
    await courses.aborted(served, INSIDER)


async def test_no_request_fails_when_the_controller_is_killed(served: ServedByNginx, controller: Controller) -> None:
    await served.create(ingress(served.host), ROUTING)
    await courses.without_a_controller_for_a_while(served, controller)
