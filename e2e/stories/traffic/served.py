"""What is served, and by which share of the requests?"""

import math
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from e2e import contour, envoy
from e2e.data_plane import GATEWAY, DataPlane
from e2e.stories.story import BETTER, GOOD, Story
from e2e.waiting import eventually
from tests.wire.objects import rollout

Json = dict[str, Any]
REQUESTS = 3000  # a weight of 20 that is 24 in truth is seen: 5.5 standard errors
STEADY = ("--rate=150", "--path=/?delay=0.05")  # users who wait for answers that take a moment
STEPS: list[Json] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]
SIDES: Json = {"stableService": "web-stable", "canaryService": "web-canary"}
GATEWAY_API: Json = {"gatewayAPI": {"httpRoutes": [{"name": "web"}]}}
# A pod ends some seconds after it was asked to, as one with a preStop hook: proxies have heard of it by then.
ENDS = {"devcluster/stop-after": "5s"}
DELAYS = {"scaleDownDelaySeconds": 5, "abortScaleDownDelaySeconds": 5}


def service(name: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def http_route(host: str, *services: str, **rule: Any) -> Json:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web"},
        "spec": {
            "hostnames": [host],
            "parentRefs": [{"name": contour.GATEWAY, "namespace": contour.NAMESPACE}],
            "rules": [{**rule, "backendRefs": [{"name": name, "port": 80} for name in services or SIDES.values()]}],
        },
    }


def web(routing: Json, steps: list[Json], replicas: int = 5, **canary: Any) -> Json:
    body = rollout("web", replicas, steps=steps, image=GOOD)
    body["spec"]["template"]["metadata"].setdefault("annotations", {}).update(ENDS)
    body["spec"]["strategy"]["canary"].update({**SIDES, **DELAYS, "trafficRouting": routing, **canary})
    return body


def is_near(count: Json, version: str, weight: float) -> bool:
    """Whether a share is within three standard errors of a weight; one without a doubt has none."""
    asked = sum(count["versions"].values())
    share, wanted = float(count["versions"].get(version, 0) / asked), weight / 100
    return abs(share - wanted) <= 3 * math.sqrt(wanted * (1 - wanted) / asked)


def http_proxy(host: str, **route: Any) -> Json:
    """Contour's own kind."""
    return {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": "web"},
        "spec": {
            "virtualhost": {"fqdn": host},
            "routes": [{**route, "services": [{"name": name, "port": 80} for name in SIDES.values()]}],
        },
    }


class Served:
    """A story whose requests are real."""

    def __init__(self, story: Story, data: DataPlane, entry: str = GATEWAY) -> None:
        self.story = story
        self.data = data
        self.entry = entry
        self.host = f"{story.namespace}.example.test"

    async def create(self, route: Json | None = None, routing: Json = GATEWAY_API, **canary: Any) -> None:
        """Apply all that belongs to it, and wait until requests are answered by the first version only."""
        wanted = [service("web-stable"), service("web-canary"), route or http_route(self.host)]
        await self.story.kubectl.apply([*wanted, web(routing, canary.pop("steps", STEPS), **canary)])
        await self.story.reaches("Healthy")
        await self.answers(GOOD)

    async def load(self, requests: int, *flags: str) -> Json:
        """Ask so many times; what came of it."""
        return await self.data.load(self.host, requests, *flags, to=self.entry)

    def loaded(self, *flags: str) -> AbstractAsyncContextManager[Json]:
        """Ask all the time; what came of it is there at the end."""
        return self.data.loaded(self.host, *flags, to=self.entry)

    async def answers(self, version: str, *flags: str) -> None:
        """Wait until only this version answers."""

        async def look() -> bool:
            count = await self.load(50, *flags)
            assert count["versions"] == {version: 50}, count
            return True

        await eventually(look, every=0.2, what=f"{version} answers")

    async def seen(self, image: str) -> int:
        """How many requests have come to the pods of a version, copies too, as they say themselves."""
        found = [each for each in await self.story.pods() if each["spec"]["containers"][0]["image"] == image]
        return sum([await self.data.seen(each["status"]["podIP"]) for each in found])

    async def crash(self, image: str) -> None:
        """Have one pod of a version end as if it had been killed, and start again."""
        pod = next(each for each in await self.story.pods() if each["spec"]["containers"][0]["image"] == image)
        name = pod["metadata"]["name"]
        age = datetime.now(UTC) - datetime.fromisoformat(pod["status"]["startTime"])  # which is over as it is set
        await self.story.kubectl("annotate", "pod", name, f"devcluster/exit-after={int(age.total_seconds())}s")

        async def container() -> Json:
            found = await self.story.kubectl.json("get", "pod", name)
            states: list[Json] = found["status"]["containerStatuses"]
            return states[0]

        async def has_crashed() -> bool:
            return "terminated" in (await container())["lastState"]

        async def runs() -> bool:
            found = await container()
            return bool(found["ready"]) and not found["lastState"]

        await eventually(has_crashed, what=f"pod {name} has crashed")
        await self.story.kubectl("annotate", "pod", name, "devcluster/exit-after-")
        await eventually(runs, what=f"pod {name} runs again")

    async def paused_at(self, weight: int) -> None:
        """Wait for the pause after a step that is verified, and until Envoy follows."""
        await self.story.until(
            lambda status: (
                status.get("phase") == "Paused"
                and ((status.get("canary") or {}).get("weights") or {}).get("canary", {}).get("weight") == weight
            )
        )
        await self.follows(weight)

    async def follows(self, weight: int) -> None:
        """Wait until Envoy gives the canary this weight."""

        async def look() -> bool:
            found = await envoy.weights(self.data.envoy, self.host)
            assert found, f"Envoy doesn't know {self.host}"
            assert found.get("web-canary", 0) * 100 == weight * sum(found.values()), found
            return True

        await eventually(look, what=f"Envoy sends {weight} % to the canary")

    async def share_is(self, weight: int, *flags: str, version: str = BETTER) -> None:
        """Measure the canary's share, once Envoy is known to follow.

        By chance alone one measurement in 370 is further away than three standard errors. It is taken anew once, so
        both would have to be: one run of all stories in ten thousand fails without a fault.
        """
        for _ in range(2):
            count = await self.load(REQUESTS, *flags)
            assert not count["failures"], count
            if is_near(count, version, weight):
                return
        raise AssertionError(f"{weight} % is wanted, {count['versions']} came")
