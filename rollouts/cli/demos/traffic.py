"""What does the demo show of traffic? Requests follow the weights, and a bad version gets none for long."""

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from rollouts.cli.console import say
from rollouts.cli.demos.counting import counted
from rollouts.cli.demos.kinds import GATEWAYS, HTTP_ROUTES
from rollouts.cli.demos.pace import Pace
from rollouts.cli.demos.requests import Requests
from rollouts.cli.demos.shares import Shares
from rollouts.cli.demos.stage import PATIENCE
from rollouts.cli.demos.user import BETTER, FAULTY, GOOD, NAME, PODS, User, is_in, observed_status
from rollouts.kube.cache import Cache
from rollouts.kube.resources import ROLLOUTS

if TYPE_CHECKING:
    from rollouts.cli.demos.stage import Stage, Test
    from rollouts.cli.live import Picture

CANARY_SERVICE = f"{NAME}-canary"
_GATEWAY = "public"
_PORT = 8080
_ENOUGH = 300  # answers, to say something about a share

# Metrics come from the clients: what they got is what counts.
MANIFEST = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: {NAME}
spec:
  replicas: {PODS}
  selector:
    matchLabels: {{app: {NAME}}}
  template:
    metadata:
      labels: {{app: {NAME}}}
    spec:
      containers:
        - name: {NAME}
          image: {GOOD}
          ports: [{{containerPort: 8080}}]
  strategy:
    canary:
      stableService: {NAME}-stable
      canaryService: {CANARY_SERVICE}
      trafficRouting:
        gatewayAPI:
          httpRoutes: [{{name: {NAME}}}]
      analysis:
        templates: [{{templateName: errors}}]
        startingStep: 1
        args:
          - name: image
            valueFrom: {{fieldRef: {{fieldPath: "spec.template.spec.containers[0].image"}}}}
      steps:
        - setWeight: 10
        - pause: {{duration: 5s}}
        - setWeight: 50
        - pause: {{duration: 5s}}
        - setWeight: 100
        - pause: {{duration: 3s}}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: errors
spec:
  args: [{{name: image}}]
  metrics:
    - name: errors
      initialDelay: 2s
      interval: 1s
      failureLimit: 1
      successCondition: result.errors <= 0.01 * result.requests
      provider:
        web:
          url: "COUNTS?image={{{{args.image}}}}"
---
apiVersion: v1
kind: Service
metadata:
  name: {NAME}-stable
spec:
  selector: {{app: {NAME}}}
  ports: [{{port: 80, targetPort: 8080}}]
---
apiVersion: v1
kind: Service
metadata:
  name: {CANARY_SERVICE}
spec:
  selector: {{app: {NAME}}}
  ports: [{{port: 80, targetPort: 8080}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: {_GATEWAY}
spec:
  gatewayClassName: devcluster
  listeners: [{{name: http, protocol: HTTP, port: {_PORT}}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {NAME}
spec:
  parentRefs: [{{name: {_GATEWAY}}}]
  rules:
    - backendRefs: [{{name: {NAME}-stable, port: 80}}]
"""


class TrafficStory:
    """A good version at 10, 50 and 100 %, and one that answers with errors."""

    moral: ClassVar[str] = "requests went where the weights said, and the version with errors was sent back"

    def __init__(self, user: User) -> None:
        self._user = user
        self._requests = Requests()
        self._pace = Pace(CANARY_SERVICE)
        self._url = ""
        self._requests.listeners.append(self._pace.answered)

    @contextlib.asynccontextmanager
    async def begun(self) -> AsyncIterator[Shares]:
        """Create the Rollout, a Gateway and a route, and send requests to it."""
        self._user.headline(f"A Rollout of {PODS} pods that answer, behind an HTTPRoute: 10 %, 50 %, 100 %")
        async with counted(self._requests) as counts:
            await self._user.apply(MANIFEST.replace("COUNTS", counts))
            async with self._watched():
                self._url = f"http://{await self._address()}:{_PORT}/"
                self._user.headline(f"Clients ask {self._url} some 200 times a second")
                async with self._requests.sent(self._url):
                    yield Shares(self._requests)

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Note when weights are decided and written."""
        session = self._user.session
        caches = [
            Cache(session.api, ROLLOUTS, session.namespace, on_change=self._pace.rollout_changed),
            Cache(session.api, HTTP_ROUTES, session.namespace, on_change=self._pace.route_changed),
        ]
        tasks = [asyncio.create_task(each.run()) for each in caches]
        try:
            for each in caches:
                await each.wait_synced(PATIENCE)
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _address(self) -> str:
        """Return the Gateway's address, once it has one."""
        session = self._user.session
        async with asyncio.timeout(PATIENCE):
            while True:
                gateway = await session.api.get(GATEWAYS, session.namespace, _GATEWAY)
                addresses = (gateway.get("status") or {}).get("addresses")
                if addresses:
                    return str(addresses[0]["value"])
                await asyncio.sleep(0.05)

    def to_try(self) -> Sequence[str]:
        """Ask oneself, and look at the route."""
        return (
            f"for i in $(seq 50); do curl -s {self._url}; done | cut -d' ' -f1 | sort | uniq -c",
            f"curl -si {self._url} | grep devcluster-",
            f"rollouts set image {NAME} {NAME}={NAME}:5.0-errors",
            f"kubectl get httproute {NAME} -o yaml",
            "kubectl get gateways,analysisruns",
        )

    async def tell(self, stage: "Stage") -> None:
        """Bring in both versions, and say what became of the requests."""
        await stage.until(is_in("Healthy"), "healthy")
        await self._good_change(stage)
        await self._bad_change(stage)
        self._reckon()

    async def _good_change(self, stage: "Stage") -> None:
        self._user.headline(f"Change the image to {BETTER}: the route sends it 10 % once its pod is there")
        await self._user.set_image(BETTER)
        await stage.until(_is_at(2), "at 50 %")
        self._say_share(BETTER, 10)
        await stage.until(_is_at(4), "at 100 %")
        self._say_share(BETTER, 50)
        await stage.until(is_in("Healthy"), "healthy")
        self._say_share(BETTER, 100)

    async def _bad_change(self, stage: "Stage") -> None:
        self._user.headline(f"Change the image to {FAULTY}: it answers with errors, and an analysis counts them")
        before = max(self._requests.by_generation)
        await self._user.set_image(FAULTY)
        await stage.until(_is_aborted, "aborted")
        self._say_share(FAULTY, 10, after=before)
        self._user.headline("The analysis has failed, and the Rollout is aborted: all requests go to the stable pods")
        await stage.until(lambda _: self._is_quiet(before), f"without requests to {FAULTY}")

    def _is_quiet(self, before: int) -> bool:
        """Say whether enough requests went by the route of after the abort."""
        since = [each for each in self._requests.by_generation if each > before and self._pace.weight_at(each) == 0]
        return sum(self._requests.by_generation[max(since)].values()) >= _ENOUGH if since else False

    def _say_share(self, image: str, weight: int, after: int = 0) -> None:
        """Say which share a version has had at a weight, by generations of the route after one."""
        answers: Counter[str] = Counter()
        for generation, found in self._requests.by_generation.items():
            if generation > after and self._pace.weight_at(generation) == weight:
                answers += found
        of = max(1, answers.total())
        error = math.sqrt(weight * (100 - weight) / of)
        self._user.headline(
            f"At weight {weight}, {answers[image]} of {of} requests reached {image}:"
            f" {100 * answers[image] / of:.1f} % (3 standard errors are {3 * error:.1f} %)"
        )

    def _reckon(self) -> None:
        """Say how many requests failed, and how soon they went by the weights."""
        requests = self._requests
        errors = ", ".join(f"{count} by {image}" for image, count in requests.errors.items() if count) or "none"
        self._user.headline(f"{requests.total} requests: {errors} answered with an error, {len(requests.lost)} lost")
        for each in Counter(requests.lost):
            say(f"  lost: {each}")
        say("First requests by a weight, since its step began (pods start in between) and since the route was written:")
        for delay in self._pace.delays():
            name = f"weight {delay.weight}" if delay.weight else "abort"
            say(f"  {name:<10}  {1000 * delay.since_decision:4.0f} ms  {1000 * delay.since_write:4.0f} ms")


def _is_at(index: int) -> "Test":
    """Return a test for a step, or one behind it."""

    def is_at(picture: "Picture") -> bool:
        status = observed_status(picture)
        return status.get("phase") in {"Progressing", "Paused"} and status.get("currentStepIndex", 0) >= index

    return is_at


def _is_aborted(picture: "Picture") -> bool:
    status = observed_status(picture)
    return status.get("phase") == "Degraded" and bool(status.get("abort"))
